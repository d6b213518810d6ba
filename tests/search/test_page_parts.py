"""The parts of the page that are pure: the tree of techniques, charts, forms, the periodic table, marks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.backends.base import Range
from search.question.numbers import axis_of
from search.question.parameters import Interval
from search.results.charts import HEIGHT, WIDTH, chart_of_months, chart_of_numbers
from search.results.chips import range_text
from search.results.elements import element_name, periodic_table
from search.results.forms import read_form
from search.results.highlights import marked, snippet
from search.results.tree import ROOT, lines_of

BROADER = {
    "xanes": ("xas",),
    "exafs": ("xas",),
    "xas": ("spectroscopy", "x-ray"),
    "sem": ("microscopy",),
    "spectroscopy": ("by process",),
    "x-ray": ("by probe",),
    "microscopy": ("by process",),
    "by process": (ROOT,),
    "by probe": (ROOT,),
}
COUNTS = {
    "xanes": 3, "exafs": 2, "xas": 5, "spectroscopy": 5, "x-ray": 5, "sem": 4, "microscopy": 4, "by process": 9,
    "by probe": 5, ROOT: 9,
}  # fmt: skip


def tree(counts: dict[str, int], **chosen) -> list[tuple[int, str]]:
    return [(line.depth, line.value) for line in lines_of(counts, BROADER, **chosen)]


def test_the_tree_leaves_out_terms_that_hold_what_a_narrower_one_holds():
    assert tree(COUNTS) == [(0, "xas"), (1, "xanes"), (1, "exafs"), (0, "sem")]


def test_a_chosen_term_stays_in_the_tree():
    assert (0, "spectroscopy") in tree(COUNTS, chosen=("spectroscopy",))


def test_a_tree_of_terms_that_nobody_knows_is_a_list():
    assert tree({"a": 1, "b": 2}) == [(0, "b"), (0, "a")]


@given(st.dictionaries(st.sampled_from(sorted(COUNTS)), st.integers(1, 9)))
def test_no_term_stands_in_the_tree_twice_and_the_narrowest_are_all_there(counts):
    shown = [value for _, value in tree(counts)]
    assert len(shown) == len(set(shown))
    assert {"xanes", "exafs", "sem"} & set(counts) <= set(shown)


def test_bars_are_as_high_as_their_counts_and_those_outside_a_range_are_not_chosen():
    axis = axis_of(Range(1e3, 3e4, 9), "V", "kV", bins=6)
    chart = chart_of_numbers(axis, [1, 0, 4, 2, 0, 2], Interval(10, 20, "kV"), "Voltage")
    assert [bar.is_chosen for bar in chart.bars] == [False, False, True, True, False, False]
    assert chart.bars[2].height == HEIGHT and chart.bars[1].height == 0
    assert (chart.bars[2].low, chart.bars[2].high, chart.first, chart.last) == ("10", "15", "0 kV", "30 kV")
    assert "most datasets, 4, at 10 to 15 kV" in chart.text
    assert chart.bars[-1].x + chart.bars[-1].width <= WIDTH


def test_many_months_are_drawn_as_years_and_a_bar_chooses_all_of_its_days():
    few = chart_of_months({202401: 2, 202403: 1}, None, None)
    assert [(bar.low, bar.high) for bar in few.bars][1] == ("2024-02-01", "2024-02-29")
    many = chart_of_months({201811: 2, 202403: 1}, date(2020, 1, 1), None)
    assert many.bars[0].text == "2018: 2" and not many.bars[0].is_chosen and many.bars[-1].is_chosen
    assert chart_of_months({202401: 5}, None, None) is None


@pytest.mark.parametrize(
    ("sent", "values"),
    [
        ({"q": [""], "kind": ["raw", ""]}, {"kind": ["raw"]}),
        ({"p.a.from": ["1"], "p.a.to": [""], "p.a.unit": ["kV"]}, {"p.a": ["1.. kV"]}),
        ({"p.a.from": [""], "p.a.to": [""], "p.a.unit": ["kV"], "histogram": ["a"]}, {"histogram": ["a|kV"]}),
        ({"p.v/x.y.from": ["-1"], "p.v/x.y.to": ["1"]}, {"p.v/x.y": ["-1..1"]}),
        (
            {"p.t.from": ["0"], "p.t.to": ["100"], "p.t.unit": ["degC"], "p.t.was": ["273.15..373.15 K"]},
            {"p.t": ["0..100 degC"]},
        ),
        (
            {"p.t.from": ["273.15"], "p.t.to": ["373.15"], "p.t.unit": ["degC"], "p.t.was": ["273.15..373.15 K"]},
            {"p.t": ["0..100 degC"]},
        ),
    ],
)
def test_a_form_becomes_the_parameters_of_an_address(sent, values):
    read = read_form(sent)
    assert read.values == values and read.is_form


def test_what_is_looked_for_among_values_is_no_part_of_the_question():
    read = read_form({"find.person": [" nov "], "q": ["wires"]})
    assert (read.values, read.finds, read.is_form) == ({"q": ["wires"]}, {"person": "nov"}, False)


@given(st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=3), max_size=5))
def test_no_form_breaks_the_reading(sent):
    assert all(value for values in read_form(sent).values.values() for value in values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5..10 kV", "5 to 10 kV"),
        ("..5 nm", "up to 5 nm"),
        ("5.. nm", "from 5 nm"),
        ("-5..-1 degC", "-5 to -1 degC"),
        ("5 kV", "5 kV"),
    ],
)
def test_a_range_is_said_in_words(text, words):
    assert range_text(text) == words


def test_every_element_has_a_place_of_its_own():
    places = [one for row in periodic_table() for one in row if one]
    assert len({(one.row, one.column) for one in places}) == 118
    where = {one.symbol: (one.row, one.column) for one in places}
    assert [where[symbol] for symbol in ("H", "He", "Fe", "La", "Hf", "U", "Og")] == [
        (1, 1), (1, 18), (4, 8), (8, 3), (6, 4), (9, 6), (7, 18),
    ]  # fmt: skip
    assert element_name("W") == "tungsten"


def test_marks_stand_around_found_words_and_nothing_else_is_markup():
    assert marked("TiO₂ <b>films</b>", ["film"]) == "TiO₂ &lt;b&gt;<mark>films</mark>&lt;/b&gt;"
    long = "silicon " * 60 + "nanowires at last " + "silicon " * 60
    shown = snippet(long, ["nanowire"])
    assert "<mark>nanowires</mark>" in shown and len(shown) < 300 and shown.startswith("… ") and shown.endswith(" …")


@given(st.text(max_size=400), st.lists(st.text(max_size=6), max_size=3))
def test_no_text_escapes_from_a_snippet(text, tokens):
    bare = snippet(text, tokens).replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare and ">" not in bare
