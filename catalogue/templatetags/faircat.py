"""How the pages write sizes, times, counts, quantities and links: formatting only, no database access, no visibility rule."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from catalogue import units
from catalogue.models import AuditEntry
from catalogue.record import ParameterValue
from catalogue.vocabularies.standard_names import GROUPS, STANDARD_NAMES, label_for

register = template.Library()

BINARY_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")

# One order for the parameters of every list page, so that one state has one URL. Names that are not here follow in alphabetical order.
PARAMETER_ORDER = (
    "q",
    "facility",
    "instrument",
    "technique",
    "kind",
    "licence",
    "format",
    "access",
    "from",
    "to",
    "sort",
    "view",
    "cursor",
)


@register.filter
def size(number_of_bytes: int | None) -> str:
    """A number of bytes in binary units, three significant digits: `1536` is "1.50 KiB"."""
    if number_of_bytes is None:
        return "size unknown"
    if number_of_bytes < 1024:
        return f"{number_of_bytes} B"
    value, unit = number_of_bytes / 1024, BINARY_UNITS[0]
    for larger_unit in BINARY_UNITS[1:]:
        if value < 1023.5:
            break
        value, unit = value / 1024, larger_unit
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


@register.filter
def measured_size(record: Any) -> str:
    """The size of a record's files; a record of files whose sizes nobody stated has none until their checksums are made."""
    return "size not measured yet" if record.file_count and not record.size else size(record.size)


@register.filter
def count(number: int | None) -> str:
    """A whole number with a narrow space between thousands, as quantities are written."""
    return "0" if number is None else f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


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
def short_checksum(digest: str) -> str:
    """The first and last digits of a checksum, enough to compare by eye."""
    return digest if len(digest) <= 16 else f"{digest[:8]}…{digest[-4:]}"


@dataclass(frozen=True)
class ParameterRow:
    """One line of a metadata table: `key` is (group, name); `as_given` is empty where it says the same as `text`."""

    key: tuple[str, str]
    label: str
    text: str
    as_given: str
    source: str
    is_corrected: bool


@dataclass(frozen=True)
class ParameterGroup:
    """Values under one title. Vendor groups hold what the instrument wrote beyond the standard names."""

    title: str
    is_vendor: bool
    rows: list[ParameterRow] = field(default_factory=list)


@register.filter
def parameter_groups(parameters: Iterable[ParameterValue]) -> list[ParameterGroup]:
    """The parameters of a record in tables: standard groups in their usual order, then one group for each vendor."""
    groups: dict[tuple[bool, int, str], ParameterGroup] = {}
    for parameter in parameters:
        standard = None if parameter.group else STANDARD_NAMES.get(parameter.name)
        title = parameter.group or (standard.group if standard else "Other")
        order = GROUPS.index(title) if standard else len(GROUPS)
        key = (bool(parameter.group), order, title)
        group = groups.setdefault(key, ParameterGroup(title, bool(parameter.group)))
        group.rows.append(_parameter_row(parameter))
    return [groups[key] for key in sorted(groups)]


@register.filter
def row_count(groups: Iterable[ParameterGroup]) -> int:
    """How many values there are in all groups together."""
    return sum(len(group.rows) for group in groups)


def _parameter_row(parameter: ParameterValue) -> ParameterRow:
    as_given = f"{parameter.text} {parameter.unit}".strip()
    text = _readable_text(parameter, as_given)
    return ParameterRow(
        label=parameter.name if parameter.group else label_for(parameter.name),
        text=text,
        as_given="" if _says_the_same(parameter, text, as_given) else as_given,
        source="AI" if parameter.source == "ai" else parameter.source,
        is_corrected=parameter.is_corrected,
        key=(parameter.group, parameter.name),
    )


def _readable_text(parameter: ParameterValue, as_given: str) -> str:
    """Standard quantities in the unit that people expect; what a vendor named stays as it was written."""
    if parameter.group:
        return as_given
    if parameter.date is not None:
        return f"{format_date(parameter.date, 'j F Y, H:i:s')} {parameter.date.tzname() or ''}".strip()
    if parameter.value_si is None:
        return as_given
    return units.format_quantity(parameter.value_si, parameter.unit_si)


def _says_the_same(parameter: ParameterValue, text: str, as_given: str) -> bool:
    """Whether the readable text holds all that was given: the same moment, or the same number in whatever unit."""
    if text.split() == as_given.split():
        return True
    if parameter.date is not None:
        return _moment_in(as_given) == parameter.date
    shown = units.parse_quantity(text.replace("\N{NARROW NO-BREAK SPACE}", ""))
    shown_si = units.to_si(*shown) if shown else None
    return (
        shown_si is not None
        and parameter.value_si is not None
        and math.isclose(shown_si.value, parameter.value_si, rel_tol=1e-9)
    )


def _moment_in(text: str) -> datetime | None:
    """The moment that an ISO 8601 text with a zone states; None for every other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


@register.filter
def picture_width(parameters: Iterable[ParameterValue]) -> str:
    """How many metres of the sample a picture spans from left to right, for its scale bar.

    Empty when nobody said, and where the preview is no picture but a curve, so that there is no `image_width`.
    """
    values: dict[str, float] = {}
    for parameter in parameters:
        is_wanted = parameter.source == "person" or parameter.name not in values
        if not parameter.group and parameter.value_si is not None and is_wanted:
            values[parameter.name] = parameter.value_si
    if "image_width" not in values:
        return ""
    if "pixel_size_x" in values:
        return repr(values["pixel_size_x"] * values["image_width"])
    width = values.get("field_of_view_x") or values.get("field_of_view")
    return repr(width) if width else ""


@dataclass(frozen=True)
class Change:
    """One value of an audit entry; None on the side where the value did not exist."""

    name: str
    before: Any
    after: Any


@register.filter
def changes(entry: AuditEntry) -> list[Change]:
    """What an audit entry changed, by name."""
    names = sorted({*entry.before, *entry.after})
    return [Change(name, entry.before.get(name), entry.after.get(name)) for name in names]


@register.filter
def json_ld(document: dict[str, Any] | None) -> SafeString | str:
    """A JSON-LD document as a script element that no value in it can close."""
    if not document:
        return ""
    text = json.dumps(document, ensure_ascii=False, indent=1)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 - escaped above


@register.filter
def folder(name: str) -> str:
    """The folder of a file's path within its dataset, empty at the top."""
    return name.rpartition("/")[0]


@register.filter
def file_name(name: str) -> str:
    """The last part of a file's path within its dataset."""
    return name.rpartition("/")[2]


@register.simple_tag
def query_with(query: QueryDict | None = None, /, **changes: Any) -> str:
    """The query string of `query` with each named parameter replaced; `None` or an empty text removes it.

    A change of filter or order starts at the first page again, so `cursor` goes unless it is the change.
    """
    changed = _copy(query)
    changed.pop("cursor", None)
    for name, value in changes.items():
        changed.pop(name, None)
        if value not in (None, ""):
            changed[name] = str(value)
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
