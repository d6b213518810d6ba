"""Answers of Elasticsearch as neutral ones. Pure: no connection here, and no questions."""

from typing import Any

from search.backends.base import Bins, Facet, Found, Hit, Range, Request, Values
from search.backends.elasticsearch.queries import HIGHEST, LOWEST, facet_groups

Json = dict[str, Any]


def found_by(request: Request, answer: Json) -> Found:
    """The answer to `queries.search_body(request)`."""
    found = Found(total=answer["hits"]["total"]["value"], hits=_hits(request, answer["hits"]["hits"]))
    groups = facet_groups(request)
    for number, (name, facet) in enumerate(request.facets):
        counted = answer["aggregations"][groups[number]][str(number)]
        if isinstance(facet, Values):
            found.values[name] = tuple((bucket["key"], bucket["doc_count"]) for bucket in counted["buckets"])
        elif isinstance(facet, Bins):
            found.bins[name] = _bins(facet, counted)
        else:
            stats = _unnested(facet, counted)
            found.ranges[name] = Range(stats["min"], stats["max"], stats["count"])
    return found


def _hits(request: Request, hits: list[Json]) -> tuple[Hit, ...]:
    if not request.order:
        start = int(request.after or 0)
        return tuple(Hit(_dataset(hit), start + place, hit["_score"]) for place, hit in enumerate(hits, start=1))
    # What has no number to sort by stands last, under the lowest or highest number that there is.
    placed = ((hit, hit["sort"][0]) for hit in hits)
    return tuple(Hit(_dataset(hit), position) for hit, position in placed if position not in (None, LOWEST, HIGHEST))


def _dataset(hit: Json) -> int:
    number: int = hit["fields"]["dataset"][0]
    return number


def _bins(facet: Bins, counted: Json) -> tuple[int, ...]:
    buckets = _unnested(facet, counted)["buckets"]
    return tuple(buckets[str(place)]["doc_count"] for place in range(len(facet.edges) - 1))


def _unnested(facet: Facet, counted: Json) -> Json:
    is_nested = not isinstance(facet, Values) and facet.is_parameter
    found: Json = counted["named"]["found"] if is_nested else counted
    return found
