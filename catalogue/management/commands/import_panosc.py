"""Brings the database of a PaNOSC reference server into the catalogue; may be run again at any time."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from catalogue.interop.panosc_database import MOST_BYTES
from catalogue.services.panosc_import import import_panosc


class Command(BaseCommand):
    help = "Imports FILE, the JSON database of a PaNOSC reference server: everything that is new in it, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as stream:
                content = stream.read(MOST_BYTES + 1)
            done = import_panosc(actor=SYSTEM, content=content)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except DomainError as error:
            raise CommandError(f"Nothing was imported.\n{error.message}") from error
        told = ", ".join(f"{count} {name}" for name, count in asdict(done).items())
        self.stdout.write(f"New: {told}.")
