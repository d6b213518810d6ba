"""A folder of this machine. Every name of a path is opened below the one before it and never through a symbolic link,
so that no link, however quickly it is swapped in, leads out of the root."""

import errno
import heapq
import logging
import os
import secrets
import stat as file_modes
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from catalogue.storages.base import FolderStorage, file_changed, file_exists, upload_incomplete
from catalogue.storages.errors import (
    StorageDenied,
    StorageError,
    StorageFileMissing,
    StoragePathRefused,
    StorageUnavailable,
)
from catalogue.storages.paths import UPLOAD_PREFIX, clean_path, is_clean_name, join_path, sort_name
from catalogue.storages.protocol import CHUNK_BYTES, Entry, Page, StorageConfig

logger = logging.getLogger(__name__)

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK the opening of a named pipe would wait for its writer.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class PosixStorage(FolderStorage):
    def __init__(self, config: StorageConfig) -> None:
        self.config = config
        self.root = Path(config.location)
        if not self.root.is_absolute():
            raise StoragePathRefused("The root folder of a storage is an absolute path.")

    def check(self) -> None:
        with self._open_folder("") as folder, _translated(""), os.scandir(folder) as names:
            next(names, None)

    def list_page(self, prefix: str, cursor: str | None = None, limit: int = 1000) -> Page:
        """Reads the folder once per page and holds one page of it, whatever its size."""
        skipped: list[str] = []
        with self._open_folder(prefix) as folder, _translated(prefix), os.scandir(folder) as found:
            named = ((name, item) for item in found if (name := _sort_name(item, skipped)) is not None)
            rest = (pair for pair in named if cursor is None or pair[0] > cursor)
            smallest = heapq.nsmallest(limit + 1, rest, key=itemgetter(0))
            page = [entry for _, item in smallest[:limit] if (entry := _looked_at(item, prefix)) is not None]
        return Page(page, smallest[limit - 1][0] if len(smallest) > limit else None, len(skipped))

    def stat(self, path: str) -> Entry:
        with self._open_parent(path) as (parent, name), _translated(path):
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if file_modes.S_ISLNK(found.st_mode):
            raise _link_refusal(path)
        if not (file_modes.S_ISREG(found.st_mode) or file_modes.S_ISDIR(found.st_mode)):
            raise StoragePathRefused(f"{path} is neither a file nor a folder.", path=path)
        return _entry(path, found)

    def stat_many(self, folder: str, names: Collection[str]) -> dict[str, Entry]:
        """Opens the folder once and looks at the names alone, whatever else is in it."""
        found: dict[str, Entry] = {}
        with self._open_folder(folder) as descriptor, _translated(folder):
            for name in filter(is_clean_name, names):
                try:
                    seen = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if file_modes.S_ISREG(seen.st_mode):
                    path = join_path(folder, name)
                    found[path] = _entry(path, seen)
        return found

    def open_seekable(self, path: str) -> BinaryIO:
        descriptor, _ = self._open_file(path)
        return cast(BinaryIO, os.fdopen(descriptor, "rb"))

    def local_path(self, path: str) -> Path | None:
        """The web server that is handed this path should refuse links too (nginx: disable_symlinks on)."""
        descriptor, _ = self._open_file(path)
        os.close(descriptor)
        return self.root / path

    def put(self, path: str, stream: BinaryIO, size: int, *, overwrite: bool = False) -> Entry:
        self._check_free(path, overwrite=overwrite)
        self._make_folders(path.rpartition("/")[0])
        with self._open_parent(path) as (parent, name), _translated(path):
            temporary = UPLOAD_PREFIX + secrets.token_hex(8)
            try:
                _write_exactly(temporary, parent, stream, size, path)
                _place(temporary, name, parent, path, overwrite=overwrite)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
            with suppress(OSError):  # not every network file system can do this for a folder
                os.fsync(parent)
        return self.stat(path)

    def _members(self, folder: str) -> Iterator[Entry]:
        skipped: list[str] = []
        with self._open_folder(folder) as descriptor, _translated(folder), os.scandir(descriptor) as found:
            for item in found:
                if _sort_name(item, skipped) is not None and (entry := _looked_at(item, folder)) is not None:
                    yield entry
        if skipped:
            logger.warning("storage names skipped", extra={"folder": folder, "skipped_count": len(skipped)})

    @contextmanager
    def _open_span(self, entry: Entry, start: int, length: int, chunk: int) -> Iterator[Iterator[bytes]]:
        descriptor, opened = self._open_file(entry.path)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            _check_same(entry, opened)
            file.seek(start)
            yield self._chunks(file, entry, length, chunk)

    def _chunks(self, file: BinaryIO, entry: Entry, length: int, chunk: int) -> Iterator[bytes]:
        with _translated(entry.path):
            while length > 0 and (data := file.read(min(chunk, length))):
                length -= len(data)
                yield data
            _check_same(entry, _entry(entry.path, os.fstat(file.fileno())))

    def _open_file(self, path: str) -> tuple[int, Entry]:
        with self._open_parent(path) as (parent, name), _translated(path, name, parent):
            descriptor = os.open(name, _FILE_FLAGS, dir_fd=parent)
        found = os.fstat(descriptor)
        if not file_modes.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise StorageFileMissing(f"{path} is not a file.", path=path)
        return descriptor, _entry(path, found)

    @contextmanager
    def _open_parent(self, path: str) -> Iterator[tuple[int, str]]:
        folder, _, name = clean_path(path).rpartition("/")
        with self._open_folder(folder) as parent:
            yield parent, name

    @contextmanager
    def _open_folder(self, path: str) -> Iterator[int]:
        clean_path(path, is_root_allowed=True)
        descriptor = self._open_root()
        try:
            for name in path.split("/") if path else ():
                with _translated(path, name, descriptor):
                    below = os.open(name, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def _open_root(self) -> int:
        try:
            return os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            raise StorageDenied("The site may not read the root folder of this storage.") from None
        except OSError as error:
            raise StorageUnavailable(
                f"The root folder of this storage cannot be opened ({error.strerror}); is it mounted?"
            ) from None

    def _make_folders(self, path: str) -> None:
        names = path.split("/") if path else []
        for depth, name in enumerate(names):
            with self._open_folder("/".join(names[:depth])) as parent, _translated(path), suppress(FileExistsError):
                os.mkdir(name, dir_fd=parent)


def _sort_name(item: "os.DirEntry[str]", skipped: list[str]) -> str | None:
    """Where a name comes in the list, None for what is not listed; costs no look at the file itself."""
    if item.name.startswith(UPLOAD_PREFIX):
        return None
    is_folder = item.is_dir(follow_symlinks=False)
    if not (is_folder or item.is_file(follow_symlinks=False)) or not is_clean_name(item.name):
        skipped.append(item.name)
        return None
    return sort_name(item.name, is_folder=is_folder)


def _looked_at(item: "os.DirEntry[str]", folder: str) -> Entry | None:
    """None for a file that has vanished meanwhile."""
    try:
        return _entry(join_path(folder, item.name), item.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None


def _entry(path: str, found: os.stat_result) -> Entry:
    is_folder = file_modes.S_ISDIR(found.st_mode)
    return Entry(
        path=path,
        is_folder=is_folder,
        size=None if is_folder else found.st_size,
        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
        # No inode number: some network file systems give new ones at every mount.
        etag=None if is_folder else f"{found.st_size:x}-{found.st_mtime_ns:x}",
    )


def _check_same(entry: Entry, found: Entry) -> None:
    if (entry.etag, entry.size) != (found.etag, found.size):
        raise file_changed(entry.path)


def _write_exactly(name: str, parent: int, stream: BinaryIO, size: int, path: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o640, dir_fd=parent), "wb") as file:
        remaining = size
        while remaining > 0 and (data := stream.read(min(CHUNK_BYTES, remaining))):
            file.write(data)
            remaining -= len(data)
        if remaining or stream.read(1):
            raise upload_incomplete(path, size)
        file.flush()
        os.fsync(file.fileno())


def _place(temporary: str, name: str, parent: int, path: str, *, overwrite: bool) -> None:
    if overwrite:
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        return
    try:
        os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
    except FileExistsError:
        raise file_exists(path) from None
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        # A file system without hard links: it was absent a moment ago, and this is the closest to atomic there is.
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)


@contextmanager
def _translated(path: str, name: str | None = None, parent: int | None = None) -> Iterator[None]:
    """Turns errors of the operating system into ours. `name` in `parent` is looked at to recognise a link."""
    try:
        yield
    except OSError as error:
        if name is not None and error.errno in {errno.ELOOP, errno.ENOTDIR} and _is_link(name, parent):
            raise _link_refusal(path) from None
        _raise_as_ours(error, path)


def _is_link(name: str, parent: int | None) -> bool:
    try:
        return file_modes.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _link_refusal(path: str) -> StorageError:
    return StoragePathRefused(f"{path} is, or leads through, a symbolic link; links are not followed.", path=path)


def _raise_as_ours(error: OSError, path: str) -> NoReturn:
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EISDIR}:
        raise StorageFileMissing(f"{path} is not there.", path=path) from None
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        raise StorageDenied(f"The site may not do this with {path}: {error.strerror}.", path=path) from None
    raise StorageUnavailable(f"The storage failed at {path}: {error.strerror}.", path=path) from None
