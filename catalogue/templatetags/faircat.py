"""How the pages write sizes, times, counts, quantities and links: formatting only, no database access and no visibility rule."""

from datetime import date, datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

BINARY_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")

# One order for the parameters of every list page, so that one state has one URL. Names that are not here follow in alphabetical order.
PARAMETER_ORDER = (
    "q",
    "technique",
    "instrument",
    "facility",
    "sample",
    "category",
    "access",
    "from",
    "to",
    "licence",
    "doi",
    "format",
    "sort",
    "view",
    "cursor",
    "page",
)


@register.filter
def size(number_of_bytes: int | None) -> str:
    """A number of bytes in binary units, three significant digits: `1536` is "1.50 KiB"."""
    if number_of_bytes is None:
        return "size unknown"
    if number_of_bytes < 1024:
        return f"{number_of_bytes} B"
    value = float(number_of_bytes)
    unit = ""
    for unit in BINARY_UNITS:
        value /= 1024
        if value < 1023.5:
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


@register.filter
def count(number: int | None) -> str:
    """A whole number with a comma between thousands."""
    return "0" if number is None else f"{number:,}"


@register.filter
def day(value: date | datetime | None) -> SafeString | str:
    """The day in words ("3 May 2029") as a `time` element; a datetime is first taken to the current time zone."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = _localised(value).date()
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), format_date(value, "j F Y"))


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """The day, the time and its zone ("3 May 2029, 14:05 UTC") as a `time` element."""
    if value is None:
        return ""
    local = _localised(value)
    return format_html(
        '<time datetime="{}">{} {}</time>', local.isoformat(), format_date(local, "j F Y, H:i"), local.tzname() or ""
    )


@register.filter
def percent(fraction: float | None) -> str:
    """A fraction between 0 and 1 as a whole percentage. Nothing is rounded up to certainty: 0.997 is "99%"."""
    if fraction is None:
        return ""
    if fraction >= 1:
        return "100%"
    return f"{min(round(fraction * 100), 99)}%"


@register.filter
def short_checksum(digest: str) -> str:
    """The first and last digits of a checksum, enough to compare by eye."""
    return digest if len(digest) <= 16 else f"{digest[:8]}…{digest[-4:]}"


@register.simple_tag
def query_with(query: QueryDict | None = None, /, **changes: Any) -> str:
    """The query string of `query` with each named parameter replaced; `None` or an empty text removes it.

    A change of filter or order starts at the first page again, so `cursor` and `page` go unless they are the change.
    """
    changed = _copy(query)
    for name in ("cursor", "page"):
        changed.pop(name, None)
    for name, value in changes.items():
        changed.pop(name, None)
        if value not in (None, ""):
            changed[name] = str(value)
    return canonical_query(changed)


@register.simple_tag
def query_without(query: QueryDict | None, name: str, value: Any = None) -> str:
    """The query string of `query` without one value of a parameter, or without the parameter when no value is given."""
    changed = _copy(query)
    kept = [] if value is None else [each for each in changed.getlist(name) if each != str(value)]
    for dropped in (name, "cursor", "page"):
        changed.pop(dropped, None)
    if kept:
        changed.setlist(name, kept)
    return canonical_query(changed)


def canonical_query(query: QueryDict) -> str:
    """`?` and the parameters in their fixed order with sorted values and no empty ones; a lone `?` when nothing is left."""
    ordered = QueryDict(mutable=True)
    for name in sorted(query, key=_parameter_rank):
        values = sorted(value for value in query.getlist(name) if value != "")
        if values:
            ordered.setlist(name, values)
    return "?" + ordered.urlencode()


def _parameter_rank(name: str) -> tuple[int, str]:
    return (PARAMETER_ORDER.index(name) if name in PARAMETER_ORDER else len(PARAMETER_ORDER), name)


def _copy(query: QueryDict | None) -> QueryDict:
    return QueryDict(mutable=True) if query is None else query.copy()


def _localised(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value
