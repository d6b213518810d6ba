"""The query answered by the database: exact, in step at once, meant for small archives and for the time before an index stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from catalogue import selectors
from catalogue.access import hides_records
from catalogue.browse import MOST_COUNTED, SORTS, DatasetFilter, Lists
from catalogue.models import Facility, Instrument, Technique
from catalogue.models.datasets import DatasetKind
from catalogue.record import DatasetRecord
from search.question.query import Query

MOST_OPTIONS = 30
OPTIONS_KEPT_SECONDS = 60
Options = tuple[tuple[str, str, int | None], ...]


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
    lists, wanted = Lists(query.principal, now=now), as_filter(query)
    page = lists.page(wanted, cursor=query.cursor, limit=query.size, is_counted=True)
    count = page.count
    if count is None:
        count = lists.count(wanted) if query.cursor or page.next_cursor else len(page.datasets)
    return Answer(
        records=selectors.records_of(page.datasets, query.principal, now=now),
        total=min(count, MOST_COUNTED),
        is_total_exact=count <= MOST_COUNTED,
        next_cursor=page.next_cursor,
        facets=facets(query),
    )


def totals(queries: Sequence[Query]) -> list[int]:
    """How many datasets match each of the queries of one principal; one more than MOST_COUNTED stands for all that are more."""
    lists = Lists(queries[0].principal, now=timezone.now())
    return lists.counts([as_filter(query) for query in queries])


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
        sort=query.order if query.order in SORTS else "newest",
    )


def facets(query: Query) -> tuple[Facet, ...]:
    """Facilities, instruments and techniques that have datasets, from counts that are kept, not counted.

    They are of the whole archive and the same for everyone but curators, and are looked up once a minute.
    """
    is_curator = query.principal.sees_everything
    kept = cache.get_or_set(
        "facets-of-curators" if is_curator else "facets",
        lambda: archive_options(shows_counts=is_curator or not hides_records()),
        OPTIONS_KEPT_SECONDS,
    )
    options: dict[str, Options] = kept or {}
    rows: tuple[tuple[str, str, Options], ...] = (
        ("technique", "Technique", options["technique"]),
        ("instrument", "Instrument", options["instrument"]),
        ("facility", "Facility", options["facility"]),
        ("access", "Access", tuple((value, label, None) for value, label in access_choices(query))),
        ("kind", "Kind", tuple((value, label, None) for value, label in DatasetKind.choices)),
    )
    return tuple(_facet(query, name, title, values) for name, title, values in rows)


def archive_options(*, shows_counts: bool) -> dict[str, Options]:
    """Value, label and count of the choices that come from the archive."""
    instruments = list(_instruments(shows_counts).select_related("facility")[:MOST_OPTIONS])
    by_facility: dict[Facility, int] = {}
    for instrument in instruments:
        by_facility[instrument.facility] = by_facility.get(instrument.facility, 0) + instrument.dataset_count
    named = {
        "technique": [(row.iri, row.label, row.dataset_count) for row in _techniques(shows_counts)[:MOST_OPTIONS]],
        "instrument": [(row.short_name, row.name, row.dataset_count) for row in instruments],
        "facility": [(row.short_name, row.name, count) for row, count in by_facility.items()],
    }
    return {
        name: tuple((value, label, count if shows_counts else None) for value, label, count in values)
        for name, values in named.items()
    }


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


def _facet(query: Query, name: str, title: str, options: Options) -> Facet:
    chosen = (query.access,) if name == "access" else query.selected(name)
    values = tuple(FacetValue(value, text, count, value in chosen) for value, text, count in options)
    return Facet(name, title, values, is_open=name in ("technique", "instrument") or bool(chosen and chosen != ("",)))
