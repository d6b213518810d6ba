"""What narrows a query, in words: chips that remove one condition each, and which to drop where nothing was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from search.question.parameters import label_of
from search.question.query import PARAMETER_PREFIX, Condition, Query, conditions
from search.results.asking import Asker, totals
from search.results.facets import TITLES, label_of_value
from search.results.names import Names

MOST_TRIED = 12
PLAIN_TITLES = {
    "text": "Words",
    "element": "Element",
    "verified": "Verified",
    "confidence": "Confidence",
    "has": "Has",
    "acquired_from": "Measured from",
    "acquired_to": "Measured until",
    "like": "Like",
}


@dataclass(frozen=True)
class Chip:
    """An active condition and the address of the same search without it."""

    name: str
    text: str
    remove_url: str


@dataclass(frozen=True)
class Removal:
    """A condition that could go, and how many datasets there would be without it."""

    chip: Chip
    count: int


def address(query: Query, route: str = "search") -> str:
    """The address of `query`, parameters in canonical order."""
    parameters = query.url_parameters()
    return f"{reverse(route)}?{parameters}" if parameters else reverse(route)


def chips_of(query: Query, names: Names, *, like_title: str = "") -> list[Chip]:
    return [_chip(condition, names, like_title) for condition in conditions(query)]


def _chip(condition: Condition, names: Names, like_title: str) -> Chip:
    name, value = condition.name, condition.value
    if name.startswith(PARAMETER_PREFIX):
        title, text = label_of(name.removeprefix(PARAMETER_PREFIX)), range_text(value)
    elif name == "confidence":
        title, text = PLAIN_TITLES[name], f"{value.replace('..', ' to ')} %"
    elif name == "has":
        title, text = PLAIN_TITLES[name], label_of(value.partition("|")[0])
    elif name == "verified" and value == "yes":
        title, text = PLAIN_TITLES[name], "by a person"
    elif name == "like":
        title, text = PLAIN_TITLES[name], like_title or "a dataset that you cannot see"
    else:
        title = TITLES.get(name) or PLAIN_TITLES.get(name, name.capitalize())
        text = label_of_value(names, name, value)
    return Chip(title, text, address(condition.without))


def range_text(text: str) -> str:
    """A range as people say it: "5..10 kV" is 5 to 10 kV, "..5 nm" is up to 5 nm."""
    low, dots, high = text.partition("..")
    if not dots:
        return text
    if not low:
        return f"up to {high}"
    return f"{low} to {high}" if high[:1].isdigit() or high[:1] == "-" else f"from {low}{high}"


def removals(query: Query, chips: Sequence[Chip], asker: Asker) -> list[Removal]:
    """Which conditions to drop, those first that bring most datasets back; none where one condition is all there is."""
    candidates = list(zip(conditions(query), chips, strict=True))[:MOST_TRIED]
    if len(candidates) < 2:
        return []
    counts = totals([condition.without for condition, _ in candidates], asker)
    found = [Removal(chip, count) for (_, chip), count in zip(candidates, counts, strict=True) if count]
    return sorted(found, key=lambda one: -one.count)
