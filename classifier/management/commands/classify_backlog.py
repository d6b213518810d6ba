"""Queues the images of the catalogue that were never classified, or not by a certain release, and follows the workers."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.access import SYSTEM
from catalogue.errors import NotFound
from classifier.services.backlog import walk_backlog
from classifier.services.dispatch import undone_by_kind
from classifier.services.releases import release_named

EVERY_SECONDS = 2.0


class Command(BaseCommand):
    help = "Queues images of the catalogue that were never classified. Can be stopped and begun again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--release", default="", metavar="LABEL", help="annotate by this release what it has not seen"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="queue at most N pieces of work")
        parser.add_argument("--anew", action="store_true", help="do not go on with a walk that was interrupted")
        parser.add_argument("--wait", action="store_true", help="tell how the workers get on until all is done")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            release = release_named(options["release"]) if options["release"] else None
        except NotFound as error:
            raise CommandError(error.message) from None
        began_at, queued = time.monotonic(), 0
        walk = walk_backlog(actor=SYSTEM, release=release, limit=options["limit"], is_resumed=not options["anew"])
        for walked in walk:
            queued = walked.queued
            rate = walked.seen / max(time.monotonic() - began_at, 1e-3)
            self.stdout.write(
                f"{walked.share:4.0%}: {walked.seen:,} images looked at, {rate:,.0f} a second; {queued:,} queued"
            )
        self.stdout.write(f"{queued:,} pieces of work were queued.")
        if options["wait"]:
            self._follow()

    def _follow(self) -> None:
        """Tell what is left until nothing is, whoever queued it."""
        before, seen_at = undone_by_kind(), time.monotonic()
        while sum(before.values()):
            time.sleep(EVERY_SECONDS)
            left, now = undone_by_kind(), time.monotonic()
            told = [
                f"{kind}: {left.get(kind, 0):,} left, {max(count - left.get(kind, 0), 0) / (now - seen_at):,.1f} a second"
                for kind, count in before.items()
            ]
            self.stdout.write("; ".join(told))
            before, seen_at = left, now
        self.stdout.write("Nothing waits any more.")
