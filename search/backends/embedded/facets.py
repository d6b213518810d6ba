"""Counts beside the hits: `Values`, `Bins` and `Extent` as Tantivy aggregations, and what comes back. No queries here."""

import math
from typing import Any

from search.backends.base import Bins, Extent, Facet, Range, Values
from search.backends.embedded.schema import parameter_path
from search.fields import BY_NAME, Kind

# Each segment gives all its values: with fewer, counts over several segments would be too low.
ALL_VALUES = 2**31
# Values are fetched beyond the limit, since those of equal count at its edge are ordered here.
SPARE_VALUES = 100
MOST_VALUES = 60_000


def aggregation(facet: Facet, *, most: int = 0) -> dict[str, Any]:
    """The facet as Tantivy counts it; `most` is how many values to fetch instead of the usual number."""
    if isinstance(facet, Values):
        size = most or min(facet.limit + SPARE_VALUES, MOST_VALUES)
        terms: dict[str, Any] = {"field": facet.field, "size": size, "segment_size": ALL_VALUES}
        if facet.among:
            terms["include"] = list(facet.among)
        return {"terms": terms}
    column = parameter_path(facet.field) if facet.is_parameter else facet.field
    if isinstance(facet, Extent):
        return {"stats": {"field": column}}
    return {"range": {"field": column, "ranges": _ranges(facet)}}


def _ranges(facet: Bins) -> list[dict[str, Any]]:
    """Ranges end before their upper edge, so that the last one must end right behind it. Empty ones are left out."""
    edges = list(facet.edges)
    if facet.is_parameter:
        edges[-1] = math.nextafter(edges[-1], math.inf)
    else:
        edges = [float(math.ceil(edge)) for edge in edges[:-1]] + [float(math.floor(edges[-1]) + 1)]
    pairs = enumerate(zip(edges, edges[1:], strict=False))
    return [{"key": str(place), "from": low, "to": high} for place, (low, high) in pairs if low < high]


def is_cut(facet: Values, counted: dict[str, Any]) -> bool:
    """Whether values of the same count as the last one wanted were left behind."""
    buckets = counted["buckets"]
    is_full = len(buckets) >= min(facet.limit + SPARE_VALUES, MOST_VALUES)
    return is_full and buckets[-1]["doc_count"] == buckets[facet.limit - 1]["doc_count"]


def values(facet: Values, counted: dict[str, Any]) -> tuple[tuple[str | int, int], ...]:
    is_number = BY_NAME[facet.field].kind is Kind.NUMBER
    pairs = [(int(one["key"]) if is_number else one["key"], one["doc_count"]) for one in counted["buckets"]]
    return most_frequent(pairs, facet.limit)


def most_frequent(pairs: list[tuple[str | int, int]], limit: int) -> tuple[tuple[str | int, int], ...]:
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit])


def bins(facet: Bins, counted: dict[str, Any]) -> tuple[int, ...]:
    counts = {one["key"]: one["doc_count"] for one in counted["buckets"]}
    return tuple(counts.get(str(place), 0) for place in range(len(facet.edges) - 1))


def extent(counted: dict[str, Any]) -> Range:
    return Range(counted["min"], counted["max"], int(counted["count"]))
