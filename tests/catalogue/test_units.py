"""Units: what instruments write becomes SI, SI becomes what people read, and no text can do harm."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.units import (
    LONGEST_UNIT,
    convert,
    display,
    format_quantity,
    known_units,
    parse_quantity,
    to_si,
)

NARROW, NO_BREAK = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "expected", "si_unit", "dimension"),
    [
        (5, "kV", 5000, "V", "voltage"),
        (15000, "Volt", 15000, "V", "voltage"),
        (8100, "um", 0.0081, "m", "length"),
        (5, "µm", 5e-6, "m", "length"),
        (5, "\u03bcm", 5e-6, "m", "length"),
        (1.6, "nA", 1.6e-9, "A", "current"),
        (7.2, "A", 7.2, "A", "current"),
        (0.3, "1/A", 3e9, "1/m", "inverse length"),
        (0.3, "A^-1", 3e9, "1/m", "inverse length"),
        (0.3, "1/angstrom", 3e9, "1/m", "inverse length"),
        (2, "cm⁻¹", 200, "1/m", "inverse length"),
        (1, "mbar", 100, "Pa", "pressure"),
        (760, "Torr", 101325, "Pa", "pressure"),
        (1, "keV", 1.602176634e-16, "J", "energy"),
        (20, "degC", 293.15, "K", "temperature"),
        (20, "°C", 293.15, "K", "temperature"),
        (20, "degree Celsius", 293.15, "K", "temperature"),
        (32, "degF", 273.15, "K", "temperature"),
        (60, "degC/min", 1, "K/s", "heating rate"),
        (180, "degrees", math.pi, "rad", "angle"),
        (180, "°", math.pi, "rad", "angle"),
        (50, "K X", 50000, "", "dimensionless"),
        (50, "%", 0.5, "", "dimensionless"),
        (12, "pixel", 12, "px", "pixels"),
        (12, "px", 12, "px", "pixels"),
        (1.25, "nm/pixel", 1.25e-9, "m/px", "pixel size"),
        (12, "counts", 12, "count", "counts"),
        (3, "m.s-1", 3, "m/s", "velocity"),
        (3, "kV/cm", 300000, "V/m", "electric field"),
        (3, "W/(m*K)", 3, "kg*m/K/s^3", "other"),
        (1, "G", 1e-4, "T", "magnetic flux density"),
    ],
)
def test_units_of_instruments_become_si(value, unit, expected, si_unit, dimension):
    result = to_si(value, unit)
    assert result is not None
    assert result.value == pytest.approx(expected, rel=1e-13)
    assert (result.unit, result.dimension) == (si_unit, dimension)


@pytest.mark.parametrize(
    "unit", ["Å", "\u212b", "\u00c5", "A\u030a", "angstrom", "Ang", "ang", "Angstrom", "Angstroms"]
)
def test_every_spelling_of_the_angstrom_is_one_unit(unit):
    assert to_si(1, unit) == (1e-10, "m", "length")


@pytest.mark.parametrize(
    "unit", [None, "", " ", "NA", "n/a", "unitless", "Dimensionless", "none", "arb. units", "a.u."]
)
def test_a_missing_unit_means_a_plain_number(unit):
    assert to_si(42, unit) == (42.0, "", "dimensionless")


def test_a_value_in_a_small_unit_equals_the_number_that_a_person_would_search_for():
    assert to_si(5, "um").value == 5e-6
    assert to_si(1.1, "mm").value == 0.0011


@pytest.mark.parametrize(
    "unit",
    [
        "foo", "NX_LENGTH", "c", "dB", "kV kV/", "m//s", "/", "1/", "m^", "m^99", "2*3", "1e5", "m+s", "()", "((m))",
        "__import__('os').system('true')", "m; drop", "lambda: 0", "m" * 65, "m\x00", "{}", "%s", "1/(1/(1/m))",
    ],
)  # fmt: skip
def test_texts_that_are_no_units_give_none(unit):
    assert to_si(1, unit) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "5", [], 10**400])
def test_values_that_are_no_finite_numbers_give_no_si_value(value):
    assert to_si(value, "km") is None


def test_an_overflow_gives_none():
    assert to_si(1e308, "km") is None


@given(st.text(max_size=LONGEST_UNIT + 10) | st.text("mskgAKV^*/()-1 23.°µ%", max_size=30))
def test_no_text_as_a_unit_raises(unit):
    result = to_si(1.0, unit)
    assert result is None or math.isfinite(result.value)


@given(st.text(max_size=120))
def test_no_text_as_a_quantity_raises(text):
    result = parse_quantity(text)
    assert result is None or math.isfinite(result[0])


@given(
    value=st.floats(min_value=1e-6, max_value=1e6),
    unit=st.sampled_from(["m", "V", "A", "s", "Pa", "J", "rad", "K", "kg", "1/m", "1/s", "T", "m/px", "m^2", "W", "N"]),
)
def test_what_is_displayed_is_the_same_quantity(value, unit):
    shown, shown_unit = display(value, unit)
    back = to_si(shown, shown_unit)
    assert back is not None
    assert back.unit == unit
    assert back.value == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0081, "m", f"8.1{NO_BREAK}mm"),
        (15000, "V", f"15{NO_BREAK}kV"),
        (50000, "", f"50{NARROW}000"),
        (1e-6, "m", f"1{NO_BREAK}µm"),
        (1.25e-9, "m", f"1.25{NO_BREAK}nm"),
        (1.0332e-10, "m", f"1.033{NO_BREAK}Å"),
        (4e-12, "m", f"4{NO_BREAK}pm"),
        (298.15, "K", f"298.15{NO_BREAK}K"),
        (1.6e-9, "A", f"1.6{NO_BREAK}nA"),
        (math.pi / 6, "rad", "30°"),
        (0, "rad", "0°"),
        (0, "m", f"0{NO_BREAK}m"),
        (293.0, "K", f"293{NO_BREAK}K"),
        (12.4e3 * 1.602176634e-19, "J", f"12.4{NO_BREAK}keV"),
        (0.001, "J", f"1{NO_BREAK}mJ"),
        (2e8, "1/m", f"0.2{NO_BREAK}nm⁻¹"),
        (1.5e-18, "m^2", f"1.5{NO_BREAK}nm²"),
        (1e-15, "", "1×10⁻¹⁵"),
        (-0.005, "m", f"-5{NO_BREAK}mm"),
        (7.0310e-4, "Pa", f"703.1{NO_BREAK}µPa"),
    ],
)
def test_quantities_read_as_people_write_them(value, unit, text):
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 kV", (5.0, "kV")),
        ("50.00 K X", (50.0, "K X")),
        ("105 X", (105.0, "X")),
        ("8100um", (8100.0, "um")),
        ("1.64e-008", (1.64e-8, "")),
        ("-5,3 °C", (-5.3, "°C")),
        ("1,234.5 V", (1234.5, "V")),
        ("1.234,5 V", (1234.5, "V")),
        ("0,005 m", (0.005, "m")),
        ("1,000 V", None),
        ("TESTER K X", None),
        ("nan", None),
        ("1e999 m", None),
        ("", None),
        ("10:20", None),
        ("5 parsnips", None),
        ("5 " * 200, None),
    ],
)
def test_texts_of_instruments_split_into_number_and_unit(text, expected):
    assert parse_quantity(text) == expected


def test_conversion_keeps_to_one_dimension():
    assert convert(25, "degC", "K") == pytest.approx(298.15)
    assert convert(298.15, "K", "degC") == pytest.approx(25)
    assert convert(1, "Å", "nm") == 0.1
    assert convert(1, "m", "s") is None
    assert convert(1, "m", "foo") is None


def test_every_unit_offered_for_a_dimension_has_that_dimension():
    for dimension in ("length", "voltage", "energy", "pressure", "temperature", "angle", "inverse length", "current"):
        units = known_units(dimension)
        assert units
        assert all(convert(1, unit, units[0]) is not None for unit in units)
    assert known_units("beauty") == []
