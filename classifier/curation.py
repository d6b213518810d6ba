"""What curators look at first: labels of the catalogue that the model is least sure of, and those about which people and model,
or people among themselves, do not agree. Uploads are their owners' own and never here."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.access import Principal
from catalogue.models import Annotation
from catalogue.models.investigations import RecordState
from catalogue.services.annotations import CATEGORY
from classifier.models import Image, ModelRelease, Opinion, Prediction
from classifier.record import ImageView
from classifier.selectors import views_of, with_records
from classifier.services.categories import check_curator
from classifier.services.releases import active_release

QUEUES = ("uncertain", "disputed", "strange")
LABELS_ON_A_PAGE = 40


@dataclass(frozen=True)
class LabelPage:
    """Some images that wait for a curator, with what their datasets are called, and the position after them."""

    entries: list[tuple[ImageView, str]]
    next_cursor: str


def labels_page(principal: Principal, *, queue: str, cursor: str = "") -> LabelPage:
    """`queue`: "uncertain" by rising confidence, "disputed" the newest first, "strange" those that no model knows.

    `cursor` is the confidence and the key of the last one shown.
    """
    check_curator(principal)
    release = active_release()
    if release is None:
        return LabelPage([], "")
    rows = _waiting(release, queue)
    position = _position(cursor)
    if position:
        confidence, key = position
        rows = rows.filter(Q(confidence__gt=confidence) | Q(confidence=confidence, pk__gt=key))
    found = list(rows.order_by("confidence", "pk").values_list("image_id", "confidence", "pk")[: LABELS_ON_A_PAGE + 1])
    shown = found[:LABELS_ON_A_PAGE]
    by_key = {image.pk: image for image in with_records(Image.objects.filter(pk__in=[row[0] for row in shown]))}
    images = [by_key[row[0]] for row in shown]
    titles = [image.datafile.dataset.title if image.datafile else "" for image in images]
    next_cursor = f"{shown[-1][1]!r}_{shown[-1][2]}" if len(found) > len(shown) else ""
    return LabelPage(list(zip(views_of(images, release), titles, strict=True)), next_cursor)


def _waiting(release: ModelRelease, queue: str) -> QuerySet[Prediction]:
    """Predictions for files of the catalogue that wait; what a person has verified waits no more, unless it is disputed."""
    image = OuterRef("image")
    rows = Prediction.objects.filter(
        release=release,
        image__datafile__dataset__state=RecordState.ACTIVE,
        image__datafile__dataset__investigation__state=RecordState.ACTIVE,
    )
    opinions = Opinion.objects.filter(image=image)
    if queue == "disputed":
        other = Opinion.objects.filter(image=OuterRef("image")).exclude(category=OuterRef("category"))
        decided = Opinion.objects.filter(image=image, person__is_curator=True)
        return rows.filter(Exists(opinions.filter(agrees=False)) | Exists(opinions.filter(Exists(other)))).exclude(
            Exists(decided)
        )
    verified = Annotation.objects.filter(datafile=OuterRef("image__datafile"), kind=CATEGORY, verified_at__isnull=False)
    rows = rows.exclude(Exists(verified))
    return rows.filter(is_strange=True) if queue == "strange" else rows.filter(is_strange=False)


def _position(cursor: str) -> tuple[float, int] | None:
    confidence, _, key = cursor.partition("_")
    try:
        return float(confidence), int(key)
    except ValueError:
        return None
