"""Pictures that show no sample at all, to see whether a model notices: plain grey, noise, gradients, checks, text, a window."""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from classifier.pipeline.results import Grey

_OF_EACH = 20


def strange_pictures(rng: Generator, side: int) -> Grey:
    """(N, side, side), twenty of each kind."""
    kinds = (_plain, _noise, _gradient, _checks, _text, _window)
    return np.stack([kind(rng, side) for kind in kinds for _ in range(_OF_EACH)])


def _plain(rng: Generator, side: int) -> Grey:
    return np.full((side, side), rng.integers(0, 256), np.uint8)


def _noise(rng: Generator, side: int) -> Grey:
    return rng.integers(0, 256, (side, side), dtype=np.uint8)


def _gradient(rng: Generator, side: int) -> Grey:
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0:side, 0:side]
    slope = rows * np.sin(angle) + columns * np.cos(angle)
    return np.asarray((slope - slope.min()) / np.ptp(slope) * 255, np.uint8)


def _checks(rng: Generator, side: int) -> Grey:
    size = int(rng.integers(side // 16, side // 3))
    rows, columns = np.mgrid[0:side, 0:side] // size
    return np.asarray((rows + columns) % 2 * 255, np.uint8)


def _text(rng: Generator, side: int) -> Grey:
    page = Image.new("L", (side, side), 255)
    font = ImageFont.load_default(size=max(side // 12, 6))
    for row in range(2, side, max(side // 9, 7)):
        words = "".join(rng.choice(list("abcdefghijklmnop     "), 40))
        ImageDraw.Draw(page).text((3, row), words, fill=0, font=font)
    return np.asarray(page)


def _window(rng: Generator, side: int) -> Grey:
    """The picture of a program's window: flat panels of few tones."""
    screen = Image.new("L", (side, side), int(rng.integers(180, 256)))
    draw = ImageDraw.Draw(screen)
    for _ in range(12):
        left, top = (int(part) for part in rng.integers(0, side, 2))
        draw.rectangle((left, top, left + int(rng.integers(4, side // 2)), top + int(rng.integers(3, side // 4))),
                       fill=int(rng.integers(0, 256)))  # fmt: skip
    return np.asarray(screen)
