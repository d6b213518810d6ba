"""Histograms of numeric parameters: edges that people like to read, in the unit that they chose, with SI inside.

Pure functions over what an `Extent` found. No engine, no page.
"""

import math
from dataclasses import dataclass

from catalogue import units
from search.backends.base import Range

MOST_BINS = 30
DECADES_FOR_LOGARITHM = 3
_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOGARITHMIC_STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))


@dataclass(frozen=True)
class Axis:
    """The bins of a histogram: `edges` in `unit`, ascending, at least two, and the same edges in SI.

    The lowest value lies in the first bin, the highest in the last.
    """

    unit: str
    edges: tuple[float, ...]
    edges_si: tuple[float, ...]
    is_logarithmic: bool = False


def axis_of(found: Range, unit_si: str, unit: str, *, bins: int = MOST_BINS) -> Axis | None:
    """The axis for what was found, in SI, to be shown in `unit`; None where there is no value.

    Logarithmic where all values are positive and span more than three decades. A unit of another dimension gives way to
    the one that suits the values.
    """
    if found.low is None or found.high is None:
        return None
    shown = unit_for(unit, unit_si, found.high)
    low, high = (_converted(value, unit_si, shown) for value in (found.low, found.high))
    low, high = min(low, high), max(low, high)
    is_logarithmic = low > 0 and high / low > 10**DECADES_FOR_LOGARITHM
    edges = logarithmic_edges(low, high, bins) if is_logarithmic else linear_edges(low, high, bins)
    edges_si = tuple(_converted(edge, shown, unit_si) for edge in edges)
    return Axis(shown, edges, _widened(edges_si, found.low, found.high), is_logarithmic)


def unit_for(unit: str, unit_si: str, value_si: float) -> str:
    """`unit` where it measures what `unit_si` does, else the one in which people would read the value."""
    if unit and units.convert(1.0, unit_si, unit) is not None:
        return unit
    shown = units.display(value_si, unit_si)[1]
    return "deg" if shown == "°" else shown


def linear_edges(low: float, high: float, bins: int = MOST_BINS) -> tuple[float, ...]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten from below `low` to above `high`, at most `bins` + 1 of them."""
    if not math.isfinite(high - low):
        return (low, high)
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        low, high = _around(low)
    step = _nice_step((high - low) / bins)
    first, last = math.floor(low / step), math.ceil(high / step)
    if last - first > bins:
        step = _nice_step(step * 1.01)
        first, last = math.floor(low / step), math.ceil(high / step)
    return tuple(_rounded(number * step) for number in range(first, max(last, first + 1) + 1))


def logarithmic_edges(low: float, high: float, bins: int = MOST_BINS) -> tuple[float, ...]:
    """Powers of ten and as many numbers between them as `bins` lets, from below `low` to above `high`, both positive."""
    first, last = math.floor(math.log10(low) + 1e-12), math.ceil(math.log10(high) - 1e-12)
    every = max(1, math.ceil((last - first) / bins))
    steps = max((one for one in _LOGARITHMIC_STEPS if len(one) * (last - first) <= bins), key=len, default=(1.0,))
    exponents = range(first, last + every, every)
    edges = [_rounded(step * 10.0**exponent) for exponent in exponents for step in steps]
    start = max((number for number, edge in enumerate(edges) if edge <= low), default=0)
    end = next((number for number, edge in enumerate(edges) if edge >= high), len(edges) - 1)
    return tuple(edges[start : max(end, start + 1) + 1])


def _nice_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 0.0
    if power == 0 or not math.isfinite(power):
        return max(raw, 5e-324)
    return next((step * power for step in _NICE_STEPS if step * power >= raw * (1 - 1e-9)), 10 * power)


def _around(value: float) -> tuple[float, float]:
    """A little room about a single value."""
    room = abs(value) * 0.05 or 1.0
    return value - room, value + room


def _rounded(value: float) -> float:
    return float(f"{value:.12g}")


def _converted(value: float, from_unit: str, to_unit: str) -> float:
    converted = units.convert(value, from_unit, to_unit)
    return value if converted is None else converted


def _widened(edges_si: tuple[float, ...], low: float, high: float) -> tuple[float, ...]:
    """Outer edges that no rounding of a conversion puts inside the values."""
    return (min(edges_si[0], low), *edges_si[1:-1], max(edges_si[-1], high))
