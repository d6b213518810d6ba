"""Reads which images carry a category, and what it is: the verified label of an image, or the surest one of a model.

Labels tell of the files and are as closed as these.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet

from catalogue import access
from catalogue.access import ANONYMOUS, Level, Principal
from catalogue.anonymity import file_name_for, text_for
from catalogue.downloads.lists import file_url
from catalogue.downloads.names import folder_name
from catalogue.interop.croissant import CATEGORY
from catalogue.interop.description import MOST_IMAGES, MOST_MEMBERS
from catalogue.models import Annotation, Collection, Datafile, Dataset
from catalogue.record import LabelledImage

# How the role of a member in a collection names a part of the images.
SPLITS = {
    "train": {"train", "training", "training set", "training data"},
    "validation": {"val", "validation", "validation set", "validation data"},
    "test": {"test", "testing", "test set", "test data"},
}


def images_of_dataset(
    dataset: Dataset, level: Level, principal: Principal, *, limit: int = MOST_IMAGES
) -> tuple[LabelledImage, ...]:
    """The first ones by name; nothing for those who do not see the dataset in full."""
    if level != Level.FULL or not limit:
        return ()
    return _images(Dataset.objects.filter(pk=dataset.pk), {}, principal, limit)


def images_of_collection(
    collection: Collection, principal: Principal, *, now: datetime, limit: int = MOST_IMAGES
) -> tuple[LabelledImage, ...]:
    """Those of the datasets that a collection names one by one and that are open to everybody."""
    members = collection.members.filter(dataset__isnull=False).order_by("id")
    roles = dict(members.values_list("dataset_id", "role")[:MOST_MEMBERS])
    opened = access.full_datasets(ANONYMOUS, now=now).filter(pk__in=roles)
    return _images(opened, {key: _split(role) for key, role in roles.items()}, principal, limit)


def _split(role: str) -> str:
    return next((split for split, names in SPLITS.items() if role.strip().lower() in names), "")


def _images(
    datasets: QuerySet[Dataset], splits: dict[int, str], principal: Principal, limit: int
) -> tuple[LabelledImage, ...]:
    labelled = Annotation.objects.filter(datafile=OuterRef("pk"), kind=CATEGORY)
    files = Datafile.objects.filter(Exists(labelled), dataset__in=datasets.order_by().values("pk"))
    found = list(files.select_related("dataset").order_by("dataset__uid", "name")[:limit])
    labels = _best_labels(file.pk for file in found)
    return tuple(
        _image(file, labels[file.pk], splits.get(file.dataset_id, ""), principal) for file in found if file.pk in labels
    )


def _best_labels(keys: Iterable[int]) -> dict[int, Annotation]:
    """Of every file the label that a person verified, else the one of which a model is surest."""
    by_file: dict[int, Annotation] = {}
    rows = Annotation.objects.filter(datafile__in=list(keys), kind=CATEGORY)
    order = (F("verified_at").desc(nulls_last=True), F("confidence").desc(nulls_last=True), "label")
    for row in rows.order_by(*order):
        by_file.setdefault(row.datafile_id, row)
    return by_file


def _image(file: Datafile, label: Annotation, split: str, principal: Principal) -> LabelledImage:
    dataset, name = file.dataset, file_name_for(file.name, file.pk, principal)
    return LabelledImage(
        path=f"{folder_name(text_for(dataset.title, principal), dataset.uid)}/{name}",
        address=file_url(f"/datasets/{dataset.uid}", name),
        media_type=file.media_type,
        sha256=file.sha256,
        label=text_for(label.label, principal),
        confidence=label.confidence,
        is_verified=label.verified_at is not None,
        split=split,
    )
