"""The files of an archive: in which order, whether each is still there as registered, and their bytes.

All files are looked at before the first byte is sent; one that is missing or changed refuses the whole.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from django.db.models import QuerySet

from catalogue.access import Principal
from catalogue.anonymity import file_name_for
from catalogue.downloads.limits import MOST_FILES
from catalogue.errors import InvalidInput, NotFound
from catalogue.models import Datafile
from catalogue.models import Storage as StorageRow
from catalogue.services.downloads import difference, not_intact, reason_of
from catalogue.services.storages import open_storage
from catalogue.storages import Entry as StoredEntry
from catalogue.storages import Storage
from catalogue.storages.errors import StorageError, StorageFileChanged

MOST_PROBLEMS = 20
# From here on, looking at a folder's files together is cheaper than asking for each.
MANY_FROM = 50


class RegisteredFile(NamedTuple):
    id: int
    dataset_id: int
    storage_id: int
    path: str
    name: str
    size: int | None
    modified_at: datetime | None
    sha256: str
    crc32: int | None
    media_type: str
    fixity: str


def files_in_order(files: QuerySet[Datafile], folders: Mapping[int, str], principal: Principal) -> list[RegisteredFile]:
    """The files in the order of the archive, which does not depend on how a database sorts text.

    `folders` are those of the datasets, by key. Raises NotFound where there is no file, InvalidInput for too many.
    """
    values = files.order_by().values_list(*RegisteredFile._fields)[: MOST_FILES + 1]
    rows = [RegisteredFile._make(row) for row in values.iterator(chunk_size=5000)]
    if not rows:
        raise NotFound("There is no file to download here.", code="nothing-to-download")
    if len(rows) > MOST_FILES:
        raise InvalidInput(
            f"An archive holds at most {MOST_FILES:,} files. Use the lists for aria2 or rclone instead.",
            code="too-many-files",
        )
    if principal.hides_people:
        rows = [row._replace(name=file_name_for(row.name, row.id, principal)) for row in rows]
    rows.sort(key=attrgetter("name"))
    if len(folders) > 1:
        rows.sort(key=lambda row: folders[row.dataset_id])
    return rows


@dataclass
class StoredFiles:
    """What the storages say of the files: their sizes, in the order of the files, and the storages by key."""

    sizes: list[int]
    storages: dict[int, Storage] = field(default_factory=dict)


def check_files(rows: Sequence[RegisteredFile]) -> StoredFiles:
    """Raises NotIntact naming the files that are missing or changed. Reads whole folders where that saves requests."""
    storage_rows = StorageRow.objects.in_bulk({row.storage_id for row in rows})
    stored = StoredFiles([0] * len(rows), {key: open_storage(row) for key, row in storage_rows.items()})
    folders: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        folders[row.storage_id, row.path.rpartition("/")[0]].append(index)
    problems: list[tuple[str, str]] = []
    for (storage_id, _), indexes in folders.items():
        storage = stored.storages[storage_id]
        paths = [rows[index].path for index in indexes]
        looked_at = _many_entries(storage, paths) if len(paths) >= MANY_FROM else {}
        for index in indexes:
            row = rows[index]
            entry, reason = _look_at(storage, row, looked_at)
            if reason:
                problems.append((row.name, reason))
                if len(problems) == MOST_PROBLEMS:
                    raise not_intact(problems)
            stored.sizes[index] = (entry.size or 0) if entry else 0
    if problems:
        raise not_intact(problems)
    return stored


def _many_entries(storage: Storage, paths: Sequence[str]) -> dict[str, StoredEntry]:
    """What a folder holds of `paths`, as far as it can be read as a whole."""
    folder = paths[0].rpartition("/")[0]
    try:
        return storage.stat_many(folder, [path.rpartition("/")[2] for path in paths])
    except StorageError as error:
        reason_of(error)
        return {}


def _look_at(
    storage: Storage, row: RegisteredFile, looked_at: Mapping[str, StoredEntry]
) -> tuple[StoredEntry | None, str]:
    try:
        entry = looked_at.get(row.path) or storage.stat(row.path)
    except StorageError as error:
        return None, reason_of(error)
    return entry, difference(row.size, row.modified_at, row.fixity, entry)


class FileContents:
    """The bytes of the files. A digest that is not known yet is computed while its file passes."""

    def __init__(self, rows: Sequence[RegisteredFile], storages: Mapping[int, Storage]) -> None:
        self._rows = rows
        self._storages = storages
        self._computed: dict[int, str] = {}

    def read(self, index: int, offset: int, length: int) -> Iterator[bytes]:
        """Raises StorageFileChanged for a file that is no longer the one that was looked at."""
        row = self._rows[index]
        storage = self._storages[row.storage_id]
        entry = storage.stat(row.path)
        if difference(row.size, row.modified_at, row.fixity, entry):
            raise StorageFileChanged("A file was changed while it was being downloaded.", path=row.path)
        digest = None if row.sha256 else hashlib.sha256()
        with storage.open_range(row.path, offset, length, entry=entry) as chunks:
            for chunk in chunks:
                if digest:
                    digest.update(chunk)
                yield chunk
        if digest:
            self._computed[index] = digest.hexdigest()

    def digests(self) -> Iterator[str]:
        """The SHA-256 of every file in hex; of one that has not passed yet that of nothing."""
        empty = hashlib.sha256().hexdigest()
        for index, row in enumerate(self._rows):
            yield row.sha256 or self._computed.get(index, empty)
