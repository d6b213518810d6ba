"""From a masked record to a `Publication`: what is citable of a dataset, an investigation or a collection. Pure.

What DataCite is told of a DOI is made from the rows in `doi/metadata.py`; this is the same for whoever reads a record,
whether it has a DOI or not.
"""

from datetime import UTC

from catalogue.interop.description import Site
from catalogue.publication import (
    AccessRights,
    Contributor,
    Creator,
    Publication,
    PublicationDate,
    PublicationText,
    RelatedIdentifier,
    term_subject,
)
from catalogue.record import (
    Access,
    CollectionRecord,
    DatasetRecord,
    FacilityRef,
    InstrumentRef,
    InvestigationRecord,
    PersonRef,
    RelationRef,
)

LOCAL_CONTACT = "local contact"


def publication_of(record: DatasetRecord | InvestigationRecord | CollectionRecord, *, site: Site) -> Publication:
    """Without a DOI `doi` is empty; `url` is the page of the record in any case."""
    if isinstance(record, DatasetRecord):
        return _of_dataset(record, site)
    if isinstance(record, InvestigationRecord):
        return _of_investigation(record, site)
    return _of_collection(record, site)


def _of_dataset(record: DatasetRecord, site: Site) -> Publication:
    related = [_part_of(f"{site.url}/investigations/{record.investigation.uid}", record.investigation.doi)]
    related += [_instrument(record.instrument, site)]
    related += [_page(f"{site.url}/datasets/{one.uid}", "IsDerivedFrom") for one in record.derived_from]
    related += [_page(f"{site.url}/datasets/{one.uid}", "IsSourceOf") for one in record.derivatives]
    return Publication(
        doi=record.doi,
        url=site.url + record.path,
        text=PublicationText(
            title=record.title,
            abstract=record.description,
            creators=_creators(record.people, record.facility),
            contributors=_contributors(record.people),
            subjects=tuple(term_subject(term.label, term.iri) for term in record.techniques),
            licence_id=record.licence.spdx_id,
        ),
        licence=record.licence,
        resource_type_general="Dataset",
        resource_type=f"{record.kind.capitalize()} data",
        publisher_name=record.facility.name,
        publisher_ror=record.facility.ror,
        publication_year=record.access.opens_at.astimezone(UTC).year,
        access_rights=_rights(record.access),
        dates=_dates(
            record.access, record.acquired_at.astimezone(UTC).date().isoformat() if record.acquired_at else ""
        ),
        size_bytes=record.size,
        file_count=record.file_count,
        formats=(record.format_label,) if record.format_label else (),
        alternate_identifiers=(("UUID", str(record.uid)),),
        related=(*related, *_stated(record.relations)),
    )


def _of_investigation(record: InvestigationRecord, site: Site) -> Publication:
    start = record.started_at.astimezone(UTC).date().isoformat()
    end = record.ended_at.astimezone(UTC).date().isoformat() if record.ended_at else ""
    numbers = (("Visit", record.visit_id), ("Proposal", record.proposal), ("UUID", str(record.uid)))
    return Publication(
        doi=record.doi,
        url=site.url + record.path,
        text=PublicationText(
            title=record.title,
            abstract=record.abstract,
            creators=_creators(record.people, record.facility),
            contributors=_contributors(record.people),
            licence_id=record.licence.spdx_id,
        ),
        licence=record.licence,
        resource_type_general="Collection",
        resource_type="Experiment session",
        publisher_name=record.facility.name,
        publisher_ror=record.facility.ror,
        publication_year=record.access.opens_at.astimezone(UTC).year,
        access_rights=_rights(record.access),
        dates=_dates(record.access, f"{start}/{end}" if end and end != start else start),
        size_bytes=record.size,
        file_count=record.file_count,
        alternate_identifiers=tuple((kind, value) for kind, value in numbers if value),
        related=(_instrument(record.instrument, site), *_stated(record.relations)),
    )


def _of_collection(record: CollectionRecord, site: Site) -> Publication:
    issued = (record.published_at or record.created_at).astimezone(UTC).date()
    concept = [RelatedIdentifier(record.concept_doi, "DOI", "IsVersionOf")] if record.concept_doi else []
    return Publication(
        doi=record.doi,
        url=site.url + record.path,
        text=record.text,
        licence=record.licence,
        resource_type_general="Collection",
        resource_type="Dataset" if record.dataset_count == 1 else "Data collection",
        publisher_name=site.name,
        publication_year=issued.year,
        access_rights="metadata only" if record.is_withdrawn else "open",
        dates=(PublicationDate("Issued", issued.isoformat()), PublicationDate("Available", issued.isoformat())),
        version=str(record.number),
        size_bytes=record.size,
        file_count=record.file_count,
        alternate_identifiers=(("UUID", str(record.uid)),),
        related=(*record.text.related, *concept),
    )


def _creators(people: tuple[PersonRef, ...], facility: FacilityRef) -> tuple[Creator, ...]:
    """The team in its order, or the facility where nobody is named."""
    named = tuple(Creator(**_names(person)) for person in people)
    return named or (Creator(name_type="Organizational", name=facility.name, ror=facility.ror),)


def _contributors(people: tuple[PersonRef, ...]) -> tuple[Contributor, ...]:
    contacts = (person for person in people if person.role == LOCAL_CONTACT)
    return tuple(Contributor(**_names(person), role="ContactPerson") for person in contacts)


def _names(person: PersonRef) -> dict[str, str]:
    return {
        "family_name": person.family_name or person.name,
        "given_name": person.given_name,
        "orcid": person.orcid,
        "affiliation": person.affiliation,
        "affiliation_ror": person.affiliation_ror,
    }


def _rights(access: Access) -> AccessRights:
    if access.is_withdrawn:
        return "metadata only"
    return "open" if access.is_open else "embargoed"


def _dates(access: Access, collected: str) -> tuple[PublicationDate, ...]:
    opens_at = access.opens_at.astimezone(UTC)
    available = PublicationDate("Available", opens_at.date().isoformat(), f"{opens_at:%H:%M} UTC")
    return (PublicationDate("Collected", collected), available) if collected else (available,)


def _part_of(page: str, doi: str) -> RelatedIdentifier:
    return RelatedIdentifier(doi, "DOI", "IsPartOf", "Collection") if doi else _page(page, "IsPartOf", "Collection")


def _instrument(instrument: InstrumentRef, site: Site) -> RelatedIdentifier:
    """By its own identifier, or by its page."""
    return _page(instrument.pid or f"{site.url}/instruments/{instrument.uid}", "IsCollectedBy", "Instrument")


def _page(address: str, relation_type: str, kind: str = "Dataset") -> RelatedIdentifier:
    return RelatedIdentifier(address, "URL", relation_type, kind)


def _stated(relations: tuple[RelationRef, ...]) -> tuple[RelatedIdentifier, ...]:
    return tuple(
        RelatedIdentifier(one.identifier, one.identifier_type, one.relation_type, one.resource_type)
        for one in relations
    )
