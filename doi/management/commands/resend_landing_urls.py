"""Tells DataCite the addresses of all landing pages anew, after the site has moved (FAIRCAT_SITE_URL)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from doi.services import resend_landing_urls


class Command(BaseCommand):
    help = "Record the intent to tell DataCite the address of every landing page anew; the worker delivers."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = resend_landing_urls(actor=SYSTEM)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{count} DOIs are told anew.")
