"""Datasets as one ZIP: what goes in, whether every file is still there as registered, and the bytes.

All files are looked at before the first byte is sent; one that is missing or changed refuses the whole. Their contents are
compared with the registered CRC-32 while they pass; a difference breaks the archive off short of its announced length.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify

from catalogue import access, selectors
from catalogue.access import Level, Principal
from catalogue.anonymity import file_name_for, text_for
from catalogue.collection_contents import datasets_in
from catalogue.collection_selectors import find_collection
from catalogue.downloads.limits import MOST_DATASETS, MOST_FILES
from catalogue.downloads.zipstream import Archive, Entry
from catalogue.errors import Gone, InvalidInput, NotFound
from catalogue.masking import access_of
from catalogue.models import Datafile, Dataset
from catalogue.models import Storage as StorageRow
from catalogue.services.downloads import difference, find_downloadable, not_intact, reason_of
from catalogue.services.storages import open_storage
from catalogue.storages import Entry as StoredEntry
from catalogue.storages import Storage
from catalogue.storages.errors import StorageError, StorageFileChanged

MOST_PROBLEMS = 20
# From here on, looking at a folder's files together is cheaper than asking for each.
MANY_FROM = 50
MANIFEST = "manifest-sha256.txt"
LEFT_OUT = "NOT-INCLUDED.txt"


class _File(NamedTuple):
    id: int
    dataset_id: int
    storage_id: int
    path: str
    name: str
    size: int | None
    modified_at: datetime | None
    sha256: str
    crc32: int | None
    fixity: str


@dataclass
class ZipDownload:
    """An archive ready to be sent. `sizes` holds the bytes of each dataset in it, by key, for the usage log."""

    name: str
    archive: Archive
    etag: str
    is_open: bool
    sizes: Mapping[int, int]


def zip_dataset(*, principal: Principal, uid: UUID, names: Sequence[str] = ()) -> ZipDownload:
    """The files of a dataset, or those with `names`. Raises what `find_downloadable` does, NotFound, Unavailable."""
    now = timezone.now()
    dataset = find_downloadable(uid, principal, now=now)
    files = selectors.readable_files(dataset, Level.FULL)
    if names:
        files = selectors.files_named(files, names, principal)
    download = _zip(f"{folder_of(dataset, principal)}.zip", [dataset], files, (), principal, now=now)
    if names and len(download.archive.entries) - 1 != len(set(names)):
        raise NotFound("This dataset has not all of these files.")
    return download


def zip_investigation(*, principal: Principal, uid: UUID) -> ZipDownload:
    """All datasets of an investigation that the principal may have; the others are named in the archive."""
    now = timezone.now()
    investigation, _ = selectors.find_investigation(uid, principal, now=now)
    datasets = Dataset.objects.filter(investigation=investigation)
    visit = text_for(investigation.visit_id, principal)
    name = f"{slugify(visit) or 'investigation'}-{investigation.uid.hex[-12:]}.zip"
    return _zip_many(name, datasets, principal, now=now)


def zip_collection(*, principal: Principal, uid: UUID) -> ZipDownload:
    """All datasets of a collection that the principal may have; the others are named in the archive. Raises also Gone."""
    collection = find_collection(principal, uid=uid)
    if collection.withdrawal_reason:
        raise Gone(f"This was withdrawn: {collection.withdrawal_reason}")
    title = slugify(text_for(collection.title, principal))[:60]
    name = f"{title or 'collection'}-{uid.hex[-12:]}.zip"
    return _zip_many(name, datasets_in(collection), principal, now=timezone.now())


def zip_selection(*, principal: Principal, uids: Sequence[UUID]) -> ZipDownload:
    """Those of the datasets `uids` that the principal may have; the others are named in the archive."""
    return _zip_many("selection.zip", Dataset.objects.filter(uid__in=uids), principal, now=timezone.now())


def folder_of(dataset: Dataset, principal: Principal) -> str:
    """The folder of a dataset in an archive: its title, readable, and enough of its id to be unique."""
    return f"{slugify(text_for(dataset.title, principal))[:60] or 'dataset'}-{dataset.uid.hex[-12:]}"


def _zip_many(name: str, datasets: QuerySet[Dataset], principal: Principal, *, now: datetime) -> ZipDownload:
    listed = datasets & access.listed_datasets(principal, now=now)
    found = list(listed.select_related("investigation", "instrument__facility").order_by("uid")[: MOST_DATASETS + 1])
    if len(found) > MOST_DATASETS:
        raise InvalidInput(f"An archive holds at most {MOST_DATASETS:,} datasets.", code="too-many-files")
    levels = access.dataset_levels(found, principal, now=now)
    included = [dataset for dataset in found if levels[dataset.pk] == Level.FULL]
    if not included:
        raise NotFound("None of these datasets can be downloaded by you at present.", code="nothing-to-download")
    left_out = [
        f"{text_for(dataset.title, principal)}\t/datasets/{dataset.uid}\t{access_of(dataset, levels[dataset.pk], now=now).text}\n"
        for dataset in found
        if levels[dataset.pk] != Level.FULL
    ]
    files = Datafile.objects.filter(dataset__in=[dataset.pk for dataset in included])
    return _zip(name, included, files, left_out, principal, now=now)


def _zip(
    name: str,
    datasets: Sequence[Dataset],
    files: QuerySet[Datafile],
    left_out: Sequence[str],
    principal: Principal,
    *,
    now: datetime,
) -> ZipDownload:
    folders = {dataset.pk: folder_of(dataset, principal) for dataset in datasets}
    rows = _rows(files, folders, principal)
    stored = _check_files(rows)
    names = [f"{folders[row.dataset_id]}/{row.name}" for row in rows]
    entries = [
        Entry(file_name, size, row.modified_at, row.crc32)
        for file_name, size, row in zip(names, stored.sizes, rows, strict=True)
    ]
    sizes: dict[int, int] = dict.fromkeys(folders, 0)
    for row, size in zip(rows, stored.sizes, strict=True):
        sizes[row.dataset_id] += size
    contents = _Contents(rows, names, stored.storages, _left_out_text(left_out))
    archive = Archive([*entries, *contents.extra_entries()], contents.read)
    is_open = all(access.is_open(dataset, now=now) for dataset in datasets)
    return ZipDownload(name, archive, _etag(archive, rows, left_out), is_open, sizes)


def _rows(files: QuerySet[Datafile], folders: Mapping[int, str], principal: Principal) -> list[_File]:
    """The files in the order of the archive, which does not depend on how a database sorts text."""
    values = files.order_by().values_list(*_File._fields)[: MOST_FILES + 1]
    rows = [_File._make(row) for row in values.iterator(chunk_size=5000)]
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
class _Stored:
    """What the storages say of the files: their sizes, in the order of the files, and the storages by key."""

    sizes: list[int]
    storages: dict[int, Storage] = field(default_factory=dict)


def _check_files(rows: Sequence[_File]) -> _Stored:
    """Raises Unavailable naming the files that are missing or changed. Reads whole folders where that saves requests."""
    storage_rows = StorageRow.objects.in_bulk({row.storage_id for row in rows})
    stored = _Stored([0] * len(rows), {key: open_storage(row) for key, row in storage_rows.items()})
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


def _look_at(storage: Storage, row: _File, looked_at: Mapping[str, StoredEntry]) -> tuple[StoredEntry | None, str]:
    try:
        entry = looked_at.get(row.path) or storage.stat(row.path)
    except StorageError as error:
        return None, reason_of(error)
    return entry, difference(row.size, row.modified_at, row.fixity, entry)


class _Contents:
    """The contents of an archive's entries: the files, then what was left out, then the manifest.

    A digest that is not known yet is computed while its file passes, so that the manifest, which is last, has all of them.
    """

    def __init__(
        self, rows: Sequence[_File], names: Sequence[str], storages: Mapping[int, Storage], left_out: bytes
    ) -> None:
        self._rows = rows
        self._names = names
        self._storages = storages
        self._left_out = left_out
        self._computed: dict[int, str] = {}
        self._is_complete = all(row.sha256 for row in rows)

    def extra_entries(self) -> list[Entry]:
        manifest_size = sum(64 + 2 + len(name.encode()) + 1 for name in self._names)
        manifest = Entry(MANIFEST, manifest_size)
        if self._is_complete:
            manifest.crc32 = _crc32(self._manifest_lines())
        if not self._left_out:
            return [manifest]
        return [Entry(LEFT_OUT, len(self._left_out), crc32=_crc32([self._left_out])), manifest]

    def read(self, index: int, offset: int, length: int) -> Iterable[bytes]:
        if index < len(self._rows):
            return self._read_file(index, offset, length)
        if self._left_out and index == len(self._rows):
            return (self._left_out[offset : offset + length],)
        return (b"".join(self._manifest_lines())[offset : offset + length],)

    def _read_file(self, index: int, offset: int, length: int) -> Iterator[bytes]:
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

    def _manifest_lines(self) -> Iterator[bytes]:
        empty = hashlib.sha256().hexdigest()
        for index, (row, name) in enumerate(zip(self._rows, self._names, strict=True)):
            yield f"{row.sha256 or self._computed.get(index, empty)}  {name}\n".encode()


def _crc32(pieces: Iterable[bytes]) -> int:
    value = 0
    for piece in pieces:
        value = zlib.crc32(piece, value)
    return value


def _left_out_text(left_out: Sequence[str]) -> bytes:
    if not left_out:
        return b""
    return ("These datasets are not in this archive: their files were closed to you.\n\n" + "".join(left_out)).encode()


def _etag(archive: Archive, rows: Sequence[_File], left_out: Sequence[str]) -> str:
    """A strong tag: the same for the same bytes only. Empty for an archive whose bytes are not known beforehand."""
    if not archive.is_reproducible:
        return ""
    moments = (int(entry.modified_at.timestamp()) if entry.modified_at else 0 for entry in archive.entries)
    digest = hashlib.sha256(b"zip-1\n")
    digest.update(
        "".join(
            f"{entry.name}\n{entry.size} {entry.crc32} {moment}\n"
            for entry, moment in zip(archive.entries, moments, strict=True)
        ).encode()
    )
    digest.update("".join([*(row.sha256 for row in rows), *left_out]).encode())
    return f'"{digest.hexdigest()}"'
