"""Images that wait: queued for their owners within limits, their states told, and removed with their files in time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import Conflict, NotAllowed
from catalogue.services.references import chunks
from classifier.files import remove_files
from classifier.models import Image, Submission, Work, WorkKind, WorkState
from classifier.services import dispatch
from classifier.services.releases import active_release

# So many uploads are worked on at once; more wait for their turn, in lists.
MOST_AT_ONCE = 16
ORPHANS_ARE_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class WorkView:
    """How one kind of work on an image stands. `error_code` and `error` say for its owner why it failed or waits."""

    state: str
    error_code: str = ""
    error: str = ""
    attempts: int = 0

    @property
    def is_settled(self) -> bool:
        return self.state in (WorkState.DONE, WorkState.FAILED)


@dataclass(frozen=True)
class ImageState:
    """What is known of the progress of one image; None where that kind of work was never asked for."""

    category: WorkView | None = None
    scale: WorkView | None = None

    @property
    def is_settled(self) -> bool:
        return all(work is None or work.is_settled for work in (self.category, self.scale))


def check_room(*, actor: Principal, submission: Submission, count: int) -> None:
    """Raises Conflict (code `too-many-waiting`) when `count` more images would be more than its owner may have waiting.

    Uploads without an owner share one such limit.
    """
    of_owner = Q(submission__owner=submission.owner_id) if submission.owner_id else Q(submission__owner=None)
    waiting = Image.objects.filter(of_owner, submission__isnull=False, work__state__in=dispatch.UNDONE)
    known = waiting.values("pk").distinct()[: settings.CLASSIFIER_MOST_WAITING + 1].count()
    if known + count > settings.CLASSIFIER_MOST_WAITING:
        raise Conflict(
            f"{known} images wait already, and {settings.CLASSIFIER_MOST_WAITING} may. Send more when these are done.",
            code="too-many-waiting",
        )


def queue_images(*, actor: Principal, images: Sequence[Image], queue: str = "") -> None:
    """Have uploaded images of one submission classified by the release in use and measured, within the caller's transaction.

    `queue` is where the categories are worked on: by itself a few go to "cpu" at once, many to "gpu" in lists. Without a
    release in use only the scale is looked for. Raises Conflict for more images than one may have waiting.
    """
    if not images:
        return
    _authorise(actor, images)
    check_room(actor=actor, submission=_submission_of(images), count=len(images))
    are_few = len(images) <= MOST_AT_ONCE
    chosen = queue or (dispatch.CPU if are_few else dispatch.GPU)
    with transaction.atomic():
        if release := active_release():
            keys = dispatch.record_work(images, kind=WorkKind.CATEGORY, queue=chosen, release=release)
            _announce(chosen, keys, at_once=are_few)
        keys = dispatch.record_work(images, kind=WorkKind.SCALE, queue=dispatch.OCR)
        _announce(dispatch.OCR, keys, at_once=are_few)


def _announce(queue: str, keys: Sequence[int], *, at_once: bool) -> None:
    if at_once:
        dispatch.begin_at_once(queue, keys)
    else:
        dispatch.ring(queue)


def _authorise(actor: Principal, images: Sequence[Image]) -> None:
    """Uploads belong to their owner; those of nobody to whoever knows them, which the site's session decides."""
    owners = {image.submission.owner_id if image.submission else 0 for image in images}
    if not actor.sees_everything and owners - {None, actor.user_id}:
        raise NotAllowed("Only who uploaded images, and curators, have them classified.")


def _submission_of(images: Sequence[Image]) -> Submission:
    submission = images[0].submission
    if submission is None:
        raise NotAllowed("Files of the catalogue are queued by the site itself.")
    return submission


def state_of(images: Iterable[Image]) -> dict[int, ImageState]:
    """The state of each image by its primary key: for the release in use, else for the last one that was asked."""
    found: dict[int, dict[str, WorkView]] = {image.pk: {} for image in images}
    release = active_release()
    current = release.pk if release else None
    for chunk in chunks(sorted(found)):
        rows = Work.objects.filter(image__in=chunk)
        for row in sorted(rows, key=lambda row: (row.release_id == current, row.pk)):
            found[row.image_id][row.kind] = WorkView(row.state, row.error_code, row.error, row.attempts)
    return {key: ImageState(views.get(WorkKind.CATEGORY), views.get(WorkKind.SCALE)) for key, views in found.items()}


def retry_images(*, actor: Principal, images: Sequence[Image]) -> int:
    """Try again what failed of these; how many pieces of work that is. Files of the catalogue are retried by curators."""
    if not actor.sees_everything and any(image.submission_id is None for image in images):
        raise NotAllowed("Only curators have files of the catalogue classified again.")
    _authorise(actor, images)
    now, count = timezone.now(), 0
    with transaction.atomic():
        for chunk in chunks([image.pk for image in images]):
            failed = Work.objects.filter(image__in=chunk, state=WorkState.FAILED)
            count += failed.update(
                state=WorkState.WAITING, attempts=0, error="", error_code="", available_at=now, updated_at=now
            )
        for queue in dispatch.QUEUES if count else ():
            dispatch.ring(queue)
    return count


def remove_images(*, actor: Principal, images: Sequence[Image]) -> None:
    """Remove uploaded images and, after the commit, their files."""
    _authorise(actor, images)
    if any(image.submission_id is None for image in images):
        raise NotAllowed("Images of the catalogue go with their files only.")
    with transaction.atomic():
        Image.objects.filter(pk__in=[image.pk for image in images]).delete()
        _remove_files_after_commit([image.uid for image in images])


def remove_expired(*, actor: Principal, now: datetime) -> int:
    """Remove submissions whose time is over with their files, and files that no image names any more; how many images."""
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself removes what has had its time.")
    count = sum(_remove_submission(one) for one in Submission.objects.filter(expires_at__lte=now).order_by("pk"))
    _remove_orphans(now)
    return count


def _remove_submission(submission: Submission) -> int:
    with transaction.atomic():
        uids = list(submission.images.values_list("uid", flat=True))
        submission.delete()
        _remove_files_after_commit(uids)
    return len(uids)


def _remove_files_after_commit(uids: Sequence[UUID]) -> None:
    def remove() -> None:
        for uid in uids:
            remove_files(uid)

    transaction.on_commit(remove)


def _remove_orphans(now: datetime) -> None:
    """Files of images that went with their account or their dataset, or whose upload broke off."""
    limit = (now - ORPHANS_ARE_KEPT).timestamp()
    for folder in _folders_of_files():
        old = [path for path in folder.iterdir() if path.stat().st_mtime < limit]
        known = _known_uids(path.name.partition(".")[0] for path in old)
        for path in old:
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)


def _folders_of_files() -> Iterator[Path]:
    for name in ("uploads", "derived"):
        yield from sorted(Path(settings.CLASSIFIER_DIR, name).glob("*/"))


def _known_uids(names: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for chunk in chunks(sorted({name for name in names if _is_uid(name)})):
        known.update(str(uid) for uid in Image.objects.filter(uid__in=chunk).values_list("uid", flat=True))
    return known


def _is_uid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
