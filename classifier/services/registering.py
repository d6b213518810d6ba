"""Uploads become a dataset: their bytes are put into a storage, the dataset is registered, and what was found goes with it.

All or nothing: bytes first, which nobody knows of before the registration, then one transaction. Whoever tries again after a
failure meets the same paths and the same registration key, so that nothing is stored or registered twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from django.db import transaction
from django.db.models import Model

from catalogue.access import SYSTEM, Principal
from catalogue.derived import write_whole
from catalogue.entries import DatasetEntry, FileEntry
from catalogue.errors import Conflict, InvalidInput, NotAllowed, Unavailable
from catalogue.models import Datafile, Dataset, Investigation, Storage
from catalogue.services.annotations import CATEGORY, Label, record_labels_of_many, verify_label
from catalogue.services.references import may_use, member_folder, path_problem
from catalogue.services.registration import register_dataset
from catalogue.services.storages import open_storage
from catalogue.storages import Storage as OpenStorage
from catalogue.storages.errors import StorageError, StorageFileMissing
from classifier.files import Derived, derived_path, sidecar_of, upload_path
from classifier.models import Image, Opinion, Prediction, Scale, Submission, Work, WorkKind, WorkState
from classifier.pipeline.results import Verdict
from classifier.services import dispatch
from classifier.services.releases import active_release
from classifier.services.results import told_labels

Row = TypeVar("Row", bound=Model)
MOST_IMAGES = 200
MOST_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What is to be registered, where the bytes go, and how the dataset is called. `folder` is a path in the storage."""

    investigation: Investigation
    storage: Storage
    folder: str
    title: str
    description: str = ""
    sample: str = ""
    techniques: tuple[str, ...] = ()


def register_images(
    *, actor: Principal, submission: Submission, images: Sequence[Image], wanted: Registration
) -> Dataset:
    """Put `images` of an own upload into a storage and register them as one dataset, with predictions, opinions and scales.

    Raises InvalidInput, NotAllowed, Conflict, and Unavailable when the storage does not answer; then nothing was registered, and
    the same call can be made again.
    """
    _check(actor, submission, images, wanted)
    sent = _files_sent(images, wanted)
    entry = _entry(submission, images, wanted, [file for _, file in sent])
    for file in entry.files:
        if problem := path_problem(wanted.storage, file.path, wanted.investigation, actor):
            raise InvalidInput(problem, fields={"folder": [problem]})
    storage = open_storage(wanted.storage)
    for source, file in sent:
        _put(storage, source, file)
    with transaction.atomic():
        dataset = register_dataset(actor=actor, entry=entry)
        files = {
            file.path: file
            for file in Datafile.objects.filter(dataset=dataset).select_related("dataset__investigation")
        }
        became = {
            image: files[file.path] for image, file in zip(images, entry.files, strict=False) if file.path in files
        }
        _annotate(became)
        _find_out_the_rest([_hand_over(actor, image, datafile) for image, datafile in became.items()])
    return dataset


def default_folder(storage: Storage, investigation: Investigation) -> str:
    """Where the files go unless the person says otherwise: the folder that their team has there, where it has one."""
    own = f"{member_folder(storage, investigation)}/" if storage.member_folder else f"{investigation.visit_id}/"
    return f"{own}classified"


def _check(actor: Principal, submission: Submission, images: Sequence[Image], wanted: Registration) -> None:
    if actor.is_anonymous or submission.owner_id != actor.user_id:
        raise NotAllowed("Sign in and upload the images with your account: registering needs one.")
    if not images:
        raise InvalidInput("Choose at least one image.", fields={"image": ["Choose at least one image."]})
    if len(images) > MOST_IMAGES or sum(image.size or 0 for image in images) > MOST_BYTES:
        message = f"Register at most {MOST_IMAGES} images and {MOST_BYTES >> 30} GiB at once. Choose fewer; the others can follow."
        raise InvalidInput(message, fields={"image": [message]})
    if any(image.registered_as_id for image in images):
        raise Conflict("Some of these images are registered already. Choose the others.", code="images-registered")
    if not may_use(wanted.storage, actor) or not wanted.storage.is_active:
        raise NotAllowed("You may not use this storage.")


def _files_sent(images: Sequence[Image], wanted: Registration) -> list[tuple[Path, FileEntry]]:
    """Each file where it lies and as it will be registered: the images in their order, then the texts beside them."""
    storage = str(wanted.storage.uid)
    paths = _paths(images, wanted.folder.strip("/"))
    sent: dict[str, tuple[Path, FileEntry]] = {}
    for image, path in zip(images, paths, strict=True):
        file = FileEntry(storage=storage, path=path, size=image.size, sha256=image.sha256, media_type=image.media_type)
        sent[path] = upload_path(image.uid), file
    for image, path in zip(images, paths, strict=True):
        if text := sidecar_of(image.uid):
            content = text.read_bytes()
            place = f"{path.removesuffix(PurePosixPath(path).suffix)}{text.suffix}"
            digest = hashlib.sha256(content).hexdigest()
            file = FileEntry(storage=storage, path=place, size=len(content), sha256=digest, media_type="text/plain")
            sent.setdefault(place, (text, file))
    return list(sent.values())


def _entry(
    submission: Submission, images: Sequence[Image], wanted: Registration, files: Sequence[FileEntry]
) -> DatasetEntry:
    first = min(image.pk for image in images)
    return DatasetEntry(
        investigation=str(wanted.investigation.uid),
        title=wanted.title,
        description=wanted.description,
        sample=wanted.sample,
        techniques=wanted.techniques,
        registration_key=f"classify-{submission.uid}-{first}-{len(images)}",
        files=tuple(files),
    )


def _paths(images: Sequence[Image], folder: str) -> list[str]:
    """One path for each image; of two with the same name the second gets a number."""
    taken: set[str] = set()
    paths = []
    for image in images:
        stem, dot, ending = image.name.rpartition(".")
        stem, dot, ending = (stem, dot, ending) if stem else (image.name, "", "")
        name, number = image.name, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}{dot}{ending}"
        taken.add(name.lower())
        paths.append(f"{folder}/{name}" if folder else name)
    return paths


def _put(storage: OpenStorage, source: Path, file: FileEntry) -> None:
    """The bytes of `source` at the path of `file`; those that an earlier attempt put there are left as they are."""
    name = PurePosixPath(file.path).name
    try:
        if _lies_there(storage, file):
            return
        with source.open("rb") as stream:
            storage.put(file.path, stream, file.size or 0)
    except FileNotFoundError:
        raise Conflict(f"The file of {name} is not here any more. Upload it again.") from None
    except StorageError as error:
        raise Unavailable(
            f"{name} could not be put into the storage: {error} Nothing was registered; try again later, or choose"
            " another storage.",
            code="storage-unavailable",
        ) from None


def _lies_there(storage: OpenStorage, file: FileEntry) -> bool:
    try:
        entry = storage.stat(file.path)
    except StorageFileMissing:
        return False
    if entry.size == file.size and storage.checksum(file.path, ("sha256",)).get("sha256") == file.sha256:
        return True
    message = f"Another file lies at {file.path} already. Choose another folder; nothing was registered."
    raise Conflict(message, code="file-exists", fields={"folder": [message]})


def _hand_over(actor: Principal, image: Image, file: Datafile) -> Image:
    """What was found in an upload is said of the file of the catalogue that it became; no model runs again."""
    twin, _ = Image.objects.get_or_create(
        datafile=file,
        defaults={
            "name": file.name, "size": file.size, "sha256": image.sha256, "media_type": image.media_type,
            "width": image.width, "height": image.height, "metadata": image.metadata,
        },
    )  # fmt: skip
    copies = [_copied(row, image=twin) for row in Prediction.objects.filter(image=image)]
    Prediction.objects.bulk_create(copies, ignore_conflicts=True)
    scale = Scale.objects.filter(image=image).first()
    if scale is not None:
        Scale.objects.bulk_create([_copied(scale, image=twin)], ignore_conflicts=True)
    done = Work.objects.filter(image=image, kind=WorkKind.CATEGORY, state=WorkState.DONE)
    Work.objects.bulk_create([_copied(row, image=twin) for row in done], ignore_conflicts=True)
    _repeat_opinions(actor, image, twin)
    _copy_pictures(image, twin)
    Image.objects.filter(pk=image.pk).update(registered_as=file)
    return twin


def _find_out_the_rest(images: Sequence[Image]) -> None:
    """The scale is read once more, so that the dataset is told of it, and categories where the model has not spoken yet."""
    if dispatch.record_work(images, kind=WorkKind.SCALE, queue=dispatch.OCR):
        dispatch.ring(dispatch.OCR)
    release = active_release()
    if release and dispatch.record_work(images, kind=WorkKind.CATEGORY, queue=dispatch.CPU, release=release):
        dispatch.ring(dispatch.CPU)


def _annotate(became: Mapping[Image, Datafile]) -> None:
    """The labels that the files would have got had they been classified in the catalogue."""
    said: dict[str, dict[Datafile, list[Label]]] = {}
    for row in Prediction.objects.filter(image__in=became).select_related("release", "image"):
        said.setdefault(row.release.label, {})[became[row.image]] = told_labels(_verdict(row))
    for release, labels in said.items():
        record_labels_of_many(actor=SYSTEM, said=labels, kind=CATEGORY, model_release=release)


def _verdict(row: Prediction) -> Verdict:
    return Verdict(
        labels=tuple(row.release.labels),
        probabilities=np.asarray(row.probabilities, np.float32),
        features=np.empty(0, np.float32),
        is_uncertain=row.is_uncertain,
        strangeness=row.strangeness,
        is_strange=row.is_strange,
    )


def _repeat_opinions(actor: Principal, image: Image, twin: Image) -> None:
    opinions = list(Opinion.objects.filter(image=image).select_related("category").order_by("pk"))
    Opinion.objects.bulk_create(_copied(row, image=twin, prediction=None) for row in opinions)
    if opinions and twin.datafile is not None:
        verify_label(actor=actor, datafile=twin.datafile, kind=CATEGORY, text=opinions[-1].category.name)


def _copied(row: Row, **changes: object) -> Row:
    """An unsaved row with the values of `row`, some of them changed."""
    names = [
        field.attname for field in row._meta.concrete_fields if not field.primary_key and field.name not in changes
    ]
    return type(row)(**{name: getattr(row, name) for name in names}, **changes)


def _copy_pictures(image: Image, twin: Image) -> None:
    for kind in (Derived.PREVIEW, Derived.THUMBNAIL):
        made = derived_path(image.uid, kind)
        if made.exists():
            write_whole(derived_path(twin.uid, kind), made.read_bytes())
