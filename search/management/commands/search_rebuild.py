"""Builds the search index anew beside the one in use."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from search.backends.base import EngineUnavailable
from search.engines import engine
from search.indexing.rebuild import RebuildFailed, rebuild_index

# Besides the one that writes, which waits for the disk and for merges.
PROCESSES = min(4, os.cpu_count() or 1)


class Command(BaseCommand):
    help = "Builds the search index from the database, beside the one in use, and puts it in its place. Can be resumed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--processes",
            type=int,
            default=PROCESSES,
            metavar="N",
            help="that read the database; default %(default)s here",
        )
        parser.add_argument("--anew", action="store_true", help="do not go on with a build that was interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rebuild_index(engine(), processes=options["processes"], begins_anew=options["anew"], tell=self.stdout.write)
        except (EngineUnavailable, RebuildFailed) as error:
            raise CommandError(str(error)) from None
