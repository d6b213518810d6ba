"""Writes the whole site, but for the data in its storages, into one archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backup import BackupRefused, write_backup


class Command(BaseCommand):
    help = "Writes database and thumbnails to FILE (ZIP). Keep FAIRCAT_SECRET_KEYS elsewhere: they are not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            contents = write_backup(options["file"])
        except (BackupRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{contents.rows} rows and {contents.derived_files} derived files in {options['file']}")
