"""The queue: rows of `Work` that are announced, claimed, done, failed or given back. Celery carries only their keys.

A row is claimed by compare-and-set until `claimed_until`, which is also the token of the claim: whoever was overtaken writes
nothing. A worker that dies leaves rows that are free again when their lease ends. `available_at` is when a row is announced
next: at once, after a pause, when its message must be thought lost, or when the lease of whoever works on it has ended.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, Count, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from catalogue import events as news
from classifier import events
from classifier.models import Image, ModelRelease, Work, WorkKind, WorkState
from classifier.pipeline.errors import FileUnreachable, PipelineError

CPU, GPU, OCR = "cpu", "gpu", "ocr"
LEASE = timedelta(minutes=3)
LONGEST_PAUSE = timedelta(hours=6)
LONGEST_ERROR = 500
CHUNK = 500
UNDONE = (WorkState.WAITING, WorkState.RUNNING)
# SQLite uses partial indexes for conditions with constants only.
IS_UNDONE = RawSQL("classifier_work.state IN ('waiting', 'running')", (), output_field=BooleanField())
HAS_FAILED = RawSQL("classifier_work.state = 'failed'", (), output_field=BooleanField())
WORKER_DIED = "worker-died"
MOST_DEATHS = 3


@dataclass(frozen=True)
class Queue:
    """How many images one message carries, and how many may be announced and not begun at a time.

    A message that nobody acted upon for `patience` is thought lost.
    """

    list_length: int
    most_announced: int
    patience: timedelta = timedelta(minutes=10)


QUEUES = {CPU: Queue(8, 256), GPU: Queue(64, 4096), OCR: Queue(8, 512)}


def record_work(
    images: Sequence[Image], *, kind: WorkKind, queue: str, release: ModelRelease | None = None
) -> list[int]:
    """Have `kind` found out of `images`, within the caller's transaction; what is queued or done already stays as it is.

    Gives the keys of what waits. Nobody is woken: see `begin_at_once` and `ring`.
    """
    keys = [image.pk for image in images]
    waiting: list[int] = []
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        rows = [Work(image_id=key, kind=kind, release=release, queue=queue) for key in chunk]
        Work.objects.bulk_create(rows, ignore_conflicts=True)
        wanted = Work.objects.filter(image__in=chunk, kind=kind, release=release, state=WorkState.WAITING)
        waiting += wanted.order_by("pk").values_list("pk", flat=True)
    return waiting


def begin_at_once(queue: str, keys: Sequence[int]) -> None:
    """Announce these rows after the commit, in lists, without waiting for anybody's turn."""
    _mark_announced(queue, keys)
    length = QUEUES[queue].list_length
    for start in range(0, len(keys), length):
        news.send_after_commit(events.work_recorded, queue=queue, keys=list(keys[start : start + length]))


def ring(queue: str) -> None:
    """After the commit, have what waits in `queue` cut into lists and announced."""
    news.send_after_commit(events.work_recorded, queue=queue, keys=[])


def announce(queue: str) -> list[list[int]]:
    """Lists of keys to be sent to the workers of `queue` now: what is due, while less than half of the room is taken.

    What a dead worker left comes in lists of one, so that an image that kills its worker takes no other with it.
    """
    now, shape = timezone.now(), QUEUES[queue]
    begun = _undone(queue).filter(state=WorkState.WAITING, available_at__gt=now, attempts=0)
    room = shape.most_announced - begun[: shape.most_announced].count()
    if room <= shape.most_announced // 2:
        return []
    due = _undone(queue).filter(available_at__lte=now).order_by("available_at", "pk")
    rows = list(due.values_list("pk", "state")[:room])
    _mark_announced(queue, [key for key, _ in rows])
    fresh = [key for key, state in rows if state == WorkState.WAITING]
    lists = [fresh[start : start + shape.list_length] for start in range(0, len(fresh), shape.list_length)]
    return lists + [[key] for key, state in rows if state == WorkState.RUNNING]


def _undone(queue: str) -> QuerySet[Work]:
    return Work.objects.filter(IS_UNDONE, queue=queue)


def undone_by_kind() -> dict[str, int]:
    """How much waits or is begun, by kind, in all queues."""
    rows = Work.objects.filter(IS_UNDONE)
    return dict(rows.order_by("kind").values_list("kind").annotate(count=Count("pk")))


def _mark_announced(queue: str, keys: Sequence[int]) -> None:
    later = timezone.now() + QUEUES[queue].patience
    for start in range(0, len(keys), CHUNK):
        Work.objects.filter(pk__in=keys[start : start + CHUNK]).update(available_at=later)


def claim(queue: str, limit: int, keys: Sequence[int] | None = None) -> list[Work]:
    """Up to `limit` rows of `queue`, now this worker's until their `claimed_until`: of `keys`, or what waits longest.

    Each comes with its image, and the image with its file and storage. What a dead worker left is claimed by its own key alone; an image
    whose workers died `MOST_DEATHS` times fails.
    """
    now = timezone.now()
    rows = _undone(queue)
    if keys is None:
        waits = Q(attempts=0) | Q(available_at__lte=now)
        rows = rows.filter(waits, state=WorkState.WAITING).order_by("available_at", "pk")
    else:
        left = Q(state=WorkState.RUNNING, claimed_until__lt=now) if len(keys) == 1 else Q(pk__in=[])
        rows = rows.filter(Q(state=WorkState.WAITING) | left, pk__in=keys).order_by("pk")
    with transaction.atomic():
        won = list(rows.select_for_update(skip_locked=True).only("pk", "state", "attempts", "error_code")[:limit])
        lost = [one.pk for one in won if _has_killed(one)]
        _give_up(lost)
        return _take([one for one in won if one.pk not in lost], now)


def _has_killed(work: Work) -> bool:
    return work.state == WorkState.RUNNING and work.error_code == WORKER_DIED and work.attempts >= MOST_DEATHS


def _give_up(keys: Sequence[int]) -> None:
    message = "The program that works on images ended each time it worked on this one. The image may be damaged."
    Work.objects.filter(pk__in=keys).update(
        state=WorkState.FAILED, claimed_until=None, error=message, updated_at=timezone.now()
    )


def _take(won: Sequence[Work], now: datetime) -> list[Work]:
    until = now + LEASE
    values = {"state": WorkState.RUNNING, "claimed_until": until, "available_at": until, "updated_at": now}
    left = [one.pk for one in won if one.state == WorkState.RUNNING]
    Work.objects.filter(pk__in=left).update(error_code=WORKER_DIED)
    Work.objects.filter(pk__in=[one.pk for one in won]).update(attempts=F("attempts") + 1, **values)
    # Without the release: its manifest would be read anew for each row.
    taken = Work.objects.filter(pk__in=[one.pk for one in won]).select_related("image__datafile__storage")
    return list(taken.order_by("pk"))


def renew(work: Sequence[Work]) -> list[Work]:
    """Hold `work` for another lease when half of this one is over; gives what is still held."""
    now = timezone.now()
    if all(one.claimed_until and one.claimed_until - now > LEASE / 2 for one in work):
        return list(work)
    with transaction.atomic():
        held = hold(work)
        until = now + LEASE
        keys = [one.pk for one in held]
        Work.objects.filter(pk__in=keys).update(claimed_until=until, available_at=until)
    for one in held:
        one.claimed_until = until
    return held


def hold(work: Sequence[Work]) -> list[Work]:
    """Lock the rows of `work` that are still this worker's, within the caller's transaction, and give them."""
    rows = Work.objects.filter(pk__in=[one.pk for one in work], state=WorkState.RUNNING).order_by("pk")
    tokens = dict(rows.select_for_update().values_list("pk", "claimed_until"))
    return [one for one in work if tokens.get(one.pk) == one.claimed_until]


def finish(held: Sequence[Work]) -> None:
    """These are done, within the transaction that locked them and stores what was found."""
    Work.objects.filter(pk__in=[one.pk for one in held]).update(
        state=WorkState.DONE, claimed_until=None, error_code="", error="", updated_at=timezone.now()
    )


def fail(work: Work, code: str, message: str) -> None:
    """No repetition mends this one: its owner reads `message`."""
    values = {"state": WorkState.FAILED, "error_code": code, "error": message[:LONGEST_ERROR]}
    _end([work.pk], work.claimed_until, **values)


def retry(work: Sequence[Work], code: str, message: str) -> None:
    """Give back what a passing failure prevented, to be tried again after a pause that grows with the attempts.

    What was settled meanwhile stays so.
    """
    alike: dict[tuple[int, datetime | None], list[int]] = {}
    for one in work:
        alike.setdefault((one.attempts, one.claimed_until), []).append(one.pk)
    for (attempts, token), keys in alike.items():
        pause = min(timedelta(seconds=30 * 2 ** min(attempts, 12)), LONGEST_PAUSE) * random.uniform(0.8, 1.2)
        values = {"error_code": code, "error": message[:LONGEST_ERROR], "available_at": timezone.now() + pause}
        for start in range(0, len(keys), CHUNK):
            _end(keys[start : start + CHUNK], token, state=WorkState.WAITING, **values)


def settle(work: Work, error: PipelineError) -> None:
    """What `error` means for this one: to be tried again, or failed for good."""
    if isinstance(error, FileUnreachable):
        retry([work], error.code, error.message)
    else:
        fail(work, error.code, error.message)


def _end(keys: Sequence[int], token: datetime | None, **values: object) -> None:
    mine = Work.objects.filter(pk__in=keys, state=WorkState.RUNNING, claimed_until=token)
    mine.update(claimed_until=None, updated_at=timezone.now(), **values)
