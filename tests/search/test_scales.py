"""Bins of the scale of images."""

import pytest

from search.scales import LABELS, bins_of


@pytest.mark.parametrize(
    ("pixel_size", "expected"),
    [
        (5e-12, "..0.1nm"),
        (1e-10, "0.1..1nm"),
        (0.1e-9, "0.1..1nm"),
        (9.9e-10, "0.1..1nm"),
        (1e-9, "1..10nm"),
        (1000e-12, "1..10nm"),
        (0.9999999999e-9, "1..10nm"),
        (8e-8, "10..100nm"),
        (1e-7, "100nm..1um"),
        (1e-6, "1um.."),
        (3.0, "1um.."),
    ],
)
def test_a_pixel_belongs_to_one_bin_whose_lower_edge_is_part_of_it(pixel_size, expected):
    assert bins_of({"pixel_size_x|m": pixel_size}) == [expected]
    assert expected in LABELS


@pytest.mark.parametrize("numbers", [{}, {"pixel_size_x|": 1e-9}, {"pixel_size_x|m": 0.0}, {"pixel_size_x|m": -1.0}])
def test_what_has_no_pixel_size_has_no_bin(numbers):
    assert bins_of(numbers) == []
