"""Where the bytes of a file come from: a Protocol, and its form for files of this machine.

Readers see nothing else of a storage. A remote storage gives its own SourceFile with a seekable range reader.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Protocol


class SourceFile(Protocol):
    """One file of a storage, readable at any position."""

    @property
    def name(self) -> str:
        """The file's own name, without folders."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    def open(self) -> BinaryIO:
        """A seekable reader at position 0; the caller closes it. Raises OSError."""

    def sibling(self, name: str) -> SourceFile | None:
        """The file `name` of the same folder, or None: for side-car files."""


class LocalFile:
    """A regular file of this machine. Symbolic links are not followed: they could lead out of the storage."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.path.lstat().st_size

    def open(self) -> BinaryIO:
        """Raises OSError for a link, a folder, a pipe or a device."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(f"{self.path.name} is not a regular file")
        return os.fdopen(descriptor, "rb")

    def sibling(self, name: str) -> LocalFile | None:
        if Path(name).name != name or name in {"", ".", ".."}:
            return None
        other = self.path.with_name(name)
        try:
            is_regular = stat.S_ISREG(other.lstat().st_mode)
        except OSError:
            return None
        return LocalFile(other) if is_regular else None
