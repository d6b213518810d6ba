"""What the kinds of storage share: ranges that are complete or fail, checksums, a seekable file over ranges."""

import hashlib
import io
import zlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from catalogue.storages.errors import (
    StorageDenied,
    StorageError,
    StorageFileChanged,
    StorageFileExists,
    StorageFileMissing,
    StoragePathRefused,
    StorageRangeInvalid,
    StorageShortRead,
    StorageUploadIncomplete,
)
from catalogue.storages.paths import clean_path
from catalogue.storages.protocol import CHUNK_BYTES, Algorithm, Checksums, Entry, Page, StorageConfig


class BaseStorage(ABC):
    """A kind of storage gives `stat`, `list_page` and `_open_span`; the reads below follow from them."""

    LISTED_AT_ONCE = 50_000
    config: StorageConfig

    @abstractmethod
    def stat(self, path: str) -> Entry: ...

    @abstractmethod
    def list_page(self, prefix: str, cursor: str | None = None, limit: int = 1000) -> Page: ...

    @abstractmethod
    def _open_span(self, entry: Entry, start: int, length: int, chunk: int) -> AbstractContextManager[Iterator[bytes]]:
        """Opens `length` > 0 bytes of a file that must still be the one of `entry`."""

    def stat_many(self, folder: str, names: Collection[str]) -> dict[str, Entry]:
        """Lists the folder, which saves requests, up to four times as many entries as are wanted."""
        wanted = set(names)
        found: dict[str, Entry] = {}
        cursor, seen = None, 0
        while len(found) < len(wanted) and seen <= 4 * len(wanted):
            page = self.list_page(folder, cursor, limit=self.LISTED_AT_ONCE)
            found |= {entry.path: entry for entry in page.entries if entry.name in wanted}
            cursor, seen = page.next_cursor, seen + len(page.entries)
            if cursor is None:
                break
        return found

    @contextmanager
    def open_range(
        self,
        path: str,
        start: int = 0,
        length: int | None = None,
        *,
        chunk: int = CHUNK_BYTES,
        entry: Entry | None = None,
    ) -> Iterator[Iterator[bytes]]:
        entry = self._file_entry(path) if entry is None else entry
        if clean_path(path) != entry.path:
            raise ValueError("the entry is of another file than the path")
        length = _checked_length(entry, start, length)
        if length == 0:
            yield iter(())
            return
        with self._open_span(entry, start, length, chunk) as chunks:
            yield _complete(chunks, length, path)

    def open_seekable(self, path: str) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(RangeReader(self, self._file_entry(path))))

    def checksum(self, path: str, algorithms: tuple[Algorithm, ...] = ("sha256", "crc32")) -> Checksums:
        sha256 = hashlib.sha256() if "sha256" in algorithms else None
        crc32 = size = 0
        with self.open_range(path) as chunks:
            for chunk in chunks:
                size += len(chunk)
                if sha256 is not None:
                    sha256.update(chunk)
                if "crc32" in algorithms:
                    crc32 = zlib.crc32(chunk, crc32)
        result = Checksums(size=size)
        if sha256 is not None:
            result["sha256"] = sha256.hexdigest()
        if "crc32" in algorithms:
            result["crc32"] = crc32
        return result

    def share_link(self, path: str) -> str | None:
        self._file_entry(path)
        return None

    def local_path(self, path: str) -> Path | None:
        clean_path(path)
        return None

    def close(self) -> None:
        return None

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        """Refuses to store over a file, unless told to, and over a folder always."""
        try:
            entry = self.stat(path)
        except StorageFileMissing:
            return
        if entry.is_folder or not overwrite:
            raise file_exists(path)

    def _file_entry(self, path: str) -> Entry:
        entry = self.stat(clean_path(path))
        if entry.is_folder:
            raise StorageFileMissing(f"{path} is a folder, not a file.", path=path)
        return entry


class FolderStorage(BaseStorage):
    """A storage that is walked folder by folder."""

    @abstractmethod
    def _members(self, folder: str) -> Iterator[Entry]:
        """One level of a folder, in any order; StorageFileMissing if it is none."""

    def walk(self, prefix: str = "") -> Iterator[Entry]:
        waiting = [clean_path(prefix, is_root_allowed=True)]
        denied: StorageError | None = None
        while waiting:
            folder = waiting.pop()
            try:
                for entry in self._members(folder):
                    if entry.is_folder:
                        waiting.append(entry.path)
                    else:
                        yield entry
            except (StorageFileMissing, StorageDenied, StoragePathRefused) as error:
                if folder == prefix:
                    raise
                if not isinstance(error, StorageFileMissing):
                    denied = denied or error
        if denied is not None:
            raise denied


class RangeReader(io.RawIOBase):
    """A read-only file over byte ranges. Keeps the last blocks, as HDF5 and TIFF readers jump back and forth."""

    BLOCK_BYTES = CHUNK_BYTES
    KEPT_BLOCKS = 16

    def __init__(self, storage: BaseStorage, entry: Entry) -> None:
        super().__init__()
        self._storage = storage
        self._entry = entry
        self._size = entry.size or 0
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        if self._position >= self._size:
            return 0
        number, offset = divmod(self._position, self.BLOCK_BYTES)
        data = self._block(number)[offset : offset + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * self.BLOCK_BYTES
        length = min(self.BLOCK_BYTES, self._size - start)
        with self._storage.open_range(self._entry.path, start, length, entry=self._entry) as chunks:
            block = b"".join(chunks)
        self._blocks[number] = block
        if len(self._blocks) > self.KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block


def file_exists(path: str) -> StorageFileExists:
    return StorageFileExists(f"{path} is already there; choose another name.", path=path)


def file_changed(path: str) -> StorageFileChanged:
    return StorageFileChanged(f"{path} has changed since it was looked at; look again.", path=path)


def upload_incomplete(path: str, size: int) -> StorageUploadIncomplete:
    return StorageUploadIncomplete(f"{path}: not exactly {size} bytes came; nothing was stored.", path=path)


def _checked_length(entry: Entry, start: int, length: int | None) -> int:
    size = entry.size or 0
    available = size - start
    if start < 0 or available < 0 or (length is not None and not 0 <= length <= available):
        raise StorageRangeInvalid(f"{entry.path} has {size} bytes; the range asked for is not in it.", path=entry.path)
    return available if length is None else length


def _complete(chunks: Iterator[bytes], length: int, path: str) -> Iterator[bytes]:
    arrived = 0
    for chunk in chunks:
        arrived += len(chunk)
        if arrived > length:
            raise StorageShortRead(f"The storage sent more of {path} than was asked for.", path=path)
        yield chunk
    if arrived < length:
        raise StorageShortRead(f"Only {arrived} of {length} bytes of {path} arrived; try again.", path=path)
