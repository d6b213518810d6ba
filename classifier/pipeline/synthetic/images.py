"""A whole synthetic image: picture, banner, and what is true of it. Files are written elsewhere."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.random import Generator

from catalogue.demo.microscope_files import Exposure
from catalogue.demo.pictures import Shape
from classifier.pipeline.results import Bar, Grey
from classifier.pipeline.synthetic.banners import STYLES, banner_height, draw_banner
from classifier.pipeline.synthetic.pictures import make_picture

__all__ = ["NO_BANNER", "STYLES", "SyntheticImage", "Truth", "make_image"]

NO_BANNER = "none"
_DETECTORS = {
    "zeiss": ("InLens", "SE2"),
    "fei": ("TLD", "ETD"),
    "jeol": ("SEI", "LED"),
    "hitachi": ("SE(M)", "SE(U)"),
    NO_BANNER: ("SE2",),
}
_SERIES = (1, 2, 5)
_WRONG_BY = (0.1, 0.5, 0.8, 1.25, 2.0, 10.0)
_FIRST_DAY = datetime(2019, 1, 7, 9, tzinfo=UTC).replace(tzinfo=None)  # as microscopes write it


@dataclass(frozen=True)
class Truth:
    """What is so. Lengths in metres; `printed_value` and `bar` are None without a banner.

    `bar` counts in pixels of the whole image; for ticks its ends are the middles of the outer ones. `pixel_size` is exact, the
    bar is drawn in whole pixels. `is_metadata_wrong`: what files of this image say of its scale is not so.
    """

    category: str
    style: str
    pixel_size: float
    printed_value: float | None
    bar: Bar | None
    is_metadata_wrong: bool = False


@dataclass(frozen=True)
class SyntheticImage:
    """`pixels` (H, W) with the banner in the lowest `banner_height` rows; `exposure` is what its metadata shall say."""

    pixels: Grey
    truth: Truth
    exposure: Exposure
    banner_height: int

    @property
    def picture_shape(self) -> Shape:
        """Height and width without the banner."""
        return self.pixels.shape[0] - self.banner_height, self.pixels.shape[1]


def make_image(
    rng: Generator, category: str, style: str, *, shape: Shape = (768, 1024), is_metadata_wrong: bool = False
) -> SyntheticImage:
    """An image of `shape` with its banner, in one of `STYLES`, or without one for NO_BANNER.

    With `is_metadata_wrong` the exposure claims another field of view than the banner. Raises ValueError for another category
    or style, and for a shape that has no room for a banner that can be read (below 320 wide).
    """
    if style not in (*STYLES, NO_BANNER):
        raise ValueError(f"{style} is none of the styles: {', '.join((*STYLES, NO_BANNER))}.")
    rows, width = shape
    height = 0 if style == NO_BANNER else banner_height(style, width)
    if height and (width < 320 or rows < 3 * height):
        raise ValueError("A banner needs an image of 320 x 240 or more.")
    picture = make_picture(rng, category, (rows - height, width))
    printed = float(f"{rng.choice(_SERIES)}e{rng.integers(-8, -3)}")
    length = rng.uniform(0.06, 0.2) * width
    pixel_size = printed / length
    exposure = _exposure(rng, style, pixel_size * width)
    truth = Truth(category, style, pixel_size, None, None, is_metadata_wrong)
    if height:
        drawn = draw_banner(rng, style, width, exposure, printed, length)
        bar = replace(drawn.bar, row=drawn.bar.row + rows - height)
        truth = replace(truth, printed_value=printed, bar=bar)
        picture = np.vstack([picture, drawn.pixels])
    if is_metadata_wrong:
        factor = float(rng.choice(_WRONG_BY))
        exposure = replace(exposure, field_of_view=exposure.field_of_view * factor)
    return SyntheticImage(picture, truth, exposure, height)


def _exposure(rng: Generator, style: str, field_of_view: float) -> Exposure:
    x, y = rng.uniform(-0.02, 0.02, 2)
    return Exposure(
        acquired_at=_FIRST_DAY + timedelta(minutes=int(rng.integers(0, 3_000_000))),
        sample=f"synthetic-{rng.integers(1000):03d}",
        field_of_view=field_of_view,
        voltage=float(rng.choice((1000, 2000, 5000, 10_000, 15_000, 20_000))),
        working_distance=round(rng.uniform(2e-3, 12e-3), 4),
        detector=str(rng.choice(_DETECTORS[style])),
        tilt=float(rng.choice((0.0, 0.0, 30.0, 45.0))),
        stage=(round(x, 6), round(y, 6), round(rng.uniform(0.008, 0.02), 6)),
    )
