"""What a DOI of this site leads to, as its asker may see it: reads only, nothing about HTTP.

A landing page is public as soon as its DOI is, under embargo too, and shows then what DataCite was told and nothing else
that is hidden. A DOI that is only reserved exists for those who may edit its record.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.core.cache import cache

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.anonymity import shown_to
from catalogue.browse import DatasetFilter, Lists
from catalogue.collection_selectors import (
    PUBLIC_STATES,
    collection_record,
    editable_collections,
    member_of,
    member_page,
    versions_of,
)
from catalogue.descriptions import collection_members, dataset_members, this_site
from catalogue.downloads.limits import MOST_DATASETS, MOST_FILES
from catalogue.editions import Edition, edition_of_collection, edition_of_investigation, with_more
from catalogue.errors import NotFound
from catalogue.image_sets import images_of_collection
from catalogue.interop.description import Description
from catalogue.interop.forms import Form
from catalogue.masking import investigation_record
from catalogue.models import Collection, Investigation
from catalogue.models.collections import CollectionState
from catalogue.publication import ANONYMOUS_CREATOR, Publication, RelatedIdentifier
from catalogue.record import (
    CollectionRecord,
    CollectionRef,
    DatasetRecord,
    InvestigationRecord,
    LabelledImage,
    MemberRef,
)
from catalogue.selectors import records_of, with_team
from doi.delivery import with_records
from doi.metadata import publication_of
from doi.models import Identifier, IdentifierState
from doi.wanted import PUBLIC, foreign_q

# What changes it has another key; this is for names of facilities and licences.
KEPT_SECONDS = 24 * 3600
MEMBERS_SHOWN = 25


@dataclass(frozen=True)
class Landing:
    """What a landing page shows. `record` and `publication` are masked for the asker.

    `record_path` is the page of a session, empty for those who may not see it. `opens_at` is the end of the embargo of one
    that is closed; `download_path` is empty where there is no archive.
    """

    publication: Publication
    record: InvestigationRecord | CollectionRecord
    is_public: bool
    withdrawal_reason: str
    opens_at: datetime | None
    download_path: str
    record_path: str = ""
    versions: tuple[CollectionRef, ...] = ()

    @property
    def is_session(self) -> bool:
        return isinstance(self.record, InvestigationRecord)

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.withdrawal_reason)

    @property
    def is_too_big(self) -> bool:
        """Whether there is more than one archive holds."""
        return self.record.dataset_count > MOST_DATASETS or self.record.file_count > MOST_FILES

    @property
    def related_works(self) -> list[RelatedIdentifier]:
        """What is related and not said elsewhere on the page: neither its own versions nor the instrument."""
        own = {one.doi for one in self.versions} | {getattr(self.record, "concept_doi", "")}
        related = self.publication.related
        return [one for one in related if one.identifier not in own and one.resource_type_general != "Instrument"]

    @property
    def newer_version(self) -> CollectionRef | None:
        """The newest version, where this is an older one."""
        number = self.record.number if isinstance(self.record, CollectionRecord) else 0
        published = (one for one in self.versions if one.state == CollectionState.PUBLISHED)
        return next((one for one in published if one.number > number), None)


@dataclass(frozen=True)
class Members:
    """Some of what a DOI names, and the cursor of the next page, empty at the end."""

    records: list[DatasetRecord] | list[MemberRef]
    next_cursor: str

    @property
    def refs(self) -> tuple[MemberRef, ...]:
        return tuple(member_of(one) if isinstance(one, DatasetRecord) else one for one in self.records)


def find_identifier(doi: str, principal: Principal) -> Identifier:
    """The identifier of a DOI in lower case, with its record, for those who may know of it; that of a concept means its
    newest version."""
    identifier = with_records(Identifier.objects.filter(doi=doi)).first()
    if identifier is not None and identifier.concept is not None:
        identifier = _newest_version(identifier)
    identifier = identifier or _foreign_identifier(doi)
    if identifier is None or not (is_public(identifier) or may_preview(identifier, principal)):
        raise NotFound(
            "This is no DOI that this site has published. If it was only just reserved, it leads here once its authors"
            " publish it. A DOI of another publisher is found by https://doi.org."
        )
    return identifier


def _foreign_identifier(doi: str) -> Identifier | None:
    """One that is kept nowhere, for a record that came with a DOI of another publisher: its page is as any other."""
    record = (
        Collection.objects.filter(foreign_q(), doi=doi).first()
        or Investigation.objects.filter(foreign_q(), doi=doi).first()
    )
    if record is None:
        return None
    return Identifier(doi=doi, state=IdentifierState.FINDABLE, **{str(record._meta.model_name): record})


def is_public(identifier: Identifier) -> bool:
    """Whether everybody may follow the DOI: a collection that is or was published, a session whose DOI DataCite made public."""
    if identifier.collection is not None:
        return identifier.collection.state in PUBLIC_STATES
    return identifier.state in PUBLIC


def may_preview(identifier: Identifier, principal: Principal) -> bool:
    """Whether `principal` may edit the record of a DOI that is not public."""
    if identifier.collection is not None:
        return editable_collections(principal).filter(pk=identifier.collection.pk).exists()
    return identifier.investigation is not None and access.may_register_in(identifier.investigation, principal)


def _newest_version(identifier: Identifier) -> Identifier | None:
    """Of the version that the DOI of a concept leads to: the newest published one, a withdrawn one where all are."""
    if identifier.state not in PUBLIC:
        return None
    versions = with_records(Identifier.objects.filter(collection__concept=identifier.concept))
    public = versions.filter(collection__state__in=PUBLIC_STATES)
    # "published" is before "withdrawn" in the alphabet.
    return public.order_by("collection__state", "-collection__number").first()


def landing_of(identifier: Identifier, principal: Principal, *, now: datetime) -> Landing:
    """What the landing page of an identifier that `find_identifier` found shows, without its members."""
    if identifier.investigation is not None:
        return _landing_of_session(identifier, identifier.investigation, principal, now)
    assert identifier.collection is not None
    return _landing_of_collection(identifier, identifier.collection, principal, now)


def members_of(
    landing: Landing, identifier: Identifier, principal: Principal, *, cursor: str, now: datetime
) -> Members:
    """One page of members, as `principal` may know them; nothing of what was withdrawn."""
    if landing.is_withdrawn:
        return Members([], "")
    if identifier.collection is not None:
        page = member_page(identifier.collection, principal, cursor=cursor, limit=MEMBERS_SHOWN)
        return Members(page.records, page.next_cursor)
    wanted = DatasetFilter(investigation=landing.record.uid, sort="oldest")
    part = Lists(principal, now=now).page(wanted, cursor=cursor, limit=MEMBERS_SHOWN)
    return Members(records_of(part.datasets, principal, now=now), part.next_cursor)


def describe(
    landing: Landing, identifier: Identifier, principal: Principal, form: Form, *, now: datetime
) -> Description:
    """What a form of a DOI is written from: the record with what the form tells of its members, and what DataCite was told."""
    members: tuple[MemberRef, ...] = ()
    images: tuple[LabelledImage, ...] = ()
    count = 0
    if identifier.collection is not None:
        if form.most_members:
            members, count = collection_members(identifier.collection, principal, now=now, most=form.most_members)
        if form.most_images:
            images = images_of_collection(identifier.collection, principal, now=now, limit=form.most_images)
    elif identifier.investigation is not None and form.most_members and not landing.is_withdrawn:
        members = dataset_members(identifier.investigation, principal, now=now, most=form.most_members)
        count = max(len(members), landing.record.dataset_count)
    return description_of_landing(landing, members, count, images)


def first_image(identifier: Identifier, principal: Principal, *, now: datetime) -> tuple[LabelledImage, ...]:
    """One labelled image, where there is any: enough to know that the DOI names an image set."""
    if identifier.collection is None:
        return ()
    return images_of_collection(identifier.collection, principal, now=now, limit=1)


def description_of_landing(
    landing: Landing,
    members: tuple[MemberRef, ...],
    member_count: int,
    images: tuple[LabelledImage, ...] = (),
) -> Description:
    return Description(
        site=this_site(),
        record=landing.record,
        publication=landing.publication,
        members=members,
        member_count=member_count,
        images=images,
    )


def edition_of(landing: Landing, identifier: Identifier, principal: Principal, *, now: datetime) -> Edition:
    """The edition of what a DOI leads to: that of its record, and of what DataCite is told."""
    if identifier.collection is not None:
        edition = edition_of_collection(identifier.collection, principal, now=now)
    else:
        assert identifier.investigation is not None
        level = access.investigation_level(identifier.investigation, principal, now=now)
        edition = edition_of_investigation(identifier.investigation, level, principal, now=now)
    whole = with_more(edition, landing.publication, landing.is_public)
    return replace(whole, is_tombstone=landing.is_withdrawn)


def _landing_of_session(
    identifier: Identifier, investigation: Investigation, principal: Principal, now: datetime
) -> Landing:
    level = access.investigation_level(investigation, principal, now=now)
    record = _session_record(investigation, level, principal, now)
    publication = _publication(identifier, investigation, now)
    # The counts are those of the record: where closed records are hidden they tell of them.
    publication = replace(publication, size_bytes=record.size, file_count=record.file_count)
    return Landing(
        publication=_shown(publication, principal, is_withdrawn=record.access.is_withdrawn),
        record=record,
        is_public=is_public(identifier),
        withdrawal_reason=record.access.withdrawal_reason,
        opens_at=None if record.access.is_open else record.access.opens_at,
        download_path=f"{record.path}/download.zip" if record.access.is_full and record.file_count else "",
        record_path="" if level == Level.NOTHING else record.path,
    )


def _session_record(
    investigation: Investigation, level: Level, principal: Principal, now: datetime
) -> InvestigationRecord:
    """At least a summary: DataCite has it since the DOI is public, whatever the policy has become since."""
    if level == Level.NOTHING:
        level = Level.TOMBSTONE if access.is_withdrawn(investigation) else Level.SUMMARY
    fetched = with_team(Investigation.objects.filter(pk=investigation.pk)).get()
    return shown_to(investigation_record(fetched, level, now=now), principal)


def _landing_of_collection(
    identifier: Identifier, collection: Collection, principal: Principal, now: datetime
) -> Landing:
    record = shown_to(collection_record(collection, principal), principal)
    publication = _publication(identifier, collection, now)
    is_published = record.state == CollectionState.PUBLISHED
    return Landing(
        publication=_shown(publication, principal, is_withdrawn=record.is_withdrawn),
        record=record,
        is_public=is_public(identifier),
        withdrawal_reason=record.withdrawal_reason,
        opens_at=None,
        download_path=f"/collections/{record.uid}/download.zip" if is_published and record.file_count else "",
        versions=tuple(versions_of(collection, principal)),
    )


def _publication(identifier: Identifier, record: Investigation | Collection, now: datetime) -> Publication:
    """What DataCite is told, remembered until it changes: it takes reading every member of a collection.

    What is closed is looked at anew each time, so that it opens at its second; what is open stays so.
    """
    is_open = access.is_open(record, now=now) if isinstance(record, Investigation) else None
    key = f"landing-{identifier.pk}-{identifier.wanted_version}-{identifier.state}-{record.version}-{is_open}"
    found = cache.get(key)
    if found is None:
        found = publication_of(identifier, now=now)
        if is_open is not None or found.access_rights != "embargoed":
            cache.set(key, found, KEPT_SECONDS)
    return found


def _shown(publication: Publication, principal: Principal, *, is_withdrawn: bool) -> Publication:
    """Without the abstract of what was withdrawn, and without people where the asker came by a link that hides them."""
    if is_withdrawn:
        publication = replace(publication, text=replace(publication.text, abstract=""))
    if not principal.hides_people:
        return publication
    hidden = shown_to(publication, principal)
    return replace(hidden, text=replace(hidden.text, creators=(ANONYMOUS_CREATOR,)))
