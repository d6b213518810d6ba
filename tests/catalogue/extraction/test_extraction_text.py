"""Numbers, units and dates in the spellings of the makers; what counts as personal."""

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.extraction import STANDARD_NAMES, LocalFile, extract, text
from catalogue.extraction.privacy import is_personal
from catalogue.units import to_si


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("15", 15.0), (15, 15.0), ("1,25e-9", 1.25e-9), ("4.76e-008", 4.76e-8), ("8100 um", 8100.0), ("-.5", -0.5),
        ("", None), ("TESTER", None), (None, None), (True, None), (float("nan"), None), ("1e999", None),
    ],
)  # fmt: skip
def test_numbers(written: object, value: float | None) -> None:
    assert text.number(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("267.43 K X", 267_430), ("105 X", 105), (105, 105), ("1,5 K X", 1500), ("2 M X", 2_000_000),
        ("TESTER K X", None), ("K X", None), (None, None),
    ],
)  # fmt: skip
def test_magnifications(written: object, value: float | None) -> None:
    assert text.magnification(written) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("day_text", "time_text", "found"),
    [
        ("15 Dec 2017", "10:43:43", datetime(2017, 12, 15, 10, 43, 43)),
        ("18.08.2020", "13:40:03", datetime(2020, 8, 18, 13, 40, 3)),
        ("08/09/2020", "01:40:03 PM", datetime(2020, 8, 9, 13, 40, 3)),
        ("18/08/2020", "12:05:00 AM", datetime(2020, 8, 18, 0, 5)),
        ("2020/09/01", "15:32:31", datetime(2020, 9, 1, 15, 32, 31)),
        ("11/08/15", "11:58:08", datetime(2015, 11, 8, 11, 58, 8)),
        ("2024-02-07", "", date(2024, 2, 7)),
        ("2024-02-07", "25:00:00", date(2024, 2, 7)),
        ("31 Feb 2020", "10:00:00", None),
        ("01/01/1601", "00:00:00", None),
        ("gestern", "10:00:00", None),
    ],
)
def test_dates(day_text: str, time_text: str, found: datetime | date | None) -> None:
    assert text.moment(day_text, time_text) == found


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_text_makes_a_parser_fail(one: str, other: str) -> None:
    text.moment(one, other)
    text.iso_moment(one)
    text.spec_moment(one)
    text.number_and_unit(one)
    text.magnification(one)
    text.sections(one)


@pytest.mark.parametrize(
    ("written", "unit"),
    [("µm", "um"), ("°", "deg"), ("Secs", "s"), ("Volt", "V"), ("A", "A"), ("Angstrom", "angstrom"), ("", None)],
)
def test_units_are_spelled_in_ascii(written: str, unit: str | None) -> None:
    assert text.unit(written) == unit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sv_user_name", "MUELLER"), ("CM_OPERATOR", "x"), ("Session Info.Operator", "x"), ("SerialNumber", "12"),
        ("Dnumber", 9952707), ("anything", "C:\\Users\\x"), ("anything", "see \\\\server\\share"),
        ("anything", "/home/x/data.dat"), ("anything", "/share1/USAXS_data/2016"), ("note", "mail e.muster@uni.de"),
        ("comment", "twoc User = meier"), ("ComputerName", "HPN105"), ("principal_investigator", "x"),
    ],
)  # fmt: skip
def test_people_machines_and_paths_are_personal(name: str, value: object) -> None:
    assert is_personal(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UserMode", "High vacuum"), ("ap_user_max_eht", 30.0), ("Magnification", 1000), ("title", "Au on Si, 1/cm"),
        ("target", "/entry/instrument/detector"), ("source", "https://example.org/a/b"), ("Detector", "InLens"),
    ],
)  # fmt: skip
def test_settings_and_titles_are_not_personal(name: str, value: object) -> None:
    assert not is_personal(name, value)


def test_units_of_standard_values_convert_to_the_unit_of_their_name(shared_samples: Path) -> None:
    for path in shared_samples.glob("*/*"):
        for parameter in extract(LocalFile(path)).parameters:
            if parameter.group or not parameter.unit or isinstance(parameter.value, str | bool):
                continue
            converted = to_si(float(parameter.value), parameter.unit)
            assert converted is not None and converted.unit == STANDARD_NAMES[parameter.name].si_unit, parameter
