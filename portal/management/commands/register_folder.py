"""Registers the files of a folder of this machine that are not registered yet."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue import tasks
from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from catalogue.services.declarations import declare_facility
from catalogue.services.statistics import measure_statistics
from portal.accounts.demo_accounts import PI, ensure_demo_accounts
from portal.folder import register_folder

# After that time the worker has made the first pictures, which count too.
PICTURES_MADE_SECONDS = 60


class Command(BaseCommand):
    help = "Registers what is new in FOLDER: each file one dataset, each folder at its top one investigation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"].resolve()
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        actor = ensure_demo_accounts()
        facility = declare_facility(actor=SYSTEM, short_name="local", name="Files of this machine")
        try:
            count = register_folder(actor=actor, facility=facility, folder=folder, team=(PI,), say=self.stdout.write)
        except DomainError as error:
            raise CommandError(error.message) from error
        measure_statistics(actor=SYSTEM)
        tasks.measure_statistics.apply_async(countdown=PICTURES_MADE_SECONDS)
        self.stdout.write(f"{count} new datasets of {folder} were registered; the worker reads their metadata now.")
