"""The files of claimed images on this machine: where they lie, or fetched from their storage for a moment. Nothing is decoded."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from catalogue.errors import Unavailable
from catalogue.services.storages import open_storage
from catalogue.storages import Storage
from catalogue.storages.errors import StorageError, StorageFileMissing, StorageUnavailable
from classifier.files import upload_path
from classifier.models import Work
from classifier.pipeline.reading import ReadLimits
from classifier.services import dispatch

FETCHED_AT_ONCE = 8
LIMITS = ReadLimits()


@dataclass(frozen=True)
class Opened:
    """The file of one piece of work, or why there is none; what `will_pass` is worth another try."""

    work: Work
    path: Path | None
    code: str = ""
    message: str = ""
    will_pass: bool = False


def open_files(work: Sequence[Work], folder: Path) -> list[Opened]:
    """The file of each; those of remote storages are written into `folder`, several at a time."""
    if all(one.image.datafile is None for one in work):
        return [_uploaded(one) for one in work]
    with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        return list(pool.map(lambda one: _opened(one, folder), work))


def _opened(work: Work, folder: Path) -> Opened:
    file = work.image.datafile
    if file is None:
        return _uploaded(work)
    try:
        storage = open_storage(file.storage)
        return _stored(work, storage, file.path, folder)
    except (StorageUnavailable, Unavailable):
        return Opened(work, None, "storage-unavailable", f"The storage {file.storage.name} does not answer.", True)
    except StorageError as error:
        return Opened(work, None, "file-unreadable", f"The file could not be read: {error}")


def _stored(work: Work, storage: Storage, path: str, folder: Path) -> Opened:
    try:
        local = storage.local_path(path)
        return Opened(work, local or _fetched(storage, path, folder / str(work.pk)))
    except StorageFileMissing:
        _check(storage)
        return Opened(work, None, "file-missing", "The file is not in its storage any more.")
    except _TooLarge:
        megabytes = LIMITS.bytes // 1_000_000
        return Opened(work, None, "file-too-large", f"The file is larger than the {megabytes} MB that are read.")


class _TooLarge(Exception):
    pass


def _check(storage: Storage) -> None:
    """A storage that is not mounted has no files either."""
    try:
        storage.check()
    except StorageError as error:
        raise StorageUnavailable(str(error)) from error


def _fetched(storage: Storage, path: str, target: Path) -> Path:
    entry = storage.stat(path)
    if (entry.size or 0) > LIMITS.bytes:
        raise _TooLarge
    with storage.open_seekable(path) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    return target


def _uploaded(work: Work) -> Opened:
    path = upload_path(work.image.uid)
    if path.is_file():
        return Opened(work, path)
    return Opened(work, None, "file-missing", "The uploaded file is not here any more. Upload it again.")


def settle_unopened(opened: Opened) -> None:
    """The work of a file that could not be opened fails, or is tried again later."""
    if opened.will_pass:
        dispatch.retry([opened.work], opened.code, opened.message)
    else:
        dispatch.fail(opened.work, opened.code, opened.message)
