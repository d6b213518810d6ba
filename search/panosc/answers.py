"""Rows -> the JSON of the PaNOSC search API. What belongs to a row comes with it: as a column of JSON where it is small
(see `catalogue/short_lists.py`), by keys and one more query where it is a dataset or a document.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from catalogue.models.datasets import ParameterKind
from catalogue.short_lists import ShortList
from search.panosc.conditions import Filter, Related
from search.panosc.links import TO_ONE, links
from search.panosc.pages import Place, files_in, limit_of, ordering
from search.panosc.quantities import as_asked
from search.panosc.tables import FILE, Asker, Table
from search.panosc.translate import any_of, listed_q

MOST_RELATED = 1_000
MOST_ON_A_PAGE = 100_000

Json = dict[str, Any]


def items_of(places: Sequence[Place], filter: Filter, asker: Asker) -> list[Json]:
    """The places of a page as JSON, in their order; what vanished meanwhile is left out."""
    known = _level([(place.table, place.key) for place in places], filter, asker)
    found = ((place, known.get((place.table.name, place.key))) for place in places)
    return [_with_score(item, place.score, filter) for place, item in found if item is not None]


def item_of(place: Place, filter: Filter, asker: Asker) -> Json | None:
    """One thing, without a score; None where it vanished meanwhile."""
    return _level([(place.table, place.key)], filter, asker).get((place.table.name, place.key))


def files_of(dataset: int, filter: Filter, asker: Asker) -> list[Json]:
    """A page of the files of a dataset, in the order of the filter, else by their names."""
    rows = files_in(dataset, filter, asker).order_by(*ordering(filter.order, FILE, asker))
    shown = _shown(rows, FILE, filter, asker, most=0)
    page = shown.values("pk", *_names(shown))[filter.skip : filter.skip + limit_of(filter)]
    return [_item(row, FILE, filter, asker) for row in page]


def _with_score(item: Json, score: float, filter: Filter) -> Json:
    return item if "score" in filter.without else {**item, "score": round(score, 4)}


def _level(keys: Iterable[tuple[Table, int]], filter: Filter, asker: Asker) -> dict[tuple[str, int], Json]:
    """Rows of several tables by table and key, with all that they include: one query for each table that comes in."""
    tables: dict[str, tuple[Table, set[int]]] = {}
    for table, key in keys:
        tables.setdefault(table.name, (table, set()))[1].add(key)
    rows = [(table, _rows(table, found, filter, asker)) for table, found in tables.values()]
    for related in filter.related:
        _fill(rows, related, asker)
    return {(table.name, key): _item(row, table, filter, asker) for table, found in rows for key, row in found.items()}


def _rows(table: Table, keys: set[int], filter: Filter, asker: Asker) -> dict[int, Json]:
    most = min(MOST_RELATED, max(1, MOST_ON_A_PAGE // len(keys)))
    shown = _shown(table.rows(asker).filter(pk__in=keys), table, filter, asker, most)
    return {row["pk"]: row for row in shown.values("pk", *_names(shown))}


def _fill(rows: Sequence[tuple[Table, dict[int, Json]]], related: Related, asker: Asker) -> None:
    """In the place of the keys of datasets and the like put what they are."""
    places = [
        (row, f"r_{related.relation}_{child.name}", child)
        for table, found in rows
        for child, _ in links(table, related.relation, asker)
        if not child.is_small
        for row in found.values()
    ]
    wanted = ((child, one["pk"]) for row, name, child in places for one in row[name])
    known = _level(wanted, related.shown, asker)
    for row, name, child in places:
        items = (known.get((child.name, one["pk"])) for one in row[name])
        row[name] = [item for item in items if item is not None]


def _names(rows: QuerySet) -> list[str]:
    return [name for name in rows.query.annotations if name.startswith(("p_", "b_", "r_"))]


def _shown(rows: QuerySet, table: Table, filter: Filter, asker: Asker, most: int) -> QuerySet:
    """The rows with what is shown of them as columns: `p_` properties, `b_` what these are made of, `r_` relations."""
    wanted = ((name, column) for name, column in table.columns(asker).items() if filter.shows(name))
    columns = {f"p_{name}": column for name, column in wanted if column is not None}
    columns |= {f"b_{name}": F(name) for name in table.beside}
    for related in filter.related:
        found = links(table, related.relation, asker)
        first, last = _window(related, most)
        for child, link in found:
            window = slice(first if len(found) == 1 else 0, last)
            columns[f"r_{related.relation}_{child.name}"] = _listed(child, link, related, asker, window, most)
    return rows.annotate(**columns)


def _window(related: Related, most: int) -> tuple[int, int]:
    """The first of the related rows that is shown, and the one behind the last."""
    inner = related.shown
    return inner.skip, inner.skip + min(inner.limit or most, most)


def _listed(child: Table, link: Q, related: Related, asker: Asker, window: slice, most: int) -> ShortList:
    """The related rows of each row in this window; of those that are not small, the keys."""
    inner = related.shown
    matching = any_of(listed_q(related.relation, scope, child, asker) for scope in related.scopes)
    rows = child.rows(asker).filter(link).filter(matching).order_by(*ordering(inner.order, child, asker))
    if not child.is_small:
        return ShortList(rows[window], "pk")
    shown = _shown(rows, child, inner, asker, most)
    return ShortList(shown[window], *_names(shown))


def _item(row: Json, table: Table, filter: Filter, asker: Asker) -> Json:
    """A row as the API shows it; what is absent is left out."""
    item = {name[2:]: _plain(value) for name, value in row.items() if name.startswith("p_") and value is not None}
    if table.model == "Parameter":
        item |= {name: value for name, value in _quantity(row, filter).items() if filter.shows(name)}
    for related in filter.related:
        tables = [child for child, _ in links(table, related.relation, asker)]
        found = [one for child in tables for one in _items(row, related, child, asker)]
        if len(tables) > 1:  # of each of them as many came as are to be shown in all
            found = found[slice(*_window(related, MOST_RELATED))]
        if related.relation not in TO_ONE:
            item[related.relation] = found
        elif found:
            item[related.relation] = found[0]
    return item


def _items(row: Json, related: Related, child: Table, asker: Asker) -> list[Json]:
    rows = row[f"r_{related.relation}_{child.name}"]
    rows = json.loads(rows) if isinstance(rows, str) else rows  # a list within a list, from SQLite
    return [_item(one, child, related.shown, asker) for one in rows] if child.is_small else rows


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return date_text(value)
    # The subjects of a publication, of which the words are told.
    return [subject["term"] for subject in value] if isinstance(value, list) else value


def date_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quantity(row: Json, filter: Filter) -> Json:
    """Its value and its unit, in the unit that was asked for where that fits."""
    if row["b_kind"] != ParameterKind.NUMBER:
        return {"value": row["b_text"]}
    value, unit = as_asked(row["b_value"], row["b_unit"], filter.units)
    return {"value": value, "unit": unit}
