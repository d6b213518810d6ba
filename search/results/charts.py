"""Histograms as bars in a drawing of fixed size, for SVG that the server writes: no script, no style attribute.

Geometry and texts only: counts and axes come from elsewhere, templates write the elements.
"""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from catalogue import units
from search.question.numbers import Axis
from search.question.parameters import Interval

WIDTH, HEIGHT = 300, 64
LOWEST_BAR = 2
GAP = 1
MOST_MONTHS = 36
MONTHS_OF_YEAR = 12


@dataclass(frozen=True)
class Bar:
    """One bar, in units of the drawing. `low` and `high` are what the two inputs hold when this bar alone is chosen."""

    x: float
    y: float
    width: float
    height: float
    low: str
    high: str
    text: str
    is_chosen: bool


@dataclass(frozen=True)
class Chart:
    """Bars from left to right; `text` says for readers without sight what the drawing shows."""

    bars: tuple[Bar, ...]
    first: str
    last: str
    text: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class _Bin:
    low: str
    high: str
    label: str
    count: int
    is_chosen: bool


def chart_of_numbers(axis: Axis, counts: Sequence[int], wanted: Interval | None, label: str) -> Chart:
    """The bins of `axis`; those that overlap `wanted` are chosen, all of them where nothing is."""
    low, high = _bounds(axis, wanted)
    bins = [
        _Bin(
            low=_number(start),
            high=_number(end),
            label=f"{_number(start)} to {_number(end)} {axis.unit}".rstrip(),
            count=count,
            is_chosen=(low is None or end > low) and (high is None or start < high),
        )
        for start, end, count in zip(axis.edges, axis.edges[1:], counts, strict=False)
    ]
    first, last = (f"{_number(edge)} {axis.unit}".rstrip() for edge in (axis.edges[0], axis.edges[-1]))
    return _chart(bins, first=first, last=last, label=label)


def chart_of_months(counts: Mapping[int, int], first: date | None, last: date | None) -> Chart | None:
    """Counts by month (yyyymm) as months, or as years where these are many; None where there is only one of them."""
    if not counts:
        return None
    months = _months(min(counts), max(counts))
    if len(months) > MOST_MONTHS:
        spans = [
            (date(year, 1, 1), date(year, 12, 31), str(year))
            for year in range(min(counts) // 100, max(counts) // 100 + 1)
        ]
    else:
        spans = [
            (date(year, month, 1), _last_day(year, month), f"{calendar.month_name[month]} {year}")
            for year, month in months
        ]
    if len(spans) < 2:
        return None
    bins = [
        _Bin(
            low=begin.isoformat(),
            high=end.isoformat(),
            label=label,
            count=sum(count for month, count in counts.items() if begin <= date(month // 100, month % 100, 1) <= end),
            is_chosen=(first is None or end >= first) and (last is None or begin <= last),
        )
        for begin, end, label in spans
    ]
    return _chart(bins, first=bins[0].label, last=bins[-1].label, label="Measured")


def _chart(bins: Sequence[_Bin], *, first: str, last: str, label: str) -> Chart:
    step = WIDTH / max(len(bins), 1)
    tallest = max((one.count for one in bins), default=0) or 1
    bars = tuple(
        Bar(
            x=round(place * step, 2),
            y=round(HEIGHT - _height(one.count, tallest), 2),
            width=round(max(step - GAP, step * 0.5), 2),
            height=round(_height(one.count, tallest), 2),
            low=one.low,
            high=one.high,
            text=f"{one.label}: {one.count}",
            is_chosen=one.is_chosen,
        )
        for place, one in enumerate(bins)
    )
    return Chart(bars, first, last, _summary(bins, label, first, last))


def _height(count: int, tallest: int) -> float:
    return max(count / tallest * HEIGHT, LOWEST_BAR) if count else 0


def _summary(bins: Iterable[_Bin], label: str, first: str, last: str) -> str:
    fullest = max(bins, key=lambda one: one.count)
    return f"{label}, from {first} to {last}; most datasets, {fullest.count}, at {fullest.label}"


def _bounds(axis: Axis, wanted: Interval | None) -> tuple[float | None, float | None]:
    if wanted is None:
        return None, None
    return _in_unit(wanted.low, wanted.unit, axis.unit), _in_unit(wanted.high, wanted.unit, axis.unit)


def _in_unit(number: float | None, unit: str, other: str) -> float | None:
    return None if number is None else units.convert(number, unit, other)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _months(first: int, last: int) -> list[tuple[int, int]]:
    begin, end = ((month // 100) * MONTHS_OF_YEAR + month % 100 - 1 for month in (first, last))
    return [(month // MONTHS_OF_YEAR, month % MONTHS_OF_YEAR + 1) for month in range(begin, end + 1)]


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
