"""Histograms have edges that people like to read, in the unit that they chose, and every value lies between them."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.backends.base import Range
from search.question.numbers import MOST_BINS, axis_of

NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False).filter(lambda value: not 0 < abs(value) < 1e-15)


@given(NUMBERS, NUMBERS, st.sampled_from([("V", "kV"), ("K", "degC"), ("m", "Å"), ("rad", ""), ("", ""), ("J", "keV")]))
def test_all_values_lie_within_edges_that_ascend(one: float, other: float, units: tuple[str, str]) -> None:
    low, high = min(one, other), max(one, other)
    axis = axis_of(Range(low, high, 5), *units)
    assert axis is not None
    assert axis.edges_si[0] <= low
    assert high <= axis.edges_si[-1]
    assert len(axis.edges) == len(axis.edges_si) <= 2 * MOST_BINS + 1
    assert all(first < second for first, second in pairwise(axis.edges))
    assert all(first < second for first, second in pairwise(axis.edges_si))
    assert all(map(math.isfinite, axis.edges_si))


def test_edges_are_round_numbers_of_the_chosen_unit() -> None:
    axis = axis_of(Range(1000.0, 30000.0, 9), "V", "kV")
    assert axis is not None
    assert axis.edges == tuple(float(number) for number in range(1, 31))
    assert axis.edges_si[0] == 1000
    assert not axis.is_logarithmic


def test_more_than_three_decades_make_the_axis_logarithmic() -> None:
    axis = axis_of(Range(1e-10, 1e-6, 9), "m", "nm")
    assert axis is not None
    assert axis.is_logarithmic
    assert {0.1, 1.0, 10.0, 100.0, 1000.0} <= set(axis.edges)
    narrower = axis_of(Range(1e-9, 1e-6, 9), "m", "nm")
    assert narrower is not None
    assert not narrower.is_logarithmic


def test_degrees_celsius_go_below_zero_where_kelvins_do_not() -> None:
    axis = axis_of(Range(4.0, 400.0, 9), "K", "degC")
    assert axis is not None
    assert axis.unit == "degC"
    assert axis.edges[0] < -269
    assert axis.edges_si[0] == pytest.approx(axis.edges[0] + 273.15)


def test_a_unit_that_does_not_fit_gives_way_to_one_that_does() -> None:
    axis = axis_of(Range(1e-9, 5e-9, 9), "m", "kV")
    assert axis is not None
    assert axis.unit == "nm"


def test_where_no_document_has_a_value_there_is_no_axis() -> None:
    assert axis_of(Range(None, None, 0), "V", "kV") is None
