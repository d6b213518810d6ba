"""What every storage can do. Callers know this Protocol and its errors, never a particular kind of storage.

Paths are relative POSIX strings (`paths.clean_path`); the empty string is the root where a folder is meant.
Who may read what is decided before a storage is asked: nothing here knows people.
"""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, TypedDict

from catalogue.secrets import Secret
from catalogue.storages.paths import sort_name

CHUNK_BYTES = 1 << 20
Algorithm = Literal["sha256", "crc32"]


@dataclass(frozen=True)
class StorageConfig:
    """How to reach a storage. `location` is a root folder, a WebDAV URL, or s3://bucket/prefix; times in seconds.

    `is_private_network_allowed` is set by an administrator who declared a storage in the site's own network.
    """

    kind: Literal["posix", "webdav", "s3"]
    location: str
    endpoint: str | None = None
    username: str | None = None
    secret: Secret | str | None = field(default=None, repr=False)
    region: str | None = None
    is_private_network_allowed: bool = False
    connect_timeout: float = 4.0
    read_timeout: float = 20.0

    def __post_init__(self) -> None:
        if isinstance(self.secret, str):
            object.__setattr__(self, "secret", Secret(self.secret))

    def reveal_secret(self) -> str:
        return self.secret.reveal() if isinstance(self.secret, Secret) else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder. `size` in bytes (None for folders), `modified_at` in UTC (None where a storage keeps none).

    `etag` changes when the content does; `checksum` is what the storage claims, as "ALGORITHM:hex".
    """

    path: str
    is_folder: bool
    size: int | None
    modified_at: datetime | None
    etag: str | None = None
    checksum: str | None = None
    file_id: str | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def sort_name(self) -> str:
        return sort_name(self.name, is_folder=self.is_folder)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a folder, sorted by name. `skipped_count`: links and unusable names that are not shown."""

    entries: list[Entry]
    next_cursor: str | None
    skipped_count: int = 0


class Checksums(TypedDict, total=False):
    """`size` is always there; `sha256` in hex; `crc32` as the unsigned number that ZIP wants."""

    size: int
    sha256: str
    crc32: int


class Storage(Protocol):
    """Every method may raise StorageUnavailable and StorageDenied; those with a path also StoragePathRefused."""

    config: StorageConfig

    def check(self) -> None:
        """Returns when the root can be listed, raises otherwise."""

    def list_page(self, prefix: str, cursor: str | None = None, limit: int = 1000) -> Page:
        """One level of a folder. `cursor` is the `next_cursor` of the page before."""

    def walk(self, prefix: str = "") -> Iterator[Entry]:
        """All files below a folder, in no particular order; folders themselves are not listed.

        A folder below that may not be read is passed over, and StorageDenied raised at the end: what is in it must not
        be taken for deleted.
        """

    def stat(self, path: str) -> Entry:
        """Raises StorageFileMissing."""

    def stat_many(self, folder: str, names: Collection[str]) -> dict[str, Entry]:
        """Those of many files of one folder that are found soon, by path; of the others `stat` tells why not."""

    def open_range(
        self,
        path: str,
        start: int = 0,
        length: int | None = None,
        *,
        chunk: int = CHUNK_BYTES,
        entry: Entry | None = None,
    ) -> AbstractContextManager[Iterator[bytes]]:
        """Chunks of at most `chunk` bytes; exactly `length` bytes in all (to the end if None), else StorageShortRead.

        `entry`, an earlier answer of `stat`, saves a request, and StorageFileChanged is raised when it is out of date.
        """

    def open_seekable(self, path: str) -> BinaryIO:
        """A file for readers that jump; reads remote storages in blocks. The caller closes it."""

    def checksum(self, path: str, algorithms: tuple[Algorithm, ...] = ("sha256", "crc32")) -> Checksums:
        """One pass with bounded memory. StorageFileChanged when the file changes meanwhile."""

    def put(self, path: str, stream: BinaryIO, size: int, *, overwrite: bool = False) -> Entry:
        """Stores exactly `size` bytes of a stream, whole or not at all; makes the folders above it."""

    def share_link(self, path: str) -> str | None:
        """A link that opens this file *for anyone who has it*, or None. Ask only for what is open to everyone."""

    def local_path(self, path: str) -> Path | None:
        """Where the file lies on this machine, to be handed to the web server; None for remote storages."""

    def close(self) -> None:
        """Gives connections back."""
