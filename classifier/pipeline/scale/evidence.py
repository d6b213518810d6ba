"""What metadata, bar, field of view and magnification say about the size of a pixel, and sentences where they differ.

Lengths are in metres on the sample. Nothing is read here, and what is used in the end is decided in `finding.py`.
"""

from catalogue.units import format_quantity
from classifier.pipeline.scale.grammar import UNITS_TO_A_METRE, metres
from classifier.pipeline.scale.known import KnownScale

SMALLEST_PIXEL, LARGEST_PIXEL = 1e-11, 1e-4
TOLERANCE = 0.05

# Metres: a magnification is that of a display or print, which makers take to be from 0.1 to 0.5 m wide.
DISPLAY_WIDTH = 0.2
_DISPLAY_FACTOR = 8.0


def agree(one: float, other: float) -> bool:
    return abs(one / other - 1) <= TOLERANCE


def is_plausible(pixel_size: float) -> bool:
    return SMALLEST_PIXEL <= pixel_size <= LARGEST_PIXEL


def fits_magnification(pixel_size: float, magnification: float, width: int) -> bool:
    """Whether the size of the display that follows is not out of the question: enough to see a factor of 1000."""
    display = pixel_size * width * magnification
    return DISPLAY_WIDTH / _DISPLAY_FACTOR <= display <= DISPLAY_WIDTH * _DISPLAY_FACTOR


def pixel_sizes_known(known: KnownScale, width: int) -> tuple[list[float], list[str]]:
    """The pixel sizes that metadata or side-car give for a picture of `width` columns, the first to be preferred, and what is to
    be said about them. Two where they contradict each other."""
    sizes, sentences = [], []
    if known.pixel_size is not None:
        size = known.pixel_size
        if known.picture_width and known.picture_width != width:
            size *= known.picture_width / width
            sentences.append(
                f"The {known.source} describe{_s(known)} a picture of {known.picture_width} columns, this one has {width}:"
                f" instead of {length_text(known.pixel_size)} a pixel, {length_text(size)} were taken."
            )
        sizes.append(size)
    if known.field_of_view is not None:
        size = known.field_of_view / width
        if sizes and not agree(sizes[0], size):
            sentences.append(
                f"By the {known.source} a pixel has {length_text(sizes[0])}, but a field of view of"
                f" {length_text(known.field_of_view)} over {width} columns makes {length_text(size)}."
            )
        if not sizes or not agree(sizes[0], size):
            sizes.append(size)
    for size in [size for size in sizes if not is_plausible(size)]:
        sentences.append(f"The {known.source} say{_s(known)} that a pixel has {length_text(size)}, which cannot be.")
        sizes.remove(size)
    return sizes, sentences


def unit_that_fits(number: float, bar: float, references: list[float]) -> str:
    """The unit with which a bar of `bar` pixels that says `number` comes nearest to one of the pixel sizes `references`, the
    first before the others; empty where none is near."""
    for reference in references:
        for unit in UNITS_TO_A_METRE:
            if 1 / 20 < metres(number, unit) / bar / reference < 20:
                return unit
    return ""


def length_text(length: float) -> str:
    return format_quantity(length, "m", digits=3)


def _s(known: KnownScale) -> str:
    return "" if known.source == "metadata" else "s"
