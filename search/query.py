"""The neutral query: what a person or a programme asks, before any engine is chosen. The URL is the query.

Frozen values and their parser only: no Django model, no engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from catalogue.access import Principal

SELECTIONS = ("facility", "instrument", "technique", "kind", "licence", "format")
ACCESS_CHOICES = ("open", "closed", "mine")
SORTS = ("newest", "oldest", "acquired")
LONGEST_TEXT = 300
MOST_VALUES = 20
PAGE_SIZE = 20


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question with its asker. `selections` maps a facet to its chosen values, which are alternatives.

    `sort` is empty where nobody chose one; `order` is then what suits the question.
    """

    principal: Principal
    text: str = ""
    selections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    access: str = ""
    acquired_from: date | None = None
    acquired_to: date | None = None
    sort: str = ""
    view: str = ""
    cursor: str = ""
    size: int = PAGE_SIZE

    @property
    def usual_order(self) -> str:
        """Who asks for days of measurement gets them in their order; registered last comes first in all other lists."""
        return "acquired" if self.acquired_from or self.acquired_to else "newest"

    @property
    def order(self) -> str:
        return self.sort or self.usual_order

    def selected(self, facet: str) -> tuple[str, ...]:
        return dict(self.selections).get(facet, ())

    def parameters(self) -> list[tuple[str, str]]:
        """The query as URL parameters in canonical order, without the cursor. `view` is how the page shows it."""
        pairs = [("q", self.text)]
        pairs += [(facet, value) for facet in SELECTIONS for value in self.selected(facet)]
        pairs += [("access", self.access)]
        pairs += [("from", _iso(self.acquired_from)), ("to", _iso(self.acquired_to))]
        pairs += [("sort", self.sort if self.sort != self.usual_order else ""), ("view", self.view)]
        return [(name, value) for name, value in pairs if value]

    def url_parameters(self) -> str:
        return urlencode(self.parameters())

    def toggled(self, facet: str, value: str) -> "Query":
        """The same query with `value` of `facet` chosen, or no longer chosen."""
        chosen = dict(self.selections)
        values = chosen.get(facet, ())
        chosen[facet] = tuple(v for v in values if v != value) if value in values else (*values, value)
        selections = tuple((name, chosen[name]) for name in SELECTIONS if chosen.get(name))
        return replace(self, selections=selections, cursor="")

    def without(self, name: str) -> "Query":
        """The same query without one of its plain conditions: text, access, acquired_from or acquired_to."""
        values: dict[str, Any] = {name: None if name.startswith("acquired") else "", "cursor": ""}
        return replace(self, **values)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


@dataclass(frozen=True)
class Parsed:
    """A query and the friendly notes about what was not understood and left out."""

    query: Query
    notes: tuple[str, ...] = ()


def parse_query(parameters: QueryDict | Mapping[str, list[str]], principal: Principal) -> Parsed:
    """Read URL parameters. Nothing raises: what is not understood is left out, and a note says so."""
    values = dict(parameters.lists()) if isinstance(parameters, QueryDict) else dict(parameters)
    notes: list[str] = []
    selections = tuple(
        (facet, tuple(dict.fromkeys(value[:300] for value in values[facet] if value))[:MOST_VALUES])
        for facet in SELECTIONS
        if any(values.get(facet, ()))
    )
    query = Query(
        principal=principal,
        text=_first(values, "q").replace("\x00", "").strip()[:LONGEST_TEXT],
        selections=selections,
        access=_choice(values, "access", ACCESS_CHOICES, "", notes),
        acquired_from=_day(values, "from", notes),
        acquired_to=_day(values, "to", notes),
        sort=_choice(values, "sort", SORTS, "", notes),
        view=_choice(values, "view", ("grid",), "", notes) if _first(values, "view") != "list" else "",
        cursor=_first(values, "cursor"),
    )
    return Parsed(query, tuple(notes))


def _first(values: Mapping[str, list[str]], name: str) -> str:
    return next(iter(values.get(name) or [""]))


def _choice(
    values: Mapping[str, list[str]], name: str, choices: tuple[str, ...], default: str, notes: list[str]
) -> str:
    value = _first(values, name)
    if value and value not in choices:
        notes.append(f"“{name}” can be {', '.join(choices)}; it was left out.")
    return value if value in choices else default


def _day(values: Mapping[str, list[str]], name: str, notes: list[str]) -> date | None:
    text = _first(values, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        notes.append(f"“{text[:40]}” is no date such as 2026-05-03; it was left out.")
        return None
