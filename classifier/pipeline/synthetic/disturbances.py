"""What an instrument does to a picture: tilt, charging, defocus, gain, lines and noise. Brightness goes from 0 to 1."""

import numpy as np
from numpy.random import Generator

from catalogue.demo.pictures import Picture, blur, smooth_noise


def disturb(rng: Generator, picture: Picture) -> Picture:
    """Some of the disturbances, each as strong as it happens; lengths go with the width of the picture."""
    for disturbance, share in ((shade_by_tilt, 0.3), (charge, 0.2), (defocus, 0.4), (change_gain, 0.9)):
        if rng.uniform() < share:
            picture = disturbance(rng, picture)
    if rng.uniform() < 0.4:
        picture = add_line_noise(rng, picture)
    return add_noise(rng, picture)


def shade_by_tilt(rng: Generator, picture: Picture) -> Picture:
    """One side is darker, as on a tilted sample."""
    rows, columns = picture.shape
    down, right = rng.uniform(-0.35, 0.35, 2)
    ramp = np.linspace(-down, down, rows)[:, None] + np.linspace(-right, right, columns)[None, :]
    return picture * (1 + ramp.astype(np.float32))


def charge(rng: Generator, picture: Picture) -> Picture:
    """Bright streaks along the lines of the scan, that fade to the right."""
    rows, columns = picture.shape
    streaks = np.zeros_like(picture)
    for _ in range(rng.integers(2, 9)):
        top, left = int(rng.integers(rows)), int(rng.integers(columns))
        thickness = max(round(rows * rng.uniform(0.004, 0.03)), 1)
        fading = np.exp(-np.arange(columns - left) / (columns * rng.uniform(0.1, 0.5)))
        streaks[top : top + thickness, left:] += np.float32(rng.uniform(0.1, 0.4)) * fading.astype(np.float32)
    return picture + blur(streaks, 0.7) * (1 + 0.2 * smooth_noise(rng, picture.shape, 8))


def defocus(rng: Generator, picture: Picture) -> Picture:
    return blur(picture, rng.uniform(0.001, 0.006) * picture.shape[1])


def change_gain(rng: Generator, picture: Picture) -> Picture:
    """Another contrast, brightness and gamma; the detector may be driven out of its range."""
    contrast, brightness = rng.uniform(0.5, 1.25), rng.uniform(-0.12, 0.12)
    stretched = (picture - 0.5) * np.float32(contrast) + np.float32(0.5 + brightness)
    return np.clip(stretched, 0, 1) ** np.float32(rng.uniform(0.75, 1.35))


def add_line_noise(rng: Generator, picture: Picture) -> Picture:
    return picture + rng.normal(0, rng.uniform(0.005, 0.03), (picture.shape[0], 1)).astype(np.float32)


def add_noise(rng: Generator, picture: Picture) -> Picture:
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(0.01, 0.09))
    return np.clip(picture + noise, 0, 1)
