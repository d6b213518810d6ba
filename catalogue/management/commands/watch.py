"""Scans the storages by their watch rules, again and again, until it is told to stop."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from catalogue.access import SYSTEM
from catalogue.models import ScanRun
from catalogue.services.watching import scan_rules


class Command(BaseCommand):
    help = (
        "Scan declared storages for new, changed, renamed and vanished files by their watch rules. It may be stopped or "
        "killed at any moment; the next scan goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="scan once by every rule and end")
        parser.add_argument("--interval", type=float, default=30.0, help="seconds between two scans (default 30)")

    def handle(self, *args: Any, once: bool, interval: float, **options: Any) -> None:
        stop = threading.Event()
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
        try:
            # Whoever starts this command knows that no other scan is at work: a run that was killed holds up nothing.
            self._scan(stop, has_priority=True)
            while not once and not stop.wait(interval):
                self._scan(stop, has_priority=False)
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _scan(self, stop: threading.Event, *, has_priority: bool) -> None:
        for run in scan_rules(actor=SYSTEM, should_stop=stop.is_set, has_priority=has_priority):
            self._tell(run)

    def _tell(self, run: ScanRun) -> None:
        self.stdout.write(
            f"{run.rule}: {run.seen} files seen, {run.registered} registered, {run.changed} changed,"
            f" {run.missing} missing, {run.refused} refused. {run.error}".rstrip()
        )
