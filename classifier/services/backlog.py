"""Images of the catalogue become work: those of changed datasets at once, and whatever was never queued by a walk over all files.

Whatever is queued or done already is left alone, so that everything here may be repeated, stopped and begun again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import Conflict, NotAllowed
from catalogue.identifiers import new_uid
from catalogue.models import Datafile, Statistic
from catalogue.models.datasets import FileRole
from catalogue.services.rows import insert_rows
from classifier.models import Image, ModelRelease, Work, WorkKind, WorkState
from classifier.services import dispatch
from classifier.services.releases import active_release

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")
MEDIA_TYPES = ("image/tiff", "image/png", "image/jpeg", "image/bmp", "image/x-ms-bmp")
PORTION = 1000
ATTEMPTS = 3
FILE_COLUMNS = ("pk", "name", "size", "sha256", "media_type")
IMAGE_COLUMNS = (
    "uid",
    "version",
    "created_at",
    "updated_at",
    "datafile_id",
    "name",
    "size",
    "sha256",
    "media_type",
    "metadata",
)
WORK_COLUMNS = (
    "image_id",
    "kind",
    "release_id",
    "queue",
    "state",
    "available_at",
    "attempts",
    "updated_at",
    "error_code",
    "error",
)


@dataclass(frozen=True)
class Walked:
    """How far a walk has come: files looked at, pieces of work queued, and the share of all keys that lie behind it."""

    seen: int
    queued: int
    share: float


def image_files() -> QuerySet[Datafile]:
    """Files that are images by their name or media type, and data rather than what lies beside them."""
    named = Q(media_type__in=MEDIA_TYPES)
    for suffix in SUFFIXES:
        named |= Q(name__iendswith=suffix)
    return Datafile.objects.filter(named, role=FileRole.DATA)


def queue_datasets(*, actor: Principal, uids: Sequence[UUID]) -> int:
    """Queue the new images of these datasets for the release in use and for their scale; how many images."""
    _authorise(actor)
    return sum(_queue_new(uids[start : start + PORTION]) for start in range(0, len(uids), PORTION))


def _queue_new(uids: Sequence[UUID]) -> int:
    files = image_files().filter(dataset__uid__in=uids, classified_image__isnull=True)
    if not files.exists():
        return 0

    def queue() -> int:
        rows = list(files.values_list(*FILE_COLUMNS))
        _insert(rows, active_release())
        return len(rows)

    return _in_a_transaction(queue)


def _in_a_transaction(queue: Callable[[], int]) -> int:
    """What `queue` gives; of two that queue the same image at once the second looks again."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return queue()
        except IntegrityError:
            continue
    raise Conflict("Others queue the same images at this moment. Try again later.")


def walk_backlog(
    *, actor: Principal, release: ModelRelease | None = None, limit: int | None = None, is_resumed: bool = False
) -> Iterator[Walked]:
    """Queue whatever image of the catalogue was never queued, in portions, and tell after each how far that is.

    With `release` images are queued for it that it has not seen, although another release has. Stops after `limit` pieces of
    work. A walk that `is_resumed` goes on behind the last portion of one that was interrupted.
    """
    _authorise(actor)
    name = f"classifier_backlog_{release.pk if release else 0}"
    last = (Statistic.objects.filter(name=name).values_list("value", flat=True).first() or 0) if is_resumed else 0
    end = Datafile.objects.aggregate(last=Max("pk"))["last"] or 0
    seen = queued = 0
    while limit is None or queued < limit:
        size = PORTION if limit is None else min(PORTION, limit - queued)
        rows = list(image_files().filter(pk__gt=last).order_by("pk").values_list(*FILE_COLUMNS)[:size])
        if not rows:
            break
        last = rows[-1][0]
        queued += _in_a_transaction(partial(_queue_portion, rows, release))
        if is_resumed:
            Statistic.objects.update_or_create(name=name, defaults={"value": last, "measured_at": timezone.now()})
        seen += len(rows)
        yield Walked(seen, queued, last / end if end else 1.0)
    else:
        return
    Statistic.objects.filter(name=name).delete()


def _queue_portion(rows: Sequence[tuple], release: ModelRelease | None) -> int:
    """What is missing for these files; how many pieces of work that is."""
    known = dict(Image.objects.filter(datafile__in=[row[0] for row in rows]).values_list("datafile_id", "pk"))
    wanted, images = release or active_release(), set(known.values())
    lacking = _lacking(images, Work.objects.filter(kind=WorkKind.SCALE))
    _insert_work(lacking, WorkKind.SCALE, dispatch.OCR, None)
    count = len(lacking)
    if wanted is not None:
        asked = Work.objects.filter(release=release) if release else Work.objects.filter(kind=WorkKind.CATEGORY)
        lacking = _lacking(images, asked)
        _insert_work(lacking, WorkKind.CATEGORY, dispatch.GPU, wanted)
        count += len(lacking)
    return count + _insert([row for row in rows if row[0] not in known], wanted)


def _lacking(images: set[int], asked: QuerySet[Work]) -> list[int]:
    return sorted(images - set(asked.filter(image__in=images).values_list("image_id", flat=True)))


def _insert(rows: Sequence[tuple], release: ModelRelease | None) -> int:
    """New images with their work; how many pieces of work."""
    if not rows:
        return 0
    now = timezone.now()
    images = ((new_uid(), 1, now, now, *row, []) for row in rows)
    insert_rows(Image, IMAGE_COLUMNS, images)
    keys = list(Image.objects.filter(datafile__in=[row[0] for row in rows]).order_by("pk").values_list("pk", flat=True))
    _insert_work(keys, WorkKind.SCALE, dispatch.OCR, None)
    if release is not None:
        _insert_work(keys, WorkKind.CATEGORY, dispatch.GPU, release)
    return len(keys) * (2 if release else 1)


def _insert_work(keys: Sequence[int], kind: WorkKind, queue: str, release: ModelRelease | None) -> None:
    if not keys:
        return
    now, release_key = timezone.now(), release.pk if release else None
    waiting = WorkState.WAITING.value
    rows = ((key, kind.value, release_key, queue, waiting, now, 0, now, "", "") for key in keys)
    insert_rows(Work, WORK_COLUMNS, rows)
    dispatch.ring(queue)


def _authorise(actor: Principal) -> None:
    if not actor.sees_everything:
        raise NotAllowed("Images of the catalogue are queued by the site itself and by curators.")
