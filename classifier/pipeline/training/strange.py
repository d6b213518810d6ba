"""Pictures that show no sample at all.

`odd_pictures` are to see whether a model notices: plain grey, noise, gradients, checks, text, a window. `scenes` may be shown in
training, with no category being right (Hendrycks et al. 2019, "Deep anomaly detection with outlier exposure"): they have the
statistics of photographs. The two are of different kinds, so that the first stay a test.
"""

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from classifier.pipeline.results import Grey

_OF_EACH = 20


def odd_pictures(rng: Generator, side: int) -> Grey:
    """(N, side, side), twenty of each kind."""
    kinds = (_plain, _noise, _gradient, _checks, _text, _window)
    return np.stack([kind(rng, side) for kind in kinds for _ in range(_OF_EACH)])


def scenes(rng: Generator, count: int, side: int) -> Grey:
    """(count, side, side): things of all sizes before each other, which is what photographs are made of (the "dead leaves"
    of Lee, Mumford, Huang 2001), and clouds."""
    kinds = (_leaves, _leaves, _clouds)
    return np.stack([kinds[number % len(kinds)](rng, side) for number in range(count)])


def _leaves(rng: Generator, side: int) -> Grey:
    """Each thing is shaded and textured within; their sizes follow a power law, and the whole is out of focus or sharp."""
    picture = _clouds(rng, side).astype(np.float32)
    smallest = side / rng.uniform(8, 30)
    for _ in range(int(rng.integers(10, 80))):
        radius = min(smallest * (1 - rng.random()) ** -0.5, side * 0.7)
        shape = Image.new("L", (side, side))
        ImageDraw.Draw(shape).polygon(_outline(rng, side, radius), fill=255)
        rows, columns = np.ogrid[0:side, 0:side]
        slope = rng.normal(0, 60 / side, 2)
        inside = rng.uniform(0, 255) + slope[0] * (rows - side / 2) + slope[1] * (columns - side / 2)
        picture = np.where(np.asarray(shape) > 0, inside, picture)
    picture += rng.normal(0, rng.uniform(0, 8), picture.shape)
    sharp = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return np.asarray(sharp.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5))))


def _outline(rng: Generator, side: int, radius: float) -> list[tuple[float, float]]:
    """Corners of a rounded, a long or an angular thing somewhere."""
    count = int(rng.choice([4, 5, 24]))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count)) if count < 24 else np.linspace(0, 2 * np.pi, count)
    long, turn = rng.uniform(1, 4), rng.uniform(0, np.pi)
    along, across = radius * np.cos(angles) * long**0.5, radius * np.sin(angles) / long**0.5
    x, y = rng.uniform(0, side, 2)
    return [
        (float(x + a * np.cos(turn) - b * np.sin(turn)), float(y + a * np.sin(turn) + b * np.cos(turn)))
        for a, b in zip(along, across, strict=True)
    ]


def _clouds(rng: Generator, side: int) -> Grey:
    """Noise whose amplitude falls with the frequency, as in photographs of nothing in particular."""
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    frequency = np.maximum(np.hypot(rows, columns), 1 / side)
    waves = np.fft.rfft2(rng.standard_normal((side, side))) / frequency ** rng.uniform(1.0, 2.2)
    cloud = np.fft.irfft2(waves, s=(side, side))
    cloud = rng.uniform(60, 190) + rng.uniform(10, 60) * (cloud - cloud.mean()) / cloud.std()
    return np.clip(cloud, 0, 255).astype(np.uint8)


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
        right, bottom = left + int(rng.integers(4, side // 2)), top + int(rng.integers(3, side // 4))
        draw.rectangle((left, top, right, bottom), fill=int(rng.integers(0, 256)))
    return np.asarray(screen)
