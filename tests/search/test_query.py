"""The URL is the query, and so is its JSON: both ways, in one order, and nothing that is sent raises."""

import json
from datetime import date
from urllib.parse import parse_qs

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from catalogue.access import ANONYMOUS
from search.question.parameters import Interval, ParameterRange, parse_interval, standard_names_for
from search.question.query import PAGE_SIZE, SELECTIONS, Histogram, Query, conditions
from search.question.query_reading import LARGEST_PAGE, parse_query, query_from_json

FULL = (
    "q=nanowires&technique=T1&technique=T2&element=Ti&scale=1..10nm&category=Nanowires&verified=yes&confidence=80..100"
    "&p.accelerating_voltage=5..10+kV&p.working_distance=..8+mm&has=magnification&access=open&from=2024-01-01"
    "&to=2024-12-31&like=0f8fad5b-d9cb-469f-a165-70867728950e&sort=newest&view=grid&histogram=pixel_size_x%7Cnm&size=50"
)


def read(url: str) -> Query:
    return parse_query(QueryDict(url), ANONYMOUS).query


def test_an_address_is_read_and_written_in_one_order() -> None:
    shuffled = "&".join(sorted(FULL.split("&"), key=lambda pair: pair.rpartition("=")[2]))
    query = read(shuffled)
    assert query.url_parameters() == FULL.replace(
        "technique=T1&technique=T2&element=Ti", "technique=T1&technique=T2&element=Ti"
    )
    assert query.selected("technique") == ("T1", "T2")
    assert query.confidence == (80, 100)
    assert query.range_of("accelerating_voltage") == ParameterRange("accelerating_voltage", Interval(5.0, 10.0, "kV"))
    assert query.existing == ("magnification",)
    assert (query.acquired_from, query.acquired_to) == (date(2024, 1, 1), date(2024, 12, 31))
    assert query.histograms == (Histogram("pixel_size_x", "nm"),)
    assert (query.access, query.sort, query.view, query.size) == ("open", "newest", "grid", 50)


def test_a_query_says_the_same_as_json() -> None:
    query = read(FULL.replace("view=grid", ""))
    body = json.loads(json.dumps(query.to_json()))
    parsed = query_from_json(body, ANONYMOUS)
    assert parsed.notes == ()
    assert parsed.query == query
    assert body["parameters"]["accelerating_voltage"] == {"from": 5.0, "to": 10.0, "unit": "kV"}
    assert body["filters"]["technique"] == ["T1", "T2"]


def test_the_usual_order_is_not_part_of_the_address() -> None:
    assert read("q=gold&sort=relevance").url_parameters() == "q=gold"
    assert read("from=2024-01-01&sort=acquired").url_parameters() == "from=2024-01-01"
    assert read("sort=newest").url_parameters() == ""
    assert (read("q=gold").order, read("from=2024-01-01").order, read("").order) == ("relevance", "acquired", "newest")


def test_the_fields_of_a_form_are_one_range() -> None:
    query = read("p.accelerating_voltage.from=5&p.accelerating_voltage.to=&p.accelerating_voltage.unit=kV")
    assert query.url_parameters() == "p.accelerating_voltage=5..+kV"
    assert read("p.accelerating_voltage.from=&p.accelerating_voltage.to=&p.accelerating_voltage.unit=kV").ranges == ()


def test_a_parameter_is_known_by_what_people_call_it() -> None:
    assert read("p.voltage=5..10+kV&has=wd") == read("p.accelerating_voltage=5..10+kV&has=working_distance")
    assert standard_names_for("Working distance") == standard_names_for("WD") == ("working_distance",)


def test_a_vendors_parameter_keeps_its_name_and_gets_the_dimension_of_the_unit() -> None:
    (wanted,) = read("p.fei%2FBeam.HV=5..10+kV").ranges
    assert wanted.key == "fei/Beam.HV|V"


@pytest.mark.parametrize(
    ("url", "note"),
    [
        ("p.accelerating_voltage=5..10+nm", "Accelerating voltage is not measured in nm but in V or kV or mV or MV"),
        ("p.accelerating_voltage=soon", "“soon” is no range such as 5..10 kV"),
        ("p.magnification=5+kV", "Magnification is a plain number"),
        ("from=yesterday", "“yesterday” is no date"),
        ("access=everything", "“access” can be open, closed, mine"),
        ("sort=best", "“sort” can be relevance"),
        ("confidence=much", "“much” is no confidence"),
        ("like=that", "“that” names no dataset"),
        ("size=1000", f"A page has 1 to {LARGEST_PAGE} datasets"),
    ],
)
def test_what_is_not_understood_is_left_out_with_a_note(url: str, note: str) -> None:
    parsed = parse_query(QueryDict(url), ANONYMOUS)
    assert parsed.query == Query(principal=ANONYMOUS)
    assert any(note in told for told in parsed.notes)


def test_a_number_without_unit_is_read_in_the_usual_unit_and_says_so() -> None:
    parsed = parse_query(QueryDict("p.accelerating_voltage=5..10"), ANONYMOUS)
    assert parsed.query.url_parameters() == "p.accelerating_voltage=5..10+kV"
    assert parsed.notes == ("Accelerating voltage was read in kV.",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5..10kV", (5000, 10000)),
        ("500 V .. 10 kV", (500, 10000)),
        ("10..5 kV", (5000, 10000)),
        (">5kV", (5000, None)),
        ("≤ 5 kV", (None, 5000)),
        ("5.. kV", (5000, None)),
        ("5-10kV", (5000, 10000)),
        ("5 to 10 kV", (5000, 10000)),
        ("0,5..1,5 kV", (500, 1500)),
    ],
)
def test_ranges_are_read_as_people_write_them(text: str, expected: tuple[float | None, float | None]) -> None:
    interval = parse_interval(text)
    assert interval is not None
    assert interval.in_si() == expected


def test_one_number_stands_for_what_is_nearly_that_number() -> None:
    low, high = (parse_interval("5 kV") or Interval(None, None)).in_si()
    assert (low, high) == (pytest.approx(4975), pytest.approx(5025))


@pytest.mark.parametrize("text", ["1 Å", "1 \u212b", "1 A\u030a", "1 Ang", "1 angstrom"])
def test_an_angstrom_is_one_in_every_spelling(text: str) -> None:
    interval = parse_interval(f"..{text}")
    assert interval is not None
    assert interval.in_si() == (None, 1e-10)


def test_degrees_celsius_are_converted_with_their_offset() -> None:
    interval = parse_interval("-10..25 °C")
    assert interval is not None
    assert interval.in_si() == (263.15, 298.15)


def test_each_condition_can_be_dropped_alone() -> None:
    query = read(FULL)
    found = list(conditions(query))
    assert len(found) == 15
    for condition in found:
        assert condition.without != query
        assert len(list(conditions(condition.without))) == 14
        assert condition.without.cursor == ""


def test_a_value_is_chosen_and_no_longer_chosen() -> None:
    query = read("technique=T1")
    assert query.toggled("technique", "T1") == read("")
    assert query.toggled("element", "Ti").url_parameters() == "technique=T1&element=Ti"


NAMES = st.sampled_from(
    [
        "q",
        *SELECTIONS,
        "confidence",
        "has",
        "access",
        "from",
        "to",
        "like",
        "sort",
        "view",
        "histogram",
        "size",
        "cursor",
    ]
    + ["p.accelerating_voltage", "p.x/y", "p.wd.from", "p.wd.to", "p.wd.unit", "p.", "p..from", "find.person", "other"]
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["5..10 kV", "..1e3", "80", "2024-01-01", "open", "title", "yes", "\ud800"]
)


@given(st.dictionaries(NAMES, st.lists(TEXTS, max_size=3), max_size=8))
def test_any_parameters_make_a_query_that_its_own_address_and_json_make_again(values: dict[str, list[str]]) -> None:
    query = parse_query(values, ANONYMOUS).query
    again = parse_query(parse_qs(query.url_parameters()) | {"cursor": [query.cursor]}, ANONYMOUS)
    assert again.query == query
    assert query_from_json(
        json.loads(json.dumps(query.to_json() | {"view": ""})), ANONYMOUS
    ).query.url_parameters() == (parse_query(values | {"view": []}, ANONYMOUS).query.url_parameters())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
JSON_NAMES = st.sampled_from(
    ["text", "filters", "confidence", "parameters", "has", "measured", "histograms", "size", "x"]
)


@given(JSON | st.dictionaries(JSON_NAMES, JSON, max_size=5))
def test_any_json_makes_a_query(body: object) -> None:
    assert query_from_json(body, ANONYMOUS).query.size in range(1, LARGEST_PAGE + 1)


def test_json_of_another_shape_is_left_out_with_a_note() -> None:
    parsed = query_from_json({"text": "gold", "filters": {"colour": ["red"]}, "parameters": [1], "fruit": 1}, ANONYMOUS)
    assert parsed.query == Query(principal=ANONYMOUS, text="gold")
    assert len(parsed.notes) == 3
    assert query_from_json([], ANONYMOUS).query.size == PAGE_SIZE
