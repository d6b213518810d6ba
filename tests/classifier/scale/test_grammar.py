"""What texts of banners mean, with the mistakes that OCR makes in them."""

import pytest

from classifier.pipeline.scale.grammar import bar_lengths, fields_of, is_of_series, metres
from classifier.pipeline.scale.ocr import Word


def line(text: str, *, top: float = 0.0) -> list[Word]:
    """Words of 20 pixels' height, 10 for each letter; two spaces make a wide gap."""
    words, x = [], 0.0
    for part in text.split(" "):
        if part:
            words.append(Word(part, x, top, x + 10 * len(part), top + 20))
        x += 10 * len(part) + (10 if part else 100)
    return words


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("200 nm", 2e-7),
        ("100pm", 1e-4),
        ("1ym", 1e-6),
        ("Tum", 1e-6),
        ("S00 nm", 5e-7),
        ("l0 µm", 1e-5),
        ("2.50um", 2.5e-6),
        ("20. Om", 2e-5),
        ("0.5µm", 5e-7),
        ("2 mm", 2e-3),
        ("200m", 2e-4),
        ("500 nr", 5e-7),
    ],
)
def test_lengths_are_understood_as_they_were_printed(text, length):
    (found,) = bar_lengths([line(text)])

    assert metres(found.number, found.unit) == pytest.approx(length)


@pytest.mark.parametrize(
    "text",
    [
        "WD = 5.0 mm",
        "WD 5mm",
        "HFW 10.0 µm",
        "Width = 2.000 µm",
        "5.0kV 3.0mm x50.0k",
        "View field: 20 µm",
        "137 nm",
        "7.3 µm",
        "100 mA",
        "50 pA",
        "20 nA",
        "15:32:31 8/31/2020",
        "HFW2.0um",
    ],
)
def test_values_of_other_fields_are_no_length_of_a_bar(text):
    assert bar_lengths([line(text)]) == []


def test_a_value_under_the_heading_of_a_table_is_no_length_of_a_bar_but_a_field():
    table = [line("HFW"), line("20 µm", top=25)]

    assert bar_lengths(table) == []
    assert {field.name: field.value for field in fields_of(table)} == {"field_of_view": pytest.approx(2e-5)}


@pytest.mark.parametrize("value", [1, 2, 2.5, 5, 10, 200, 500, 0.5])
def test_bars_say_round_numbers(value):
    assert is_of_series(value)


@pytest.mark.parametrize("value", [0, 0.03, 7.3, 137, 1000, 12])
def test_bars_say_no_other_numbers(value):
    assert not is_of_series(value)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("EHT = 5.00 kV", "accelerating_voltage", 5000.0),
        ("10.0kV¥ COMPO", "accelerating_voltage", 10000.0),
        ("HV: 15.0 kV", "accelerating_voltage", 15000.0),
        ("WD = 4.1 mm", "working_distance", 0.0041),
        ("WO 10.6mm", "working_distance", 0.0106),
        ("5.0kV 8.1mm x50.0k", "working_distance", 0.0081),
        ("Mag = 50.00 K X", "magnification", 50000.0),
        ("Mag = 509.28 KX", "magnification", 509280.0),
        ("Mag = S0.00K xX", "magnification", 50000.0),
        ("X 1,000", "magnification", 1000.0),
        ("x50.0k SE(U)", "magnification", 50000.0),
        ("39,444 x", "magnification", 39444.0),
        ("Signal A = InLens", "detector", "InLens"),
        ("10.0kV COMPO", "detector", "COMPO"),
        ("Date :18 Jul 2019", "date_time", "2019-07-18"),
        ("8/31/2020", "date_time", "2020-08-31"),
        ("2022-10-13 10:53", "date_time", "2022-10-13"),
        ("HFW2.4um", "field_of_view", 2.4e-6),
    ],
)
def test_fields_are_read_in_si(text, name, value):
    fields = {field.name: field.value for field in fields_of([line(text)])}

    assert fields[name] == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WD 41 mm", "working_distance"),  # the point may have been lost
        ("7/8/2019", "date_time"),  # July or August
        ("900.0 kV", "accelerating_voltage"),
        ("31/31/2020", "date_time"),
    ],
)
def test_what_cannot_be_told_is_left_out(text, name):
    assert name not in {field.name for field in fields_of([line(text)])}
