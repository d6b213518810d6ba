"""Builds an index beside the live one, from the database, while searches and the indexer go on; then puts it in its place.

It can be killed anywhere and resumed: `IndexBuild` keeps how far it came. What changed meanwhile is found by comparing all
versions, mended while the indexer stands still for a moment, and the new index is looked over before anybody searches it.
"""

import gc
import logging
import multiprocessing
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime, timedelta

import django
from django.db.models import F
from django.utils import timezone

from catalogue.access import opens_at
from catalogue.models import Dataset, DatasetRevision
from search.backends.base import Engine, EngineUnavailable, Index, Request
from search.clauses import Between, Clause, Term
from search.fields import schema_hash
from search.indexing.building import Built, build_documents, microseconds
from search.indexing.check import Difference, Kind, differences, steps
from search.indexing.locks import INDEXER, REBUILD, process_lock
from search.indexing.sync import NoIndex, live_index, report, settle, write_current
from search.models import IndexBuild

logger = logging.getLogger(__name__)

PORTION = 1_000
# Portions that are made before they are needed.
AHEAD = 12
# Datasets that are written at once: a commit has its price.
WRITTEN_AT_ONCE = 5_000
SAMPLES = 50
KEPT_FOR = timedelta(days=1)
TOLD_EVERY = 2.0
# Documents hold no cycles: the collector would look at millions of them in vain.
COLLECT_EVERY = 200_000

Teller = Callable[[str], object]


class RebuildFailed(Exception):
    """The new index is not what the database says, or another rebuild is under way. The live one is untouched."""


def rebuild_index(
    engine: Engine, *, processes: int = 0, begins_anew: bool = False, tell: Teller = logger.info
) -> IndexBuild:
    """Build, compare, promote. `processes` besides this one make documents. Raises RebuildFailed or EngineUnavailable."""
    with process_lock(REBUILD) as is_ours:
        if not is_ours:
            raise RebuildFailed("Another rebuild is under way.")
        build = _begin(engine, begins_anew, tell)
        index = engine.create(build.name)
        failures = _fill(index, build, processes, tell)
        tell("Comparing with what changed meanwhile.")
        failures |= _mend(index)
        with process_lock(INDEXER, waits=True):
            failures |= _mend(index)
            _verify(index, build, failures)
            engine.promote(build.name)
        if failures:
            report(failures)
        _note_promotion(build)
        drop_old_indexes(engine)
    tell(f"The index {build.name} is in use, with {index.count():,} datasets.")
    return build


def ensure_index(engine: Engine) -> bool:
    """Build the first index of a site, or the first for new fields; False where there is one. Raises EngineUnavailable."""
    try:
        live_index(engine)
    except NoIndex:
        rebuild_index(engine)
        return True
    return False


def _begin(engine: Engine, begins_anew: bool, tell: Teller) -> IndexBuild:
    """The build that was interrupted, when its index is there and has the present fields; else a new one."""
    unfinished = IndexBuild.objects.filter(state=IndexBuild.State.BUILDING)
    names = set(engine.names())
    for build in unfinished:
        if _is_live(engine, build.name):
            _note_promotion(build)
            continue
        if build.name.startswith(schema_hash()) and build.name in names and not begins_anew:
            tell(f"Going on with {build.name} after {build.written:,} datasets.")
            return build
        build.state, build.finished_at = IndexBuild.State.FAILED, timezone.now()
        build.save(update_fields=["state", "finished_at"])
    now = timezone.now()
    return IndexBuild.objects.create(
        name=f"{schema_hash()}-{now:%Y%m%d%H%M%S%f}", started_at=now, expected=DatasetRevision.objects.count()
    )


def _is_live(engine: Engine, name: str) -> bool:
    try:
        return engine.live().name == name
    except EngineUnavailable:
        return False


def _fill(index: Index, build: IndexBuild, processes: int, tell: Teller) -> dict[int, str]:
    """Write all datasets in the order of their keys, from where the build stands; which could not be described, and why."""
    failures: dict[int, str] = {}
    progress = _Progress(build, tell)
    waiting: list[Built] = []
    last, before = build.last_dataset, gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *before[1:])
    try:
        for last, built in _built_portions(build.last_dataset, processes):
            failures |= built.failures
            waiting.append(built)
            if sum(len(one.documents) for one in waiting) >= WRITTEN_AT_ONCE:
                _write(index, build, waiting, last)
                waiting = []
                progress.tell()
        _write(index, build, waiting, last)
    finally:
        gc.set_threshold(*before)
    return failures


def _write(index: Index, build: IndexBuild, portions: list[Built], last: int) -> None:
    documents = [document for built in portions for pair in built.documents.values() for document in pair]
    index.write(documents)
    count = sum(len(built.documents) for built in portions)
    IndexBuild.objects.filter(pk=build.pk).update(last_dataset=last, written=F("written") + count)
    build.last_dataset, build.written = last, build.written + count


class _Progress:
    """Says now and then how far a build came, and how long it will last."""

    def __init__(self, build: IndexBuild, tell: Teller) -> None:
        self._build, self._tell = build, tell
        self._began, self._first = time.monotonic(), build.written
        self._told = self._began

    def tell(self) -> None:
        now = time.monotonic()
        if now - self._told < TOLD_EVERY:
            return
        self._told = now
        written, expected = self._build.written, max(self._build.expected, self._build.written)
        speed = (written - self._first) / (now - self._began)
        left = (expected - written) / speed if speed else 0
        self._tell(
            f"{written:,} of {expected:,} datasets ({written / max(expected, 1):.0%}), {speed:,.0f} a second, {left:,.0f} s left"
        )


def _built_portions(after: int, processes: int) -> Iterator[tuple[int, Built]]:
    """The last key and the documents of each portion, in the order of the keys."""
    portions = _portions(after)
    if not processes:
        yield from ((max(versions), build_documents(versions)) for versions in portions)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=django.setup) as pool:
        # Some portions ahead of the writing, so that nobody waits while it merges, and memory stays what it is.
        ahead: deque[tuple[int, Future[Built]]] = deque()
        for versions in portions:
            ahead.append((max(versions), pool.submit(_build, versions)))
            if len(ahead) > AHEAD:
                last, future = ahead.popleft()
                yield last, future.result()
        yield from ((last, future.result()) for last, future in ahead)


def _build(versions: dict[int, int]) -> Built:
    """In a process of its own, which does nothing else."""
    gc.set_threshold(COLLECT_EVERY)
    return build_documents(versions)


def _portions(after: int) -> Iterator[dict[int, int]]:
    """Versions by dataset. They are read before anything else is, so that no document is older than its version."""
    revisions = DatasetRevision.objects.order_by("dataset_id").values_list("dataset_id", "number")
    while versions := dict(revisions.filter(dataset__gt=after)[:PORTION]):
        yield versions
        after = max(versions)


def _mend(index: Index) -> dict[int, str]:
    """Bring what differs to the present; what the index has in the version of the database is no longer pending."""
    failures: dict[int, str] = {}
    for portion in _portions_of(differences(index)):
        written = {one.dataset: one.number for one in portion if one.kind is Kind.WRITTEN}
        differing = {one.dataset: max(one.number, one.held) for one in portion if one.kind is not Kind.WRITTEN}
        if differing:
            failures |= write_current(index, differing)
        settle(written)
    return failures


def _portions_of(found: Iterable[Difference]) -> Iterator[list[Difference]]:
    portion: list[Difference] = []
    for difference in found:
        portion.append(difference)
        if len(portion) == PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def _verify(index: Index, build: IndexBuild, failures: dict[int, str]) -> None:
    """Raise RebuildFailed unless index and database agree, but for what changed this moment or cannot be described."""
    held, wrong, seen = 0, 0, []
    for step in steps(index):
        held += len(step.held)
        wrong += sum(one.is_drift and one.dataset not in failures for one in step.differences())
        seen += random.sample(sorted(step.held), min(len(step.held), SAMPLES))
    count = index.count()
    unlike = _unlike(index, random.sample(seen, min(len(seen), SAMPLES)))
    if wrong or count != held or unlike:
        IndexBuild.objects.filter(pk=build.pk).update(state=IndexBuild.State.FAILED, finished_at=timezone.now())
        raise RebuildFailed(
            f"{wrong:,} datasets differ from the database, {unlike} of {SAMPLES} samples are not found as they are, "
            f"and {count:,} of {held:,} are counted. The index in use was not touched."
        )


def _unlike(index: Index, keys: list[int]) -> int:
    """How many of these datasets are not found by their key, version and opening, each of which may have changed since."""
    rows = Dataset.objects.select_related("investigation").filter(pk__in=keys, revision__is_pending=False)
    samples = list(rows.annotate(number=F("revision__number")))
    if not samples:
        return 0
    return sum(total != 1 for total in index.totals([_question(row, row.number) for row in samples]))


def _question(dataset: Dataset, number: int) -> Request:
    moment = microseconds(opens_at(dataset))
    conditions: tuple[Clause, ...] = (
        Term("dataset", dataset.pk),
        Term("version", number),
        Between("opens_at", moment, moment),
    )
    filters = tuple((str(place), condition) for place, condition in enumerate(conditions))
    return Request(access=Term("document", "full"), filters=filters)


def _note_promotion(build: IndexBuild) -> None:
    now = timezone.now()
    others = IndexBuild.objects.filter(state=IndexBuild.State.LIVE).exclude(pk=build.pk)
    others.update(state=IndexBuild.State.RETIRED, finished_at=now)
    build.state, build.finished_at = IndexBuild.State.LIVE, now
    build.save(update_fields=["state", "finished_at"])


def drop_old_indexes(engine: Engine, *, now: datetime | None = None) -> list[str]:
    """Remove indexes of builds that failed, and those that were replaced a day ago; their names."""
    kept_since = (now or timezone.now()) - KEPT_FOR
    builds = IndexBuild.objects.exclude(state=IndexBuild.State.BUILDING)
    ended = {build.name: build for build in builds}
    dropped = []
    for name in engine.names():
        build = ended.get(name)
        is_kept = build is None or (build.state == IndexBuild.State.RETIRED and _ended_at(build) > kept_since)
        if not is_kept and not _is_live(engine, name):
            engine.drop(name)
            dropped.append(name)
    return dropped


def _ended_at(build: IndexBuild) -> datetime:
    return build.finished_at or build.started_at
