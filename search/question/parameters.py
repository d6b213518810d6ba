"""Numeric parameters as people name and write them: "voltage", "5..10 kV", ">300", "0.5 Å" become a range of one parameter in SI.

Units come from `catalogue.units`, names from the catalogue's standard names. No engine and no query here.
"""

import re
from dataclasses import dataclass
from functools import cache

from catalogue import units
from catalogue.vocabularies.standard_names import STANDARD_NAMES
from search.clauses import ParameterBetween
from search.fields import parameter_key

LONGEST_NAME = 200
LONGEST_RANGE = 120
# A single number stands for what is within half a per cent of it: instruments write 4.998 kV where people say 5.
NEARLY_EQUAL = 0.005

# What people call standard parameters beside their names and labels; several are alternatives.
_ALIASES = {
    "voltage": ("accelerating_voltage",),
    "ht": ("accelerating_voltage",),
    "hv": ("accelerating_voltage",),
    "eht": ("accelerating_voltage",),
    "kv": ("accelerating_voltage",),
    "acceleration voltage": ("accelerating_voltage",),
    "beam energy": ("accelerating_voltage", "photon_energy"),
    "wd": ("working_distance",),
    "mag": ("magnification",),
    "fov": ("field_of_view",),
    "hfw": ("field_of_view",),
    "pixel": ("pixel_size_x",),
    "pixel size": ("pixel_size_x",),
    "pixelsize": ("pixel_size_x",),
    "resolution": ("pixel_size_x", "energy_resolution"),
    "voxel": ("pixel_size_x",),
    "voxel size": ("pixel_size_x",),
    "energy": ("photon_energy",),
    "lambda": ("wavelength",),
    "flux": ("photon_flux",),
    "current": ("beam_current", "emission_current", "source_current"),
    "probe current": ("beam_current",),
    "aperture": ("aperture_diameter",),
    "spot": ("spot_size",),
    "temperature": ("sample_temperature",),
    "temp": ("sample_temperature",),
    "pressure": ("chamber_pressure", "sample_pressure"),
    "vacuum": ("chamber_pressure",),
    "field": ("magnetic_field",),
    "tilt": ("stage_tilt",),
    "rotation": ("stage_rotation", "rotation_angle"),
    "exposure": ("exposure_time",),
    "dwell": ("dwell_time",),
    "distance": ("working_distance", "detector_distance"),
    "thickness": ("sample_thickness",),
    "frames": ("frame_count",),
    "width": ("image_width",),
    "height": ("image_height",),
    "q": ("q_min", "q_max"),
    "transmission": ("attenuator_transmission", "sample_transmission"),
}
_JOINTS = re.compile(r"[\s_.\-]+")
_TO = re.compile(r"\s*(?:\.\.+|…|\bto\b|(?<=\d)\s*[–—]\s*(?=[\d.+-])|\s-\s|(?<=[\d])-(?=\d))\s*")
_COMPARISON = re.compile(r"(<=|>=|=<|=>|≤|≥|<|>|=)\s*")


def standard_names_for(text: str) -> tuple[str, ...]:
    """The standard numeric names that somebody who writes `text` may mean; none where there is none."""
    return _by_folded_name().get(_folded_name(text), ())


@dataclass(frozen=True)
class KnownParameter:
    """A standard numeric parameter for people: `names` are what they may write, `unit` is that of a plain number."""

    name: str
    label: str
    group: str
    unit: str
    names: tuple[str, ...]


def known_parameters() -> list[KnownParameter]:
    """All that can be searched by name, in the order of the standard names."""
    return [
        KnownParameter(
            name=standard.name,
            label=standard.label,
            group=standard.group,
            unit=standard.display_unit or "",
            names=(standard.name, *(alias for alias, names in _ALIASES.items() if standard.name in names)),
        )
        for standard in STANDARD_NAMES.values()
        if standard.unit is not None and not standard.is_private
    ]


@cache
def _by_folded_name() -> dict[str, tuple[str, ...]]:
    table = {_folded_name(alias): names for alias, names in _ALIASES.items()}
    for standard in STANDARD_NAMES.values():
        if standard.unit is not None and not standard.is_private:
            table.setdefault(_folded_name(standard.label), (standard.name,))
            table[_folded_name(standard.name)] = (standard.name,)
    return table


def _folded_name(text: str) -> str:
    return _JOINTS.sub("", text[:LONGEST_NAME]).lower()


def key_of(name: str, unit: str = "") -> str:
    """The index's key of a parameter called `name` (`group/name` for a vendor's own) whose values are given in `unit`."""
    standard = STANDARD_NAMES.get(name)
    if standard:
        return parameter_key("", name, standard.unit or "")
    in_si = units.to_si(1.0, unit)
    return parameter_key("", name, in_si.unit if in_si else "")


def name_of(key: str) -> tuple[str, str]:
    """Name and SI unit in a parameter key."""
    name, _, unit = key.rpartition("|")
    return (name, unit) if name else (unit, "")


def display_unit_of(name: str) -> str:
    """The unit that people expect of a standard parameter, "" of all others."""
    standard = STANDARD_NAMES.get(name)
    return (standard.display_unit or "") if standard else ""


def units_for(name: str, unit: str) -> list[str]:
    """The units to offer where values of `name` are shown in `unit`: all of its dimension, `unit` among them."""
    in_si = units.to_si(1.0, unit)
    offered = units.known_units(in_si.dimension) if in_si else []
    return offered if unit in offered else [unit, *offered]


@dataclass(frozen=True)
class Interval:
    """Two bounds in `unit`, both included; None is no bound. Equal bounds stand for what is nearly that number."""

    low: float | None
    high: float | None
    unit: str = ""

    @property
    def is_single(self) -> bool:
        return self.low is not None and self.low == self.high

    def text(self) -> str:
        numbers = number_text(self.low) if self.is_single else f"{number_text(self.low)}..{number_text(self.high)}"
        return f"{numbers} {self.unit}".rstrip()

    def in_si(self) -> tuple[float | None, float | None]:
        low, high = (_si_value(bound, self.unit) for bound in (self.low, self.high))
        if self.is_single and low is not None and high is not None:
            return low - abs(low) * NEARLY_EQUAL, high + abs(high) * NEARLY_EQUAL
        return (high, low) if low is not None and high is not None and low > high else (low, high)


@dataclass(frozen=True)
class ParameterRange:
    """A condition on the numeric parameter `name`: a standard name, or `group/name` as a vendor calls it."""

    name: str
    interval: Interval

    @property
    def key(self) -> str:
        return key_of(self.name, self.interval.unit)


def range_clause(wanted: ParameterRange) -> ParameterBetween:
    return ParameterBetween(wanted.key, *wanted.interval.in_si())


def label_of(name: str) -> str:
    standard = STANDARD_NAMES.get(name)
    return standard.label if standard else name.rpartition("/")[2]


def parse_interval(text: str) -> Interval | None:
    """Read "5..10 kV", "500 V .. 10 kV", ">5kV", "5.. kV", "≤ 3" or "5 kV"; None where it is none of these.

    The unit of the upper bound, or else of the lower one, is that of the interval. A comparison includes its bound.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_RANGE:
        return None
    comparison = _COMPARISON.match(text)
    if comparison:
        return _compared(comparison[1], text[comparison.end() :])
    pieces = _TO.split(text, maxsplit=1)
    if len(pieces) == 1:
        quantity = units.parse_quantity(text)
        return _interval(quantity[0], quantity[0], quantity[1]) if quantity else None
    return _between(pieces[0].strip(), pieces[1].strip())


def _compared(sign: str, text: str) -> Interval | None:
    quantity = units.parse_quantity(text)
    if quantity is None:
        return None
    number, unit = quantity
    if sign == "=":
        return _interval(number, number, unit)
    return _interval(None, number, unit) if sign in ("<", "<=", "=<", "≤") else _interval(number, None, unit)


def _between(low_text: str, high_text: str) -> Interval | None:
    low, high = units.parse_quantity(low_text), units.parse_quantity(high_text)
    if low and not high and units.to_si(1.0, high_text):
        return _interval(low[0], None, high_text or low[1])
    if high is None or (low is None and low_text):
        return None
    if low is None:
        return _interval(None, high[0], high[1])
    unit = high[1] or low[1]
    in_unit = units.convert(low[0], low[1], unit) if low[1] else low[0]
    if in_unit is None:
        return None
    return _interval(min(in_unit, high[0]), max(in_unit, high[0]), unit)


def _interval(low: float | None, high: float | None, unit: str) -> Interval:
    """With the numbers that its text can say, so that an address and the query in it are one."""
    low, high = (None if bound is None else float(number_text(bound)) for bound in (low, high))
    return Interval(low, high, unit)


def range_for(name: str, interval: Interval) -> tuple[ParameterRange | None, str]:
    """The interval as a condition on `name`, or None; and a note where something was assumed or does not fit.

    A plain number is read in the unit that people expect of a standard parameter.
    """
    standard = STANDARD_NAMES.get(name)
    if standard is None or not standard.unit:
        is_fitting = standard is None or not interval.unit or _dimension(interval.unit) == "dimensionless"
        return (ParameterRange(name, interval), "") if is_fitting else (None, _misfit(name, interval.unit))
    if not interval.unit:
        assumed = Interval(interval.low, interval.high, standard.display_unit or standard.unit)
        return ParameterRange(name, assumed), f"{standard.label} was read in {assumed.unit}."
    if _dimension(interval.unit) != _dimension(standard.unit):
        return None, _misfit(name, interval.unit)
    return ParameterRange(name, interval), ""


def _misfit(name: str, unit: str) -> str:
    standard = STANDARD_NAMES[name]
    if not standard.unit:
        return f"{standard.label} is a plain number, not one in {unit[:20]}; the condition was left out."
    fitting = " or ".join(units.known_units(_dimension(standard.unit)) or [standard.unit])
    return f"{standard.label} is not measured in {unit[:20]} but in {fitting}; the condition was left out."


def _dimension(unit: str) -> str:
    in_si = units.to_si(1.0, unit)
    return in_si.dimension if in_si else ""


def _si_value(number: float | None, unit: str) -> float | None:
    in_si = units.to_si(number, unit) if number is not None else None
    return in_si.value if in_si else None


def number_text(number: float | None) -> str:
    """A number as people write it, twelve significant digits, "" for None."""
    return "" if number is None else f"{number:.12g}"
