"""Bins of the scale of images, by the size of a pixel on the sample: what documents hold, and what people call it.

The size is that of the standard name `pixel_size_x`, whoever said it. Which of several sizes counts is the business of
`search/indexing/building.py`.
"""

from collections.abc import Mapping

from search.fields import parameter_key

PIXEL_SIZE = parameter_key("", "pixel_size_x", "m")
# Value and label, with the size in metres below which a pixel belongs there; the lower edge is part of a bin.
_BINS = (
    (1e-10, "..0.1nm", "under 0.1 nm a pixel"),
    (1e-9, "0.1..1nm", "0.1 to 1 nm a pixel"),
    (1e-8, "1..10nm", "1 to 10 nm a pixel"),
    (1e-7, "10..100nm", "10 to 100 nm a pixel"),
    (1e-6, "100nm..1um", "100 nm to 1 µm a pixel"),
    (float("inf"), "1um..", "1 µm and more a pixel"),
)
LABELS: Mapping[str, str] = {value: label for _, value, label in _BINS}
_ROUNDING = 1 - 1e-9  # 1 nm converted from another unit may be a little less


def bins_of(numbers: Mapping[str, float]) -> list[str]:
    """The bin of the pixel size among numbers in SI by parameter key; none without a size."""
    size = numbers.get(PIXEL_SIZE, 0.0)
    return [next(value for limit, value, _ in _BINS if size < limit * _ROUNDING)] if size > 0 else []
