"""Makes a token with which an instrument registers its data, and its account when it has none yet."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from catalogue.services.investigations import find_instrument
from catalogue.services.tokens import create_token, find_or_create_instrument_account


class Command(BaseCommand):
    help = "Prints a new token for the account of an instrument. It is shown this once only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("instrument", help="short name or uid of the instrument")
        parser.add_argument("--name", default="instrument", help="what the token is called in lists")
        parser.add_argument("--days", type=int, default=365, help="how long it is valid (default and at most a year)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            instrument = find_instrument(options["instrument"])
            account = find_or_create_instrument_account(actor=SYSTEM, instrument=instrument)
            _, text = create_token(
                actor=SYSTEM,
                owner=account,
                name=options["name"],
                scopes=["register"],
                lifetime=timedelta(days=options["days"]),
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(text)
