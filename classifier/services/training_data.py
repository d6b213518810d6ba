"""Hands out the catalogue's images whose category a person verified, as material for a training."""

from pathlib import Path

from django.utils import timezone

from catalogue import access
from catalogue.access import ANONYMOUS, Principal
from catalogue.errors import NotAllowed
from catalogue.models import Annotation, Datafile
from catalogue.models.investigations import RecordState
from catalogue.services.annotations import CATEGORY
from catalogue.services.storages import open_storage
from catalogue.storages.errors import StorageError
from classifier.pipeline.training.images import FileSource, LabelledImage, Source

_CHUNK = 1024 * 1024


def verified_images(
    *, actor: Principal, folder: Path, only_open: bool = False
) -> tuple[list[LabelledImage], list[tuple[str, str]]]:
    """The images that `actor` may read, or that everyone may with `only_open`, and whose category a person verified; and those
    that cannot be had, with the reason.

    A session is an investigation. Files of remote storages are copied into `folder`, closed ones too: whoever trains removes it
    afterwards. Keys are numbers of files, so that no report names one. Raises NotAllowed unless a curator asks.
    """
    if not actor.sees_everything:
        raise NotAllowed("Only curators and administrators take images of the catalogue for training.")
    images, missing = [], []
    for annotation in _verified(ANONYMOUS if only_open else actor):
        file = annotation.datafile
        try:
            source = _source(file, folder)
        except (StorageError, OSError) as error:
            missing.append((str(file.pk), str(error)))
            continue
        session = str(annotation.dataset.investigation_id)
        images.append(LabelledImage(str(file.pk), annotation.label, session, source))
    return images, missing


def _verified(actor: Principal) -> list[Annotation]:
    """The newest verified label of each file, of datasets that are not withdrawn."""
    readable = access.full_datasets(actor, now=timezone.now()).filter(
        state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE
    )
    rows = Annotation.objects.filter(kind=CATEGORY, verified_at__isnull=False, dataset__in=readable.order_by())
    newest: dict[int, Annotation] = {}
    for row in rows.select_related("dataset", "datafile__storage").order_by("datafile_id", "-verified_at", "-id"):
        newest.setdefault(row.datafile_id, row)
    return list(newest.values())


def _source(file: Datafile, folder: Path) -> Source:
    storage = open_storage(file.storage)
    local = storage.local_path(file.path)
    if local is not None:
        return FileSource(local)
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / str(file.pk)
    with storage.open_seekable(file.path) as remote, copy.open("wb") as target:
        while chunk := remote.read(_CHUNK):
            target.write(chunk)
    return FileSource(copy)
