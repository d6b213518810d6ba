"""Files of an archive that the site writes itself: written to be measured, and again to be sent. No I/O here."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from catalogue.downloads.zipstream import Entry


@dataclass(frozen=True)
class GeneratedFile:
    """`write` gives the content in pieces, the same every time. `size` is in bytes; `crc32` is None where digests of files
    that pass before it are still to come, and then `sha256` (hex) is empty."""

    name: str
    write: Callable[[], Iterable[bytes]]
    size: int
    crc32: int | None = None
    sha256: str = ""

    def within(self, folder: str) -> "GeneratedFile":
        """The same in a folder, whose name ends with a slash."""
        return replace(self, name=folder + self.name)

    def entry(self) -> Entry:
        return Entry(self.name, self.size, crc32=self.crc32)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """`length` bytes from `offset`, without holding the whole."""
        position, stop = 0, offset + length
        for piece in self.write():
            first, last = max(offset - position, 0), min(stop - position, len(piece))
            if first < last:
                yield piece[first:last]
            position += len(piece)
            if position >= stop:
                return


def measured(name: str, write: Callable[[], Iterable[bytes]]) -> GeneratedFile:
    """A file whose content is known beforehand."""
    size, crc32, sha256 = 0, 0, hashlib.sha256()
    for piece in write():
        size += len(piece)
        crc32 = zlib.crc32(piece, crc32)
        sha256.update(piece)
    return GeneratedFile(name, write, size, crc32, sha256.hexdigest())


def of_bytes(name: str, content: bytes) -> GeneratedFile:
    return measured(name, lambda: (content,))
