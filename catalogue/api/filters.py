"""The query parameters of the lists: how each is read, and how it is described. What they mean stands in `catalogue/browse.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from catalogue.access import Principal
from catalogue.api.parsing import parse_day
from catalogue.browse import ACCESS_CHOICES, DatasetFilter, named_q
from catalogue.errors import InvalidInput
from catalogue.models import Investigation, TeamMember
from catalogue.models.collections import CollectionState

PAGING = {"limit", "cursor"}


class Wrong(Exception):
    """The text says what the parameter must be."""


@dataclass(frozen=True)
class Filter:
    """`target` is the field or lookup that gets the value."""

    target: str
    read: Callable[[str], Any]
    description: str
    schema: Mapping[str, Any]


def _uid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Wrong("Must be a uid.") from None


def _moment(value: str) -> date | datetime:
    """A date or a time with its zone. A plus sign in a URL is often sent as a space."""
    try:
        if day := parse_day(value):
            return day
        moment = parse_datetime(value.replace(" ", "+"))
        if moment and moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Wrong("Must be a date such as 2026-05-03, or a time with its zone.")


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise Wrong(f"Must be one of {', '.join(choices)}.")
        return value

    return read


def _single(read: Callable[[str], Any] = str) -> Callable[[str], tuple]:
    return lambda value: (read(value),)


TEXT = {"type": "string"}
UID = {"type": "string", "format": "uuid"}
DAY = {"type": "string", "description": "A date (a whole UTC day), or a time with its zone"}


def _among(*choices: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(choices)}


DATASET_FILTERS = {
    "q": Filter("text", str, "Words in the title, the description or the investigation's title", TEXT),
    "instrument": Filter("instruments", _single(), "Short name or uid of the instrument", TEXT),
    "facility": Filter("facilities", _single(), "Short name or uid of the facility", TEXT),
    "investigation": Filter("investigation", _uid, "Uid of the investigation", UID),
    "technique": Filter("techniques", _single(), "IRI of a technique; its narrower techniques are found too", TEXT),
    "sample": Filter("sample", _uid, "Uid of a sample", UID),
    "kind": Filter("kinds", _single(_one_of("raw", "processed")), "Raw or processed", _among("raw", "processed")),
    "licence": Filter("licences", _single(), "SPDX id of the licence", TEXT),
    "access": Filter(
        "access",
        _one_of(*ACCESS_CHOICES),
        "Open to all, closed as yet, or what your teams and grants let you read",
        _among(*ACCESS_CHOICES),
    ),
    "acquired_from": Filter("acquired_from", _moment, "Acquired then or later", DAY),
    "acquired_to": Filter("acquired_to", _moment, "Acquired then or before", DAY),
    "registered_from": Filter("registered_from", _moment, "Registered then or later", DAY),
    "registered_to": Filter("registered_to", _moment, "Registered then or before", DAY),
}
INVESTIGATION_FILTERS = {
    "q": Filter("q", str, "Words in the title or the abstract", TEXT),
    "instrument": Filter("instrument", _single(), "Short name or uid of the instrument", TEXT),
    "facility": Filter("facility", _single(), "Short name or uid of the facility", TEXT),
    "visit_id": Filter("visit_id", str, "The visit id, as the facility gave it", TEXT),
    "proposal": Filter("proposal__number", str, "Number of the proposal", TEXT),
    "access": Filter("access", _one_of("mine"), "Those in whose team you are", _among("mine")),
}

COLLECTION_FILTERS = {
    "state": Filter("state", _one_of(*CollectionState.values), "The state", _among(*CollectionState.values)),
}


def read_filters(filters: Mapping[str, Filter], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The values of the given parameters by their targets; InvalidInput for one that is not known or cannot be read."""
    problems = {}
    values = {}
    known = ", ".join(sorted([*filters, *PAGING]))
    for name, value in parameters.items():
        if name in PAGING:
            continue
        if name not in filters:
            # A misspelt filter would silently give everything.
            problems[name[:60]] = [f"There is no such parameter; known are {known}."]
        elif "\x00" in value:
            problems[name] = ["Contains a NUL character."]
        elif value:
            try:
                values[filters[name].target] = filters[name].read(value)
            except Wrong as wrong:
                problems[name] = [str(wrong)]
    if problems:
        raise InvalidInput("Some query parameters cannot be understood.", fields=problems)
    return values


def read_dataset_filter(parameters: Mapping[str, str]) -> DatasetFilter:
    """The newest first: by registration or, where days of measurement are asked for, by measurement, as they are found."""
    values = read_filters(DATASET_FILTERS, parameters)
    is_by_measurement = "acquired_from" in values or "acquired_to" in values
    return DatasetFilter(**values, sort="acquired" if is_by_measurement else "newest")


def filter_investigations(
    investigations: QuerySet[Investigation], parameters: Mapping[str, str], principal: Principal
) -> QuerySet[Investigation]:
    values = read_filters(INVESTIGATION_FILTERS, parameters)
    for word in values.pop("q", "").split()[:10]:
        investigations = investigations.filter(Q(title__icontains=word) | Q(abstract__icontains=word))
    for path in ("instrument", "facility"):
        if path in values:
            investigations = investigations.filter(named_q(f"{path}__", values.pop(path)))
    if values.pop("access", "") == "mine":
        reader = principal.user_id if principal.reads_closed_data else None
        teams = TeamMember.objects.filter(person__user_id=reader, person__user__isnull=False)
        investigations = investigations.filter(pk__in=teams.values("investigation_id"))
    return investigations.filter(**values)
