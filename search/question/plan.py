"""Query -> what an engine is asked. Pure: access comes as a neutral filter, what words mean as `Choices`.

What people type becomes `scored` and nothing else; access and filters are parts of their own, made from what was chosen.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from catalogue import secrets
from catalogue.neutral_access import NeutralFilter
from search.backends.base import Bins, Extent, Facet, Range, Request, Values
from search.clauses import All, AnyOf, Between, Clause, Either, Everything, Not, Prefix, Term
from search.question.dates import days_between, microseconds
from search.question.likeness import Likeness, likeness_clause
from search.question.meanings import Choices, no_choices
from search.question.numbers import Axis, axis_of
from search.question.parameters import display_unit_of, key_of, range_clause
from search.question.parsing import read_text
from search.question.query import PARAMETER_PREFIX, Histogram, Query

LARGEST_OFFSET = 9_000
FAR_PAST, FAR_FUTURE = -(2.0**62), 2.0**62
YES = "yes"
# The field that a sort goes by ("" is the score), and whether the greatest comes first.
ORDERS = {
    "relevance": ("", True),
    "newest": ("by_registered", True),
    "oldest": ("by_registered", False),
    "acquired": ("by_measured", True),
    "downloaded": ("by_downloads", True),
    "title": ("by_title", False),
}
# What each facet counts. Its name is that of its filter, so that it counts as if its own choice were off.
FACETS: Mapping[str, Facet] = {
    "technique": Values("technique", 300),
    "instrument": Values("instrument", 50),
    "facility": Values("facility", 50),
    "type": Values("type", 20),
    "sample": Values("sample", 30),
    "element": Values("element", 118),
    "person": Values("person", 30),
    "kind": Values("kind", 2),
    "format": Values("format", 50),
    "licence": Values("licence", 20),
    "doi": Values("doi", 2),
    "scale": Values("scale", 6),
    "category": Values("category", 50),
    "verified": Values("verified", 50),
    "measured": Values("month", 1200),
    "parameter": Values("parameter", 200),
}
ACCESS_FACET = "access"
PAGE_FACETS = (*FACETS, ACCESS_FACET)
_NUMBER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True)
class Plan:
    """What to ask, what to tell the asker about words that were not understood, and which tokens to highlight.

    `histograms` are the numeric parameters whose extents the request asks for, by the name of the facet (`p.NAME`).
    """

    request: Request
    notes: tuple[str, ...] = ()
    highlights: tuple[str, ...] = ()
    histograms: tuple[tuple[str, Histogram], ...] = ()


def plan(
    query: Query,
    access: NeutralFilter,
    *,
    facets: Iterable[str] = (),
    choices: Choices = no_choices,
    like: Likeness | None = None,
) -> Plan:
    """The request for one page of `query`, with the `facets` named (see FACETS, ACCESS_FACET) and the query's histograms.

    `like` is what is known of the dataset that `query.like` names, as far as its asker may see it.
    """
    now = microseconds(access.now)
    reading = read_text(query.text, choices)
    filters, notes = _filters(query, access)
    after, cursor_note = _after(query)
    order, is_descending = ORDERS[query.order]
    histograms = tuple((PARAMETER_PREFIX + one.name, one) for one in _histograms(query))
    wanted = [(name, _facet(name, now)) for name in facets]
    wanted += [(name, Extent(_key(query, one), is_parameter=True)) for name, one in histograms]
    request = Request(
        access=access_clause(access),
        scored=_scored(reading.clause, likeness_clause(like) if like else None),
        filters=filters,
        facets=tuple(wanted),
        order=order,
        is_descending=is_descending,
        after=after,
        limit=query.size,
        open_at=now,
    )
    return Plan(request, (*reading.notes, *notes, *cursor_note), reading.highlights, histograms)


def access_clause(access: NeutralFilter) -> Clause:
    """The visibility rule (see NeutralFilter) over documents. `sees_everything` is never a matter of what was typed."""
    full, summary = Term("document", "full"), Term("document", "summary")
    if access.sees_everything:
        return full
    now = microseconds(access.now)
    own = own_clause(access)
    is_hidden = AnyOf("instrument_key", tuple(sorted(access.hidden_instruments)))
    is_open: Clause = Between("opens_at", high=now)
    if access.withheld:
        is_open = All((is_open, Not(AnyOf("dataset", tuple(sorted(access.withheld))))))
    readable = All((full, Either((is_open, own))))
    return Either((readable, All((summary, Between("opens_at", low=now + 1), Not(own), Not(is_hidden)))))


def own_clause(access: NeutralFilter) -> Clause:
    """Data that their reader reads by team or by grant."""
    return Either(
        (
            AnyOf("investigation", tuple(sorted(access.investigations))),
            AnyOf("dataset", tuple(sorted(access.datasets))),
        )
    )


def bins_request(asked: Plan, found: Mapping[str, Range], query: Query) -> tuple[Request, dict[str, Axis]]:
    """The second question of a page with histograms, now that their extents are known: no hits, only bins.

    Returns the axes by facet name too; what no document has is in neither.
    """
    axes: dict[str, Axis] = {}
    facets: list[tuple[str, Facet]] = []
    for name, histogram in asked.histograms:
        key = _key(query, histogram)
        axis = axis_of(found[name], key.rpartition("|")[2], _unit(query, histogram)) if name in found else None
        if axis:
            axes[name] = axis
            facets.append((name, Bins(key, axis.edges_si, is_parameter=True)))
    return replace(asked.request, facets=tuple(facets), limit=0, after=None), axes


def cursor_after(query: Query, position: int | str) -> str:
    """The cursor of the page behind the hit at `position`; "" where no engine would go on.

    A position that is made of a title is encrypted: the title may name people whom its reader is not told of.
    """
    if isinstance(position, str):
        return f"{query.order}-{secrets.encrypt(position)}"
    is_too_deep = query.order == "relevance" and position > LARGEST_OFFSET
    return "" if is_too_deep else f"{query.order}-{position}"


def _after(query: Query) -> tuple[int | str | None, tuple[str, ...]]:
    if not query.cursor:
        return None, ()
    order, _, text = query.cursor.partition("-")
    position = _position(text, query.order) if order == query.order else None
    if position is None:
        return None, ("This page of the list is not known; the list begins anew.",)
    if query.order == "relevance" and not 0 <= int(position) <= LARGEST_OFFSET:
        return None, ("So far down, lists are not sorted by relevance; choose another order to go on.",)
    return position, ()


def _position(text: str, order: str) -> int | str | None:
    if order == "title":
        try:
            return secrets.decrypt(text)
        except secrets.SecretUnreadable:
            return None
    return int(text) if _NUMBER.fullmatch(text) and abs(int(text)) < 2**63 else None


def _scored(text: Clause | None, like: Clause | None) -> Clause:
    clauses = tuple(clause for clause in (text, like) if clause is not None)
    if len(clauses) > 1:
        return All(clauses)
    return clauses[0] if clauses else Everything()


def _filters(query: Query, access: NeutralFilter) -> tuple[tuple[tuple[str, Clause], ...], tuple[str, ...]]:
    filters: list[tuple[str, Clause]] = []
    for facet, values in query.selections:
        if facet not in ("category", "verified"):
            filters.append((facet, AnyOf(facet, values)))
    categories = query.selected("category")
    if categories:
        filters.append(("category", _category(categories, query.confidence)))
    if query.selected("verified"):
        filters.append(("verified", _verified(query.selected("verified"), categories)))
    filters += [(PARAMETER_PREFIX + one.name, range_clause(one)) for one in query.ranges]
    if query.existing:
        filters.append(
            ("has", All(tuple(Prefix("parameter", f"{name.partition('|')[0]}|") for name in query.existing)))
        )
    if query.access:
        filters.append((ACCESS_FACET, _access_choice(query.access, access)))
    if query.acquired_from or query.acquired_to:
        filters.append(("measured", days_between("measured_at", query.acquired_from, query.acquired_to)))
    is_lost = query.confidence and not categories
    return tuple(filters), ("A confidence counts for categories: choose one first.",) if is_lost else ()


def _category(labels: tuple[str, ...], confidence: tuple[int, int] | None) -> Clause:
    if confidence is None:
        return AnyOf("category", labels)
    low, high = confidence
    return AnyOf("confidence", tuple(f"{label}@{percent:03d}" for label in labels for percent in range(low, high + 1)))


def _verified(values: tuple[str, ...], categories: tuple[str, ...]) -> Clause:
    """Verified labels; `yes` is any label that was chosen as a category, or any at all."""
    if YES not in values:
        return AnyOf("verified", values)
    return AnyOf("verified", categories) if categories else Prefix("verified", "")


def _access_choice(choice: str, access: NeutralFilter) -> Clause:
    now = microseconds(access.now)
    if choice == "mine":
        return own_clause(access)
    return Between("opens_at", high=now) if choice == "open" else Between("opens_at", low=now + 1)


def _facet(name: str, now: int) -> Facet:
    """Access is counted as two bins: what is open at this moment, and what is not."""
    return Bins("opens_at", (FAR_PAST, float(now + 1), FAR_FUTURE)) if name == ACCESS_FACET else FACETS[name]


def _histograms(query: Query) -> list[Histogram]:
    """Those that were asked for, and those of parameters with a range."""
    shown = {one.name: one for one in query.histograms}
    for one in query.ranges:
        shown.setdefault(one.name, Histogram(one.name, one.interval.unit))
    return list(shown.values())


def _unit(query: Query, histogram: Histogram) -> str:
    wanted = query.range_of(histogram.name)
    return histogram.unit or (wanted.interval.unit if wanted else "") or display_unit_of(histogram.name)


def _key(query: Query, histogram: Histogram) -> str:
    wanted = query.range_of(histogram.name)
    return wanted.key if wanted else key_of(histogram.name, histogram.unit)
