"""What must hold of classified images and no constraint can say; checked every night with the invariants of the catalogue."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from catalogue.invariants import MOST_SHOWN
from catalogue.models import Annotation
from catalogue.models.datasets import Source
from catalogue.services.annotations import CATEGORY
from classifier.files import upload_path
from classifier.models import Image, ModelRelease, Prediction, Scale, Submission, Work, WorkKind, WorkState
from classifier.pipeline.errors import ModelRefused
from classifier.services.dispatch import UNDONE
from classifier.services.releases import files_of

IS_LATE_AFTER = timedelta(days=1)
LOOKED_AT = 200_000
Row = TypeVar("Row", bound=Model)


def check_results_of_work() -> Iterator[str]:
    """Work that is done has its result, and no result came without work. Looks at the newest rows only."""
    said = Prediction.objects.filter(image=OuterRef("image"), release=OuterRef("release"))
    done = Work.objects.filter(state=WorkState.DONE).order_by("-pk")
    categories = done.filter(kind=WorkKind.CATEGORY)[:LOOKED_AT].values("pk")
    for key in _lacking(Work.objects.filter(pk__in=categories), said):
        yield f"work {key} is done, and there is no prediction"
    scales = done.filter(kind=WorkKind.SCALE)[:LOOKED_AT].values("pk")
    for key in _lacking(Work.objects.filter(pk__in=scales), Scale.objects.filter(image=OuterRef("image"))):
        yield f"work {key} is done, and there is no scale"
    asked = Work.objects.filter(image=OuterRef("image"), release=OuterRef("release"), state=WorkState.DONE)
    predictions = Prediction.objects.order_by("-pk")[:LOOKED_AT].values("pk")
    for key in _lacking(Prediction.objects.filter(pk__in=predictions), asked):
        yield f"prediction {key} belongs to no work that is done"


def _lacking(rows: QuerySet[Row], others: QuerySet) -> list[int]:
    return list(rows.filter(~Exists(others)).values_list("pk", flat=True)[:MOST_SHOWN])


def check_annotations_of_releases() -> Iterator[str]:
    """What a release is said to have said of a file, it did say."""
    for release in ModelRelease.objects.all():
        said = Prediction.objects.filter(release=release, image__datafile=OuterRef("datafile"))
        annotations = Annotation.objects.filter(source=Source.AI, kind=CATEGORY, model_release=release.label)
        for key in _lacking(annotations, said):
            yield f"annotation {key} is ascribed to {release}, which has no prediction for its file"


def check_late_work() -> Iterator[str]:
    """Whatever waits is begun within a day, unless a passing failure holds it up."""
    late = Work.objects.filter(state__in=UNDONE, attempts=0, updated_at__lt=timezone.now() - IS_LATE_AFTER)
    for key in late.order_by("pk").values_list("pk", flat=True)[:MOST_SHOWN]:
        yield f"work {key} was not begun for more than a day"


def check_uploads() -> Iterator[str]:
    """An uploaded image has its file, for as long as its submission is kept."""
    uploaded = Image.objects.filter(submission__isnull=False).order_by("-pk")[:LOOKED_AT]
    for uid in uploaded.values_list("uid", flat=True):
        if not upload_path(uid).is_file():
            yield f"image {uid} was uploaded, and its file is gone"


def check_expired_submissions() -> Iterator[str]:
    """What was kept for a time is removed after it."""
    over = Submission.objects.filter(expires_at__lt=timezone.now() - IS_LATE_AFTER)
    for uid in over.values_list("uid", flat=True)[:MOST_SHOWN]:
        yield f"submission {uid} was to be removed"


def check_files_of_releases() -> Iterator[str]:
    """The files of a release that is or was in use are those that were installed."""
    for release in ModelRelease.objects.filter(activated_at__isnull=False):
        try:
            files_of(release)
        except ModelRefused as error:
            yield f"model release {release}: {error.message}"


CHECKS = (
    check_results_of_work,
    check_annotations_of_releases,
    check_late_work,
    check_uploads,
    check_expired_submissions,
    check_files_of_releases,
)
