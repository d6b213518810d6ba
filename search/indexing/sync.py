"""The indexer: writes the datasets whose revision is pending as they are now, until nothing is pending.

There is one at a time. Killed anywhere it loses nothing: a revision is settled after its documents were written, and only
if its number is still the one that was read before them. Changes only raise numbers, so that many become one writing.
"""

import logging
import time
from collections.abc import Mapping
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from catalogue import outbox
from catalogue.access import opens_at
from catalogue.models import Dataset, DatasetRevision, OutboxEntry
from search.backends.base import Document, Engine, EngineUnavailable, Index
from search.fields import schema_hash
from search.indexing.building import Built, build_documents
from search.indexing.locks import INDEXER, process_lock

logger = logging.getLogger(__name__)

TOPIC = "index-dataset"
LONGEST_PAUSE = timedelta(minutes=10)
BATCH = 500
NEWEST = 100
# Between two looks, so that changes of the same moment are written together.
PAUSE = 0.15
# An indexer without work stays for longer than the doorbell keeps silent, so that no ring is missed.
LINGERS = 2.5
LASTS = 20.0


class NoIndex(EngineUnavailable):
    """The engine answers, but has no index for the present fields: one has to be built."""


def live_index(engine: Engine) -> Index:
    """The index that is searched. Raises NoIndex, or EngineUnavailable when the engine does not answer."""
    try:
        index = engine.live()
    except EngineUnavailable as error:
        if engine.is_answering():
            raise NoIndex(str(error)) from error
        raise
    if not index.name.startswith(schema_hash()):
        raise NoIndex("The search index was made for other fields; it has to be built anew.")
    return index


def index_pending(engine: Engine, *, lingers: float = 0.0, lasts: float = LASTS) -> int:
    """Write what is pending and go on for `lasts` seconds at most, the last `lingers` of them without work.

    Returns how many datasets were written or removed; none where another indexer is at work. Raises EngineUnavailable.
    """
    ends_at, count = time.monotonic() + lasts, 0
    while True:
        with process_lock(INDEXER) as is_ours:
            if not is_ours:
                return count
            count += _work(live_index(engine), ends_at, lingers)
        # What came between the last look and the end of the lock found an indexer at work, and rang in vain.
        if time.monotonic() >= ends_at or not is_behind():
            return count


def is_behind() -> bool:
    """Whether anything is pending that the indexer can write."""
    return bool(_pending(0, 1))


def _work(index: Index, ends_at: float, lingers: float) -> int:
    count, last, busy_until = 0, 0, time.monotonic() + lingers
    while True:
        portion = _pending(last, BATCH)
        last = max(portion) if len(portion) == BATCH else 0
        # The newest first, so that an edit does not wait behind a hundred thousand datasets of a renamed instrument.
        versions = portion | _newest() if last else portion
        count += len(versions)
        if versions:
            index_batch(index, versions)
            busy_until = time.monotonic() + lingers
        now = time.monotonic()
        if now >= ends_at or (not versions and now >= busy_until):
            return count
        if not last:
            time.sleep(PAUSE if lingers else 0.0)


def _pending(after: int, limit: int) -> dict[int, int]:
    """Numbers of pending revisions by dataset, in the order of the keys beyond `after`; without those that failed alone."""
    rows = _waiting().filter(dataset__gt=after).order_by("dataset_id")
    found = dict(rows.values_list("dataset_id", "number")[:limit])
    return found if found or not after else _pending(0, limit)


def _newest() -> dict[int, int]:
    """Numbers of the revisions that were raised last."""
    return dict(_waiting().order_by("-changed_at").values_list("dataset_id", "number")[:NEWEST])


def _waiting() -> QuerySet[DatasetRevision]:
    rows = DatasetRevision.objects.filter(is_pending=True)
    failed = list(OutboxEntry.objects.filter(topic=TOPIC).values_list("key", flat=True))
    return rows.exclude(dataset__uid__in=failed) if failed else rows


def index_batch(index: Index, versions: Mapping[int, int]) -> None:
    """Bring these datasets into the index under the versions given, which were read before, and settle their revisions.

    One that cannot be written stops no other: it is handed to the outbox, which tries again and shows why.
    """
    failures = write_current(index, versions)
    settle({key: number for key, number in versions.items() if key not in failures})
    if failures:
        report(failures)


def write_current(index: Index, versions: Mapping[int, int]) -> dict[int, str]:
    """Write the datasets as they are now, remove those that are shown no more; which failed, by key, and why."""
    built = build_documents(versions)
    removed = [(key, number) for key, number in versions.items() if key not in built.documents | built.failures]
    documents = [document for pair in built.documents.values() for document in pair]
    try:
        index.write(documents, removed=removed)
    except EngineUnavailable:
        raise
    except Exception:
        logger.exception("a batch of %s datasets could not be indexed; each is tried alone", len(versions))
        index.write([], removed=removed)
        _write_each(index, built)
    return built.failures


def _write_each(index: Index, built: Built) -> None:
    for key, documents in built.documents.items():
        if reason := _refusal(index, documents):
            built.failures[key] = reason


def _refusal(index: Index, documents: list[Document]) -> str:
    try:
        index.write(documents)
    except EngineUnavailable:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def settle(versions: Mapping[int, int]) -> None:
    """Note that the index has these versions, and when they open. A revision that was raised meanwhile stays pending.

    Whatever changes an opening raises the number: a number that is still the same goes with the opening that is read here.
    """
    rows = Dataset.objects.select_related("investigation").in_bulk(list(versions))
    table = connection.ops.quote_name(DatasetRevision._meta.db_table)
    statement = f"UPDATE {table} SET is_pending = %s, opens_at = %s WHERE dataset_id = %s AND number = %s"  # noqa: S608
    adapt = connection.ops.adapt_datetimefield_value
    values = [(False, adapt(opens_at(rows[key])), key, versions[key]) for key in sorted(rows)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, values)


def report(failures: Mapping[int, str]) -> None:
    """Hand datasets that cannot be indexed to the outbox, each once."""
    uids = {key: str(uid) for key, uid in Dataset.objects.filter(pk__in=failures).values_list("pk", "uid")}
    for key, uid in uids.items():
        logger.error("the dataset %s cannot be indexed: %s", uid, failures[key])
    with transaction.atomic():
        known = OutboxEntry.objects.filter(topic=TOPIC, key__in=uids.values()).values_list("key", flat=True)
        outbox.record_intents(TOPIC, sorted(set(uids.values()) - set(known)))


def index_alone(engine: Engine, uid: str) -> None:
    """Try a dataset again that failed. Raises Retry with the reason when it fails again."""
    revision = DatasetRevision.objects.filter(dataset__uid=uid, is_pending=True).first()
    if revision is None:
        return
    versions = {revision.dataset_id: revision.number}
    with process_lock(INDEXER, waits=True):
        try:
            failures = write_current(live_index(engine), versions)
        except EngineUnavailable as error:
            raise outbox.Retry(str(error)) from error
    if failures:
        raise outbox.Retry(failures[revision.dataset_id])
    settle(versions)
