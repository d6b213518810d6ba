"""One page of a list: the keys of what a filter finds, in order, and how many there are. The access rule is in the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Case, CharField, DateTimeField, OrderBy, Q, QuerySet, Value, When
from django.db.models.lookups import IsNull

from search.panosc.conditions import Filter, Order
from search.panosc.expressions import ByCodePoint
from search.panosc.narrowing import narrowed
from search.panosc.schema import MODELS, Holds
from search.panosc.scoring import Scorer
from search.panosc.tables import FILE, TABLES_OF, Asker, Table, uids_in
from search.panosc.translate import fitting


@dataclass(frozen=True)
class Place:
    """A row of a page, and how well it fits the query (0 to 1, 0 without one)."""

    table: Table
    key: int
    score: float = 0.0


def page_of(model: str, filter: Filter, asker: Asker) -> list[Place]:
    """What the filter finds, after its inner joins, from `skip` on, at most its limit."""
    filter = narrowed(filter, model, asker)
    found = [(table, fitting(table.rows(asker), filter, table, asker)) for table in TABLES_OF[model]]
    first, last = filter.skip, filter.skip + limit_of(filter)
    if filter.query:
        return _by_score(found, filter.query, asker, last)[first:last]
    if len(found) == 1:
        table, rows = found[0]
        keys = rows.order_by(*ordering(filter.order, table, asker)).values_list("pk", flat=True)
        return [Place(table, key) for key in keys[first:last]]
    return _ordered(found, filter.order, asker, first, last) if filter.order else _one_after_other(found, first, last)


def find(model: str, pid: str, asker: Asker) -> Place | None:
    """The one thing of that pid. What got a DOI later is found by its uid too, and DOIs in any case."""
    for table in TABLES_OF[model]:
        named = table.exact["pid"]([pid, pid.lower()]) | Q(uid__in=uids_in([pid.lower()]))
        key = table.rows(asker).filter(named).order_by("pk").values_list("pk", flat=True).first()
        if key is not None:
            return Place(table, key)
    return None


def files_in(dataset: int, filter: Filter, asker: Asker) -> QuerySet:
    """The files of a dataset that `find` found for the same asker."""
    return fitting(FILE.rows(asker).filter(dataset=dataset), filter, FILE, asker)


def limit_of(filter: Filter) -> int:
    """None is the usual limit; 0, which means none, is as many as this site gives at once."""
    most = settings.PANOSC_MOST
    if filter.limit is None:
        return min(settings.PANOSC_LIMIT, most)
    return min(filter.limit or most, most)


def count_of(model: str, filter: Filter, asker: Asker) -> int:
    return sum(fitting(table.rows(asker), filter, table, asker).count() for table in TABLES_OF[model])


Found = Sequence[tuple[Table, QuerySet]]


def _by_score(found: Found, query: str, asker: Asker, most: int) -> list[Place]:
    """The `most` best of each table, the best first; what does not fit the query at all is left out."""
    places: list[Place] = []
    scorer = Scorer(query, asker.principal, now=asker.now)
    for table, rows in found:
        scored = scorer.scores(table.name)  # type: ignore[arg-type]
        ranked = sorted(scored, key=lambda key: (-scored[key], key))
        places += [Place(table, key, scored[key]) for key in _first_of(rows, ranked, most)]
    return sorted(places, key=lambda place: (-place.score, place.table.name, place.key))


def _first_of(rows: QuerySet, ranked: Sequence[int], most: int) -> list[int]:
    """The first `most` of the keys that are in `rows`. The whole of them is looked up only where twice as many had too few."""
    found: list[int] = []
    for keys in filter(None, (ranked[: 2 * most], ranked[2 * most :])):
        if len(found) < most:
            present = set(rows.filter(pk__among=list(keys)).values_list("pk", flat=True))
            found += [key for key in keys if key in present]
    return found[:most]


def _one_after_other(found: Found, first: int, last: int) -> list[Place]:
    """Without an order: the rows of the first table by key, then those of the next."""
    places: list[Place] = []
    for table, rows in found:
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[first:last]) if last > 0 else []
        places += [Place(table, key) for key in keys]
        passed = first + len(keys) if keys or first == 0 else rows.count()
        first, last = max(0, first - passed), last - passed
    return places


def _ordered(found: Found, order: Sequence[Order], asker: Asker, first: int, last: int) -> list[Place]:
    """Both tables as one list. What has no value comes last, as the flag before it says, in every database."""
    branches = []
    for number, (table, rows) in enumerate(found):
        columns: dict[str, Any] = {"branch": Value(number)}
        for place, one in enumerate(order):
            column = _order_column(one, table, asker)
            columns |= {f"absent_{place}": _is_absent(column), f"order_{place}": column}
        branches.append(rows.annotate(**columns).values_list(*columns, "pk"))
    names = [name for place, one in enumerate(order) for name in (f"absent_{place}", _signed(f"order_{place}", one))]
    merged = branches[0].union(*branches[1:], all=True).order_by(*names, "branch", "pk")
    return [Place(found[row[0]][0], row[-1]) for row in merged[first:last]]


def _signed(name: str, order: Order) -> str:
    return f"-{name}" if order.is_descending else name


def _is_absent(column: Any) -> Case:
    return Case(When(IsNull(column, True), then=Value(1)), default=Value(0))


def ordering(order: Sequence[Order], table: Table, asker: Asker) -> list[OrderBy | str]:
    """For one table; rows that are equal by it come by key."""
    if not order:
        return list(table.usual_order)
    columns = [(one.is_descending, _order_column(one, table, asker)) for one in order]
    return [OrderBy(column, descending=is_descending, nulls_last=True) for is_descending, column in columns] + ["pk"]


def _order_column(order: Order, table: Table, asker: Asker) -> Any:
    column, holds = table.columns(asker)[order.name], MODELS[table.model].properties[order.name]
    if column is None:
        return Value(None, output_field=DateTimeField() if holds is Holds.DATE else CharField())
    return ByCodePoint(column) if holds is Holds.TEXT else column
