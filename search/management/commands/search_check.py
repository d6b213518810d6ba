"""Compares the search index with the database."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from search.backends.base import EngineUnavailable
from search.engines import engine
from search.indexing.check import check_index


class Command(BaseCommand):
    help = "Compares (dataset, version) of index and database. Ends with status 1 when something drifted and stays so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="have the indexer write what differs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = check_index(engine(), repairs=options["repair"])
        except EngineUnavailable as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{report}.")
        if report.is_repaired and report.total:
            self.stdout.write("The indexer has been told of them.")
        elif report.total:
            sys.exit(1)
