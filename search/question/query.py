"""The neutral query: what a person or a programme asks, before any engine is chosen. The URL is the query.

Frozen values only: no Django model, no engine, and no reading of what people type (see `query_reading`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from catalogue.access import Principal
from search.question.parameters import ParameterRange

SELECTIONS = (
    "facility", "instrument", "technique", "kind", "licence", "format", "type", "sample", "element", "person", "doi",
    "scale", "category", "verified",
)  # fmt: skip
ACCESS_CHOICES = ("open", "closed", "mine")
SORTS = ("relevance", "newest", "oldest", "acquired", "downloaded", "title")
PAGE_SIZE = 20
PARAMETER_PREFIX = "p."


@dataclass(frozen=True)
class Histogram:
    """A numeric parameter shown as a histogram, its numbers in `unit` ("" for the usual one)."""

    name: str
    unit: str = ""

    def text(self) -> str:
        return f"{self.name}|{self.unit}" if self.unit else self.name


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question with its asker. `selections` maps a facet to its chosen values, which are alternatives.

    `confidence` bounds, in percent, how sure a model was of the chosen categories. `existing` holds parameters that must be
    there, `like` the uid of a dataset whose likes are looked for. `sort` is empty where nobody chose one; `order` is then
    what suits the question.
    """

    principal: Principal
    text: str = ""
    selections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    confidence: tuple[int, int] | None = None
    ranges: tuple[ParameterRange, ...] = ()
    existing: tuple[str, ...] = ()
    access: str = ""
    acquired_from: date | None = None
    acquired_to: date | None = None
    sort: str = ""
    view: str = ""
    histograms: tuple[Histogram, ...] = ()
    like: str = ""
    size: int = PAGE_SIZE
    cursor: str = ""

    @property
    def usual_order(self) -> str:
        """Words and likeness order by relevance, days of measurement by themselves; else registered last comes first."""
        if self.text or self.like:
            return "relevance"
        return "acquired" if self.acquired_from or self.acquired_to else "newest"

    @property
    def order(self) -> str:
        return self.sort or self.usual_order

    def selected(self, facet: str) -> tuple[str, ...]:
        return dict(self.selections).get(facet, ())

    def range_of(self, name: str) -> ParameterRange | None:
        return next((one for one in self.ranges if one.name == name), None)

    def parameters(self) -> list[tuple[str, str]]:
        """The query as URL parameters in canonical order, without the cursor. `view` is how the page shows it."""
        pairs = [("q", self.text)]
        pairs += [(facet, value) for facet in SELECTIONS for value in self.selected(facet)]
        pairs += [("confidence", confidence_text(self.confidence))]
        pairs += [(PARAMETER_PREFIX + one.name, one.interval.text()) for one in self.ranges]
        pairs += [("has", name) for name in self.existing]
        pairs += [("access", self.access)]
        pairs += [("from", _iso(self.acquired_from)), ("to", _iso(self.acquired_to))]
        pairs += [("like", self.like)]
        pairs += [("sort", self.sort if self.sort != self.usual_order else ""), ("view", self.view)]
        pairs += [("histogram", one.text()) for one in self.histograms]
        pairs += [("size", str(self.size) if self.size != PAGE_SIZE else "")]
        return [(name, value) for name, value in pairs if value]

    def url_parameters(self) -> str:
        return urlencode(self.parameters())

    def to_json(self) -> dict[str, Any]:
        """The query as the API takes and returns it, without what is empty. See `query_reading.query_from_json`."""
        measured = {"from": _iso(self.acquired_from), "to": _iso(self.acquired_to)}
        values: dict[str, Any] = {
            "text": self.text,
            "filters": {facet: list(self.selected(facet)) for facet in SELECTIONS if self.selected(facet)},
            "confidence": dict(zip(("from", "to"), self.confidence, strict=True)) if self.confidence else {},
            "parameters": {one.name: _range_json(one) for one in self.ranges},
            "has": list(self.existing),
            "access": self.access,
            "measured": {name: day for name, day in measured.items() if day},
            "like": self.like,
            "sort": self.order,
            "histograms": [one.text() for one in self.histograms],
            "size": self.size,
            "cursor": self.cursor,
        }
        return {name: value for name, value in values.items() if value}

    def toggled(self, facet: str, value: str) -> "Query":
        """The same query with `value` of `facet` chosen, or no longer chosen."""
        chosen = dict(self.selections)
        values = chosen.get(facet, ())
        chosen[facet] = tuple(v for v in values if v != value) if value in values else (*values, value)
        selections = tuple((name, chosen[name]) for name in SELECTIONS if chosen.get(name))
        return replace(self, selections=selections, cursor="")

    def without(self, name: str) -> "Query":
        """The same query without one of its plain conditions: text, access, like, confidence, acquired_from, acquired_to."""
        values: dict[str, Any] = {name: None if name in _UNSET_IS_NONE else "", "cursor": ""}
        return replace(self, **values)

    def without_range(self, name: str) -> "Query":
        return replace(self, ranges=tuple(one for one in self.ranges if one.name != name), cursor="")

    def without_existing(self, name: str) -> "Query":
        return replace(self, existing=tuple(one for one in self.existing if one != name), cursor="")


_UNSET_IS_NONE = ("acquired_from", "acquired_to", "confidence")


@dataclass(frozen=True)
class Condition:
    """One condition of a query: what it is called in the URL or the query, its value as text, the query without it."""

    name: str
    value: str
    without: Query


def conditions(query: Query) -> Iterator[Condition]:
    """All that narrows the query, in the order of the URL: for chips, and for the question which one to drop."""
    if query.text:
        yield Condition("text", query.text, query.without("text"))
    for facet, values in query.selections:
        for value in values:
            yield Condition(facet, value, query.toggled(facet, value))
    if query.confidence:
        yield Condition("confidence", confidence_text(query.confidence), query.without("confidence"))
    for one in query.ranges:
        yield Condition(PARAMETER_PREFIX + one.name, one.interval.text(), query.without_range(one.name))
    for name in query.existing:
        yield Condition("has", name, query.without_existing(name))
    for name in ("access", "acquired_from", "acquired_to", "like"):
        value = getattr(query, name)
        if value:
            yield Condition(name, str(value), query.without(name))


def confidence_text(confidence: tuple[int, int] | None) -> str:
    return f"{confidence[0]}..{confidence[1]}" if confidence else ""


def _range_json(one: ParameterRange) -> dict[str, Any]:
    values = {"from": one.interval.low, "to": one.interval.high, "unit": one.interval.unit}
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
