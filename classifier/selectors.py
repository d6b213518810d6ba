"""Reads which images, uploads and opinions somebody may see. The rule: an upload is its owner's alone, be it an account or a
browser's session; a file of the catalogue is seen by those who read its dataset in full. Curators are no exception to the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import NotFound
from classifier.models import Image, ModelRelease, Opinion, Prediction, Scale, Submission, Work, WorkKind, WorkState
from classifier.record import ImageView, OpinionView, make_view
from classifier.services.dispatch import UNDONE
from classifier.services.images import ImageState, state_of

IMAGES_ON_A_PAGE = 60
SUBMISSIONS_SHOWN = 50
OPINIONS_SHOWN = 50


@dataclass(frozen=True)
class Viewer:
    """Who looks: a principal, and the uploads without an owner that were made in the same browser."""

    principal: Principal
    uploads: frozenset[UUID] = frozenset()


def own_submissions(viewer: Viewer, *, now: datetime) -> QuerySet[Submission]:
    """What the viewer uploaded, the newest first. A share link, an instrument's token and one without `read` open nothing."""
    mine = Q(owner__isnull=True, uid__in=viewer.uploads)
    if viewer.principal.reads_closed_data:
        mine |= Q(owner=viewer.principal.user_id)
    return Submission.objects.filter(mine).filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))


def find_submission(viewer: Viewer, uid: UUID, *, now: datetime) -> Submission:
    found = own_submissions(viewer, now=now).filter(uid=uid).first()
    if found is None:
        raise NotFound("There is no such upload, or none of yours. Uploads of visitors are removed after a day.")
    return found


def visible_images(viewer: Viewer, *, now: datetime) -> QuerySet[Image]:
    """Own uploads, and files of datasets that the viewer reads in full.

    Who came by a link that hides people gets none of the catalogue: names of files tell of people.
    """
    seen = Q(submission__in=own_submissions(viewer, now=now).order_by().values("pk"))
    if not viewer.principal.hides_people:
        readable = access.full_datasets(viewer.principal, now=now).order_by().values("pk")
        seen |= Q(datafile__dataset__in=readable)
    return Image.objects.filter(seen)


def find_image(viewer: Viewer, uid: UUID, *, now: datetime) -> Image:
    found = with_records(visible_images(viewer, now=now).filter(uid=uid)).first()
    if found is None:
        raise NotFound("There is no such image, or none that you may see.")
    return found


def with_records(images: QuerySet[Image]) -> QuerySet[Image]:
    return images.select_related(
        "submission", "datafile__storage", "datafile__dataset__investigation", "registered_as__dataset"
    )


def is_owner(viewer: Viewer, submission: Submission) -> bool:
    if submission.owner_id is not None:
        return submission.owner_id == viewer.principal.user_id
    return submission.uid in viewer.uploads


def may_label(viewer: Viewer, image: Image) -> bool:
    """Whether the viewer may say what an image shows: of an own upload, or as one of the team of a file's investigation."""
    if image.submission is not None:
        return is_owner(viewer, image.submission)
    if image.datafile is None or viewer.principal.instrument_id is not None:
        return False
    return access.may_register_in(image.datafile.dataset.investigation, viewer.principal)


def newest_predictions(images: Iterable[Image], release: ModelRelease | None) -> dict[int, Prediction]:
    """Of each image what `release` says, else what the newest release says that saw it; features are left out."""
    rows = Prediction.objects.filter(image__in=[image.pk for image in images])
    found: dict[int, Prediction] = {}
    for row in rows.defer("features").order_by("pk"):
        known = found.get(row.image_id)
        if known is None or release is None or known.release_id != release.pk:
            found[row.image_id] = row
    # A manifest is long: once for each release, not for each image.
    releases = {release.pk: release} if release else {}
    if missing := {row.release_id for row in found.values()} - set(releases):
        releases |= ModelRelease.objects.in_bulk(missing)
    for row in found.values():
        row.release = releases[row.release_id]
    return found


def last_opinions(images: Iterable[Image]) -> dict[int, OpinionView]:
    rows = Opinion.objects.filter(image__in=[image.pk for image in images])
    return {row.image_id: _opinion_view(row, by="") for row in rows.select_related("category").order_by("pk")}


def opinions_of(viewer: Viewer, image: Image) -> list[OpinionView]:
    """All that was said of an image, the newest first. Who said it is told to those who may say so themselves."""
    rows = Opinion.objects.filter(image=image).select_related("category", "person").order_by("-pk")
    is_named = may_label(viewer, image)
    return [_opinion_view(row, by=_name_of(row) if is_named else "") for row in rows[:OPINIONS_SHOWN]]


def _name_of(row: Opinion) -> str:
    return (row.person.get_full_name() or row.person.get_username()) if row.person else "a visitor"


def _opinion_view(row: Opinion, *, by: str) -> OpinionView:
    return OpinionView(label=row.category.name, agrees=row.agrees, by=by, at=row.created_at)


def views_of(images: Sequence[Image], release: ModelRelease | None = None) -> list[ImageView]:
    """What is known of each image, by `release` where it has seen it, else by the newest, in a constant number of queries."""
    predictions = newest_predictions(images, release)
    scales = {row.image_id: row for row in Scale.objects.filter(image__in=[image.pk for image in images])}
    states, opinions = state_of(images), last_opinions(images)
    return [
        make_view(
            image,
            predictions.get(image.pk),
            states.get(image.pk, ImageState()),
            scales.get(image.pk),
            opinions.get(image.pk),
        )
        for image in images
    ]


@dataclass(frozen=True)
class Progress:
    """How far an upload is: images in all, and those of which nothing more is to come."""

    total: int
    settled: int
    failed: int

    @property
    def is_settled(self) -> bool:
        return self.settled == self.total

    @property
    def text(self) -> str:
        if self.is_settled:
            return f"{self.total} of {self.total} images done" if self.total else "No image was kept"
        return f"{self.settled} of {self.total} images done"


def progress_of(submission: Submission) -> Progress:
    return progress_of_many([submission])[submission.pk]


def progress_of_many(submissions: Iterable[Submission]) -> dict[int, Progress]:
    """How far each upload is, by its primary key, in one query."""
    keys = [one.pk for one in submissions]
    work = Work.objects.filter(image=OuterRef("pk"))
    images = Image.objects.filter(submission__in=keys).annotate(
        is_pending=Exists(work.filter(state__in=UNDONE)),
        has_failed=Exists(work.filter(state=WorkState.FAILED, kind=WorkKind.CATEGORY)),
    )
    counts = (
        images.order_by()
        .values("submission")
        .annotate(
            total=Count("pk"),
            pending=Count("pk", filter=Q(is_pending=True)),
            failed=Count("pk", filter=Q(has_failed=True)),
        )
    )
    found = {
        row["submission"]: Progress(total=row["total"], settled=row["total"] - row["pending"], failed=row["failed"])
        for row in counts
    }
    return {key: found.get(key, Progress(total=0, settled=0, failed=0)) for key in keys}


def has_pending(images: QuerySet[Image]) -> bool:
    """Whether something is still to be found out about one of `images`."""
    return images.order_by().filter(work__state__in=UNDONE).exists()


def images_page(images: QuerySet[Image], cursor: str, *, limit: int = IMAGES_ON_A_PAGE) -> tuple[list[Image], str]:
    """Images in the order in which they came, after that of the primary key `cursor`, and where the next page begins."""
    after = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 19 else 0
    rows = list(with_records(images.filter(pk__gt=after)).order_by("pk")[: limit + 1])
    return rows[:limit], str(rows[limit - 1].pk) if len(rows) > limit else ""
