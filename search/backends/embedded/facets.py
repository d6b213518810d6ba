"""Counts beside the hits: `Values`, `Bins` and `Extent` as Tantivy aggregations, and what comes back. No queries here."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from search.backends.base import Bins, Extent, Facet, Range, Values
from search.backends.embedded.schema import in_set, parameter_path, set_column
from search.fields import BY_NAME, Kind

# How many of its values each segment gives at first, and then if that left anything undecided.
FEW_VALUES, ALL_VALUES = 1_000, 2**31
# Values are fetched beyond the limit, since those of equal count at its edge are ordered here.
SPARE_VALUES = 1_000
MOST_VALUES = 60_000
MOST_SETS = 2_000


def aggregation(facet: Facet) -> dict[str, Any]:
    """The facet as Tantivy counts it at first."""
    if isinstance(facet, Values):
        return _sets(facet) if is_by_sets(facet) else values_aggregation(facet)
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


def _size(facet: Values) -> int:
    return min(facet.limit + SPARE_VALUES, MOST_VALUES)


def is_by_sets(facet: Facet) -> bool:
    """Whether whole sets of values are counted, which are then added up."""
    return isinstance(facet, Values) and not facet.among and BY_NAME[facet.field].has_few_sets


def _sets(facet: Values) -> dict[str, Any]:
    return {"terms": {"field": set_column(facet.field), "size": MOST_SETS, "segment_size": MOST_SETS}}


def values_aggregation(facet: Values) -> dict[str, Any]:
    return _terms(facet, size=_size(facet), segment_size=FEW_VALUES, include=facet.among)


def _terms(facet: Values, *, include: Sequence[str | int], **sizes: int) -> dict[str, Any]:
    chosen = {"include": list(include)} if include else {}
    return {"terms": {"field": facet.field, **sizes, **chosen}}


def next_aggregation(facet: Values, counted: dict[str, Any]) -> dict[str, Any] | None:
    """What to count next where `counted` is not exact yet; None where it is.

    A value that a segment did not give has too low a count, by what Tantivy says at most: the values that can be among
    the first are counted alone, or all of them. What is cut in the midst of equal counts is counted to its end.
    """
    missed = counted.get("doc_count_error_upper_bound") or 0
    counts = [bucket["doc_count"] for bucket in counted["buckets"]]
    least = counts[facet.limit - 1] if len(counts) >= facet.limit > 0 else 0
    next_count = counts[-1] if len(counts) == _size(facet) else 0
    if missed:
        is_bounded = next_count + missed < least and BY_NAME[facet.field].kind is Kind.KEYWORD
        pairs = zip(counted["buckets"], counts, strict=True) if is_bounded else ()
        contenders = [bucket["key"] for bucket, count in pairs if count + missed >= least]
        return _terms(facet, size=_size(facet), segment_size=ALL_VALUES, include=contenders or facet.among)
    if next_count < least or not next_count:
        return None
    return _terms(facet, size=MOST_VALUES, segment_size=ALL_VALUES, include=facet.among)


def values_of_sets(facet: Values, counted: dict[str, Any]) -> tuple[tuple[str | int, int], ...] | None:
    """None where there are more sets than were counted."""
    if counted.get("sum_other_doc_count") or counted.get("doc_count_error_upper_bound"):
        return None
    counts: Counter[str | int] = Counter()
    for bucket in counted["buckets"]:
        for value in in_set(bucket["key"]):
            counts[value] += bucket["doc_count"]
    return most_frequent(list(counts.items()), facet.limit)


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
