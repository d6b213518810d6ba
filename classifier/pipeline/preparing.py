"""From a picture of any size to the square of grey values that a network sees: without its banner, and smaller."""

import numpy as np
from PIL import Image

from classifier.pipeline.banner import find_banner
from classifier.pipeline.results import Grey


def prepare(pixels: Grey, side: int, *, keeps_banner: bool = False) -> Grey:
    """A picture (H, W) as (side, side). Both directions are scaled to fit, as the published networks were trained; every
    pixel counts, so that fine structure becomes an even grey and no false pattern."""
    picture = pixels if keeps_banner else without_banner(pixels)
    # Averages over whole pixels first, then the rest: the same to the eye, in half the time.
    resized = Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR, reducing_gap=1.5)
    return np.asarray(resized)


def without_banner(pixels: Grey) -> Grey:
    """The part (h, W) of a picture (H, W) that a network sees, h <= H."""
    banner = find_banner(pixels)
    return banner.cut(pixels) if banner else pixels
