"""An answer as the API gives it: the query as it was understood, total, facets, histograms, records, notes."""

from dataclasses import dataclass

from catalogue.record import DatasetRecord
from search.backends import database
from search.question.query import PARAMETER_PREFIX, Query
from search.results.asking import PAGE_FACETS, Answer
from search.results.facets import label_of_value


@dataclass(frozen=True)
class FacetCount:
    """How many of the datasets have `value`, as if the facet's own choice were off."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class HistogramCounts:
    """Counts between ascending `edges` in `unit`; both ends of the last bin belong to it."""

    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class SearchAnswer:
    """`query` is the question as it was understood, in the form that POST takes. `next` and `cursor` lead to the next page.

    `is_total_exact` is false where the database answered and stopped counting.
    """

    query: dict
    total: int
    is_total_exact: bool
    facets: dict[str, tuple[FacetCount, ...]]
    histograms: dict[str, HistogramCounts]
    hits: list[DatasetRecord]
    cursor: str | None
    next: str | None
    notes: tuple[str, ...]


def answer_document(answer: Answer, *, notes: tuple[str, ...], next_url: str) -> SearchAnswer:
    found = answer.found
    counts = {
        name: tuple(
            FacetCount(str(value), label_of_value(answer.names, name, str(value)), count)
            for value, count in found.values[name]
        )
        for name in PAGE_FACETS
        if name in found.values
    }
    if access := found.bins.get("access"):
        counts["access"] = tuple(
            FacetCount(value, label_of_value(answer.names, "access", value), count)
            for value, count in zip(("open", "closed"), access, strict=True)
        )
    histograms = {
        name.removeprefix(PARAMETER_PREFIX): HistogramCounts(axis.unit, axis.edges, found.bins[name])
        for name, axis in answer.axes.items()
    }
    return SearchAnswer(
        query=answer.query.to_json(),
        total=answer.total,
        is_total_exact=True,
        facets=counts,
        histograms=histograms,
        hits=answer.records,
        cursor=answer.next_cursor or None,
        next=next_url or None,
        notes=notes,
    )


def document_of_database(
    query: Query, answer: database.Answer, *, notes: tuple[str, ...], next_url: str
) -> SearchAnswer:
    """What is there while no engine answers: records and a total, no facets."""
    return SearchAnswer(
        query=query.to_json(),
        total=answer.total,
        is_total_exact=answer.is_total_exact,
        facets={},
        histograms={},
        hits=answer.records,
        cursor=answer.next_cursor or None,
        next=next_url or None,
        notes=notes,
    )


def next_address(url: str, cursor: str) -> str:
    """`url` with the cursor of the next page; "" at the end."""
    return f"{url}{'&' if '?' in url else '?'}cursor={cursor}" if cursor else ""
