"""Where the bytes of an image are: a path on this machine, or a function that opens them on their storage. Nothing is decoded."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from catalogue.errors import Unavailable
from catalogue.models import Datafile
from catalogue.services.storages import open_storage
from catalogue.storages import Storage
from catalogue.storages.errors import StorageError, StorageFileMissing, StorageUnavailable
from classifier.files import upload_path
from classifier.models import Image
from classifier.pipeline.errors import FileUnreachable, PipelineError, UnreadableImage


def source_of(image: Image) -> Path | Callable[[], BinaryIO]:
    """The file of an upload or of the catalogue. Raises UnreadableImage when it is gone, FileUnreachable when it is out of reach;
    so does the function that comes back. Asks no database."""
    if image.datafile is not None:
        return _stored(image.datafile)
    path = upload_path(image.uid)
    if not path.is_file():
        raise UnreadableImage("file-missing", "The uploaded file is not here any more. Upload it again.")
    return path


def _stored(file: Datafile) -> Path | Callable[[], BinaryIO]:
    try:
        storage = open_storage(file.storage)
        return storage.local_path(file.path) or (lambda: _opened(storage, file))
    except (StorageError, Unavailable) as error:
        raise _reason(error, file) from error


def _opened(storage: Storage, file: Datafile) -> BinaryIO:
    try:
        return storage.open_seekable(file.path)
    except StorageError as error:
        raise _reason(error, file) from error


def _reason(error: Exception, file: Datafile) -> PipelineError:
    if isinstance(error, StorageFileMissing) and _is_up(file):
        return UnreadableImage("file-missing", "The file is not in its storage any more.")
    if isinstance(error, StorageUnavailable | StorageFileMissing | Unavailable):
        return FileUnreachable("storage-unavailable", f"The storage {file.storage.name} does not answer.")
    return UnreadableImage("file-unreadable", f"The file could not be read: {error}")


def _is_up(file: Datafile) -> bool:
    """A storage that is not mounted has no files either."""
    try:
        open_storage(file.storage).check()
    except StorageError:
        return False
    return True
