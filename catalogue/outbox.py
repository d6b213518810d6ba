"""Intents for the outside: recorded in the transaction that causes them, delivered by a task that is safe to repeat.

An entry is claimed by compare-and-set with a lease, delivered outside any transaction, and removed on success. A deliverer
that dies leaves an entry whose lease runs out; one that fails leaves the error in words and a later `available_at`.
"""

import logging
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from catalogue import events
from catalogue.models import OutboxEntry
from catalogue.services.rows import insert_rows

logger = logging.getLogger(__name__)

Handler = Callable[[str, dict], None]
COLUMNS = ("topic", "key", "payload", "created_at", "available_at", "attempts", "last_error")
LEASE = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=6)
_handlers: dict[str, Handler] = {}


class Retry(Exception):
    """Raised by a handler for a failure that is expected to pass; its text is shown as the last error."""


def register_handler(topic: str, handler: Handler) -> None:
    """Name the function that delivers `topic`: handler(key, payload). Called in `AppConfig.ready()`."""
    _handlers[topic] = handler


def record_intents(
    topic: str, keys: Iterable[str], *, payload: dict | None = None, available_at: datetime | None = None
) -> None:
    """Write one intent for each key, within the caller's transaction, and ring the bell after commit."""
    due = available_at or timezone.now()
    now = timezone.now()
    insert_rows(OutboxEntry, COLUMNS, [(topic, key, payload or {}, now, due, 0, "") for key in keys])
    events.send_after_commit(events.outbox_filled)


def deliver_due(*, limit: int = 100, topics: Iterable[str] | None = None) -> int:
    """Deliver up to `limit` due entries and return how many were tried."""
    tried = 0
    while tried < limit and (entry := _claim_next(topics)) is not None:
        _deliver(entry)
        tried += 1
    return tried


def _claim_next(topics: Iterable[str] | None) -> OutboxEntry | None:
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    due = OutboxEntry.objects.filter(free, available_at__lte=now, topic__in=list(topics or _handlers))
    for entry in due.order_by("available_at", "id")[:10]:
        won = OutboxEntry.objects.filter(free, pk=entry.pk).update(
            claimed_until=now + LEASE, attempts=F("attempts") + 1
        )
        if won:
            entry.attempts += 1
            return entry
    return None


def _deliver(entry: OutboxEntry) -> None:
    try:
        _handlers[entry.topic](entry.key, entry.payload)
    except Exception as error:
        if not isinstance(error, Retry):
            logger.exception("delivery of %s %s failed", entry.topic, entry.key)
        # Bounded before it becomes a time, which would overflow after some weeks of attempts.
        pause = min(timedelta(seconds=2 ** min(entry.attempts, 20)), LONGEST_PAUSE) * random.uniform(0.8, 1.2)
        OutboxEntry.objects.filter(pk=entry.pk).update(
            available_at=timezone.now() + pause,
            claimed_until=None,
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
    else:
        entry.delete()
