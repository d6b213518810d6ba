"""What the page of results shows, from the engine or, while there is none, from the database: values for one template.

Which address asks for what, and what a browser is answered, is the business of the views.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode

from django.utils.safestring import SafeString

from catalogue.browse import SORTS as SORTS_OF_DATABASE
from catalogue.record import DatasetRecord
from catalogue.services.annotations import CATEGORY
from catalogue.vocabularies.standard_names import STANDARD_NAMES
from search.backends import database
from search.question.parameters import label_of, name_of
from search.question.plan import YES
from search.question.query import PARAMETER_PREFIX, Condition, Histogram, Query, conditions
from search.results.asking import Answer, ask, asker_of
from search.results.charts import Chart, chart_of_months
from search.results.chips import Chip, Removal, address, chips_of, removals
from search.results.corrections import Correction, corrections_of
from search.results.elements import element_name
from search.results.facets import Cell, Facet, Value, facets_for_page, facets_of, table_of_elements
from search.results.finding import values_with
from search.results.highlights import marked, snippet
from search.results.names import names
from search.results.parameter_fields import ParameterField, other_fields, scale_fields

SORT_LABELS = {
    "relevance": "relevance",
    "newest": "newest",
    "oldest": "oldest",
    "acquired": "measured last",
    "downloaded": "most downloaded",
    "title": "title",
}
# What the database can narrow its list by.
OF_DATABASE = {
    "text", "technique", "instrument", "facility", "kind", "licence", "format", "access", "acquired_from", "acquired_to",
}  # fmt: skip
# Parameters that a control of every page of results sends.
CONTROLS = {"q", "access", "from", "to", "sort"}
MOST_REMOVALS = 4
FREQUENT_ELEMENTS = 8


@dataclass(frozen=True)
class ShownHit:
    """A record with its title and some lines of its description, the found words marked.

    `label` is what its images show, first of all, with the confidence of the model.
    """

    record: DatasetRecord
    title: SafeString
    snippet: SafeString
    label: str = ""
    is_verified: bool = False


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool = False


@dataclass(frozen=True)
class Sort:
    """`value` is empty for the order that nobody need choose, so that words bring their own."""

    value: str
    label: str
    is_current: bool


@dataclass(frozen=True)
class ElementLink:
    """One of the most frequent elements: its address chooses it, or no longer does."""

    symbol: str
    name: str
    count: int | None
    url: str
    is_chosen: bool


@dataclass(frozen=True)
class Page:
    """All that the template shows. `trouble` says why the engine did not answer; then the database did, with less.

    `hidden` are parameters of the query without a control on this page: name and value.
    """

    query: Query
    count_text: str
    hits: list[ShownHit]
    facets: Mapping[str, Facet]
    chips: Sequence[Chip]
    sorts: list[Sort]
    views: list[Link]
    hidden: list[tuple[str, str]] = field(default_factory=list)
    next_url: str = ""
    notes: tuple[str, ...] = ()
    trouble: str = ""
    elements: tuple[tuple[Cell | None, ...], ...] = ()
    frequent_elements: list[ElementLink] = field(default_factory=list)
    months: Chart | None = None
    scale: list[ParameterField] = field(default_factory=list)
    numbers: list[ParameterField] = field(default_factory=list)
    parameters: list[Link] = field(default_factory=list)
    parameter_find: str = ""
    removals: list[Removal] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    like_title: str = ""
    like_url: str = ""

    @property
    def is_verified(self) -> bool:
        return YES in self.query.selected("verified")

    @property
    def has_element(self) -> bool:
        return bool(self.query.selected("element"))


def page_of(query: Query, looked_for: Mapping[str, str], *, now: datetime) -> Page:
    """`looked_for` are texts by facet, whose values are to be shown. Raises EngineUnavailable."""
    asker = asker_of(query.principal, now=now)
    answer = ask(query, asker, facets=facets_for_page(query))
    found = {name: values_with(name, text, query, asker) for name, text in looked_for.items() if text}
    chips = chips_of(query, answer.names, like_title=answer.like.title if answer.like else "")
    facets = facets_of(answer, looked_for, found)
    is_empty = not answer.total
    return Page(
        query=query,
        count_text=count_text(answer.total),
        hits=[_shown(record, answer.highlights) for record in answer.records],
        facets=facets,
        chips=chips,
        sorts=_sorts(query, tuple(SORT_LABELS)),
        views=_views(query),
        hidden=_hidden(query, {*facets, *CONTROLS, "element"}, has_ranges=True),
        next_url=_next_url(query, answer.next_cursor),
        notes=answer.notes,
        elements=table_of_elements(answer),
        frequent_elements=_elements(answer),
        months=chart_of_months(_months(answer), query.acquired_from, query.acquired_to),
        scale=scale_fields(answer),
        numbers=other_fields(answer),
        parameters=_parameter_links(query, found.get("parameter", {})),
        parameter_find=looked_for.get("parameter", ""),
        removals=removals(query, chips, asker)[:MOST_REMOVALS] if is_empty else [],
        corrections=corrections_of(query, asker) if is_empty else [],
        like_title=answer.like.title if answer.like else "",
        like_url=answer.like.path if answer.like else "",
    )


def page_of_database(query: Query, trouble: str) -> Page:
    """The list that the database gives, narrowed by what it can be narrowed by; a note names what it left out."""
    query, notes = query_for_database(query)
    answer = database.answer(query)
    chips = chips_of(query, names())
    pairs = list(zip(conditions(query), chips, strict=True))
    exact = count_text(answer.total)
    facets = {one.name: _facet_of_database(one) for one in answer.facets if one.values}
    return Page(
        query=query,
        count_text=exact if answer.is_total_exact else f"More than {exact}",
        hits=[_shown(record, ()) for record in answer.records],
        facets=facets,
        chips=chips,
        sorts=_sorts(query, SORTS_OF_DATABASE),
        views=_views(query),
        hidden=_hidden(query, {*facets, *CONTROLS}, has_ranges=False),
        next_url=_next_url(query, answer.next_cursor),
        notes=notes,
        trouble=trouble,
        removals=[] if answer.records else _removals_by_database(pairs),
    )


def query_for_database(query: Query) -> tuple[Query, tuple[str, ...]]:
    """In an order that the database has, and a note that names the conditions that it will leave out."""
    pairs = zip(conditions(query), chips_of(query, names()), strict=True)
    left_out = [f"{chip.name}: {chip.text}" for condition, chip in pairs if condition.name not in OF_DATABASE]
    note = (f"Left out, because a plain list cannot tell: {', '.join(left_out)}.",) if left_out else ()
    return replace(query, sort=query.sort if query.sort in SORTS_OF_DATABASE else ""), note


def count_text(total: int) -> str:
    number = f"{total:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{number} dataset" if total == 1 else f"{number} datasets"


def _shown(record: DatasetRecord, highlights: Sequence[str]) -> ShownHit:
    title, text = marked(record.title, highlights), snippet(record.description, highlights)
    label = next((one for one in record.annotations if one.kind == CATEGORY), None)
    if label is None:
        return ShownHit(record, title, text)
    is_surmised = label.confidence is not None and not label.is_verified
    percent = f" {int((label.confidence or 0) * 100)} %" if is_surmised else ""
    return ShownHit(record, title, text, f"{label.label}{percent}", label.is_verified)


def _hidden(query: Query, controls: Collection[str], *, has_ranges: bool) -> list[tuple[str, str]]:
    """What the form must send along, because none of its `controls` does."""
    ranged = (PARAMETER_PREFIX, "histogram") if has_ranges else ()
    shown = {*controls, *(("confidence",) if "category" in controls else ())}
    pairs = [(name, value) for name, value in query.parameters() if name not in shown and not name.startswith(ranged)]
    return [pair for pair in pairs if pair != ("verified", YES) or "category" not in controls]


def _sorts(query: Query, choices: Sequence[str]) -> list[Sort]:
    """Relevance is a matter of words and likeness."""
    shown = [one for one in choices if one != "relevance" or query.usual_order == "relevance"]
    return [Sort("" if one == query.usual_order else one, SORT_LABELS[one], one == query.order) for one in shown]


def _views(query: Query) -> list[Link]:
    views = (("", "List"), ("grid", "Grid"))
    return [Link(label, address(replace(query, view=view, cursor="")), view == query.view) for view, label in views]


def _next_url(query: Query, cursor: str) -> str:
    if not cursor:
        return ""
    url = address(query)
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'cursor': cursor})}"


def _months(answer: Answer) -> dict[int, int]:
    return {int(month): count for month, count in answer.found.values.get("measured", ())}


def _elements(answer: Answer) -> list[ElementLink]:
    """The chosen ones and the most frequent, beside the periodic table."""
    query, counts = answer.query, {str(symbol): count for symbol, count in answer.found.values.get("element", ())}
    chosen = query.selected("element")
    symbols = list(dict.fromkeys((*chosen, *counts)))[: max(FREQUENT_ELEMENTS, len(chosen))]
    return [
        ElementLink(one, element_name(one), counts.get(one), address(query.toggled("element", one)), one in chosen)
        for one in symbols
    ]


def _parameter_links(query: Query, keys: Mapping[str, int]) -> list[Link]:
    """Numeric parameters that were looked for: each leads to its histogram."""
    links = []
    for key, count in keys.items():
        name, unit = name_of(key)
        shown = Histogram(name, "" if name in STANDARD_NAMES else unit)
        label = f"{label_of(name)}{f' ({unit})' if unit else ''}: {count_text(count)}"
        links.append(Link(label, address(replace(query, histograms=(*query.histograms, shown), cursor=""))))
    return links


def _facet_of_database(facet: database.Facet) -> Facet:
    values = tuple(Value(one.value, one.label, one.count, one.is_chosen) for one in facet.values)
    return Facet(facet.name, facet.title, values, is_open=facet.is_open)


def _removals_by_database(pairs: Sequence[tuple[Condition, Chip]]) -> list[Removal]:
    if len(pairs) < 2:
        return []
    candidates = pairs[:MOST_REMOVALS]
    counts = database.totals([condition.without for condition, _ in candidates])
    found = [Removal(chip, count) for (_, chip), count in zip(candidates, counts, strict=True) if count]
    return sorted(found, key=lambda one: -one.count)
