"""Procedural pictures that resemble what scanning electron microscopes show, one function per kind of sample.

Each function takes a random generator, a (height, width) in pixels and a zoom, and returns brightness from 0 to 1. Zoom 1 is
for pictures about 1024 wide; at another all features are so many times larger. Most build a relief and shade it: slopes and
edges emit more secondary electrons than level ground.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[np.float32]
Shape = tuple[int, int]


def particles(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """Monodisperse spheres, loosely packed in a few layers."""
    relief = smooth_noise(rng, shape, 60 * zoom) * 6 * zoom
    radius = 34.0 * zoom
    candidates = _how_many(300, shape, zoom)
    for layer in range(3):
        for x, y in scattered(rng, shape, candidates * (4 - layer) // 4, 1.94 * radius):
            add_sphere(relief, x, y, radius * rng.normal(1, 0.025), layer * 30 * zoom)
    return shade(rng, relief, steepness=0.75, zoom=zoom)


def powder(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """Faceted grains of many sizes."""
    relief = smooth_noise(rng, shape, 40 * zoom) * 8 * zoom
    for size in np.sort(rng.lognormal(3.45, 0.45, _how_many(230, shape, zoom))):
        grain = min(float(size), 110) * zoom
        add_facetted_grain(rng, relief, rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), grain)
    return shade(rng, relief + smooth_noise(rng, shape, 3) * 0.5 * zoom, steepness=0.55, zoom=zoom)


def nanowires(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """Straight wires with flat ends, grown upwards in all directions, seen at a tilt."""
    relief = Image.fromarray(smooth_noise(rng, shape, 12 * zoom) * 3 * zoom)
    for level in np.sort(rng.uniform(0, 160, _how_many(210, shape, zoom))) * zoom:
        margin = 60 * zoom
        x, y = rng.uniform(-margin, shape[1] + margin), rng.uniform(0, shape[0] + 140 * zoom)
        angle, length = rng.normal(-np.pi / 2, 0.45), rng.uniform(120, 330) * zoom
        along = np.array([0.0, length])
        add_tube(relief, x + np.cos(angle) * along, y + np.sin(angle) * along, rng.uniform(5, 10) * zoom, level)
    return shade(rng, blur(np.asarray(relief), 1.1 * zoom), steepness=0.9, contrast=1.2, zoom=zoom)


def fibres(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """Long bent fibres of an electrospun mat."""
    picture = Image.new("F", shape[::-1])
    for level in np.linspace(0, 170, round(46 * (_how_many(1000, shape, zoom) / 1000) ** 0.5)) * zoom:
        step = 12 * zoom
        steps = int(2 * max(shape) / step)
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.021, steps))
        x, y = np.cumsum(np.cos(angle) * step), np.cumsum(np.sin(angle) * step)
        middle = steps // 2
        inside_x = x - x[middle] + rng.uniform(0, shape[1])
        inside_y = y - y[middle] + rng.uniform(0, shape[0])
        add_tube(picture, inside_x, inside_y, rng.uniform(7, 13) * zoom, level)
    relief = blur(np.asarray(picture), 1.3 * zoom)
    depth = 0.35 + 0.65 * relief / relief.max()
    return shade(rng, relief, steepness=0.8, zoom=zoom) * depth


def porous_sponge(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """A solid with connected pores, through which deeper walls are seen."""
    picture = np.full(shape, 0.04, np.float32)
    for depth, (scale, brightness) in enumerate(((26, 0.22), (30, 0.38), (34, 0.62))):
        field = smooth_noise(rng, shape, scale * zoom) + np.float32(0.15 + 0.05 * depth)
        wall = 1 / (1 + np.exp(-np.clip(field, -3, 3) * 16))
        texture = 1 + 0.12 * smooth_noise(rng, shape, 4)
        picture = picture * (1 - wall) + wall * brightness * texture
        picture += np.exp(-((field / 0.16) ** 2)) * brightness * 0.45
    return finish(rng, picture)


def patterned_surface(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """A hexagonal array of pillars with a few missing ones, as lithography leaves it."""
    relief = smooth_noise(rng, shape, 30 * zoom) * 1.5 * zoom
    pitch, radius = 62.0 * zoom, 19.0 * zoom
    for row in range(-1, int(shape[0] / (pitch * 0.866)) + 2):
        for column in range(-1, int(shape[1] / pitch) + 2):
            if rng.uniform() > 0.015:
                x = (column + 0.5 * (row % 2)) * pitch + rng.normal(0, 0.6 * zoom)
                y = row * pitch * 0.866 + rng.normal(0, 0.6 * zoom)
                add_disc(relief, x, y, radius * rng.normal(1, 0.02), 26 * zoom)
    return shade(rng, blur(relief, 1.6 * zoom), steepness=0.5, zoom=zoom)


def film(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """A polycrystalline film: grains of different brightness with grooves between them."""
    nearest, second, tone = voronoi(rng, shape, cell=round(54 * zoom))
    groove = np.clip((second - nearest) / (7 * zoom), 0, 1)
    relief = (groove * 5 + smooth_noise(rng, shape, 9 * zoom) * 1.2) * zoom
    return np.clip(shade(rng, relief, steepness=0.5, zoom=zoom) * (0.72 + 0.5 * tone), 0, 1)


def tip(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """A sharp tip in profile before a dark, slightly uneven background."""
    height, width = shape
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    apex_x, apex_y = width * rng.uniform(0.46, 0.54), height * 0.16
    depth = np.clip(y - apex_y, 0, None)
    half_width = np.float32(4 * zoom**0.5) * np.sqrt(depth) + depth * np.float32(rng.uniform(0.2, 0.27))
    lateral = np.abs(x - np.float32(apex_x)) / np.maximum(half_width, 1e-3)
    body = lateral < 1
    rim = 1 / np.sqrt(np.clip(1 - lateral**2, 0.03, 1))
    rings = 0.04 * np.sin(depth / (5 * zoom) + smooth_noise(rng, shape, 20 * zoom) * 2)
    inside = 0.3 + 0.13 * rim + rings + 0.05 * smooth_noise(rng, shape, 6 * zoom)
    glow = 0.14 * np.exp(-np.clip(np.abs(x - np.float32(apex_x)) - half_width, 0, None) / (60 * zoom))
    outside = 0.1 + 0.05 * smooth_noise(rng, shape, 80 * zoom) + glow
    return finish(rng, np.where(body & (y > apex_y), inside, outside))


def mems(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """A comb drive: two interdigitated combs over an etched substrate, with release holes in the shuttle."""
    height, width = shape
    relief = np.zeros(shape, np.float32)
    top, bottom = int(height * 0.24), int(height * 0.72)
    thickness = 40 * zoom
    relief[:top] = relief[bottom:] = thickness
    half_pitch, finger, gap = max(round(22 * zoom), 3), max(round(13 * zoom), 2), round(50 * zoom)
    margin = round(20 * zoom)
    for index, x in enumerate(range(margin, width - margin, half_pitch)):
        if index % 2:
            relief[top : bottom - gap, x : x + finger] = thickness
        else:
            relief[top + gap : bottom, x : x + finger] = thickness
    for x in np.arange(30 * zoom, width - margin, 60 * zoom):
        lower, upper = np.arange(26 * zoom, top - margin, 52 * zoom), np.arange(bottom + 30 * zoom, height, 52 * zoom)
        for y in (*lower, *upper):
            add_disc(relief, x, y, 9 * zoom, -38 * zoom)
    picture = shade(rng, blur(relief, 1.3 * zoom) + smooth_noise(rng, shape, 5) * 0.4 * zoom, steepness=0.45, zoom=zoom)
    return np.clip(picture * np.where(relief > thickness / 2, np.float32(1.0), np.float32(0.62)), 0, 1)


def biological(rng: Generator, shape: Shape, zoom: float = 1.0) -> Picture:
    """Pollen grains: spheres with regular spines."""
    relief = smooth_noise(rng, shape, 50 * zoom) * 12 * zoom
    for level in range(5):
        x, y = rng.uniform(0.08, 0.92) * shape[1], rng.uniform(0.1, 0.9) * shape[0]
        radius = 700 * zoom * rng.uniform(0.14, 0.21)
        base = level * 12.0 * zoom
        add_sphere(relief, x, y, radius, base)
        for dx, dy, dz in fibonacci_directions(100):
            if dz > 0.05 and 0 < x + dx * radius < shape[1] and 0 < y + dy * radius < shape[0]:
                for step, thickness in ((1.02, 0.07), (1.12, 0.036)):
                    reach = radius * step
                    add_sphere(relief, x + dx * reach, y + dy * reach, radius * thickness, base + dz * reach)
    return shade(rng, relief + smooth_noise(rng, shape, 4) * 0.6 * zoom, steepness=0.6, zoom=zoom)


PICTURES = {
    "particles": particles,
    "powder": powder,
    "nanowires": nanowires,
    "fibres": fibres,
    "porous sponge": porous_sponge,
    "patterned surface": patterned_surface,
    "film": film,
    "tip": tip,
    "MEMS": mems,
    "biological": biological,
}


def _how_many(count: int, shape: Shape, zoom: float) -> int:
    """As many things as make a picture as dense as `count` do in one of 700 x 1024, within limits."""
    return round(count * min(shape[0] * shape[1] / (700 * 1024 * zoom**2), 1.3))


def smooth_noise(rng: Generator, shape: Shape, scale: float) -> Picture:
    """Gaussian noise of mean 0 and deviation 1 whose features are about `scale` pixels wide."""
    step = max(int(scale / 3), 1)
    coarse = tuple(max(-(-side // step), 4) for side in shape)
    noise = blur(rng.standard_normal(coarse, dtype=np.float32), scale / 2 / step)
    noise = resized(noise, shape)
    return noise / noise.std()


def blur(picture: Picture, sigma: float) -> Picture:
    """Gaussian blur with repeated edges; a wide one is done at a lower resolution."""
    step = int(sigma / 1.25)
    if step < 2:
        return _convolve(picture, sigma)
    coarse = tuple(max(-(-side // step), 2) for side in picture.shape)
    return resized(_convolve(resized(picture, coarse, Image.Resampling.BOX), sigma / step), picture.shape)


def _convolve(picture: Picture, sigma: float) -> Picture:
    if sigma <= 0:
        return picture
    radius = max(int(2.7 * sigma + 0.5), 1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    weights /= weights.sum()
    rows, columns = picture.shape
    padded = np.pad(picture, ((radius, radius), (0, 0)), mode="edge")
    tall = sum(weight * padded[index : index + rows] for index, weight in enumerate(weights))
    padded = np.pad(tall, ((0, 0), (radius, radius)), mode="edge")
    return sum(weight * padded[:, index : index + columns] for index, weight in enumerate(weights))


def resized(picture: Picture, shape: Shape, how: Image.Resampling = Image.Resampling.BICUBIC) -> Picture:
    """The picture with another number of rows and columns."""
    return np.asarray(Image.fromarray(picture).resize(shape[::-1], how))


def shade(rng: Generator, relief: Picture, *, steepness: float, contrast: float = 1.0, zoom: float = 1.0) -> Picture:
    """Brightness of a relief (heights in pixels): steep slopes shine, slopes towards the detector a little more."""
    down, right = np.gradient(relief * np.float32(steepness))
    slope = np.sqrt(1 + down**2 + right**2)
    facing = (down * 0.8 - right * 0.6) / slope
    shadow = np.clip(blur(relief, 14 * zoom) - relief, 0, 40 * zoom) / (40 * zoom)
    return finish(rng, 0.3 + 0.11 * contrast * np.minimum(slope - 1, 3.2) + 0.13 * facing - 0.26 * shadow)


def finish(rng: Generator, picture: Picture) -> Picture:
    """The noise of the detector, a little blur of the probe, and a full range of grey."""
    picture = blur(picture.astype(np.float32), 0.6)
    low, high = np.percentile(picture[::3, ::3], (0.5, 99.7)).astype(np.float32)
    picture = 0.03 + 0.92 * (picture - low) / max(high - low, 1e-6)
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * (0.018 + 0.03 * np.sqrt(np.clip(picture, 0, 1)))
    return np.clip(picture + noise, 0, 1)


def scattered(rng: Generator, shape: Shape, candidates: int, distance: float) -> NDArray[np.float64]:
    """Points (x, y), one per row, at least `distance` apart: those of the random candidates that find room, in turn."""
    points = rng.uniform((0, 0), (shape[1], shape[0]), (candidates, 2))
    x, y = points.T.astype(np.float32)
    is_near = np.subtract.outer(x, x) ** 2 + np.subtract.outer(y, y) ** 2 < distance**2
    is_kept = np.zeros(candidates, bool)
    for index in range(candidates):
        is_kept[index] = not is_kept[is_near[index]].any()
    return points[is_kept]


def add_sphere(relief: Picture, x: float, y: float, radius: float, base: float) -> None:
    """Raise the relief to a sphere whose centre is `base` high."""
    window, distance_squared = _patch(relief, x, y, radius)
    above = np.float32(radius**2) - distance_squared
    target = relief[window]
    np.maximum(target, np.sqrt(np.maximum(above, 0)) + np.float32(base), out=target, where=above > 0)


def add_disc(relief: Picture, x: float, y: float, radius: float, height: float) -> None:
    window, distance_squared = _patch(relief, x, y, radius)
    relief[window] += np.where(distance_squared < radius**2, height, 0)


def add_tube(
    relief: Image.Image, xs: NDArray[np.float64], ys: NDArray[np.float64], radius: float, level: float
) -> None:
    """Lay a round tube along a path over a relief, which is an image of float32; later ones lie over earlier ones."""
    draw = ImageDraw.Draw(relief)
    path = list(zip(xs.tolist(), ys.tolist(), strict=True))
    rings = 4 if radius > 3 else 2
    for ring in range(rings):
        share = 1 - ring / rings
        height = level + radius * (1 - (share - 0.5 / rings) ** 2) ** 0.5
        draw.line(path, fill=height, width=max(round(2 * radius * share), 1))


def add_facetted_grain(rng: Generator, relief: Picture, x: float, y: float, size: float) -> None:
    """Raise the relief to a convex grain, the lowest of a few tilted planes."""
    window, _ = _patch(relief, x, y, size)
    rows, columns = (axis.astype(np.float32) for axis in np.ogrid[window])
    angles = (np.linspace(0, 2 * np.pi, 7)[:-1] + rng.normal(0, 0.25, 6)).astype(np.float32)[:, None, None]
    slopes = rng.uniform(0.8, 2.2, (6, 1, 1)).astype(np.float32)
    reaches = (size * rng.uniform(0.6, 0.95, (6, 1, 1))).astype(np.float32)
    planes = slopes * (reaches - (columns - x) * np.cos(angles) - (rows - y) * np.sin(angles))
    height = np.minimum(planes.min(axis=0), size * rng.uniform(0.5, 0.8))
    relief[window] = np.where(height > 0, np.maximum(relief[window], height + size * 0.2), relief[window])


def voronoi(rng: Generator, shape: Shape, cell: int) -> tuple[Picture, Picture, Picture]:
    """Distances to the nearest and to the second nearest of random seeds, and a tone from 0 to 1 of the nearest."""
    nearest, second, tone = (np.full(shape, fill, np.float32) for fill in (1e6, 1e6, 0.5))
    for row in range(-cell, shape[0] + cell, cell):
        for column in range(-cell, shape[1] + cell, cell):
            x, y = column + rng.uniform(0, cell), row + rng.uniform(0, cell)
            grey = rng.uniform()
            window, distance_squared = _patch(nearest, x, y, 2.5 * cell)
            distance = np.sqrt(distance_squared)
            is_nearer = distance < nearest[window]
            second[window] = np.where(is_nearer, nearest[window], np.minimum(second[window], distance))
            tone[window] = np.where(is_nearer, grey, tone[window])
            nearest[window] = np.minimum(nearest[window], distance)
    return nearest, second, tone


def fibonacci_directions(count: int) -> NDArray[np.float64]:
    """Evenly spread unit vectors, one per row."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - z**2)
    return np.column_stack([np.cos(angle) * radius, np.sin(angle) * radius, z])


def _patch(relief: Picture, x: float, y: float, radius: float) -> tuple[tuple[slice, slice], Picture]:
    """The window of a relief around a point, clipped to it, and the squared distances in it."""
    top, bottom = max(int(y - radius), 0), max(min(int(y + radius) + 2, relief.shape[0]), 0)
    left, right = max(int(x - radius), 0), max(min(int(x + radius) + 2, relief.shape[1]), 0)
    rows = np.arange(top, max(top, bottom), dtype=np.float32)[:, None]
    columns = np.arange(left, max(left, right), dtype=np.float32)[None, :]
    distance_squared = ((columns - x) ** 2 + (rows - y) ** 2).astype(np.float32)
    return (slice(top, max(top, bottom)), slice(left, max(left, right))), distance_squared
