"""Whether the index holds what the database says: (dataset, version) of both, side by side, in bounded memory.

Only the comparison and its repair; how an index is written stands in `search/indexing/sync.py`.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import Case, Q, When
from django.utils import timezone

from catalogue import events
from catalogue.models import DatasetRevision, Statistic
from catalogue.models.investigations import RecordState
from search.backends.base import Engine, Index
from search.indexing.locks import INDEXER, process_lock
from search.indexing.sync import live_index

logger = logging.getLogger(__name__)

STEP = 10_000
DRIFT = "index_drift"


class Kind(StrEnum):
    """WRITTEN is what the index has although its revision is still pending; the others are differences."""

    MISSING = "missing"
    STALE = "stale"
    SURPLUS = "surplus"
    WRITTEN = "written"


@dataclass(frozen=True)
class Difference:
    """`held` is the version in the index, `number` that of the database, 0 where there is none or it is shown no more."""

    kind: Kind
    dataset: int
    held: int
    number: int
    is_pending: bool

    @property
    def is_drift(self) -> bool:
        """Whether the indexer will not mend it: it does what is pending, but an index never takes an older version."""
        return self.kind is not Kind.WRITTEN and (not self.is_pending or 0 < self.number < self.held)


@dataclass(frozen=True)
class Step:
    """Versions in the index, and (number, is_pending) in the database, of the datasets in one range of keys."""

    held: dict[int, int]
    wanted: dict[int, tuple[int, bool]]

    def differences(self) -> Iterator[Difference]:
        for key in sorted(self.held.keys() | self.wanted.keys()):
            held, (number, is_pending) = self.held.get(key, 0), self.wanted.get(key, (0, False))
            if held != number:
                kind = Kind.STALE if held and number else Kind.MISSING if number else Kind.SURPLUS
                yield Difference(kind, key, held, number, is_pending)
            elif is_pending and number:
                yield Difference(Kind.WRITTEN, key, held, number, is_pending)


def steps(index: Index) -> Iterator[Step]:
    """Both sides in ranges of keys. The index is read first: what the indexer writes meanwhile looks newer, never older."""
    after = 0
    while True:
        held = dict(index.versions(after=after, limit=STEP))
        wanted = _wanted(after)
        ends = [max(side) for side in (held, wanted) if len(side) == STEP]
        upto = min(ends, default=None)
        if upto is not None:
            held = {key: version for key, version in held.items() if key <= upto}
            wanted = {key: state for key, state in wanted.items() if key <= upto}
        if held or wanted:
            yield Step(held, wanted)
        if upto is None:
            return
        after = upto


def _wanted(after: int) -> dict[int, tuple[int, bool]]:
    """What was withdrawn has a revision, but no number: the index should hold nothing of it."""
    active = Q(dataset__state=RecordState.ACTIVE, dataset__investigation__state=RecordState.ACTIVE)
    number = Case(When(active, then="number"), default=0)
    rows = DatasetRevision.objects.filter(dataset__gt=after).order_by("dataset_id").annotate(wanted=number)
    found = rows.values_list("dataset_id", "wanted", "is_pending")[:STEP]
    return {key: (wanted, is_pending) for key, wanted, is_pending in found}


def differences(index: Index) -> Iterator[Difference]:
    return (difference for step in steps(index) for difference in step.differences())


@dataclass
class Report:
    """What a check found; `waiting` are differences that the indexer is about to mend."""

    compared: int = 0
    waiting: int = 0
    drift: dict[Kind, int] = field(default_factory=lambda: {Kind.MISSING: 0, Kind.STALE: 0, Kind.SURPLUS: 0})
    is_repaired: bool = False

    @property
    def total(self) -> int:
        return sum(self.drift.values())

    def __str__(self) -> str:
        found = ", ".join(f"{count:,} {kind}" for kind, count in self.drift.items())
        return f"{self.compared:,} datasets compared: {found}; {self.waiting:,} wait for the indexer"


def check_index(engine: Engine, *, repairs: bool = False) -> Report:
    """Compare all, and with `repairs` hand what drifted to the indexer. Raises EngineUnavailable.

    A first look goes on beside the indexer; what it finds is looked at again while the indexer stands still.
    """
    index = live_index(engine)
    report = _compare(index, repairs=False)
    if report.total:
        with process_lock(INDEXER, waits=True):
            report = _compare(live_index(engine), repairs=repairs)
    left = 0 if report.is_repaired else report.total
    Statistic.objects.update_or_create(name=DRIFT, defaults={"value": left, "measured_at": timezone.now()})
    if report.total:
        logger.error("the search index has drifted: %s", report)
    return report


def _compare(index: Index, *, repairs: bool) -> Report:
    report = Report(is_repaired=repairs)
    for step in steps(index):
        report.compared += len(step.held.keys() | step.wanted.keys())
        drifted = []
        for difference in step.differences():
            if difference.is_drift:
                report.drift[difference.kind] += 1
                drifted.append(difference)
            else:
                report.waiting += 1
        if repairs and drifted:
            _repair(index, drifted)
    return report


def _repair(index: Index, drifted: Iterable[Difference]) -> None:
    """Raise the revision above whatever the index holds, so that the indexer writes it; what has no row is removed."""
    held = {difference.dataset: difference.held for difference in drifted}
    known = set(DatasetRevision.objects.filter(dataset__in=held).values_list("dataset_id", flat=True))
    table = connection.ops.quote_name(DatasetRevision._meta.db_table)
    statement = (
        f"UPDATE {table} SET number = CASE WHEN number > %s THEN number ELSE %s END + 1, is_pending = %s "  # noqa: S608
        "WHERE dataset_id = %s"
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.executemany(statement, [(held[key], held[key], True, key) for key in sorted(known)])
        events.send_after_commit(events.revisions_raised)
    index.write([], removed=[(key, version) for key, version in held.items() if key not in known])
