"""The queue: rows of `Work` that are announced, claimed, done, failed or given back. Celery carries only their keys.

A row is claimed by compare-and-set until `claimed_until`, which is also the token of the claim: whoever was overtaken writes
nothing. A worker that dies leaves rows that are free again when their lease ends. `available_at` is when a waiting row is to
be announced next: at once, after a pause, or when its message must be thought lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from catalogue import events as news
from classifier import events
from classifier.models import Image, ModelRelease, Work, WorkKind, WorkState

CPU, GPU, OCR = "cpu", "gpu", "ocr"
LEASE = timedelta(minutes=3)
MOST_ATTEMPTS = 8
LONGEST_PAUSE = timedelta(hours=6)
LONGEST_ERROR = 500


@dataclass(frozen=True)
class Queue:
    """How many images one message carries, and how many may be announced and unclaimed at a time."""

    list_length: int
    most_announced: int
    # A message that nobody acted upon for so long is thought lost.
    patience: timedelta = timedelta(minutes=10)


QUEUES = {CPU: Queue(8, 256), GPU: Queue(64, 4096), OCR: Queue(8, 512)}
DEATHS = "worker-died"


def record_work(
    images: Sequence[Image], *, kind: WorkKind, queue: str, release: ModelRelease | None = None
) -> list[int]:
    """Have `kind` found out of `images`, within the caller's transaction; what is queued or done already stays as it is.

    Gives the keys of what waits now. Nobody is woken: see `announce_now` and `ring`.
    """
    now = timezone.now()
    keys = [image.pk for image in images]
    rows = [Work(image_id=key, kind=kind, release=release, queue=queue, available_at=now) for key in keys]
    Work.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    wanted = Work.objects.filter(image__in=keys, kind=kind, release=release, state=WorkState.WAITING)
    return list(wanted.order_by("pk").values_list("pk", flat=True))


def begin_at_once(queue: str, keys: Sequence[int]) -> None:
    """Announce these rows of a small queue after the commit, in lists, without waiting for anybody's turn."""
    _mark_announced(queue, keys)
    length = QUEUES[queue].list_length
    for start in range(0, len(keys), length):
        news.send_after_commit(events.work_recorded, queue=queue, keys=list(keys[start : start + length]))


def ring(queue: str) -> None:
    """After the commit, have what waits in `queue` cut into lists and announced."""
    news.send_after_commit(events.work_recorded, queue=queue, keys=[])


def announce(queue: str) -> list[list[int]]:
    """Lists of keys to be sent to the workers of `queue` now: what is due, no more than they have room for.

    What a dead worker left comes in lists of one, so that an image that kills its worker takes no other with it.
    """
    now, shape = timezone.now(), QUEUES[queue]
    undone = Work.objects.filter(queue=queue, state__in=[WorkState.WAITING, WorkState.RUNNING])
    waiting = undone.filter(state=WorkState.WAITING)
    room = shape.most_announced - waiting.filter(available_at__gt=now, attempts=0)[: shape.most_announced].count()
    if room <= shape.most_announced // 2:
        return []
    due = undone.filter(available_at__lte=now).filter(_is_free(now)).order_by("available_at", "pk")
    rows = list(due.values_list("pk", "state")[:room])
    _mark_announced(queue, [key for key, _ in rows])
    fresh = [key for key, state in rows if state == WorkState.WAITING]
    lists = [fresh[start : start + shape.list_length] for start in range(0, len(fresh), shape.list_length)]
    return lists + [[key] for key, state in rows if state == WorkState.RUNNING]


def _mark_announced(queue: str, keys: Sequence[int]) -> None:
    later = timezone.now() + QUEUES[queue].patience
    for start in range(0, len(keys), 500):
        Work.objects.filter(pk__in=keys[start : start + 500]).update(available_at=later)


def _is_free(now) -> Q:
    return Q(state=WorkState.WAITING) | Q(state=WorkState.RUNNING, claimed_until__lt=now)


def claim(queue: str, limit: int, keys: Sequence[int] | None = None) -> list[Work]:
    """Up to `limit` rows of `queue`, now this worker's until their `claimed_until`: of `keys`, or the first that are due.

    Each comes with its image and the image's file, release and submission. A row whose workers died again and again fails.
    """
    raise NotImplementedError


def renew(work: Sequence[Work]) -> list[Work]:
    """Hold `work` for another lease; gives what is still held."""
    raise NotImplementedError


def hold(work: Sequence[Work]) -> list[Work]:
    """Lock the rows of `work` that are still this worker's, within the caller's transaction, and give them."""
    raise NotImplementedError


def finish(work: Sequence[Work]) -> None:
    """These are done, within the transaction that stores what was found; only after `hold`."""
    raise NotImplementedError


def fail(work: Work, code: str, message: str) -> None:
    """No repetition mends this one: its owner reads `message`."""
    raise NotImplementedError


def retry(work: Sequence[Work], code: str, message: str) -> None:
    """Give back what a passing failure prevented, to be tried after a pause; the last of many attempts is a failure."""
    raise NotImplementedError
