"""From a masked record to a `Publication`: what is citable of a dataset, an investigation or a collection. Pure.

What DataCite is told of a DOI is made from the rows in `doi/metadata.py`, by the same functions; this is for whoever reads
a record, whether it has a DOI or not.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from catalogue.interop.description import Site
from catalogue.publication import (
    ANONYMOUS_CREATOR,
    AccessRights,
    Contributor,
    Creator,
    Publication,
    PublicationDate,
    PublicationText,
    RelatedIdentifier,
    Subject,
    term_subject,
)
from catalogue.record import (
    Access,
    CollectionRecord,
    DatasetRecord,
    InvestigationRecord,
    PersonRef,
    RelationRef,
    TermRef,
)

SESSION = "Experiment session"
ONE_DATASET, MANY_DATASETS = "Dataset", "Data collection"
# In DataCite's list of general types.
SESSION_TYPE, COLLECTION_TYPE = "Collection", "Dataset"
LOCAL_CONTACT = "local contact"


def publication_of(record: DatasetRecord | InvestigationRecord | CollectionRecord, *, site: Site) -> Publication:
    """Without a DOI `doi` is empty; `url` is the page of the record in any case."""
    if isinstance(record, DatasetRecord):
        return _of_dataset(record, site)
    if isinstance(record, InvestigationRecord):
        return _of_investigation(record, site)
    return _of_collection(record, site)


def _of_dataset(record: DatasetRecord, site: Site) -> Publication:
    related = [
        _part_of(record.investigation.uid, record.investigation.doi, site.url),
        collected_by(record.instrument.uid, record.instrument.pid, site_url=site.url),
        *(_dataset(one.uid, "IsDerivedFrom", site) for one in record.derived_from),
        *(_dataset(one.uid, "IsSourceOf", site) for one in record.derivatives),
        *_stated(record.relations),
    ]
    collected = (collected_on(record.acquired_at),) if record.acquired_at else ()
    return Publication(
        doi=record.doi,
        url=site.url + record.path,
        text=_text(record, record.description, record.techniques),
        licence=record.licence,
        resource_type_general="Dataset",
        resource_type=f"{record.kind.capitalize()} data",
        publisher_name=record.facility.name,
        publisher_ror=record.facility.ror,
        publication_year=record.access.opens_at.astimezone(UTC).year,
        access_rights=_rights(record.access),
        dates=(*collected, available_at(record.access.opens_at)),
        size_bytes=record.size,
        file_count=record.file_count,
        formats=(record.format_label,) if record.format_label else (),
        alternate_identifiers=(("UUID", str(record.uid)),),
        related=tuple(dict.fromkeys(related)),
    )


def _of_investigation(record: InvestigationRecord, site: Site) -> Publication:
    instrument = collected_by(record.instrument.uid, record.instrument.pid, site_url=site.url)
    return Publication(
        doi=record.doi,
        url=site.url + record.path,
        text=_text(record, record.abstract, record.techniques),
        licence=record.licence,
        resource_type_general=SESSION_TYPE,
        resource_type=SESSION,
        publisher_name=record.facility.name,
        publisher_ror=record.facility.ror,
        publication_year=record.access.opens_at.astimezone(UTC).year,
        access_rights=_rights(record.access),
        dates=(collected_on(record.started_at, record.ended_at), available_at(record.access.opens_at)),
        size_bytes=record.size,
        file_count=record.file_count,
        alternate_identifiers=(*numbers_of_session(record.visit_id, record.proposal), ("UUID", str(record.uid))),
        related=tuple(dict.fromkeys((instrument, *_stated(record.relations)))),
    )


def _of_collection(record: CollectionRecord, site: Site) -> Publication:
    issued_at = record.published_at or record.created_at
    concept = (
        [RelatedIdentifier(record.concept_doi, "DOI", "IsVersionOf", COLLECTION_TYPE)] if record.concept_doi else []
    )
    facility = record.facility
    return Publication(
        doi=record.doi,
        url=site.url + record.path,
        text=record.text,
        licence=record.licence,
        resource_type_general=COLLECTION_TYPE,
        resource_type=type_of_collection(record.dataset_count),
        publisher_name=facility.name if facility else site.name,
        publisher_ror=facility.ror if facility else "",
        publication_year=issued_at.astimezone(UTC).year,
        access_rights=_rights_of_collection(record),
        dates=issued_on(issued_at),
        version=str(record.number),
        size_bytes=record.size,
        file_count=record.file_count,
        alternate_identifiers=(("UUID", str(record.uid)),),
        related=tuple(dict.fromkeys((*record.text.related, *concept))),
    )


def type_of_collection(dataset_count: int) -> str:
    return ONE_DATASET if dataset_count == 1 else MANY_DATASETS


def rights_of(*, is_withdrawn: bool, is_open: bool) -> AccessRights:
    if is_withdrawn:
        return "metadata only"
    return "open" if is_open else "embargoed"


# Instruments, sessions and their times are those of many records that are written one after the other.
@lru_cache(maxsize=1000)
def collected_on(started_at: datetime, ended_at: datetime | None = None) -> PublicationDate:
    """Days in UTC, as everywhere on the site, in the form that RKMS-ISO8601 has for a range."""
    start = started_at.astimezone(UTC).date().isoformat()
    end = ended_at.astimezone(UTC).date().isoformat() if ended_at else start
    return PublicationDate("Collected", start if end == start else f"{start}/{end}")


@lru_cache(maxsize=1000)
def available_at(opens_at: datetime) -> PublicationDate:
    moment = opens_at.astimezone(UTC)
    return PublicationDate("Available", moment.date().isoformat(), f"{moment:%H:%M} UTC")


def issued_on(published_at: datetime) -> tuple[PublicationDate, ...]:
    day = published_at.astimezone(UTC).date().isoformat()
    return PublicationDate("Issued", day), PublicationDate("Available", day)


def numbers_of_session(visit_id: str, proposal: str) -> tuple[tuple[str, str], ...]:
    return tuple((kind, value) for kind, value in (("Visit", visit_id), ("Proposal", proposal)) if value)


@lru_cache(maxsize=1000)
def collected_by(instrument: UUID, pid: str, *, site_url: str) -> RelatedIdentifier:
    """The instrument by its own identifier, or by its page."""
    return RelatedIdentifier(pid or f"{site_url}/instruments/{instrument}", "URL", "IsCollectedBy", "Instrument")


def team_or_facility(team: Iterable[Creator], name: str, ror: str) -> tuple[Creator, ...]:
    """The team in its order, or the facility where nobody is named."""
    return tuple(team) or (Creator(name_type="Organizational", name=name, ror=ror),)


def contact_person(creator: Creator) -> Contributor:
    return Contributor(**vars(creator), role="ContactPerson")


def _text(
    record: DatasetRecord | InvestigationRecord, abstract: str, techniques: tuple[TermRef, ...]
) -> PublicationText:
    """Who came by a link that hides people reads that the authors are hidden."""
    facility = record.facility
    creators, contributors = _authors(record.people, facility.name, facility.ror)
    return PublicationText(
        title=record.title,
        abstract=abstract,
        creators=(ANONYMOUS_CREATOR,) if record.access.hides_people else creators,
        contributors=contributors,
        subjects=_subjects(techniques),
        licence_id=record.licence.spdx_id,
    )


# The records of one harvest have few teams and few techniques, again and again.
@lru_cache(maxsize=1000)
def _authors(
    people: tuple[PersonRef, ...], facility: str, ror: str
) -> tuple[tuple[Creator, ...], tuple[Contributor, ...]]:
    team = [(person.role, _creator(person)) for person in people]
    contacts = tuple(contact_person(creator) for role, creator in team if role == LOCAL_CONTACT)
    return team_or_facility((creator for _, creator in team), facility, ror), contacts


@lru_cache(maxsize=1000)
def _subjects(techniques: tuple[TermRef, ...]) -> tuple[Subject, ...]:
    return tuple(term_subject(term.label, term.iri) for term in techniques)


def _creator(person: PersonRef) -> Creator:
    return Creator(
        family_name=person.family_name or person.name,
        given_name=person.given_name,
        orcid=person.orcid,
        affiliation=person.affiliation,
        affiliation_ror=person.affiliation_ror,
    )


def _rights(access: Access) -> AccessRights:
    return rights_of(is_withdrawn=access.is_withdrawn, is_open=access.is_open)


def _rights_of_collection(record: CollectionRecord) -> AccessRights:
    return rights_of(is_withdrawn=record.is_withdrawn, is_open=not record.holds_closed_data)


@lru_cache(maxsize=1000)
def _part_of(investigation: UUID, doi: str, site_url: str) -> RelatedIdentifier:
    identifier, kind = (doi, "DOI") if doi else (f"{site_url}/investigations/{investigation}", "URL")
    return RelatedIdentifier(identifier, kind, "IsPartOf", SESSION_TYPE)


def _dataset(uid: UUID, relation_type: str, site: Site) -> RelatedIdentifier:
    return RelatedIdentifier(f"{site.url}/datasets/{uid}", "URL", relation_type, "Dataset")


def _stated(relations: Iterable[RelationRef]) -> tuple[RelatedIdentifier, ...]:
    return tuple(
        RelatedIdentifier(one.identifier, one.identifier_type, one.relation_type, one.resource_type)
        for one in relations
    )
