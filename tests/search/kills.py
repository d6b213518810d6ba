"""An indexer that is killed again and again while an archive changes at random. Used by tests and by `benchmarks/`."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from catalogue import changes
from catalogue.access import SYSTEM
from catalogue.models import Dataset, Instrument
from catalogue.services.withdrawals import withdraw_dataset
from search.indexing.locks import INDEXER, process_lock
from tests import factories
from tests.search.processes import environment

INDEX = """
import sys
from pathlib import Path
import django; django.setup()
from search.indexing import sync
from search.backends.embedded import EmbeddedEngine
sync.BATCH = 7
engine = EmbeddedEngine(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
while True:
    sync.index_pending(engine, lingers=60.0, lasts=60.0)
"""
LONGEST_LIFE = 0.6


class Archive:
    """Datasets that are registered, edited, withdrawn and renamed at random, some of it taken back."""

    def __init__(self, rng: random.Random, datasets: list[Dataset]) -> None:
        self.rng, self.datasets = rng, datasets

    def change(self) -> None:
        act: Callable[[], None] = self.rng.choice(
            [self.edit] * 5 + [self.register, self.withdraw, self.rename, self.regret]
        )
        act()

    def edit(self) -> None:
        dataset = self.rng.choice(self.datasets)
        with transaction.atomic():
            Dataset.objects.filter(pk=dataset.pk).update(title=f"Number {self.rng.random()}")
            changes.datasets_changed([dataset])

    def register(self) -> None:
        self.datasets.append(factories.make_dataset(self.rng.choice(self.datasets).investigation))

    def withdraw(self) -> None:
        dataset = self.rng.choice(self.datasets)
        if Dataset.objects.filter(pk=dataset.pk, state="active").exists():
            withdraw_dataset(actor=SYSTEM, dataset=dataset, reason="A mistake.")

    def rename(self) -> None:
        instrument = self.rng.choice(self.datasets).instrument
        with transaction.atomic():
            Instrument.objects.filter(pk=instrument.pk).update(manufacturer=f"Maker {self.rng.random()}")
            changes.row_changed(instrument)

    def regret(self) -> None:
        dataset = self.rng.choice(self.datasets)
        with transaction.atomic():
            Dataset.objects.filter(pk=dataset.pk).update(title="Never")
            changes.datasets_changed([dataset])
            transaction.set_rollback(True)


def start_indexer(folder: Path) -> subprocess.Popen:
    """A process that will index into the engine of `folder` as soon as it gets a line."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", INDEX, str(folder)], env=environment(), stdin=pipe, stdout=pipe)


def kill_indexers(folder: Path, archive: Archive, *, rounds: int) -> None:
    """Start one indexer after the other and kill each somewhere in its work, while the archive changes.

    Returns when the lock of the last one is free: PostgreSQL lets it go when it notices that its process is gone.
    """
    waiting = start_indexer(folder)
    for place in range(rounds):
        indexer = waiting
        if place + 1 < rounds:
            waiting = start_indexer(folder)
        assert indexer.stdin and indexer.stdout
        assert indexer.stdout.readline() == b"ready\n"
        indexer.stdin.write(b"go\n")
        indexer.stdin.flush()
        ends_at = time.monotonic() + archive.rng.uniform(0.0, LONGEST_LIFE)
        while time.monotonic() < ends_at:
            archive.change()
        indexer.kill()
        indexer.communicate()
    with process_lock(INDEXER, waits=True):
        pass
