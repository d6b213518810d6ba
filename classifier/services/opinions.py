"""What people say that an image shows. Of files of the catalogue it becomes a verified label there; of uploads it is kept here."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from catalogue.access import Principal
from catalogue.errors import InvalidInput, NotAllowed, NotFound
from catalogue.services.annotations import CATEGORY, verify_label
from classifier.models import Category, Image, Opinion, Prediction
from classifier.selectors import Viewer, may_label, newest_predictions
from classifier.services.categories import check_curator, find_or_propose
from classifier.services.releases import active_release

MOST_AT_ONCE = 500


def give_opinion(*, actor: Viewer, image: Image, text: str) -> Opinion:
    """The viewer says that `image` shows `text`: what the model said, another category, or one that is proposed by this.

    Raises NotAllowed unless the viewer may say so, InvalidInput for a name that cannot be one.
    """
    if not may_label(actor, image):
        raise NotAllowed("Only people of the investigation's team and curators say what this image shows.")
    prediction = newest_predictions([image], active_release()).get(image.pk)
    known = prediction.release.labels if prediction else ()
    with transaction.atomic():
        category = find_or_propose(actor=actor.principal, text=text, known=known)
        return _keep(actor.principal, image, category, prediction)


def agree_with_label(*, actor: Viewer, images: QuerySet[Image], text: str) -> int:
    """The viewer agrees with the model on all of these images of one dataset of which it says `text` first; how many they are.

    Raises NotFound where there are no images, NotAllowed unless the viewer may say so, InvalidInput for too many.
    """
    if not images.exists():
        raise NotFound("There is no such dataset, or none whose images you may see.")
    said = Prediction.objects.filter(release=active_release(), label=text).values("image")
    chosen = list(images.filter(pk__in=said)[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidInput(f"The model says so of more than {MOST_AT_ONCE} images. Look at them page by page.")
    with transaction.atomic():
        for image in chosen:
            give_opinion(actor=actor, image=image, text=text)
    return len(chosen)


def confirm_predictions(*, actor: Principal, images: Sequence[Image]) -> int:
    """A curator agrees with what the model said of each of these images of the catalogue; how many were confirmed."""
    check_curator(actor)
    if len(images) > MOST_AT_ONCE:
        raise InvalidInput(f"Confirm at most {MOST_AT_ONCE} images at once.")
    predictions = newest_predictions(images, active_release())
    confirmed = [image for image in images if image.pk in predictions and image.datafile is not None]
    with transaction.atomic():
        for image in confirmed:
            prediction = predictions[image.pk]
            category = find_or_propose(actor=actor, text=prediction.label, known=prediction.release.labels)
            _keep(actor, image, category, prediction)
    return len(confirmed)


def _keep(actor: Principal, image: Image, category: Category, prediction: Prediction | None) -> Opinion:
    if image.datafile is not None:
        verify_label(actor=actor, datafile=image.datafile, kind=CATEGORY, text=category.name)
    return Opinion.objects.create(
        image=image,
        person_id=actor.user_id,
        category=category,
        prediction=prediction,
        agrees=prediction is not None and prediction.label == category.name,
    )
