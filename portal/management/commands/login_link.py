"""Prints a one-time login link of a demonstration site."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.errors import DomainError
from catalogue.models import User
from portal.accounts.login_links import login_link


class Command(BaseCommand):
    help = "Prints a link that logs USER in once. Works on demonstration sites only (FAIRCAT_IS_DEMO)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['username']!r}.")
        try:
            self.stdout.write(login_link(user))
        except DomainError as error:
            raise CommandError("This is no demonstration site (FAIRCAT_IS_DEMO is off).") from error
