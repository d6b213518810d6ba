"""Neutral questions as requests to Elasticsearch. Pure: no connection here, and no answers.

Only what a plain server has: no scripts. Everything that decides who sees what stands in filters.
"""

import math
import sys
from collections import defaultdict
from functools import singledispatch
from typing import Any

from elasticsearch.dsl import A, Q, Search
from elasticsearch.dsl.aggs import Agg
from elasticsearch.dsl.query import Query

from search.backends.base import OPEN_LIFT, Bins, Facet, Request, Values
from search.clauses import (
    All,
    AnyOf,
    Best,
    Between,
    Clause,
    Either,
    Everything,
    Glob,
    Not,
    ParameterBetween,
    Phrase,
    Prefix,
    Term,
    Weighted,
)
from search.documents import GONE, LONGEST_KEYWORD, MOST_HITS, named
from search.fields import BY_NAME, PARAMETERS, Kind

NOTHING = Q("match_none")
LOWEST, HIGHEST = -(2**63), 2**63 - 1
# Facets are exact on one shard; on several they are where a field has no more values than this.
VALUES_OF_A_SHARD = 10_000


@singledispatch
def query_of(clause: Clause) -> Query:
    raise TypeError(f"no condition: {clause!r}")


@query_of.register
def _(clause: Everything) -> Query:
    return Q("match_all")


@query_of.register
def _(clause: Term) -> Query:
    return Q("term", **{clause.field: clause.value}) if _is_storable(clause.field, clause.value) else NOTHING


@query_of.register
def _(clause: AnyOf) -> Query:
    return Q("terms", **{clause.field: [one for one in clause.values if _is_storable(clause.field, one)]})


@query_of.register
def _(clause: Prefix) -> Query:
    return Q("prefix", **{clause.field: clause.text}) if _is_storable(clause.field, clause.text) else NOTHING


@query_of.register
def _(clause: Glob) -> Query:
    return Q("wildcard", **{clause.field: clause.pattern.replace("\\", "\\\\")})


@query_of.register
def _(clause: Phrase) -> Query:
    return Q("match_phrase", **{clause.field: " ".join(clause.words)})


@query_of.register
def _(clause: Between) -> Query:
    return _between(clause.field, clause.low, clause.high)


@query_of.register
def _(clause: ParameterBetween) -> Query:
    value = _between(f"{PARAMETERS}.value_si", clause.low, clause.high)
    return Q("nested", path=PARAMETERS, query=Q("bool", filter=[*_named(clause.key), value]))


@query_of.register
def _(clause: All) -> Query:
    parts = [query_of(one) for one in clause.clauses]
    if len(parts) < 2:
        return parts[0] if parts else Q("match_all")
    return Q("bool", must=parts)


@query_of.register
def _(clause: Either) -> Query:
    parts = [query_of(one) for one in clause.clauses]
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return Q("bool", should=parts, minimum_should_match=1)


@query_of.register
def _(clause: Best) -> Query:
    return Q("dis_max", queries=[query_of(one) for one in clause.clauses]) if clause.clauses else NOTHING


@query_of.register
def _(clause: Not) -> Query:
    """Opposites of opposites are not nested: conditions may stand thirty deep and no deeper."""
    inner, is_opposite = clause.clause, True
    while isinstance(inner, Not):
        inner, is_opposite = inner.clause, not is_opposite
    return Q("bool", must_not=[query_of(inner)]) if is_opposite else Q("bool", filter=[query_of(inner)])


@query_of.register
def _(clause: Weighted) -> Query:
    return Q("bool", must=[query_of(clause.clause)], boost=clause.weight)


def _is_storable(field: str, value: str | int) -> bool:
    """Elasticsearch refuses a question about a value that its field cannot hold."""
    if BY_NAME[field].kind is Kind.NUMBER:
        return LOWEST <= int(value) <= HIGHEST
    return len(str(value)) <= LONGEST_KEYWORD


def _between(field: str, low: float | None, high: float | None) -> Query:
    """Bounds beyond what the field can hold are no bounds, or leave nothing: Elasticsearch would refuse them."""
    lowest, highest = (LOWEST, HIGHEST) if field in BY_NAME else (-sys.float_info.max, sys.float_info.max)
    low = lowest if low is None else low
    high = highest if high is None else high
    if low > highest or high < lowest:
        return NOTHING
    bounds = ({"gte": low} if low > lowest else {}) | ({"lte": high} if high < highest else {})
    return Q("range", **{field: bounds}) if bounds else Q("exists", field=field)


def _named(key: str) -> list[Query]:
    return [Q("term", **{f"{PARAMETERS}.{name}": value}) for name, value in named(key).items()]


def visible(access: Clause) -> Query:
    """What exists and `access` shows, as a filter."""
    return Q("bool", filter=[query_of(access)], must_not=[Q("term", document=GONE)])


def search_body(request: Request, *, shards: int = 1) -> dict[str, Any]:
    """The body of a `_search`. Facet number n is the aggregation n, within one that is named by `facet_groups`."""
    search = _question(request).extra(track_total_hits=True).source(False)
    groups = facet_groups(request)
    chosen = {name for name, _ in request.filters} & {name for name, _ in request.facets}
    if chosen:
        search = search.post_filter(_filters(request, chosen))
    for number, (_, facet) in enumerate(request.facets):
        group = groups[number]
        if group not in search.aggs:
            others = chosen - {request.facets[number][0]}
            search.aggs.bucket(group, "filter", filter=_filters(request, others))
        search.aggs[group].bucket(str(number), aggregation_of(facet, shards=shards))
    body: dict[str, Any] = _paged(search, request).to_dict()
    return body


def facet_groups(request: Request) -> list[str]:
    """For each facet the name of the aggregation that it stands in: facets that leave out the same filters share one."""
    filtered = {name for name, _ in request.filters}
    first: dict[str, int] = defaultdict(lambda: len(first))
    return [f"group{first[name if name in filtered else '']}" for name, _ in request.facets]


def _question(request: Request) -> Search:
    """Query and filters that no facet leaves out. Scores are made where hits are sorted by them."""
    facets = {name for name, _ in request.facets}
    filters = [visible(request.access)]
    filters += [query_of(clause) for name, clause in request.filters if name not in facets]
    scored = query_of(request.scored)
    if request.order:
        return Search().query("bool", filter=[*filters, scored])
    is_open = Q("constant_score", filter=_between("opens_at", None, request.open_at), boost=OPEN_LIFT)
    return Search().query("bool", filter=filters, must=[scored], should=[is_open])


def _filters(request: Request, names: set[str]) -> Query:
    return Q("bool", filter=[query_of(clause) for name, clause in request.filters if name in names])


def _paged(search: Search, request: Request) -> Search:
    if request.order:
        order = "desc" if request.is_descending else "asc"
        search = search.sort({request.order: {"order": order, "missing": "_last"}})
        if request.after is not None:
            search = search.extra(search_after=[request.after])
        return search.extra(size=request.limit, docvalue_fields=["dataset"])
    start = min(int(request.after or 0), MOST_HITS)
    size = min(request.limit, MOST_HITS - start)
    search = search.sort("_score", {"by_registered": {"order": "desc"}})
    return search.extra(from_=start, size=size, docvalue_fields=["dataset"])


def aggregation_of(facet: Facet, *, shards: int = 1) -> Agg[Any]:
    if isinstance(facet, Values):
        return _values(facet, shards=shards)
    field = f"{PARAMETERS}.value_si" if facet.is_parameter else facet.field
    found = _bins(field, facet) if isinstance(facet, Bins) else A("stats", field=field)
    if not facet.is_parameter:
        return found
    nested = A("nested", path=PARAMETERS)
    nested.bucket("named", "filter", filter=Q("bool", filter=_named(facet.field))).bucket("found", found)
    return nested


def _values(facet: Values, *, shards: int) -> Agg[Any]:
    options: dict[str, Any] = {"order": [{"_count": "desc"}, {"_key": "asc"}], "size": facet.limit}
    if facet.among:
        options["include"] = list(facet.among)
    if shards > 1:
        options["shard_size"] = max(VALUES_OF_A_SHARD, facet.limit)
    return A("terms", field=facet.field, **options)


def _bins(field: str, facet: Bins) -> Agg[Any]:
    """Elasticsearch leaves out the high edge of each range: the last one ends at the next number behind it."""
    highs = [*facet.edges[1:-1], math.nextafter(facet.edges[-1], math.inf)]
    ranges = [
        {"key": str(place), "from": low, "to": high}
        for place, (low, high) in enumerate(zip(facet.edges[:-1], highs, strict=True))
    ]
    return A("range", field=field, keyed=True, ranges=ranges)
