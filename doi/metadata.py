"""From rows to a `Publication`: what DataCite, the landing page and citations are told of a DOI's record. Reading only.

Nothing here looks at who asks: a publication holds what is public of a record that has a public DOI. It holds no file and
no parameter, and its size in memory does not grow with the number of members.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Case, Max, Min, Value, When
from django.utils import timezone

from catalogue import access
from catalogue.collection_contents import datasets_in, investigations_in
from catalogue.collection_facts import facilities_of
from catalogue.collection_selectors import licence_ref, text_of
from catalogue.interop import publications
from catalogue.models import Collection, Concept, Investigation, TeamMember
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import TeamRole
from catalogue.publication import (
    AccessRights,
    Publication,
    PublicationDate,
    PublicationText,
    RelatedIdentifier,
)
from catalogue.services.collection_prefill import creator_of, subject_of
from doi import relations
from doi.models import Identifier
from doi.names import doi_name

MOST_FORMATS = 20
# The formats of the data that a collection holds, each with whether data of it are open to everybody, or are not.
Formats = set[tuple[str, bool]]


def landing_url(doi: str) -> str:
    return f"{settings.SITE_URL}/doi/{doi}"


def publication_of(identifier: Identifier, *, now: datetime | None = None) -> Publication:
    """The publication of an identifier whose record is fetched with it (`doi.delivery.with_records`)."""
    moment = now or timezone.now()
    record = identifier.record
    if isinstance(record, Investigation):
        return _of_session(identifier, record, moment)
    if isinstance(record, Concept):
        return _of_concept(identifier, record, moment)
    return _of_collection(identifier, record, moment)


def _of_session(identifier: Identifier, investigation: Investigation, now: datetime) -> Publication:
    facility, instrument = investigation.facility, investigation.instrument
    opens_at = access.opens_at(investigation)
    is_withdrawn, is_open = access.is_withdrawn(investigation), access.is_open(investigation, now=now)
    related = (
        publications.collected_by(instrument.uid, instrument.pid, site_url=settings.SITE_URL),
        *relations.relations_of_session(investigation),
        *relations.relations_back(identifier),
    )
    proposal = investigation.proposal.number if investigation.proposal else ""
    return Publication(
        doi=identifier.doi,
        url=landing_url(identifier.doi),
        text=_session_text(investigation),
        licence=licence_ref(str(investigation.licence_id)),
        resource_type_general=publications.SESSION_TYPE,
        resource_type=publications.SESSION,
        publisher_name=facility.name,
        publisher_ror=facility.ror,
        publication_year=opens_at.astimezone(UTC).year,
        access_rights=publications.rights_of(is_withdrawn=is_withdrawn, is_open=is_open),
        dates=(
            publications.collected_on(investigation.started_at, investigation.ended_at),
            publications.available_at(opens_at),
        ),
        size_bytes=investigation.size,
        file_count=investigation.file_count,
        alternate_identifiers=publications.numbers_of_session(investigation.visit_id, proposal),
        related=tuple(dict.fromkeys(related)),
    )


def _session_text(investigation: Investigation) -> PublicationText:
    """Title and abstract as registered; authors are the team in its order, or the facility where nobody is named."""
    team = list(TeamMember.objects.filter(investigation=investigation).select_related("person__affiliation"))
    facility = investigation.facility
    contacts = (member.person for member in team if member.role == TeamRole.LOCAL_CONTACT)
    return PublicationText(
        title=investigation.title,
        abstract=investigation.abstract,
        creators=publications.team_or_facility(
            (creator_of(member.person) for member in team), facility.name, facility.ror
        ),
        contributors=tuple(publications.contact_person(creator_of(person)) for person in contacts),
        subjects=tuple(subject_of(technique) for technique in investigation.instrument.techniques.order_by("label")),
        licence_id=str(investigation.licence_id),
    )


def _of_collection(identifier: Identifier, collection: Collection, now: datetime) -> Publication:
    concept_doi = collection.concept.doi or doi_name(settings.DATACITE_PREFIX, collection.concept.uid)
    related = (*text_of(collection).related, *relations.relations_of_collection(collection, concept_doi))
    return replace(_of_version(identifier, collection, related, now), version=str(collection.number))


def _of_concept(identifier: Identifier, concept: Concept, now: datetime) -> Publication:
    """What the newest version says, under the DOI that always leads to the newest."""
    versions = concept.versions.select_related("concept", "home__facility").order_by("-number")
    published = versions.filter(state=CollectionState.PUBLISHED).first()
    newest = published or versions.filter(doi__isnull=False).first() or versions[0]
    related = (*text_of(newest).related, *relations.relations_of_concept(concept))
    return _of_version(identifier, newest, related, now)


def _of_version(
    identifier: Identifier, collection: Collection, related: Iterable[RelatedIdentifier], now: datetime
) -> Publication:
    """What one version says, under the DOI of `identifier`."""
    text = text_of(collection)
    facility = facilities_of([collection]).get(collection.pk)
    formats = _formats_in(collection, now)
    issued_at = collection.published_at or now
    return Publication(
        doi=identifier.doi,
        url=landing_url(identifier.doi),
        text=text,
        licence=licence_ref(text.licence_id),
        resource_type_general=publications.COLLECTION_TYPE,
        resource_type=publications.type_of_collection(collection.dataset_count),
        publisher_name=facility.name if facility else settings.SITE_NAME,
        publisher_ror=facility.ror if facility else "",
        publication_year=issued_at.astimezone(UTC).year,
        access_rights=_rights_of_collection(collection, formats),
        dates=(*publications.issued_on(issued_at), *_collected_on(collection)),
        size_bytes=collection.size,
        file_count=collection.file_count,
        formats=_told_formats(collection, formats),
        related=tuple(dict.fromkeys((*related, *relations.relations_back(identifier)))),
    )


def _rights_of_collection(collection: Collection, formats: Formats) -> AccessRights:
    """While it is being published it counts as open, which it is in the moment in which DataCite has accepted."""
    is_open = collection.state == CollectionState.PUBLISHING or all(is_open for _, is_open in formats)
    return publications.rights_of(is_withdrawn=collection.state == CollectionState.WITHDRAWN, is_open=is_open)


def _collected_on(collection: Collection) -> tuple[PublicationDate, ...]:
    period = investigations_in(collection).order_by().aggregate(start=Min("started_at"), end=Max("ended_at"))
    return () if period["start"] is None else (publications.collected_on(period["start"], period["end"]),)


def _formats_in(collection: Collection, now: datetime) -> Formats:
    """Openness is read with the formats, since to look through all members takes most of the time."""
    is_open = Case(When(access.open_q(now), then=Value(True)), default=Value(False))
    return set(datasets_in(collection).order_by().values_list("format_label", is_open).distinct())


def _told_formats(collection: Collection, formats: Formats) -> tuple[str, ...]:
    """Of what is open, or is opened by the publication: the format of closed data is not public."""
    is_published = collection.state == CollectionState.PUBLISHED
    labels = {label for label, is_open in formats if label and (is_open or not is_published)}
    return tuple(sorted(labels)[:MOST_FORMATS])
