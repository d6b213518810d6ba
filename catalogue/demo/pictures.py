"""Procedural pictures that resemble what scanning electron microscopes show, one function per kind of sample.

Each function takes a random generator and a (height, width) in pixels and returns brightness from 0 to 1. Most build a
relief and shade it: slopes and edges emit more secondary electrons than level ground.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Shape = tuple[int, int]


def particles(rng: Generator, shape: Shape) -> Picture:
    """Monodisperse spheres, loosely packed in a few layers."""
    relief = smooth_noise(rng, shape, 60) * 6
    radius = 34.0
    for layer in range(3):
        centres = np.empty((0, 2))
        for centre in rng.uniform((0, 0), (shape[1], shape[0]), (400 - 90 * layer, 2)):
            if not (np.hypot(*(centres - centre).T) < 1.94 * radius).any():
                centres = np.vstack([centres, centre])
                add_sphere(relief, centre[0], centre[1], radius * rng.normal(1, 0.025), layer * 30)
    return shade(rng, relief, steepness=0.75)


def powder(rng: Generator, shape: Shape) -> Picture:
    """Faceted grains of many sizes."""
    relief = smooth_noise(rng, shape, 40) * 8
    for size in np.sort(rng.lognormal(3.3, 0.45, 330)):
        add_facetted_grain(rng, relief, rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), min(float(size), 110))
    return shade(rng, relief + smooth_noise(rng, shape, 3) * 0.5, steepness=0.55)


def nanowires(rng: Generator, shape: Shape) -> Picture:
    """Straight wires with flat ends, grown upwards in all directions, seen at a tilt."""
    relief = smooth_noise(rng, shape, 12) * 3
    for level in np.sort(rng.uniform(0, 160, 210)):
        x, y = rng.uniform(-60, shape[1] + 60), rng.uniform(0, shape[0] + 140)
        angle, length = rng.normal(-np.pi / 2, 0.45), rng.uniform(120, 330)
        steps = np.linspace(0, 1, int(length / 3))
        radius = rng.uniform(5, 10)
        add_tube(
            relief, x + np.cos(angle) * length * steps, y + np.sin(angle) * length * steps, radius, level + 40 * steps
        )
    return shade(rng, relief, steepness=0.9, contrast=1.2)


def fibres(rng: Generator, shape: Shape) -> Picture:
    """Long bent fibres of an electrospun mat."""
    relief = np.zeros(shape, np.float32)
    for level in np.linspace(0, 170, 46):
        steps = np.arange(0, 2 * max(shape), 4.0)
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.012, len(steps)))
        centre_x, centre_y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        x, y = np.cumsum(np.cos(angle) * 4), np.cumsum(np.sin(angle) * 4)
        middle = len(steps) // 2
        inside_x, inside_y = x - x[middle] + centre_x, y - y[middle] + centre_y
        add_tube(relief, inside_x, inside_y, rng.uniform(7, 13), np.full(len(steps), level))
    depth = 0.35 + 0.65 * relief / relief.max()
    return shade(rng, relief, steepness=0.8) * depth.astype(np.float32)


def porous_sponge(rng: Generator, shape: Shape) -> Picture:
    """A solid with connected pores, through which deeper walls are seen."""
    picture = np.full(shape, 0.04, np.float32)
    for depth, (scale, brightness) in enumerate(((26, 0.22), (30, 0.38), (34, 0.62))):
        field = smooth_noise(rng, shape, scale)
        wall = 1 / (1 + np.exp(-(field + 0.15 + 0.05 * depth) * 16))
        edge = np.exp(-(((field + 0.15 + 0.05 * depth) / 0.16) ** 2))
        texture = 1 + 0.12 * smooth_noise(rng, shape, 4)
        picture = picture * (1 - wall) + wall * brightness * texture
        picture += edge * brightness * 0.45
    return finish(rng, picture)


def patterned_surface(rng: Generator, shape: Shape) -> Picture:
    """A hexagonal array of pillars with a few missing ones, as lithography leaves it."""
    relief = smooth_noise(rng, shape, 30) * 1.5
    pitch, radius = 62.0, 19.0
    for row in range(-1, int(shape[0] / (pitch * 0.866)) + 2):
        for column in range(-1, int(shape[1] / pitch) + 2):
            if rng.uniform() > 0.015:
                x = (column + 0.5 * (row % 2)) * pitch + rng.normal(0, 0.6)
                add_disc(relief, x, row * pitch * 0.866 + rng.normal(0, 0.6), radius * rng.normal(1, 0.02), 26)
    return shade(rng, blur(relief, 1.6), steepness=0.5)


def film(rng: Generator, shape: Shape) -> Picture:
    """A polycrystalline film: grains of different brightness with grooves between them."""
    nearest, second, tone = voronoi(rng, shape, cell=46)
    groove = np.clip((second - nearest) / 7, 0, 1)
    relief = groove * 5 + smooth_noise(rng, shape, 9) * 1.2
    return np.clip(shade(rng, relief, steepness=0.5) * (0.72 + 0.5 * tone), 0, 1).astype(np.float32)


def tip(rng: Generator, shape: Shape) -> Picture:
    """A sharp tip in profile before a dark, slightly uneven background."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    apex_x, apex_y = width * rng.uniform(0.46, 0.54), height * 0.16
    depth = np.clip(y - apex_y, 0, None)
    half_width = 4 * np.sqrt(depth) + depth * rng.uniform(0.2, 0.27)
    lateral = np.clip(np.abs(x - apex_x) / np.maximum(half_width, 1e-3), 0, None)
    body = lateral < 1
    rim = 1 / np.sqrt(np.clip(1 - lateral**2, 0.03, 1))
    rings = 0.04 * np.sin(depth / 5 + smooth_noise(rng, shape, 20) * 2)
    inside = 0.3 + 0.13 * rim + rings + 0.05 * smooth_noise(rng, shape, 6)
    outside = (
        0.1
        + 0.05 * smooth_noise(rng, shape, 80)
        + 0.14 * np.exp(-np.clip(np.abs(x - apex_x) - half_width, 0, None) / 60)
    )
    return finish(rng, np.where(body & (y > apex_y), inside, outside))


def mems(rng: Generator, shape: Shape) -> Picture:
    """A comb drive: two interdigitated combs over an etched substrate, with release holes in the shuttle."""
    height, width = shape
    relief = np.zeros(shape, np.float32)
    top, bottom = int(height * 0.24), int(height * 0.72)
    relief[:top] = relief[bottom:] = 40
    pitch, finger = 44, 13
    for index, x in enumerate(range(20, width - 20, pitch // 2)):
        if index % 2:
            relief[top : bottom - 50, x : x + finger] = 40
        else:
            relief[top + 50 : bottom, x : x + finger] = 40
    for x in range(30, width - 20, 60):
        for y in (*range(26, top - 20, 52), *range(bottom + 30, height - 20, 52)):
            add_disc(relief, x, y, 9, -38)
    picture = shade(rng, blur(relief, 1.3) + smooth_noise(rng, shape, 5) * 0.4, steepness=0.45)
    return np.clip(picture * np.where(relief > 20, 1.0, 0.62), 0, 1).astype(np.float32)


def biological(rng: Generator, shape: Shape) -> Picture:
    """Pollen grains: spheres with regular spines."""
    relief = smooth_noise(rng, shape, 50) * 12
    size = min(shape)
    for level in range(5):
        x, y = rng.uniform(0.08, 0.92) * shape[1], rng.uniform(0.1, 0.9) * shape[0]
        radius = size * rng.uniform(0.14, 0.21)
        base = level * 12.0
        add_sphere(relief, x, y, radius, base)
        for dx, dy, dz in fibonacci_directions(150):
            if dz > 0.05:
                for step, thickness in ((1.0, 0.075), (1.06, 0.055), (1.12, 0.036), (1.17, 0.022)):
                    reach = radius * step
                    add_sphere(relief, x + dx * reach, y + dy * reach, radius * thickness, base + dz * reach)
    return shade(rng, relief + smooth_noise(rng, shape, 4) * 0.6, steepness=0.6)


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


def smooth_noise(rng: Generator, shape: Shape, scale: float) -> Picture:
    """Gaussian noise of mean 0 and deviation 1 whose features are about `scale` pixels wide."""
    noise = blur(rng.standard_normal(shape, dtype=np.float32), scale / 2)
    return (noise / noise.std()).astype(np.float32)


def blur(picture: Picture, sigma: float) -> Picture:
    """Gaussian blur with periodic edges, by Fourier transform."""
    rows = np.fft.fftfreq(picture.shape[0])[:, None]
    columns = np.fft.rfftfreq(picture.shape[1])[None, :]
    window = np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns**2))
    return np.fft.irfft2(np.fft.rfft2(picture) * window, s=picture.shape).astype(np.float32)


def shade(rng: Generator, relief: Picture, *, steepness: float, contrast: float = 1.0) -> Picture:
    """Brightness of a relief (heights in pixels): steep slopes shine, slopes towards the detector a little more."""
    down, right = np.gradient(relief * steepness)
    slope = np.sqrt(1 + down**2 + right**2)
    facing = (down * 0.8 - right * 0.6) / slope
    shadow = np.clip(blur(relief, 14) - relief, 0, 40) / 40
    return finish(rng, 0.3 + 0.11 * contrast * np.minimum(slope - 1, 3.2) + 0.13 * facing - 0.26 * shadow)


def finish(rng: Generator, picture: Picture) -> Picture:
    """The noise of the detector, a little blur of the probe, and a full range of grey."""
    picture = blur(picture.astype(np.float32), 0.6)
    low, high = np.percentile(picture, (0.5, 99.7))
    picture = 0.03 + 0.92 * (picture - low) / max(high - low, 1e-6)
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * (0.018 + 0.03 * np.sqrt(np.clip(picture, 0, 1)))
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def add_sphere(relief: Picture, x: float, y: float, radius: float, base: float) -> None:
    """Raise the relief to a sphere whose centre is `base` high."""
    window, distance_squared = _patch(relief, x, y, radius)
    inside = distance_squared < radius**2
    height = base + np.sqrt(np.clip(radius**2 - distance_squared, 0, None))
    relief[window] = np.where(inside, np.maximum(relief[window], height), relief[window])


def add_disc(relief: Picture, x: float, y: float, radius: float, height: float) -> None:
    window, distance_squared = _patch(relief, x, y, radius)
    relief[window] += np.where(distance_squared < radius**2, height, 0)


def add_tube(
    relief: Picture, xs: NDArray[np.float64], ys: NDArray[np.float64], radius: float, levels: NDArray[np.float64]
) -> None:
    """Raise the relief to a round tube along a path."""
    for x, y, level in zip(xs, ys, levels, strict=True):
        if -radius < x < relief.shape[1] + radius and -radius < y < relief.shape[0] + radius:
            add_sphere(relief, x, y, radius, level)


def add_facetted_grain(rng: Generator, relief: Picture, x: float, y: float, size: float) -> None:
    """Raise the relief to a convex grain, the lowest of a few tilted planes."""
    window, _ = _patch(relief, x, y, size)
    rows, columns = (axis.astype(np.float32) for axis in np.ogrid[window])
    angles = np.linspace(0, 2 * np.pi, 7)[:-1] + rng.normal(0, 0.25, 6)
    height = np.full(relief[window].shape, size * rng.uniform(0.5, 0.8), np.float32)
    for angle in angles:
        slope = rng.uniform(0.8, 2.2)
        across = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        height = np.minimum(height, slope * (size * rng.uniform(0.6, 0.95) - across))
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
