"""The query answered by the database: exact, in step at once, meant for small archives and for the time before an index stands."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from catalogue import selectors
from catalogue.access import hides_records
from catalogue.browse import DatasetFilter, count_up_to, filter_datasets, page_of
from catalogue.models import Dataset, Facility, Instrument, Technique
from catalogue.models.datasets import DatasetKind
from catalogue.record import DatasetRecord
from search.query import Query

MOST_OPTIONS = 30


@dataclass(frozen=True)
class FacetValue:
    value: str
    label: str
    count: int | None
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    """The choices of one field. A count is of the whole archive (None where counts would tell of hidden records)."""

    name: str
    title: str
    values: tuple[FacetValue, ...]
    is_open: bool


@dataclass(frozen=True)
class Answer:
    """One page of records. `total` is exact unless `is_total_exact` is false: then there are more than that."""

    records: list[DatasetRecord]
    total: int
    is_total_exact: bool
    next_cursor: str
    facets: tuple[Facet, ...]


def answer(query: Query) -> Answer:
    now = timezone.now()
    matching = filter_datasets(as_filter(query), query.principal, now=now)
    page = page_of(selectors.with_references(matching), sort=query.sort, cursor=query.cursor, limit=query.size)
    total, is_exact = len(page.datasets), True
    if query.cursor or page.next_cursor:
        total, is_exact = count_up_to(_likely_first(matching, query))
    return Answer(
        records=selectors.records_of(page.datasets, query.principal, now=now),
        total=total,
        is_total_exact=is_exact,
        next_cursor=page.next_cursor,
        facets=facets(query),
    )


def total(query: Query) -> int:
    """How many datasets match, counted up to the ceiling."""
    return count_up_to(_likely_first(filter_datasets(as_filter(query), query.principal, now=timezone.now()), query))[0]


def _likely_first(datasets: QuerySet[Dataset], query: Query) -> QuerySet[Dataset]:
    """In the order in which counting comes soonest to its ceiling: what is closed is mostly new, what is open mostly old."""
    if query.access in ("open", "closed"):
        return datasets.order_by("id" if query.access == "open" else "-id")
    return datasets.order_by()


def as_filter(query: Query) -> DatasetFilter:
    return DatasetFilter(
        text=query.text,
        techniques=query.selected("technique"),
        instruments=query.selected("instrument"),
        facilities=query.selected("facility"),
        kinds=query.selected("kind"),
        licences=query.selected("licence"),
        formats=query.selected("format"),
        access=query.access,
        acquired_from=query.acquired_from,
        acquired_to=query.acquired_to,
        sort=query.sort,
    )


def facets(query: Query) -> tuple[Facet, ...]:
    """Facilities, instruments and techniques that have datasets, from counts that are kept, not counted."""
    shows_counts = query.principal.sees_everything or not hides_records()
    instruments = list(_instruments(shows_counts).select_related("facility")[:MOST_OPTIONS])
    by_facility: dict[Facility, int] = {}
    for instrument in instruments:
        by_facility[instrument.facility] = by_facility.get(instrument.facility, 0) + instrument.dataset_count
    techniques = _techniques(shows_counts)[:MOST_OPTIONS]
    rows: tuple[tuple[str, str, list[tuple[str, str, int | None]]], ...] = (
        ("technique", "Technique", [(row.iri, row.label, row.dataset_count) for row in techniques]),
        ("instrument", "Instrument", [(row.short_name, row.name, row.dataset_count) for row in instruments]),
        ("facility", "Facility", [(row.short_name, row.name, count) for row, count in by_facility.items()]),
        ("access", "Access", [(value, label, None) for value, label in access_choices(query)]),
        ("kind", "Kind", [(value, label, None) for value, label in DatasetKind.choices]),
    )
    return tuple(_facet(query, name, title, options, shows_counts) for name, title, options in rows)


def _instruments(shows_counts: bool) -> QuerySet[Instrument]:
    """Those with datasets; all of them where having datasets would tell of hidden ones."""
    if not shows_counts:
        return Instrument.objects.order_by("name")
    return Instrument.objects.filter(dataset_count__gt=0).order_by("-dataset_count")


def _techniques(shows_counts: bool) -> QuerySet[Technique]:
    """Those of datasets; those of the instruments where that would tell of hidden datasets."""
    if not shows_counts:
        return Technique.objects.filter(instruments__isnull=False).distinct().order_by("label")
    return Technique.objects.filter(dataset_count__gt=0).order_by("-dataset_count")


def access_choices(query: Query) -> list[tuple[str, str]]:
    choices = [("open", "open"), ("closed", "under embargo")]
    return choices if query.principal.is_anonymous else [*choices, ("mine", "mine and shared with me")]


def _facet(
    query: Query, name: str, title: str, options: list[tuple[str, str, int | None]], shows_counts: bool
) -> Facet:
    chosen = (query.access,) if name == "access" else query.selected(name)
    values = tuple(
        FacetValue(value, text, count if shows_counts else None, value in chosen) for value, text, count in options
    )
    return Facet(name, title, values, is_open=name in ("technique", "instrument") or bool(chosen and chosen != ("",)))
