"""Fills an empty site from an archive that `manage.py backup` made."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.backup import BackupRefused, read_backup


class Command(BaseCommand):
    help = "Restores FILE into a database in which only `migrate` was run. A damaged archive changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            contents = read_backup(options["file"])
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{contents.rows} rows and {contents.derived_files} derived files were restored.")
