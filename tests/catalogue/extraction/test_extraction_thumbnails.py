"""What the small pictures show, and what shows nothing and therefore gives none."""

import io

import numpy as np
import pytest
from PIL import Image

from catalogue.extraction import thumbnails


def inked_height_in_the_middle(drawing: bytes) -> float:
    """Where the line is in the middle column: 0 at the bottom of the drawing, 1 at its top."""
    column = np.asarray(Image.open(io.BytesIO(drawing)).convert("L"))[30:-30, 256]
    return 1 - float(np.argmin(column)) / column.size


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_picture_of_one_value_is_no_picture(dtype):
    assert thumbnails.picture(np.full((40, 60), 3, dtype)) is None
    assert thumbnails.picture(np.eye(40, dtype=dtype)) is not None


def test_a_flat_signal_is_not_drawn():
    assert thumbnails.line(np.zeros(100)) is None


def test_a_scattering_curve_over_decades_is_drawn_on_logarithmic_axes():
    q = np.geomspace(0.01, 1, 200)
    straight = thumbnails.line(q**-4, q)
    assert inked_height_in_the_middle(straight) == pytest.approx(0.5, abs=0.05)


def test_a_signal_that_crosses_zero_is_drawn_on_linear_axes():
    straight = thumbnails.line(np.linspace(-1e6, 1e6, 200))
    assert inked_height_in_the_middle(straight) == pytest.approx(0.5, abs=0.05)


def test_a_spectrum_over_decades_keeps_its_linear_energies():
    energies = np.linspace(1, 20, 400)
    peak_in_the_middle = 1 + 1e4 * np.exp(-((energies - 10.5) ** 2))
    drawing = thumbnails.line(peak_in_the_middle, energies)
    assert inked_height_in_the_middle(drawing) > 0.95


def test_weak_rings_beside_a_bright_centre_can_be_seen():
    counts = np.full((100, 100), 10, "uint32")
    counts[40:60, 40:60] = 100_000
    counts[5:10, :] = 1000
    shown = np.asarray(Image.open(io.BytesIO(thumbnails.picture(counts))).convert("L"))
    ring, background = shown[int(0.07 * len(shown)), 10], shown[len(shown) // 4, 10]
    assert ring > background + 25  # linearly it would be 3
