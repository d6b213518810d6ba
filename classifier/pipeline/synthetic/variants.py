"""A second kind of picture for each category, so that a category is more than one texture. See `pictures.py`.

Lengths are in pixels of a picture about 1024 wide, times the zoom, as in `catalogue/demo/pictures.py`.
"""

from math import cos, hypot, pi, sin

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from catalogue.demo.pictures import (
    Picture,
    Shape,
    add_sphere,
    add_tube,
    blur,
    finish,
    scattered,
    shade,
    smooth_noise,
)

_PATTERNS = ("lines", "squares", "dots")


def cells(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """Two to seven soft cells with bright rims and a texture inside."""
    image = Image.fromarray(0.3 + 0.03 * smooth_noise(rng, shape, 90 * zoom))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(2, 8)):
        length = rng.uniform(70, 170) * zoom
        outline = _outline(rng, shape, length, length * rng.uniform(0.45, 1.0), corners=40, roughness=0.025)
        draw.polygon(outline, fill=rng.uniform(0.4, 0.55))
        draw.line([*outline, outline[0]], fill=0.85, width=max(round(9 * zoom), 1))
    soft = blur(np.asarray(image), 4 * zoom)
    return finish(rng, soft * (1 + 0.1 * smooth_noise(rng, shape, 26 * zoom)))


def aligned_strands(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """Five to thirteen thick wavy strands that run much the same way."""
    relief = Image.fromarray(smooth_noise(rng, shape, 50 * zoom) * 5 * zoom)
    reach = hypot(*shape)
    direction = rng.uniform(0, pi)
    along = np.linspace(-reach, reach, 40)
    for level in np.linspace(0, 60, rng.integers(5, 14)) * zoom:
        angle = direction + rng.normal(0, 0.18)
        aside = rng.uniform(-0.5, 0.5) * reach + 26 * zoom * np.sin(along / (rng.uniform(90, 180) * zoom))
        x = shape[1] / 2 + along * cos(angle) - aside * sin(angle)
        y = shape[0] / 2 + along * sin(angle) + aside * cos(angle)
        add_tube(relief, x, y, rng.uniform(16, 38) * zoom, level)
    return shade(rng, blur(np.asarray(relief), 2 * zoom), steepness=0.8, zoom=zoom)


def cracked_coating(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """A coating without objects: two octaves of roughness, and in half of them cracks."""
    relief = 5 * smooth_noise(rng, shape, 70 * zoom) + rng.uniform(1, 2.5) * smooth_noise(rng, shape, 16 * zoom)
    image = Image.fromarray(relief * zoom)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(3, 9) if rng.uniform() < 0.5 else 0):
        angle = rng.uniform(0, 2 * pi) + np.cumsum(rng.normal(0, 0.35, 60))
        x = rng.uniform(0, shape[1]) + np.cumsum(np.cos(angle)) * 22 * zoom
        y = rng.uniform(0, shape[0]) + np.cumsum(np.sin(angle)) * 22 * zoom
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=-26 * zoom, width=max(round(5 * zoom), 1))
    return shade(rng, blur(np.asarray(image), 1.2 * zoom), steepness=0.35, zoom=zoom)


def electrodes(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """Contact pads on two sides, with tracks of right angles that lead to a small device in the middle."""
    height, width = shape
    image = Image.new("F", (width, height))
    draw = ImageDraw.Draw(image)
    thickness, pads = 30 * zoom, int(rng.integers(3, 7))
    pad = width / pads * rng.uniform(0.55, 0.75)
    track = max(round(pad * rng.uniform(0.08, 0.18)), 2)
    device = rng.uniform(0.08, 0.16) * min(shape)
    for side in (-1, 1):
        edge = height / 2 + side * height * 0.36
        for number in range(pads):
            x = (number + 0.5) * width / pads
            end = width / 2 + (number - (pads - 1) / 2) * 2 * device / pads
            bend = height / 2 + side * (device + (0.05 + 0.12 * abs(number / (pads - 1) - 0.5)) * height)
            draw.rectangle((x - pad / 2, edge - pad / 3, x + pad / 2, edge + pad / 3), fill=thickness)
            draw.line([(x, edge), (x, bend), (end, bend), (end, height / 2)], fill=thickness, width=track)
    centre_x, centre_y = width / 2, height / 2
    draw.rectangle((centre_x - device, centre_y - device, centre_x + device, centre_y + device), fill=thickness)
    relief = blur(np.asarray(image), 1.5 * zoom)
    picture = shade(rng, relief + smooth_noise(rng, shape, 6) * 0.4 * zoom, steepness=0.5, zoom=zoom)
    return picture * np.where(relief > thickness / 2, np.float32(1.0), np.float32(rng.uniform(0.4, 0.65)))


def lying_wires(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """40 to 120 thin straight wires that lie on a flat ground in all directions."""
    relief = Image.fromarray(smooth_noise(rng, shape, 30 * zoom) * 2 * zoom)
    for level in np.linspace(0, 24, rng.integers(40, 121)) * zoom:
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        angle, half = rng.uniform(0, pi), rng.uniform(60, 200) * zoom
        along = np.array([-half, half])
        add_tube(relief, x + np.cos(angle) * along, y + np.sin(angle) * along, rng.uniform(4, 8) * zoom, level)
    return shade(rng, blur(np.asarray(relief), 1.2 * zoom), steepness=1.0, contrast=1.2, zoom=zoom)


def scattered_discs(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """15 to 70 round particles of several sizes, apart from each other, with bright rims."""
    relief = smooth_noise(rng, shape, 80 * zoom) * 3 * zoom
    largest = rng.uniform(24, 60) * zoom
    for x, y in scattered(rng, shape, int(rng.integers(15, 71)), 1.7 * largest):
        add_sphere(relief, x, y, largest * rng.uniform(0.45, 1.0), 0.0)
    return shade(rng, relief, steepness=0.8, contrast=1.3, zoom=zoom)


def periodic_lines(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """Lines, squares or dots of one period, turned by any angle."""
    period, angle = rng.uniform(40, 110) * zoom, rng.uniform(0, pi)
    pattern = _PATTERNS[int(rng.integers(len(_PATTERNS)))]
    y, x = np.ogrid[: shape[0], : shape[1]]
    across = np.sin(((x * cos(angle) + y * sin(angle)) * (2 * pi / period)).astype(np.float32))
    duty, steepness = rng.uniform(-0.3, 0.3), period / 8
    height = across
    if pattern != "lines":
        along = np.sin(((y * cos(angle) - x * sin(angle)) * (2 * pi / period)).astype(np.float32))
        height = np.minimum(across, along) if pattern == "squares" else across + along - 0.6
    relief = np.clip((height - duty) * steepness, -1, 1) * rng.uniform(6, 14) * zoom
    return shade(rng, relief + smooth_noise(rng, shape, 8) * 0.4 * zoom, steepness=0.6, zoom=zoom)


def round_pores(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """A foam: round dark pores of many sizes with bright edges."""
    image = Image.fromarray(0.55 + 0.05 * smooth_noise(rng, shape, 12 * zoom))
    draw = ImageDraw.Draw(image)
    largest = rng.uniform(30, 55) * zoom
    for x, y in scattered(rng, shape, 240, 1.5 * largest):
        radius = largest * rng.uniform(0.45, 1.0)
        outline = _around(rng, float(x), float(y), radius, radius * rng.uniform(0.75, 1.0), corners=24, roughness=0.04)
        draw.polygon(outline, fill=rng.uniform(0.05, 0.2))
        draw.line([*outline, outline[0]], fill=0.9, width=max(round(5 * zoom), 1))
    return finish(rng, blur(np.asarray(image), 2 * zoom))


def fine_grains(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """260 to 420 small irregular grains of mixed brightness, one over the other."""
    image = Image.fromarray(0.15 + 0.02 * smooth_noise(rng, shape, 20 * zoom))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(260, 421)):
        size = float(rng.lognormal(3.0, 0.45)) * zoom
        outline = _outline(rng, shape, size, size * rng.uniform(0.6, 1.0), corners=6, roughness=0.18)
        tone = rng.uniform(0.25, 0.75)
        draw.polygon(outline, fill=tone, outline=tone + 0.2)
    soft = blur(np.asarray(image), 1.4 * zoom)
    return finish(rng, soft * (1 + 0.08 * smooth_noise(rng, shape, 7 * zoom)))


def slanted_cone(rng: Generator, shape: Shape, zoom: float) -> Picture:
    """One tapered cone that rises from the lower edge at a slant, with a bright outline."""
    height, width = shape
    lean, apex_x = rng.uniform(-0.45, 0.45), width * rng.uniform(0.35, 0.65)
    apex_y = height * rng.uniform(0.1, 0.45)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    down = np.clip(y - np.float32(apex_y), 0, None)
    aside = np.abs(x - np.float32(apex_x) - down * np.float32(lean))
    half_width = down * np.float32(rng.uniform(0.1, 0.4)) + np.sqrt(down) * np.float32(rng.uniform(1, 5) * zoom**0.5)
    lateral = aside / np.maximum(half_width, 1e-3)
    rim = 1 / np.sqrt(np.clip(1 - lateral**2, 0.03, 1))
    inside = np.float32(rng.uniform(0.25, 0.4)) + 0.12 * rim + 0.03 * smooth_noise(rng, shape, 8 * zoom)
    outside = np.float32(rng.uniform(0.05, 0.2)) + 0.03 * smooth_noise(rng, shape, 120 * zoom)
    return finish(rng, np.where((lateral < 1) & (down > 0), inside, outside))


Points = list[tuple[float, float]]


def _outline(rng: Generator, shape: Shape, long: float, short: float, *, corners: int, roughness: float) -> Points:
    """An irregular ellipse somewhere in the picture, by its half axes."""
    x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
    return _around(rng, x, y, long, short, corners=corners, roughness=roughness)


def _around(rng: Generator, x: float, y: float, long: float, short: float, *, corners: int, roughness: float) -> Points:
    turn = rng.uniform(0, pi)
    angles = np.linspace(0, 2 * pi, corners, endpoint=False)
    reach = 1 + roughness * rng.standard_normal(corners)
    along, aside = long * np.cos(angles) * reach, short * np.sin(angles) * reach
    xs, ys = x + along * cos(turn) - aside * sin(turn), y + along * sin(turn) + aside * cos(turn)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))
