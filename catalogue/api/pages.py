"""Pages of lists: keyset pagination, so that the thousandth page costs what the first does and no row is shown twice.

A cursor is the public name of the last row that was shown, such as its uid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from catalogue.browse import DatasetFilter, Lists
from catalogue.errors import InvalidInput

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 500


@dataclass(frozen=True)
class Order:
    """Rows by the unique column `column`; `name` is the unique public column that a cursor holds."""

    column: str
    name: str
    is_descending: bool = False


NEWEST_FIRST = Order("id", "uid", is_descending=True)


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    next: str | None

    def document(self, records: list[Any]) -> dict[str, Any]:
        return {"results": records, "next": self.next}


def take_page(rows: QuerySet[Any], request: Request, order: Order) -> Page:
    """One page of `rows` as the query parameters `limit` and `cursor` ask, and the link to the next one."""
    limit = read_limit(request.query_params)
    sign = "-" if order.is_descending else ""
    rows = rows.order_by(f"{sign}{order.column}")
    if cursor := request.query_params.get("cursor"):
        rows = rows.filter(**{f"{order.column}__{'lt' if sign else 'gt'}": _place(rows.model, order, cursor)})
    found = list(rows[: limit + 1])
    has_more = len(found) > limit
    found = found[:limit]
    return Page(found, next_link(request, str(getattr(found[-1], order.name))) if has_more else None)


def take_dataset_page(lists: Lists, wanted: DatasetFilter, request: Request) -> Page:
    """The same of datasets, the newest first, with what their records name."""
    cursor = request.query_params.get("cursor", "")
    part = lists.page(wanted, cursor=cursor, limit=read_limit(request.query_params))
    return Page(part.datasets, next_link(request, part.next_cursor) if part.next_cursor else None)


def read_limit(parameters: Mapping[str, str]) -> int:
    given = parameters.get("limit", str(DEFAULT_LIMIT))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:6]) <= HIGHEST_LIMIT:
        message = f"Must be a whole number from 1 to {HIGHEST_LIMIT}."
        raise InvalidInput("The limit of a page is wrong.", fields={"limit": [message]})
    return int(given)


def _place(model: type[Model], order: Order, cursor: str) -> Any:
    """The value in the order's column after which the page begins."""
    if order.column == order.name and order.column != "id" and "\x00" not in cursor:
        return cursor
    try:
        if order.name == "id":
            return int(cursor[:18])
        place = model._default_manager.filter(uid=UUID(cursor)).values_list(order.column, flat=True).first()
    except ValueError:
        place = None
    if place is None:
        raise InvalidInput(
            "This cursor leads nowhere. Begin again at the first page.", fields={"cursor": ["Unknown cursor."]}
        )
    return place


def next_link(request: Request, cursor: str) -> str:
    """The address of the page that begins at `cursor`, with the same parameters."""
    parameters = [(name, value) for name, value in request.query_params.items() if name != "cursor"]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*parameters, ('cursor', cursor)])}")
