"""Query <- URL and JSON. Nothing raises: what is not understood is left out, and a friendly note says so.

The text that people type is kept as it is here; `parsing` reads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.http import QueryDict

from catalogue.access import Principal
from search.question.parameters import ParameterRange, number_text, parse_interval, range_for, standard_names_for
from search.question.query import ACCESS_CHOICES, PAGE_SIZE, PARAMETER_PREFIX, SELECTIONS, SORTS, Histogram, Query

LONGEST_TEXT = 300
LONGEST_VALUE = 500
LONGEST_CURSOR = 1000
MOST_VALUES = 20
MOST_RANGES = 10
LARGEST_PAGE = 100
WHOLE_CONFIDENCE = (0, 100)

Values = Mapping[str, list[str]]


@dataclass(frozen=True)
class Parsed:
    """A query and the friendly notes about what was not understood and left out."""

    query: Query
    notes: tuple[str, ...] = ()


def parse_query(parameters: QueryDict | Values, principal: Principal) -> Parsed:
    """Read URL parameters.

    A range is one parameter, `p.NAME=5..10 kV`, or the three of a plain form: `p.NAME.from`, `p.NAME.to`, `p.NAME.unit`.
    """
    values: Values = dict(parameters.lists()) if isinstance(parameters, QueryDict) else dict(parameters)
    notes: list[str] = []
    query = Query(
        principal=principal,
        text=_first(values, "q").strip()[:LONGEST_TEXT],
        selections=tuple((facet, chosen) for facet in SELECTIONS if (chosen := _several(values, facet))),
        confidence=_confidence(values, notes),
        ranges=_ranges(values, notes),
        existing=tuple(dict.fromkeys(_parameter_name(name) for name in _several(values, "has"))),
        access=_choice(values, "access", ACCESS_CHOICES, notes),
        acquired_from=_day(values, "from", notes),
        acquired_to=_day(values, "to", notes),
        sort=_choice(values, "sort", SORTS, notes),
        view=_choice(values, "view", ("grid",), notes) if _first(values, "view") != "list" else "",
        histograms=_histograms(values),
        like=_uid(values, notes),
        size=_size(values, notes),
        cursor=_first(values, "cursor")[:LONGEST_CURSOR],
    )
    if query.sort == query.usual_order:
        query = replace(query, sort="")
    return Parsed(query, tuple(notes))


def query_from_json(body: Any, principal: Principal) -> Parsed:
    """Read the form that `Query.to_json` writes. What has another shape is left out, with a note."""
    if not isinstance(body, Mapping):
        return Parsed(Query(principal=principal), ("A query is a JSON object; this one was left out.",))
    notes: list[str] = []
    values: dict[str, list[str]] = {}
    for name, value in body.items():
        reader = _JSON_READERS.get(name)
        found = reader(value) if reader else None
        if found is None:
            notes.append(f"“{str(name)[:40]}” was not understood; it was left out.")
        else:
            values.update(found)
    parsed = parse_query(values, principal)
    return Parsed(parsed.query, (*notes, *parsed.notes))


def _plain(name: str) -> Any:
    return lambda value: {name: [str(value)]} if isinstance(value, str | int) and not isinstance(value, bool) else None


def _texts(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return list(value) if is_list else None


def _list_of(name: str) -> Any:
    return lambda value: None if (texts := _texts(value)) is None else {name: texts}


def _filters(value: Any) -> dict[str, list[str]] | None:
    if not isinstance(value, Mapping) or not all(facet in SELECTIONS for facet in value):
        return None
    chosen = {facet: _texts(values) for facet, values in value.items()}
    return None if None in chosen.values() else {facet: texts or [] for facet, texts in chosen.items()}


def _bounds(value: Any) -> str | None:
    """`{"from": 5, "to": 10, "unit": "kV"}` as "5..10 kV"; a text as it is."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or not set(value) <= {"from", "to", "unit"}:
        return None
    low, high, unit = value.get("from"), value.get("to"), value.get("unit", "")
    is_number = all(one is None or (isinstance(one, int | float) and not isinstance(one, bool)) for one in (low, high))
    if not is_number or not isinstance(unit, str):
        return None
    return f"{number_text(low)}..{number_text(high)} {unit}".rstrip()


def _confidence_json(value: Any) -> dict[str, list[str]] | None:
    text = _bounds(value)
    return None if text is None else {"confidence": [text]}


def _parameters_json(value: Any) -> dict[str, list[str]] | None:
    if not isinstance(value, Mapping):
        return None
    texts = {f"{PARAMETER_PREFIX}{name}": _bounds(bounds) for name, bounds in value.items()}
    return None if None in texts.values() else {name: [text or ""] for name, text in texts.items()}


def _measured_json(value: Any) -> dict[str, list[str]] | None:
    if not isinstance(value, Mapping) or not set(value) <= {"from", "to"}:
        return None
    return {name: [str(day)] for name, day in value.items()}


_JSON_READERS: Mapping[str, Any] = {
    "text": _plain("q"),
    "filters": _filters,
    "confidence": _confidence_json,
    "parameters": _parameters_json,
    "has": _list_of("has"),
    "access": _plain("access"),
    "measured": _measured_json,
    "like": _plain("like"),
    "sort": _plain("sort"),
    "histograms": _list_of("histogram"),
    "size": _plain("size"),
    "cursor": _plain("cursor"),
}


def _first(values: Values, name: str) -> str:
    return _clean(next(iter(values.get(name) or [""])))


def _clean(text: str) -> str:
    """Without what no database and no engine takes: zero bytes and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _several(values: Values, name: str) -> tuple[str, ...]:
    cleaned = (_clean(value)[:LONGEST_VALUE] for value in values.get(name, ()))
    return tuple(dict.fromkeys(value for value in cleaned if value))[:MOST_VALUES]


def _choice(values: Values, name: str, choices: Iterable[str], notes: list[str]) -> str:
    value = _first(values, name)
    if value and value not in choices:
        notes.append(f"“{name}” can be {', '.join(choices)}; it was left out.")
        return ""
    return value


def _day(values: Values, name: str, notes: list[str]) -> date | None:
    text = _first(values, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        notes.append(f"“{text[:40]}” is no date such as 2026-05-03; it was left out.")
        return None


def _uid(values: Values, notes: list[str]) -> str:
    text = _first(values, "like")
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        notes.append(f"“{text[:40]}” names no dataset; it was left out.")
        return ""


def _size(values: Values, notes: list[str]) -> int:
    text = _first(values, "size")
    if not text:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        notes.append(f"A page has 1 to {LARGEST_PAGE} datasets; it has {PAGE_SIZE} here.")
        return PAGE_SIZE
    return int(text)


def _confidence(values: Values, notes: list[str]) -> tuple[int, int] | None:
    """In percent; a single number is the least."""
    text = _interval_text(values, "confidence")
    if not text:
        return None
    interval = parse_interval(text.replace("%", ""))
    if interval is None:
        notes.append(f"“{text[:40]}” is no confidence such as 80..100; it was left out.")
        return None
    is_open = interval.high is None or interval.is_single
    bounds = (0.0 if interval.low is None else interval.low, 100.0 if is_open else interval.high or 0.0)
    low, high = (round(min(max(bound, 0), 100)) for bound in bounds)
    return (low, high) if (low, high) != WHOLE_CONFIDENCE else None


def _ranges(values: Values, notes: list[str]) -> tuple[ParameterRange, ...]:
    names = dict.fromkeys(_name_in_url(name, values) for name in values if name.startswith(PARAMETER_PREFIX))
    found: dict[str, ParameterRange] = {}
    for name in list(names)[:MOST_RANGES]:
        text = _interval_text(values, PARAMETER_PREFIX + name)
        interval = parse_interval(text) if text else None
        wanted, note = range_for(_parameter_name(name), interval) if interval else (None, "")
        if text and interval is None:
            note = f"“{text[:40]}” is no range such as 5..10 kV; it was left out."
        notes.extend([note] if note else [])
        if wanted:
            found[wanted.name] = wanted
    return tuple(found[name] for name in sorted(found))


def _name_in_url(name: str, values: Values) -> str:
    """The parameter in `p.NAME`, or in `p.NAME.from` and its like where these are fields of a form."""
    name = name.removeprefix(PARAMETER_PREFIX)
    stem, _, part = name.rpartition(".")
    return stem if stem and part in ("from", "to", "unit") else name


def _interval_text(values: Values, name: str) -> str:
    whole = _first(values, name).strip()
    if whole:
        return whole
    low, high, unit = (_first(values, f"{name}.{part}").strip() for part in ("from", "to", "unit"))
    return f"{low}..{high} {unit}".rstrip() if low or high else ""


def _parameter_name(text: str) -> str:
    """The standard name that is meant, or the name as it is: a vendor's own."""
    return next(iter(standard_names_for(text)), text)


def _histograms(values: Values) -> tuple[Histogram, ...]:
    found: dict[str, Histogram] = {}
    for text in _several(values, "histogram")[:MOST_RANGES]:
        name, _, unit = text.partition("|")
        found.setdefault(_parameter_name(name), Histogram(_parameter_name(name), unit[:40]))
    return tuple(found.values())
