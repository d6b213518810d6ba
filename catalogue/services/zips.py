"""Datasets as one archive: what goes in, what the site adds to it, and the whole as a ZIP.

Beside the files there are a crate that describes them (RO-Crate), their checksums, and the names of what was left out; or, as
a bag, what RFC 8493 asks for. The site's own files come last: a download that is resumed after a change of metadata has the
same bytes of data before them. Contents are compared with the registered CRC-32 while they pass; a difference breaks the
archive off short of its announced length.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import slugify

from catalogue import access, selectors
from catalogue.access import Level, Principal
from catalogue.anonymity import text_for
from catalogue.archive_selectors import describe_archive
from catalogue.collection_contents import datasets_in
from catalogue.collection_selectors import collection_record, find_collection
from catalogue.downloads import bagit
from catalogue.downloads.generated import GeneratedFile, measured, of_bytes
from catalogue.downloads.limits import MOST_DATASETS
from catalogue.downloads.names import folder_name
from catalogue.downloads.zipstream import Archive, Entry
from catalogue.errors import Conflict, Gone, InvalidInput, NotFound
from catalogue.interop.ro_crate_archive import ArchiveDescription, ArchivedFile, CrateDocument
from catalogue.interop.ro_crate_graph import METADATA_NAME
from catalogue.interop.ro_crate_preview import PREVIEW_NAME, preview
from catalogue.masking import access_of
from catalogue.models import Datafile, Dataset
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord
from catalogue.services.downloads import find_downloadable
from catalogue.services.zip_files import FileContents, RegisteredFile, check_files, files_in_order

MANIFEST = "manifest-sha256.txt"
LEFT_OUT = "NOT-INCLUDED.txt"


class Form(StrEnum):
    """How an archive is laid out."""

    ZIP = "zip"
    BAG = "bagit"


@dataclass
class ZipDownload:
    """An archive ready to be sent. `sizes` holds the bytes of each dataset in it, by key, for the usage log."""

    name: str
    archive: Archive
    etag: str
    is_open: bool
    sizes: Mapping[int, int]


@dataclass(frozen=True)
class _Wanted:
    """What an archive is made of. `stem` is its name without ending, `record` the thing asked for; None for a selection."""

    stem: str
    datasets: Sequence[Dataset]
    files: QuerySet[Datafile]
    record: DatasetRecord | InvestigationRecord | CollectionRecord | None
    left_out: Sequence[str] = ()
    is_part: bool = False


def form_of(text: str) -> Form:
    """The form that an address asks for; the plain one for an empty text. Raises InvalidInput."""
    try:
        return Form(text or Form.ZIP)
    except ValueError:
        known = " or ".join(Form)
        raise InvalidInput(f"There is no such form of an archive; ask for {known}.", fields={"form": [known]}) from None


def zip_dataset(*, principal: Principal, uid: UUID, names: Sequence[str] = (), form: Form = Form.ZIP) -> ZipDownload:
    """The files of a dataset, or those with `names`. Raises what `find_downloadable` does, NotFound, NotIntact, Conflict."""
    now = timezone.now()
    dataset = find_downloadable(uid, principal, now=now)
    files = selectors.readable_files(dataset, Level.FULL)
    if names:
        files = selectors.files_named(files, names, principal)
        if files.count() != len(set(names)):
            raise NotFound("This dataset has not all of these files.")
    record = selectors.get_dataset_record(uid, principal, now=now)
    wanted = _Wanted(folder_of(dataset, principal), [dataset], files, record, is_part=bool(names))
    return _zip(wanted, principal, now=now, form=form)


def zip_investigation(*, principal: Principal, uid: UUID, form: Form = Form.ZIP) -> ZipDownload:
    """All datasets of an investigation that the principal may have; the others are named in the archive."""
    now = timezone.now()
    investigation, level = selectors.find_investigation(uid, principal, now=now)
    record = selectors.detailed_investigation(investigation, level, principal, now=now)
    visit = text_for(investigation.visit_id, principal)
    stem = f"{slugify(visit) or 'investigation'}-{investigation.uid.hex[-12:]}"
    datasets = Dataset.objects.filter(investigation=investigation)
    return _zip(_readable(stem, datasets, record, principal, now=now), principal, now=now, form=form)


def zip_collection(*, principal: Principal, uid: UUID, form: Form = Form.ZIP) -> ZipDownload:
    """All datasets of a collection that the principal may have; the others are named in the archive. Raises also Gone."""
    now = timezone.now()
    collection = find_collection(principal, uid=uid)
    if collection.withdrawal_reason:
        raise Gone(f"This was withdrawn: {collection.withdrawal_reason}")
    title = slugify(text_for(collection.title, principal))[:60]
    stem = f"{title or 'collection'}-{uid.hex[-12:]}"
    record = collection_record(collection, principal)
    return _zip(_readable(stem, datasets_in(collection), record, principal, now=now), principal, now=now, form=form)


def zip_selection(*, principal: Principal, uids: Sequence[UUID], form: Form = Form.ZIP) -> ZipDownload:
    """Those of the datasets `uids` that the principal may have; the others are named in the archive."""
    now = timezone.now()
    datasets = Dataset.objects.filter(uid__in=uids)
    return _zip(_readable("selection", datasets, None, principal, now=now), principal, now=now, form=form)


def folder_of(dataset: Dataset, principal: Principal) -> str:
    """The folder of a dataset in an archive, by the title that `principal` may read."""
    return folder_name(text_for(dataset.title, principal), dataset.uid)


def _readable(
    stem: str,
    datasets: QuerySet[Dataset],
    record: InvestigationRecord | CollectionRecord | None,
    principal: Principal,
    *,
    now: datetime,
) -> _Wanted:
    """Those of `datasets` that the principal reads in full, and lines about those that they may only know of."""
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
    return _Wanted(stem, included, files, record, left_out)


def _zip(wanted: _Wanted, principal: Principal, *, now: datetime, form: Form) -> ZipDownload:
    folders = {dataset.pk: folder_of(dataset, principal) for dataset in wanted.datasets}
    rows = files_in_order(wanted.files, folders, principal)
    if form == Form.BAG:
        _check_digests(rows)
    stored = check_files(rows)
    contents = FileContents(rows, stored.storages)
    names = [f"{folders[row.dataset_id]}/{row.name}" for row in rows]
    description = _description(wanted, rows, folders, principal, now)
    crate = _crate(description, rows, names, stored.sizes)
    layout = _Layout(names, contents, crate, _left_out(wanted.left_out))
    prefix, own = layout.bag(wanted.stem, description, stored.sizes) if form == Form.BAG else layout.plain(rows)
    entries = [
        Entry(prefix + name, size, row.modified_at, row.crc32)
        for name, size, row in zip(names, stored.sizes, rows, strict=True)
    ]

    def read(index: int, offset: int, length: int) -> Iterable[bytes]:
        if index < len(rows):
            return contents.read(index, offset, length)
        return own[index - len(rows)].read(offset, length)

    archive = Archive([*entries, *(file.entry() for file in own)], read)
    sizes = dict.fromkeys(folders, 0)
    for row, size in zip(rows, stored.sizes, strict=True):
        sizes[row.dataset_id] += size
    is_open = all(access.is_open(dataset, now=now) for dataset in wanted.datasets)
    name = f"{wanted.stem}-bag.zip" if form == Form.BAG else f"{wanted.stem}.zip"
    return ZipDownload(name, archive, _etag(archive, rows, own), is_open, sizes)


def _check_digests(rows: Sequence[RegisteredFile]) -> None:
    """A bag names every checksum in it; while one is not known yet there is no bag. Raises Conflict."""
    waiting = sum(not row.sha256 for row in rows)
    if waiting:
        raise Conflict(
            f"No bag can be made yet: {waiting:,} of {len(rows):,} files have no checksum so far. Checksums are computed"
            " in the background after a registration, mostly within minutes; try again then."
            " The ordinary ZIP can be had now.",
            code="checksums-pending",
        )


def _description(
    wanted: _Wanted, rows: Sequence[RegisteredFile], folders: Mapping[int, str], principal: Principal, now: datetime
) -> ArchiveDescription:
    spans: dict[int, tuple[int, int]] = {}
    start = 0
    for key, group in groupby(rows, key=lambda row: row.dataset_id):
        stop = start + sum(1 for _ in group)
        spans[key], start = (start, stop), stop
    note = ""
    if wanted.is_part and isinstance(wanted.record, DatasetRecord):
        note = f" (This archive holds {len(rows):,} of its {wanted.record.file_count:,} files.)"
    return describe_archive(wanted.record, {key: folders[key] for key in spans}, spans, principal, now=now, note=note)


def _crate(
    description: ArchiveDescription, rows: Sequence[RegisteredFile], names: Sequence[str], sizes: Sequence[int]
) -> list[GeneratedFile]:
    files = [
        ArchivedFile(name, row.name, size, row.sha256, row.media_type, row.modified_at)
        for row, name, size in zip(rows, names, sizes, strict=True)
    ]
    document = CrateDocument(description, files)
    return [measured(METADATA_NAME, document.__iter__), of_bytes(PREVIEW_NAME, preview(description))]


def _left_out(lines: Sequence[str]) -> list[GeneratedFile]:
    if not lines:
        return []
    text = "These datasets are not in this archive: their files were closed to you.\n\n" + "".join(lines)
    return [of_bytes(LEFT_OUT, text.encode())]


@dataclass(frozen=True)
class _Layout:
    """What the site adds to an archive, in the order of the archive, and the folder of the files themselves."""

    names: Sequence[str]
    contents: FileContents
    crate: Sequence[GeneratedFile]
    left_out: Sequence[GeneratedFile]

    def plain(self, rows: Sequence[RegisteredFile]) -> tuple[str, list[GeneratedFile]]:
        """A crate, and checksums for `sha256sum`."""
        if all(row.sha256 for row in rows):
            manifest = measured(MANIFEST, self._checksums)
        else:
            size = sum(64 + 2 + len(name.encode()) + 1 for name in self.names)
            manifest = GeneratedFile(MANIFEST, self._checksums, size)
        return "", [*self.left_out, *self.crate, manifest]

    def bag(self, stem: str, description: ArchiveDescription, sizes: Sequence[int]) -> tuple[str, list[GeneratedFile]]:
        """A bag whose payload is the crate (RO-Crate 1.2, appendix "Combining with other packaging schemes")."""
        folder = f"{stem}-bag/"
        oxum = bagit.payload_oxum([*sizes, *(file.size for file in self.crate)])
        tags = [
            of_bytes(bagit.DECLARATION_NAME, bagit.DECLARATION),
            of_bytes(bagit.INFO_NAME, bagit.bag_info([*_info(description), ("Payload-Oxum", oxum)])),
            measured(bagit.MANIFEST_NAME, self._payload_manifest),
            *self.left_out,
        ]
        digests = [(file.name, file.sha256) for file in tags]
        tags.append(measured(bagit.TAG_MANIFEST_NAME, lambda: bagit.manifest_lines(digests)))
        payload = f"{folder}{bagit.PAYLOAD}"
        return payload, [*(file.within(payload) for file in self.crate), *(file.within(folder) for file in tags)]

    def _checksums(self) -> Iterator[bytes]:
        for digest, name in zip(self.contents.digests(), self.names, strict=True):
            yield f"{digest}  {name}\n".encode()

    def _payload_manifest(self) -> Iterator[bytes]:
        of_files = zip(self.names, self.contents.digests(), strict=True)
        of_crate = ((file.name, file.sha256) for file in self.crate)
        for found in (of_files, of_crate):
            yield from bagit.manifest_lines((bagit.PAYLOAD + name, digest) for name, digest in found)


def _info(description: ArchiveDescription) -> list[tuple[str, str]]:
    """Reserved metadata elements of RFC 8493, section 2.2.2."""
    publication, site = description.publication, description.site
    title = publication.text.title if publication else f"Selection of datasets from {site.name}"
    return [
        ("Source-Organization", publication.publisher_name if publication else site.name),
        ("Contact-Email", site.email),
        ("External-Description", title),
        ("External-Identifier", (publication.doi_url or publication.url) if publication else ""),
        ("Bag-Software-Agent", site.name),
    ]


def _etag(archive: Archive, rows: Sequence[RegisteredFile], own: Sequence[GeneratedFile]) -> str:
    """A strong tag: the same for the same bytes only. Empty for an archive whose bytes are not known beforehand."""
    if not archive.is_reproducible:
        return ""
    moments = (int(entry.modified_at.timestamp()) if entry.modified_at else 0 for entry in archive.entries)
    digest = hashlib.sha256(b"zip-2\n")
    digest.update(
        "".join(
            f"{entry.name}\n{entry.size} {entry.crc32} {moment}\n"
            for entry, moment in zip(archive.entries, moments, strict=True)
        ).encode()
    )
    digest.update("".join([*(row.sha256 for row in rows), *(file.sha256 for file in own)]).encode())
    return f'"{digest.hexdigest()}"'
