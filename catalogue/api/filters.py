"""The filters of the lists of datasets and investigations: what each query parameter means in the database.

A filter sees only what is public under embargo, or is confined to what the asker may read in full: no filter lets anybody
find out by its answer what a summary hides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_datetime

from catalogue import access
from catalogue.access import Principal
from catalogue.api.parsing import parse_day
from catalogue.errors import InvalidInput
from catalogue.models import Dataset, Investigation, TeamMember

PAGING = {"limit", "cursor"}


@dataclass(frozen=True)
class Asked:
    """One given parameter, with who asks and when."""

    value: str
    principal: Principal
    now: datetime

    @property
    def uid(self) -> UUID | None:
        try:
            return UUID(self.value)
        except ValueError:
            return None

    @property
    def moment(self) -> datetime:
        """A date (its first moment in UTC) or a time with its zone. A plus sign in a URL is often sent as a space."""
        try:
            if day := parse_day(self.value):
                return datetime.combine(day, time.min, UTC)
            moment = parse_datetime(self.value.replace(" ", "+"))
            if moment and moment.tzinfo:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise Wrong("Must be a date such as 2026-05-03, or a time with its zone.")


class Wrong(Exception):
    """The text says what the parameter must be."""


@dataclass(frozen=True)
class Filter:
    apply: Callable[[Asked], Q]
    description: str
    schema: Mapping[str, Any]


def _by_name_or_uid(asked: Asked, prefix: str, name: str) -> Q:
    return Q(**{f"{prefix}__uid": asked.uid}) if asked.uid else Q(**{f"{prefix}__{name}": asked.value})


def _technique(asked: Asked) -> Q:
    links = Dataset.techniques.through.objects.filter(dataset=OuterRef("pk"))
    return Q(Exists(links.filter(technique__ancestor_rows__ancestor__iri=asked.value)))


def _sample(asked: Asked) -> Q:
    if asked.uid is None:
        raise Wrong("Must be the uid of a sample.")
    readable = access.full_datasets(asked.principal, now=asked.now).filter(sample__uid=asked.uid)
    return Q(pk__in=readable.values("pk"))


def _access(asked: Asked) -> Q:
    if asked.value == "open":
        return access.open_q(asked.now)
    if asked.value == "closed":
        return ~Q(pk__in=Dataset.objects.filter(access.open_q(asked.now)).values("pk"))
    if asked.value == "mine":
        if not asked.principal.reads_closed_data:
            return Q(pk__in=[])
        teams = TeamMember.objects.filter(person__user_id=asked.principal.user_id)
        return Q(investigation_id__in=teams.values("investigation_id"))
    raise Wrong("Must be one of open, closed, mine.")


def _mine(asked: Asked) -> Q:
    if asked.value != "mine":
        raise Wrong("Must be mine.")
    if not asked.principal.reads_closed_data:
        return Q(pk__in=[])
    return Q(pk__in=TeamMember.objects.filter(person__user_id=asked.principal.user_id).values("investigation_id"))


def _kind(asked: Asked) -> Q:
    if asked.value not in ("raw", "processed"):
        raise Wrong("Must be one of raw, processed.")
    return Q(kind=asked.value)


def _text(asked: Asked) -> Q:
    found = Q()
    for word in asked.value.split()[:10]:
        found &= Q(title__icontains=word) | Q(description__icontains=word) | Q(investigation__title__icontains=word)
    return found


def _investigation_text(asked: Asked) -> Q:
    found = Q()
    for word in asked.value.split()[:10]:
        found &= Q(title__icontains=word) | Q(abstract__icontains=word)
    return found


TEXT = {"type": "string"}
DAY = {"type": "string", "description": "A date, or a time with its zone"}
DATASET_FILTERS: dict[str, Filter] = {
    "q": Filter(_text, "Words in the title, the description or the investigation's title", TEXT),
    "instrument": Filter(
        lambda asked: _by_name_or_uid(asked, "instrument", "short_name"), "Short name or uid of the instrument", TEXT
    ),
    "facility": Filter(
        lambda asked: _by_name_or_uid(asked, "instrument__facility", "short_name"),
        "Short name or uid of the facility",
        TEXT,
    ),
    "investigation": Filter(
        lambda asked: _by_name_or_uid(asked, "investigation", "visit_id"), "Uid or visit id of the investigation", TEXT
    ),
    "technique": Filter(_technique, "IRI of a technique; its narrower techniques are found too", TEXT),
    "sample": Filter(_sample, "Uid of a sample", {"type": "string", "format": "uuid"}),
    "kind": Filter(_kind, "Raw or processed", {"type": "string", "enum": ["raw", "processed"]}),
    "access": Filter(
        _access,
        "Open to all, closed as yet, or of investigations in whose team you are",
        {"type": "string", "enum": ["open", "closed", "mine"]},
    ),
    "acquired_from": Filter(lambda asked: Q(acquired_at__gte=asked.moment), "Acquired at this time or later", DAY),
    "acquired_to": Filter(lambda asked: Q(acquired_at__lt=asked.moment), "Acquired before this time", DAY),
    "registered_from": Filter(lambda asked: Q(created_at__gte=asked.moment), "Registered at this time or later", DAY),
    "registered_to": Filter(lambda asked: Q(created_at__lt=asked.moment), "Registered before this time", DAY),
}


INVESTIGATION_FILTERS: dict[str, Filter] = {
    "q": Filter(_investigation_text, "Words in the title or the abstract", TEXT),
    "instrument": DATASET_FILTERS["instrument"],
    "facility": Filter(
        lambda asked: _by_name_or_uid(asked, "facility", "short_name"), "Short name or uid of the facility", TEXT
    ),
    "visit_id": Filter(lambda asked: Q(visit_id=asked.value), "The visit id, as the facility gave it", TEXT),
    "proposal": Filter(lambda asked: Q(proposal__number=asked.value), "Number of the proposal", TEXT),
    "access": Filter(_mine, "Those in whose team you are", {"type": "string", "enum": ["mine"]}),
    "started_from": Filter(lambda asked: Q(started_at__gte=asked.moment), "Started at this time or later", DAY),
    "started_to": Filter(lambda asked: Q(started_at__lt=asked.moment), "Started before this time", DAY),
}


def filter_datasets(
    datasets: QuerySet[Dataset], parameters: Mapping[str, str], principal: Principal, *, now: datetime
) -> QuerySet[Dataset]:
    """Narrow `datasets` by all given parameters; InvalidInput for one that is not known or cannot be read."""
    return datasets.filter(_all_of(DATASET_FILTERS, parameters, principal, now))


def filter_investigations(
    investigations: QuerySet[Investigation], parameters: Mapping[str, str], principal: Principal, *, now: datetime
) -> QuerySet[Investigation]:
    return investigations.filter(_all_of(INVESTIGATION_FILTERS, parameters, principal, now))


def _all_of(filters: Mapping[str, Filter], parameters: Mapping[str, str], principal: Principal, now: datetime) -> Q:
    problems = refuse_unknown(parameters, filters)
    condition = Q()
    for name, value in parameters.items():
        if name not in filters or not value:
            continue
        try:
            if "\x00" in value:
                raise Wrong("Contains a NUL character.")
            condition &= filters[name].apply(Asked(value, principal, now))
        except Wrong as wrong:
            problems[name] = [str(wrong)]
    if problems:
        raise InvalidInput("Some query parameters cannot be understood.", fields=problems)
    return condition


def refuse_unknown(parameters: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, list[str]]:
    """A misspelt filter would silently give everything: it is a mistake of its own."""
    names = ", ".join(sorted([*known, *PAGING]))
    return {
        name[:60]: [f"There is no such parameter; known are {names}."]
        for name in parameters
        if name not in known and name not in PAGING
    }
