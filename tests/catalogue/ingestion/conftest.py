"""A folder into which an instrument writes, and a rule that turns `visit/sample_number.suffix` into datasets."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from catalogue import outbox
from catalogue.access import SYSTEM
from catalogue.models import Instrument, Investigation, ScanRun, Storage, User, WatchedFile, WatchRule
from catalogue.services.storages import close_storages
from catalogue.services.watching import scan_rule
from tests import factories

PATTERN = r"(?P<visit>[^/]+)/(?P<sample>[^/_]+)_(?P<number>\d+)\.\w+"


@dataclass
class Beamline:
    """An instrument with its account, a folder, an investigation `visit-a`, and a rule for them."""

    folder: Path
    storage: Storage
    instrument: Instrument
    account: User
    investigation: Investigation
    rule: WatchRule

    def write(self, path: str, content: bytes = b"data", *, modified_at: datetime | None = None) -> Path:
        """Write a file whose time of modification is now, on the clock of the test, or `modified_at`."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        seconds = (modified_at or timezone.now()).timestamp()
        os.utime(place, (seconds, seconds))
        return place

    def scan(self, *, after: timedelta = timedelta(0)) -> ScanRun:
        with time_machine.travel(timezone.now() + after):
            return scan_rule(actor=SYSTEM, rule=WatchRule.objects.get(pk=self.rule.pk))

    def settle(self) -> ScanRun:
        """Scan now, and again when everything has settled."""
        self.scan()
        return self.scan(after=timedelta(minutes=2))

    def watched(self, path: str) -> WatchedFile:
        return WatchedFile.objects.get(rule=self.rule, path=path)


@pytest.fixture
def make_rule(db: None) -> Callable[..., WatchRule]:
    def make(storage: Storage, instrument: Instrument, account: User, **fields: Any) -> WatchRule:
        values = {
            "name": "images",
            "pattern": PATTERN,
            "visit_template": "{visit}",
            "group_template": "{visit}/{sample}_{number}",
            "sample_template": "{sample}",
            "settle_seconds": 60,
        }
        return WatchRule.objects.create(storage=storage, instrument=instrument, acts_as=account, **(values | fields))

    return make


@pytest.fixture
def beamline(db: None, tmp_path: Path, make_rule: Callable[..., WatchRule]) -> Beamline:
    folder = tmp_path / "beamline"
    folder.mkdir()
    instrument = factories.make_instrument()
    account = factories.make_instrument_account(instrument)
    storage = factories.make_storage(folder, instrument=instrument)
    investigation = factories.make_investigation(instrument=instrument, visit_id="visit-a")
    return Beamline(folder, storage, instrument, account, investigation, make_rule(storage, instrument, account))


def deliver() -> None:
    """Deliver all intents, as the worker does, at a time when those of travelled scans are due."""
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        while outbox.deliver_due(limit=50):
            pass


@pytest.fixture(autouse=True)
def _closed_storages() -> Iterator[None]:
    yield
    close_storages()
