"""Reads a record with all that machines are told of it: what every outward form is written from, masked for who asks.

Selectors only; how a form is written is the matter of `catalogue/interop/`, how it is sent that of `catalogue/views/`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.anonymity import file_name_for, shown_to
from catalogue.collection_selectors import collection_records, find_collection, member_page
from catalogue.image_sets import images_of_collection, images_of_dataset
from catalogue.interop.description import MOST_FILES, MOST_MEMBERS, Description, Site
from catalogue.interop.publications import publication_of
from catalogue.masking import access_of
from catalogue.models import Collection, Dataset, Instrument, Investigation
from catalogue.models.collections import CollectionState
from catalogue.page_rows import KeptRows, own_doi
from catalogue.record import CollectionRecord, DatasetRecord, FileRef, InvestigationRecord, LabelledImage, MemberRef
from catalogue.selectors import (
    detailed_investigation,
    detailed_record,
    find_detailed_dataset,
    find_investigation,
    readable_files,
)

_COLUMNS = (
    "uid", "title", "kind", "state", "file_count", "size", "embargo_until", "released_at", "withdrawal_reason",
    "investigation_id", "instrument_id",
)  # fmt: skip

# The columns of a file in the order of `FileRef`.
_FILE = ("name", "size", "media_type", "role", "sha256", "modified_at", "fixity")


def this_site() -> Site:
    return Site(url=settings.SITE_URL, name=settings.SITE_NAME, email=settings.ADMINISTRATOR_EMAIL)


def describe_dataset(uid: UUID, principal: Principal, *, now: datetime, most_files: int = MOST_FILES) -> Description:
    """With its first `most_files` files. In four queries for strangers, six where images carry labels.

    Raises NotFound as every selector does.
    """
    dataset, level = find_detailed_dataset(uid, principal, now=now)
    record = detailed_record(dataset, level, principal, now=now)
    files = _first_files(dataset, level, principal, most_files)
    images = images_of_dataset(dataset, level, principal) if record.annotations else ()
    return description_of(record, files=files, images=images)


def _first_files(dataset: Dataset, level: Level, principal: Principal, most: int) -> tuple[FileRef, ...]:
    """In the order of the dataset's page. A thousand model instances would cost more than what is written of them."""
    if not most:
        return ()
    files = readable_files(dataset, level).select_related(None).order_by("pk" if principal.hides_people else "name")
    rows = files.values_list("pk", *_FILE)[:most]
    if not principal.hides_people:
        return tuple(FileRef(*values) for _, *values in rows)
    return tuple(FileRef(file_name_for(name, key, principal), *values) for key, name, *values in rows)


def describe_investigation(uid: UUID, principal: Principal, *, now: datetime) -> Description:
    investigation, level = find_investigation(uid, principal, now=now)
    return description_of_investigation(investigation, level, principal, now=now)


def description_of_investigation(
    investigation: Investigation, level: Level, principal: Principal, *, now: datetime, has_members: bool = True
) -> Description:
    """Of an investigation that `find_investigation` found. Its members are its datasets, the oldest first."""
    record = detailed_investigation(investigation, level, principal, now=now)
    if level == Level.TOMBSTONE or not has_members:
        return description_of(record)
    members = dataset_members(investigation, principal, now=now)
    count = len(members)
    if count == MOST_MEMBERS:
        count = listed_members(investigation.pk, principal, now=now).count()
    return description_of(record, members=members, member_count=count)


def describe_collection(uid: UUID, principal: Principal, *, now: datetime) -> Description:
    collection = find_collection(principal, uid=uid)
    (record,) = collection_records([collection], principal, now=now)
    members, count = collection_members(collection, principal, now=now)
    images = images_of_collection(collection, principal, now=now)
    return description_of(record, members=members, member_count=count, images=images)


def description_of(
    record: DatasetRecord | InvestigationRecord | CollectionRecord,
    *,
    files: tuple[FileRef, ...] = (),
    members: tuple[MemberRef, ...] = (),
    member_count: int = 0,
    images: tuple[LabelledImage, ...] = (),
) -> Description:
    """The description of a record that was read before; what is not given is left out of it."""
    site = this_site()
    return Description(
        site=site,
        record=record,
        publication=publication_of(record, site=site),
        files=files,
        members=members,
        member_count=member_count,
        images=images,
    )


def collection_members(
    collection: Collection, principal: Principal, *, now: datetime
) -> tuple[tuple[MemberRef, ...], int]:
    """The first MOST_MEMBERS members and the number of all; none of what was withdrawn."""
    if collection.state == CollectionState.WITHDRAWN:
        return (), 0
    page = member_page(collection, principal, limit=MOST_MEMBERS, now=now)
    return tuple(page.records), collection.member_count if page.next_cursor else len(page.records)


def listed_members(investigation: int, principal: Principal, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets of an investigation (its key) that `principal` may know of, the oldest first."""
    return access.listed_datasets(principal, now=now).filter(investigation=investigation).order_by("id")


def dataset_members(investigation: Investigation, principal: Principal, *, now: datetime) -> tuple[MemberRef, ...]:
    """The first MOST_MEMBERS datasets of an investigation, in three queries at most."""
    if principal == access.ANONYMOUS:
        rows = _MEMBERS.read(investigation=investigation.pk, now=now)
    else:
        rows = list(_members(investigation.pk, principal, now))
    _share_references(rows, investigation)
    levels = access.dataset_levels(rows, principal, now=now)
    return tuple(shown_to(_member(row, levels[row.pk], now), principal) for row in rows)


def _members(investigation: int, principal: Principal, now: datetime) -> QuerySet[Dataset]:
    datasets = listed_members(investigation, principal, now=now).annotate(**{"own_doi": own_doi()})
    return datasets.only(*_COLUMNS)[:MOST_MEMBERS]


_MEMBERS = KeptRows(
    Dataset,
    (),
    lambda investigation, now: _members(investigation, access.ANONYMOUS, now),
    "own_doi",
    only=_COLUMNS,
    investigation=-1,
    now=datetime(1, 1, 1, tzinfo=UTC),
)


def _share_references(rows: Sequence[Dataset], investigation: Investigation) -> None:
    """Give every row its investigation, and its instrument with the facility, which the rule of access looks at."""
    keys = {row.instrument_id for row in rows} - {investigation.instrument_id}
    instruments = Instrument.objects.select_related("facility").in_bulk(keys) if keys else {}
    instruments[investigation.instrument_id] = investigation.instrument
    for row in rows:
        row.investigation = investigation
        row.instrument = instruments[row.instrument_id]


def _member(row: Dataset, level: Level, now: datetime) -> MemberRef:
    return MemberRef(
        kind="dataset",
        uid=row.uid,
        title=row.title,
        path=f"/datasets/{row.uid}",
        role="",
        doi=row.own_doi or "",
        dataset_count=1,
        file_count=row.file_count,
        size=row.size,
        access=access_of(row, level, now=now),
    )
