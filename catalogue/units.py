"""Units of measurement: into SI for search and comparison, out of SI for people.

What instruments write is read by a small grammar of our own (names, powers, `*` and `/`); only single unit names that
passed it reach pint, and no text of a user is ever evaluated. Every result is cached by unit text, so that bulk
registration pays a dictionary look-up per value. Pure functions: no Django, no knowledge of parameters' names.

Decisions where texts are ambiguous:

* `A` is the ampere, except alone with a negative power (`1/A`, `A^-1`): NeXus files write scattering vectors so, and
  nobody gives anything per ampere.
* Å is understood in every spelling (two code points, decomposed, `Ang`, `Angstrom(s)`), and so is µ.
* `C` is the coulomb. Degrees Celsius are `degC`, `°C` or `Celsius`, with the offset where the value is a temperature,
  without it in compounds such as `degC/min`.
* Energies are joules in SI, yet shown in eV up to 12 GeV: what instruments here call energy is a particle's.
* Angles are radians in SI and shown in degrees.
* No unit, `NA`, `unitless` and the like mean a plain number. Counts and pixels keep a unit of their own, so that
  `nm/px` is not mistaken for a length.
* A unit that nobody knows gives None, never an exception; so does a value that is not finite.
"""

import math
import re
import unicodedata
from functools import cache, lru_cache
from typing import Any, NamedTuple


class SIValue(NamedTuple):
    """A number in SI with its unit symbol ("" for plain numbers) and a label of its dimension."""

    value: float
    unit: str
    dimension: str


class _Unit(NamedTuple):
    """How a unit becomes SI: value * factor + offset, in `si_unit`."""

    factor: float
    offset: float
    si_unit: str
    dimension: str


LONGEST_UNIT = 64
LONGEST_QUANTITY = 100

# Dimension label, SI symbol, units offered in selects; the symbol's own base units tell the dimension.
_DIMENSIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("dimensionless", "", ("", "%")),
    ("length", "m", ("m", "cm", "mm", "µm", "nm", "Å", "pm")),
    ("area", "m^2", ("m^2", "mm^2", "µm^2", "nm^2")),
    ("volume", "m^3", ("m^3", "mL", "µL", "nm^3")),
    ("inverse length", "1/m", ("1/nm", "1/Å", "1/cm", "1/m")),
    ("time", "s", ("s", "ms", "µs", "ns", "ps", "fs", "min", "h")),
    ("frequency", "1/s", ("Hz", "kHz", "MHz", "GHz", "THz")),
    ("mass", "kg", ("kg", "g", "mg", "µg")),
    ("current", "A", ("A", "mA", "µA", "nA", "pA")),
    ("voltage", "V", ("V", "kV", "mV", "MV")),
    ("power", "W", ("W", "mW", "kW")),
    ("energy", "J", ("eV", "keV", "MeV", "GeV", "J", "mJ", "µJ")),
    ("pressure", "Pa", ("Pa", "mbar", "bar", "Torr", "kPa", "MPa", "GPa")),
    ("temperature", "K", ("K", "degC")),
    ("heating rate", "K/s", ("K/s", "K/min")),
    ("amount of substance", "mol", ("mol", "mmol")),
    ("concentration", "mol/m^3", ("mol/L", "mmol/L", "mol/m^3")),
    ("mass concentration", "kg/m^3", ("mg/mL", "g/L", "kg/m^3")),
    ("magnetic flux density", "T", ("T", "mT", "G")),
    ("electric charge", "C", ("C", "µC", "nC")),
    ("electric field", "V/m", ("V/m", "kV/cm")),
    ("resistance", "ohm", ("ohm", "kohm", "Mohm")),
    ("force", "N", ("N", "mN", "µN", "nN")),
    ("velocity", "m/s", ("m/s", "mm/s", "µm/s")),
    ("angle", "rad", ("deg", "rad", "mrad", "µrad")),
    ("angular velocity", "rad/s", ("deg/s", "rad/s")),
    ("solid angle", "sr", ("sr",)),
    ("counts", "count", ("count",)),
    ("count rate", "count/s", ("count/s",)),
    ("pixels", "px", ("px",)),
    ("pixel size", "m/px", ("nm/px", "µm/px", "mm/px")),
)

_PLAIN_NUMBER = _Unit(1.0, 0.0, "", "dimensionless")
_THOUSAND = _Unit(1000.0, 0.0, "", "dimensionless")
_PLAIN_WORDS = ["none", "null", "unitless", "dimensionless", "any", "arb", "arb.", "a.u.", "arbitrary"]
# Matched as they stand: "nA" is a current, "NA" is none.
_WHOLE_TEXTS = {
    **dict.fromkeys(("", "-", "1", "NA", "na", "N/A", "n/a", "X", "x", "pH", "arb. units"), _PLAIN_NUMBER),
    **dict.fromkeys(("K X", "KX", "k x", "kx", "kX", "k X"), _THOUSAND),
    "%": _Unit(0.01, 0.0, "", "dimensionless"),
    **dict.fromkeys(("1/A", "A^-1", "A-1", "A⁻¹"), _Unit(1e10, 0.0, "1/m", "inverse length")),
    **dict.fromkeys(("1/A^2", "A^-2", "A-2", "A⁻²"), _Unit(1e20, 0.0, "1/m^2", "other")),
}
_KELVIN_OFFSETS = {"degree_Celsius": 273.15, "degree_Fahrenheit": 459.67 * 5 / 9}
_KELVIN_FACTORS = {"degree_Celsius": 1.0, "degree_Fahrenheit": 5 / 9}
_NAME_ALIASES = {
    **dict.fromkeys(("Å", "A°", "Ang", "ang", "Angs", "Angstroem", "angstroem", "Angstrom", "Angstroms"), "angstrom"),
    **dict.fromkeys(("°C", "degC", "deg_C", "Celsius", "celsius", "℃"), "degree_Celsius"),
    **dict.fromkeys(("°F", "degF", "deg_F", "Fahrenheit", "fahrenheit"), "degree_Fahrenheit"),
    **dict.fromkeys(("°", "Deg", "DEG", "degs"), "degree"),
    **dict.fromkeys(("px", "pix", "pixels", "Pixel", "pel"), "pixel"),
    **dict.fromkeys(("counts", "ct", "cts", "cnt", "cnts", "Counts", "photons", "ph", "electrons", "e"), "count"),
    **dict.fromkeys(("KV", "Kv", "kv"), "kV"),
    **dict.fromkeys(("KeV", "Kev", "kev", "KEV"), "keV"),
    **dict.fromkeys(("ev", "EV", "Ev"), "eV"),
    **dict.fromkeys(("sec", "Sec", "secs", "SEC"), "second"),
    **dict.fromkeys(("Ω", "Ohms"), "ohm"),
    "MM": "mm",
    "um": "micrometer",
}
# pint keeps gauss in another system of units, where it is no tesla.
_TESLA_FACTORS = {"G": 1e-4, "gauss": 1e-4, "Gauss": 1e-4, "mG": 1e-7, "kG": 0.1, "Oe": 1e-4}
# Names that pint reads as constants of nature, which no instrument means by a unit.
_CONSTANTS = frozenset({"c", "k", "R", "hbar", "pi", "speed_of_light", "boltzmann_constant"})
_BASE_SYMBOLS = {
    "kilogram": "kg", "meter": "m", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol", "candela": "cd",
    "radian": "rad", "pixel": "px",
}  # fmt: skip

_TERM = re.compile(r"(?P<name>[^\W\d]+|°[CF]?|A°|%)(?:(?:\^|\*\*)?(?P<power>[+-]?\d))?(?!\d)")
_OPERATOR = re.compile(r"\s*(?P<slash>/)\s*|\s*[*·⋅]\s*|\s*\.(?!\d)\s*|\s+")
_DENOMINATOR_IN_BRACKETS = re.compile(r"/\s*\(([^()]*)\)\s*$")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_NUMBER = re.compile(
    r"(?P<number>[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d{1,3})?)(?![\d.,])\s*(?P<unit>.*)", re.DOTALL | re.ASCII
)


def to_si(value: float, unit: str | None) -> SIValue | None:
    """The value in SI, or None where the unit is unknown or the value is no finite number."""
    resolved = _resolve(unit)
    if resolved is None:
        return None
    try:
        si_value = _without_noise(value * resolved.factor + resolved.offset)
    except (TypeError, ValueError, OverflowError):
        return None
    return SIValue(si_value, resolved.si_unit, resolved.dimension) if math.isfinite(si_value) else None


def convert(value: float, from_unit: str | None, to_unit: str | None) -> float | None:
    """The value in another unit of the same dimension; None where a unit is unknown or the dimensions differ."""
    in_si, target = to_si(value, from_unit), _resolve(to_unit)
    if in_si is None or target is None or in_si.unit != target.si_unit:
        return None
    return _without_noise((in_si.value - target.offset) / target.factor)


def known_units(dimension: str) -> list[str]:
    """Units to offer for a dimension, most usual first; empty for a label that is not known."""
    return next((list(units) for label, _, units in _DIMENSIONS if label == dimension), [])


def parse_quantity(text: str) -> tuple[float, str] | None:
    """Split a text such as "5 kV" or "50.00 K X" into its number and its unit as given.

    A single comma is read as a decimal comma, except before exactly three digits, where it may as well part
    thousands: a missing number is better than one that is wrong by a thousand. Returns None for all that is not a
    finite number followed by a known unit or by none.
    """
    if not isinstance(text, str) or len(text) > LONGEST_QUANTITY:
        return None
    match = _NUMBER.fullmatch(text.strip())
    number = _number_from(match["number"]) if match else None
    if match is None or number is None or not math.isfinite(number):
        return None
    unit = match["unit"].strip()
    return (number, unit) if _resolve(unit) else None


def display(value_si: float, unit_si: str) -> tuple[float, str]:
    """A value in SI as people like to read it: 0.0081 m becomes (8.1, "mm"), radians become degrees."""
    if not math.isfinite(value_si):
        return value_si, unit_si
    for limit, unit in _display_choices(unit_si, value_si):
        if abs(value_si) >= limit:
            converted = convert(value_si, unit_si, unit)
            return (value_si, unit_si) if converted is None else (converted, "°" if unit == "deg" else unit)
    return _without_noise(value_si), unit_si


def format_quantity(value_si: float, unit_si: str, digits: int = 4) -> str:
    """A value in SI as text with its unit, such as "8.1 mm" or "50 000", to so many significant digits.

    Temperatures have at least five, so that 25 °C reads 298.15 K.
    """
    value, unit = display(value_si, unit_si)
    digits = max(digits, 5) if unit == "K" else digits
    number = _format_number(value, digits)
    if not unit:
        return number
    return f"{number}°" if unit == "°" else f"{number}\N{NO-BREAK SPACE}{_format_unit(unit)}"


def _resolve(unit: str | None) -> _Unit | None:
    if unit is None:
        return _PLAIN_NUMBER
    if type(unit) is not str or len(unit) > LONGEST_UNIT:
        return None
    return _resolve_text(unit)


@lru_cache(maxsize=4096)
def _resolve_text(unit: str) -> _Unit | None:
    text = unicodedata.normalize("NFC", unit).strip().replace("\u03bc", "\u00b5").replace("\N{MINUS SIGN}", "-")
    text = " ".join(text.split())
    if text in _WHOLE_TEXTS:
        return _WHOLE_TEXTS[text]
    if text.lower() in _PLAIN_WORDS:
        return _PLAIN_NUMBER
    text = re.sub(r"(?i)\bdeg(?:rees?)?\.? ?(c|f)(?:elsius|ahrenheit)?\b", lambda m: f"deg{m[1].upper()}", text)
    terms = _terms(text.translate(_SUPERSCRIPTS))
    if not terms:
        return None
    if len(terms) == 1 and terms[0][1] == 1 and _NAME_ALIASES.get(terms[0][0]) in _KELVIN_OFFSETS:
        name = _NAME_ALIASES[terms[0][0]]
        return _Unit(_KELVIN_FACTORS[name], _KELVIN_OFFSETS[name], "K", "temperature")
    return _product(terms)


def _terms(text: str) -> list[tuple[str, int]] | None:
    """Split "kV/cm^2" into [("kV", 1), ("cm", -2)]; None where the text is outside the grammar."""
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    text = _DENOMINATOR_IN_BRACKETS.sub(lambda match: "/" + re.sub(r"\s*[*·.\s]\s*", "/", match[1].strip()), text)
    terms: list[tuple[str, int]] = []
    sign, position = 1, 0
    if text.startswith("1/"):
        sign, position = -1, len(text) - len(text[2:].lstrip())
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            return None
        terms.append((term["name"], sign * int(term["power"] or 1)))
        if term.end() == len(text):
            return terms
        operator = _OPERATOR.match(text, term.end())
        if operator is None:
            return None
        sign, position = (-1 if operator["slash"] else 1), operator.end()
    return None


def _product(terms: list[tuple[str, int]]) -> _Unit | None:
    factor, powers = 1.0, dict[str, float]()
    for name, power in terms:
        single = _single_unit(name)
        if single is None:
            return None
        factor *= single[0] ** power
        for base, base_power in single[1].items():
            powers[base] = powers.get(base, 0) + base_power * power
    key = frozenset((base, power) for base, power in powers.items() if power)
    if not math.isfinite(factor) or factor == 0:
        return None
    si_unit, dimension = _si_units().get(key) or (_symbols(key), "other")
    return _Unit(factor, 0.0, si_unit, dimension)


def _single_unit(name: str) -> tuple[float, dict[str, float]] | None:
    """Factor and base units of one unit name; None where pint does not know it or it is not proportional."""
    if name in _CONSTANTS:
        return None
    if name in _TESLA_FACTORS:
        return _TESLA_FACTORS[name], {"kilogram": 1, "second": -2, "ampere": -1}
    name = _NAME_ALIASES.get(name, name)
    if name in _KELVIN_FACTORS:
        return _KELVIN_FACTORS[name], {"kelvin": 1}
    for candidate in (name, name.lower() if len(name) > 3 else name):
        try:
            one, two = (_registry().Quantity(number, candidate).to_base_units() for number in (1.0, 2.0))
        except (AttributeError, ValueError, TypeError, ArithmeticError):
            continue  # all of pint's errors derive from these
        if math.isclose(two.magnitude, 2 * one.magnitude):
            return float(one.magnitude), {str(base): float(power) for base, power in one.unit_items()}
    return None


@cache
def _registry() -> Any:
    import pint  # takes half a second, which commands without units need not pay

    return pint.UnitRegistry(cache_folder=None)


@cache
def _si_units() -> dict[frozenset[tuple[str, float]], tuple[str, str]]:
    """From base units and their powers to the SI symbol and the label of the dimension."""
    table: dict[frozenset[tuple[str, float]], tuple[str, str]] = {}
    for label, symbol, _ in _DIMENSIONS:
        powers: dict[str, float] = {}
        for name, power in (_terms(symbol) if symbol else None) or []:
            single = _single_unit(name)
            for base, base_power in (single[1] if single else {}).items():
                powers[base] = powers.get(base, 0) + base_power * power
        table[frozenset((base, power) for base, power in powers.items() if power)] = (symbol, label)
    return table


def _symbols(powers: frozenset[tuple[str, float]]) -> str:
    """Base units as one text, positive powers first: "kg/m/s^3"."""

    def text(base: str, power: float) -> str:
        symbol = _BASE_SYMBOLS.get(base, base)
        return symbol if power == 1 else f"{symbol}^{power:g}"

    above = [text(base, power) for base, power in sorted(powers) if power > 0]
    below = [text(base, -power) for base, power in sorted(powers) if power < 0]
    return "/".join(["*".join(above) or "1", *below])


_PREFIXED = {
    "m": ((1e3, "km"), (1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"), (1e-11, "Å"), (0.0, "pm")),
    "m^2": ((1e-2, "m^2"), (1e-8, "mm^2"), (1e-14, "µm^2"), (0.0, "nm^2")),
    "s": ((7200.0, "h"), (300.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (0.0, "ps")),
    "kg": ((1.0, "kg"), (1e-3, "g"), (1e-6, "mg"), (1e-9, "µg"), (0.0, "ng")),
    "A": ((1.0, "A"), (1e-3, "mA"), (1e-6, "µA"), (1e-9, "nA"), (0.0, "pA")),
    "V": ((1e6, "MV"), (1e3, "kV"), (1.0, "V"), (1e-3, "mV"), (0.0, "µV")),
    "W": ((1e6, "MW"), (1e3, "kW"), (1.0, "W"), (1e-3, "mW"), (0.0, "µW")),
    "Pa": ((1e9, "GPa"), (1e6, "MPa"), (1e3, "kPa"), (1.0, "Pa"), (1e-3, "mPa"), (1e-6, "µPa"), (0.0, "nPa")),
    "1/s": ((1e12, "THz"), (1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (0.0, "Hz")),
    "1/m": ((1e6, "1/nm"), (1e2, "1/cm"), (0.0, "1/m")),
    "C": ((1.0, "C"), (1e-3, "mC"), (1e-6, "µC"), (1e-9, "nC"), (0.0, "pC")),
    "N": ((1.0, "N"), (1e-3, "mN"), (1e-6, "µN"), (0.0, "nN")),
    "T": ((1.0, "T"), (1e-3, "mT"), (0.0, "µT")),
    "m/px": ((1.0, "m/px"), (1e-3, "mm/px"), (1e-6, "µm/px"), (1e-9, "nm/px"), (0.0, "pm/px")),
    "m/s": ((1.0, "m/s"), (1e-3, "mm/s"), (0.0, "µm/s")),
    "rad": ((0.0, "deg"),),
    "rad/s": ((0.0, "deg/s"),),
    "kg/m^3": ((0.0, "mg/mL"),),
    "mol/m^3": ((1e3, "mol/L"), (0.0, "mmol/L")),
}  # fmt: skip
_ELECTRONVOLT = 1.602176634e-19
_ENERGIES = ((1e9, "GeV"), (1e6, "MeV"), (1e3, "keV"), (1.0, "eV"), (0.0, "meV"))
_LARGE_ENERGIES = ((1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (0.0, "nJ"))
_LARGEST_PARTICLE_ENERGY = 12e9 * _ELECTRONVOLT
# Values that were 1.0 of a unit before binary arithmetic must not fall into the next smaller one.
_ROUNDING_SLACK = 1 - 1e-12


def _display_choices(unit_si: str, value_si: float) -> list[tuple[float, str]]:
    """Smallest magnitude and unit, largest first; none for units that are shown as they are, and for zero."""
    if value_si == 0 and unit_si != "rad":
        return []
    if unit_si != "J":
        return [(limit * _ROUNDING_SLACK, unit) for limit, unit in _PREFIXED.get(unit_si, ())]
    if abs(value_si) > _LARGEST_PARTICLE_ENERGY:
        return list(_LARGE_ENERGIES)
    return [(limit * _ELECTRONVOLT * _ROUNDING_SLACK, unit) for limit, unit in _ENERGIES]


def _number_from(text: str) -> float | None:
    if "," in text:
        if "." in text:
            decimal, thousands = (",", ".") if text.rfind(",") > text.rfind(".") else (".", ",")
            text = text.replace(thousands, "").replace(decimal, ".")
        elif text.count(",") == 1 and not re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
            text = text.replace(",", ".")
        else:
            return None
    try:
        return float(text)
    except ValueError:
        return None


def _without_noise(value: float) -> float:
    """Fourteen significant digits: 5e-06, not 4.9999999999999996e-06, so that a search for 5 µm finds it."""
    return float(f"{value:.14g}")


def _format_number(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return str(value)
    if value == 0 or 1e-4 <= abs(value) < 1e9:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
        text = f"{value:,.{decimals}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}×10{_as_superscript(str(int(exponent)))}"


def _format_unit(unit: str) -> str:
    """Units for people: "nm^2" as nm², "1/nm" as nm⁻¹."""
    inverse = re.fullmatch(r"1/([^\W\d]+)", unit)
    if inverse:
        return f"{inverse[1]}⁻¹"
    return re.sub(r"\^(-?\d+)", lambda match: _as_superscript(match[1]), unit)


def _as_superscript(digits: str) -> str:
    return digits.translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
