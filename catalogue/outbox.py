"""Intents for the outside: recorded in the transaction that causes them, delivered by a task that is safe to repeat.

An entry is claimed by compare-and-set with a lease, delivered outside any transaction, and removed on success. A deliverer
that dies leaves an entry whose lease runs out; one that fails leaves the error in words and a later `available_at`. What no
repetition would mend stays as it is, for curators to look at.
"""

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalogue import events
from catalogue.models import OutboxEntry
from catalogue.services.rows import insert_rows

logger = logging.getLogger(__name__)

Handler = Callable[[str, dict], None]
COLUMNS = ("topic", "key", "payload", "created_at", "available_at", "attempts", "last_error")
LEASE = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=6)
# Of an entry that was given up: due when a curator says so.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Route:
    """Who delivers a topic, how long a deliverer may take before it counts as dead, and the longest pause after a failure."""

    handler: Handler
    lease: timedelta
    longest_pause: timedelta


_routes: dict[str, Route] = {}


class Retry(Exception):
    """Raised by a handler for a failure that is expected to pass; its text is shown as the last error.

    The next attempt is made after the usual pause, and not before `after`.
    """

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after or timedelta()


class GiveUp(Exception):
    """Raised by a handler for a failure that no repetition mends; the entry stays with its text until a curator acts."""


def register_handler(
    topic: str, handler: Handler, *, lease: timedelta = LEASE, longest_pause: timedelta = LONGEST_PAUSE
) -> None:
    """Name the function that delivers `topic`: handler(key, payload). Called in `AppConfig.ready()`."""
    _routes[topic] = Route(handler, lease, longest_pause)


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
        _deliver(entry, _routes[entry.topic].handler)
        tried += 1
    return tried


def deliver_now(topic: str, key: str, handler: Handler) -> None:
    """Deliver what is due for `key` in the caller's own time, by a handler that is quicker than the topic's own."""
    entry = _claim_first(OutboxEntry.objects.filter(topic=topic, key=key))
    if entry is not None:
        _deliver(entry, handler)


def _claim_next(topics: Iterable[str] | None) -> OutboxEntry | None:
    return _claim_first(OutboxEntry.objects.filter(topic__in=list(topics or _routes)))


def _claim_first(entries: QuerySet[OutboxEntry]) -> OutboxEntry | None:
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    for entry in entries.filter(free, available_at__lte=now).order_by("available_at", "id")[:10]:
        won = OutboxEntry.objects.filter(free, pk=entry.pk).update(
            claimed_until=now + _routes[entry.topic].lease, attempts=F("attempts") + 1
        )
        if won:
            entry.attempts += 1
            return entry
    return None


def _deliver(entry: OutboxEntry, handler: Handler) -> None:
    try:
        handler(entry.key, entry.payload)
    except Exception as error:
        if not isinstance(error, Retry | GiveUp):
            logger.exception("delivery of %s %s failed", entry.topic, entry.key)
        OutboxEntry.objects.filter(pk=entry.pk).update(
            available_at=NEVER if isinstance(error, GiveUp) else timezone.now() + _pause(entry, error),
            claimed_until=None,
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
    else:
        entry.delete()


def _pause(entry: OutboxEntry, error: Exception) -> timedelta:
    # Bounded before it becomes a time, which would overflow after some weeks of attempts.
    pause = min(timedelta(seconds=2 ** min(entry.attempts, 20)), _routes[entry.topic].longest_pause)
    not_before = error.after if isinstance(error, Retry) else timedelta()
    return max(pause * random.uniform(0.8, 1.2), not_before * random.uniform(1.0, 1.2))
