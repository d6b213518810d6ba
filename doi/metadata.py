"""From rows to a `Publication`: what DataCite, the landing page and citations are told of a DOI's record. Reading only.

Nothing here looks at who asks: a publication holds what is public of a record that has a public DOI. It holds no file and
no parameter, and its size in memory does not grow with the number of members.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime

from django.conf import settings
from django.db.models import Max, Min
from django.utils import timezone

from catalogue import access
from catalogue.collection_contents import datasets_in, investigations_in, members_in
from catalogue.collection_selectors import licence_ref, text_of
from catalogue.models import Collection, Concept, Facility, Investigation, TeamMember
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import TeamRole
from catalogue.publication import (
    AccessRights,
    Contributor,
    Creator,
    Publication,
    PublicationDate,
    PublicationText,
    RelatedIdentifier,
)
from catalogue.services.collection_prefill import creator_of, subject_of
from doi import relations
from doi.models import Identifier
from doi.names import doi_name

SESSION = "Experiment session"
ONE_DATASET, MANY_DATASETS = "Dataset", "Data collection"
MOST_FORMATS = 20


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
    facility = investigation.facility
    opens_at = access.opens_at(investigation)
    opens_on = opens_at.astimezone(UTC).date()
    related = (
        _instrument_of(investigation),
        *relations.relations_of_session(investigation),
        *relations.relations_back(identifier),
    )
    return Publication(
        doi=identifier.doi,
        url=landing_url(identifier.doi),
        text=_session_text(investigation),
        licence=licence_ref(str(investigation.licence_id)),
        resource_type_general=relations.SESSION_TYPE,
        resource_type=SESSION,
        publisher_name=facility.name,
        publisher_ror=facility.ror,
        publication_year=opens_on.year,
        access_rights=_rights_of_session(investigation, now),
        dates=(
            PublicationDate("Collected", _period(investigation.started_at, investigation.ended_at)),
            PublicationDate("Available", opens_on.isoformat(), f"{opens_at.astimezone(UTC):%H:%M} UTC"),
        ),
        size_bytes=investigation.size,
        file_count=investigation.file_count,
        alternate_identifiers=_alternates(investigation),
        related=tuple(dict.fromkeys(related)),
    )


def _session_text(investigation: Investigation) -> PublicationText:
    """Title and abstract as registered; authors are the team in its order, or the facility where nobody is named."""
    team = list(TeamMember.objects.filter(investigation=investigation).select_related("person__affiliation"))
    facility = investigation.facility
    creators = tuple(creator_of(member.person) for member in team)
    contacts = (member.person for member in team if member.role == TeamRole.LOCAL_CONTACT)
    return PublicationText(
        title=investigation.title,
        abstract=investigation.abstract,
        creators=creators or (Creator(name_type="Organizational", name=facility.name, ror=facility.ror),),
        contributors=tuple(Contributor(**vars(creator_of(person)), role="ContactPerson") for person in contacts),
        subjects=tuple(subject_of(technique) for technique in investigation.instrument.techniques.order_by("label")),
        licence_id=str(investigation.licence_id),
    )


def _rights_of_session(investigation: Investigation, now: datetime) -> AccessRights:
    if access.is_withdrawn(investigation):
        return "metadata only"
    return "open" if access.is_open(investigation, now=now) else "embargoed"


def _instrument_of(investigation: Investigation) -> RelatedIdentifier:
    """The instrument by its own identifier, or by its page."""
    instrument = investigation.instrument
    address = instrument.pid or f"{settings.SITE_URL}/instruments/{instrument.uid}"
    return RelatedIdentifier(address, "URL", "IsCollectedBy", "Instrument")


def _alternates(investigation: Investigation) -> tuple[tuple[str, str], ...]:
    found = [("Visit", investigation.visit_id)]
    if investigation.proposal is not None:
        found.append(("Proposal", investigation.proposal.number))
    return tuple(found)


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
    facility = _facility_of(collection)
    issued_on = (collection.published_at or now).astimezone(UTC).date()
    return Publication(
        doi=identifier.doi,
        url=landing_url(identifier.doi),
        text=text,
        licence=licence_ref(text.licence_id),
        resource_type_general=relations.COLLECTION_TYPE,
        resource_type=ONE_DATASET if collection.dataset_count == 1 else MANY_DATASETS,
        publisher_name=facility.name if facility else settings.SITE_NAME,
        publisher_ror=facility.ror if facility else "",
        publication_year=issued_on.year,
        access_rights=_rights_of_collection(collection, now),
        dates=_dates_of_collection(collection, issued_on),
        size_bytes=collection.size,
        file_count=collection.file_count,
        formats=_formats_of(collection, now),
        related=tuple(dict.fromkeys((*related, *relations.relations_back(identifier)))),
    )


def _rights_of_collection(collection: Collection, now: datetime) -> AccessRights:
    """While it is being published it counts as open, which it is in the moment in which DataCite has accepted."""
    if collection.state == CollectionState.WITHDRAWN:
        return "metadata only"
    if collection.state == CollectionState.PUBLISHING:
        return "open"
    return "embargoed" if datasets_in(collection).exclude(access.open_q(now)).exists() else "open"


def _dates_of_collection(collection: Collection, issued_on: date) -> tuple[PublicationDate, ...]:
    period = investigations_in(collection).order_by().aggregate(start=Min("started_at"), end=Max("ended_at"))
    dates = [PublicationDate("Issued", issued_on.isoformat()), PublicationDate("Available", issued_on.isoformat())]
    if period["start"] is not None:
        dates.append(PublicationDate("Collected", _period(period["start"], period["end"])))
    return tuple(dates)


def _formats_of(collection: Collection, now: datetime) -> tuple[str, ...]:
    """Of what is open, or is opened by the publication: the format of closed data is not public."""
    datasets = datasets_in(collection)
    if collection.state == CollectionState.PUBLISHED:
        datasets = datasets.filter(access.open_q(now))
    labels = datasets.exclude(format_label="").order_by("format_label")
    return tuple(labels.values_list("format_label", flat=True).distinct()[:MOST_FORMATS])


def _facility_of(collection: Collection) -> Facility | None:
    """The publisher: the facility of the home investigation, else of the first member's."""
    if collection.home is not None:
        return collection.home.facility
    members = members_in(collection).filter(part__isnull=True)
    first = members.select_related("investigation__facility", "dataset__investigation__facility").order_by("pk").first()
    if first is None:
        return None
    holder = first.dataset or first
    return holder.investigation.facility if holder.investigation else None


def _period(started_at: datetime, ended_at: datetime | None) -> str:
    """Days in UTC, as everywhere on the site, in the form that RKMS-ISO8601 has for a range."""
    start = started_at.astimezone(UTC).date().isoformat()
    end = ended_at.astimezone(UTC).date().isoformat() if ended_at else ""
    return f"{start}/{end}" if end and end != start else start
