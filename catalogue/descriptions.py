"""Reads a record with all that machines are told of it: what every outward form is written from, masked for who asks.

Selectors only; how a form is written is the matter of `catalogue/interop/`, how it is sent that of `catalogue/views/`.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.conf import settings

from catalogue.access import Level, Principal
from catalogue.anonymity import file_name_for, shown_to
from catalogue.collection_selectors import collection_records, find_collection, member_page
from catalogue.image_sets import images_of_collection, images_of_dataset
from catalogue.interop.description import MOST_FILES, MOST_IMAGES, MOST_MEMBERS, Description, Site
from catalogue.interop.publications import publication_of
from catalogue.member_rows import first_members, listed_members, member_ref
from catalogue.models import Collection, Dataset, Investigation
from catalogue.models.collections import CollectionState
from catalogue.record import CollectionRecord, DatasetRecord, FileRef, InvestigationRecord, LabelledImage, MemberRef
from catalogue.selectors import (
    detailed_investigation,
    detailed_record,
    find_detailed_dataset,
    find_investigation,
    readable_files,
)

# The columns of a file in the order of `FileRef`.
_FILE = ("name", "size", "media_type", "role", "sha256", "modified_at", "fixity")


def this_site() -> Site:
    return Site(url=settings.SITE_URL, name=settings.SITE_NAME, email=settings.ADMINISTRATOR_EMAIL)


def describe_dataset(
    uid: UUID,
    principal: Principal,
    *,
    now: datetime,
    most_files: int = MOST_FILES,
    names_files: bool = False,
    most_images: int = MOST_IMAGES,
) -> Description:
    """With its first `most_files` files, of which `names_files` gives the names and types only, and `most_images` labelled
    images. In four queries for strangers, six where images carry labels, and for them one more where data come from others.

    Raises NotFound as every selector does.
    """
    dataset, level = find_detailed_dataset(uid, principal, now=now)
    record = detailed_record(dataset, level, principal, now=now)
    files = _first_files(dataset, level, principal, most_files, names_only=names_files)
    images = images_of_dataset(dataset, level, principal, limit=most_images) if record.annotations else ()
    return description_of(record, files=files, images=images)


def _first_files(
    dataset: Dataset, level: Level, principal: Principal, most: int, *, names_only: bool
) -> tuple[FileRef, ...]:
    """In the order of the dataset's page. A thousand model instances would cost more than what is written of them."""
    if not most:
        return ()
    files = readable_files(dataset, level).select_related(None).order_by("pk" if principal.hides_people else "name")
    if names_only:
        names = files.values_list("pk", "name", "media_type")[:most]
        found = [(key, FileRef(name, None, media_type, "", "", None, "")) for key, name, media_type in names]
    else:
        found = [(key, FileRef(*values)) for key, *values in files.values_list("pk", *_FILE)[:most]]
    if principal.hides_people:
        return tuple(replace(file, name=file_name_for(file.name, key, principal)) for key, file in found)
    return tuple(file for _, file in found)


def describe_investigation(uid: UUID, principal: Principal, *, now: datetime) -> Description:
    investigation, level = find_investigation(uid, principal, now=now)
    return description_of_investigation(investigation, level, principal, now=now)


def description_of_investigation(
    investigation: Investigation, level: Level, principal: Principal, *, now: datetime, most_members: int = MOST_MEMBERS
) -> Description:
    """Of an investigation that `find_investigation` found. Its members are its first datasets, the oldest first."""
    record = detailed_investigation(investigation, level, principal, now=now)
    if level == Level.TOMBSTONE or not most_members:
        return description_of(record)
    members = dataset_members(investigation, principal, now=now, most=most_members)
    count = len(members)
    if count == most_members:
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
    collection: Collection, principal: Principal, *, now: datetime, most: int = MOST_MEMBERS
) -> tuple[tuple[MemberRef, ...], int]:
    """The first `most` members and the number of all; none of what was withdrawn."""
    if collection.state == CollectionState.WITHDRAWN:
        return (), 0
    page = member_page(collection, principal, limit=most, now=now)
    return tuple(page.records), collection.member_count if page.next_cursor else len(page.records)


def dataset_members(
    investigation: Investigation, principal: Principal, *, now: datetime, most: int = MOST_MEMBERS
) -> tuple[MemberRef, ...]:
    """The first `most` datasets of an investigation, in three queries at most."""
    found = first_members(investigation, principal, now=now, most=most)
    return tuple(shown_to(member_ref(row, level, now=now), principal) for row, level in found)
