"""Requests that are carried out once: the answer to a key is kept in the transaction of the effect itself.

A key is claimed first, in a transaction of its own, so that a second request sees that the first is at work. The effect and
its answer are then committed together, and only while the claim still holds. A crash in between leaves a claim without an
effect, which the next request takes over after LEASE. A request that is refused has no effect: its key is free again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import Conflict, NotAllowed
from catalogue.models import IdempotencyKey

# Longer than any request may take.
LEASE = timedelta(minutes=5)
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True)
class Answer:
    """An answer that can be given again, byte for byte."""

    status: int
    content: str
    headers: Mapping[str, str] = field(default_factory=dict)


class StillAtWork(Conflict):
    """The first request with this key has not ended yet; `wait` is in seconds."""

    code = "idempotency-in-work"
    wait = 2


@dataclass(frozen=True)
class _Claim:
    row_id: int
    claimed_at: datetime


def answer_once(*, actor: Principal, key: str, fingerprint: str, work: Callable[[], Answer]) -> Answer:
    """The answer of `work`, or the one that was given before to the same actor, key and fingerprint of the request."""
    if actor.user_id is None:
        raise NotAllowed("An Idempotency-Key needs an account.")
    found = _claim(actor.user_id, key, fingerprint)
    if isinstance(found, Answer):
        return found
    try:
        with transaction.atomic():
            answer = work()
            _keep(found, answer)
    except BaseException:
        _rows(found).delete()
        raise
    return answer


def _claim(user_id: int, key: str, fingerprint: str) -> _Claim | Answer:
    now = timezone.now()
    row, is_new = IdempotencyKey.objects.get_or_create(user_id=user_id, key=key, defaults={"fingerprint": fingerprint})
    if is_new:
        return _Claim(row.pk, row.created_at)
    if row.fingerprint != fingerprint:
        raise Conflict(
            "This Idempotency-Key was used for another request. Use a new key for each request.",
            code="idempotency-conflict",
        )
    if row.status is not None:
        return Answer(row.status, row.answer or "", row.headers | {REPLAYED: "true"})
    claim = _Claim(row.pk, row.created_at)
    if row.created_at > now - LEASE or not _rows(claim).update(created_at=now):
        raise StillAtWork("The first request with this Idempotency-Key is still at work. Ask again in a moment.")
    return _Claim(row.pk, now)


def _keep(claim: _Claim, answer: Answer) -> None:
    kept = _rows(claim).update(status=answer.status, answer=answer.content, headers=dict(answer.headers))
    if not kept:
        raise StillAtWork("Another request with this Idempotency-Key took over. Ask again in a moment.")


def _rows(claim: _Claim) -> QuerySet[IdempotencyKey]:
    """The row while the claim holds: compare-and-set against a request that took it over."""
    return IdempotencyKey.objects.filter(pk=claim.row_id, status__isnull=True, created_at=claim.claimed_at)
