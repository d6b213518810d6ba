"""Pixels of any kind as 8-bit grey values. No file format is known here."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.pipeline.results import Grey

_DARKEST, _BRIGHTEST = 0.5, 99.5  # percentiles that become black and white
_LOOKED_AT = 1_000_000  # values that are enough for percentiles
_ROWS = 256  # scaled at a time, so that a large picture is never held as float a second time
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow


def to_grey(image: Image.Image) -> Grey:
    """The grey values (H, W) of an image that Pillow has opened; decodes it."""
    if image.mode == "L":
        return np.asarray(image)
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return scaled(np.asarray(image))
    return np.asarray(image.convert("L"))


def from_samples(samples: NDArray[np.generic]) -> Grey:
    """The grey values of an array (H, W), or (H, W, S) of which the first three samples are colours; S = 2 is grey with
    transparency."""
    if samples.ndim == 3:
        colours = samples[..., :3] if samples.shape[2] >= 3 else samples[..., :1]
        if colours.shape[2] == 1:
            samples = colours[..., 0]
        elif samples.dtype == np.uint8:
            return np.asarray(Image.fromarray(np.ascontiguousarray(colours).astype(np.uint8)).convert("L"))
        else:
            samples = colours.astype(np.float32) @ _LUMINANCE
    if samples.dtype == np.uint8:
        return np.ascontiguousarray(samples).astype(np.uint8, copy=False)
    if samples.dtype == np.bool_:
        return samples.astype(np.uint8) * np.uint8(255)
    return scaled(samples)


def scaled(values: NDArray[np.generic]) -> Grey:
    """Values (H, W) of any real type between their 0.5 and 99.5 percentiles; what is not finite becomes black."""
    step = max(1, int(np.sqrt(values.size / _LOOKED_AT)))
    looked_at = values[::step, ::step].astype(np.float64)
    looked_at = looked_at[np.isfinite(looked_at)]
    if not looked_at.size:
        return np.zeros(values.shape, np.uint8)
    low, high = (float(value) for value in np.percentile(looked_at, (_DARKEST, _BRIGHTEST)))
    if high <= low:
        low, high = float(looked_at.min()), float(looked_at.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    grey = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):
        rows = np.nan_to_num(values[start : start + _ROWS].astype(np.float64), nan=low, posinf=high, neginf=low)
        grey[start : start + _ROWS] = np.clip((rows - low) * scale + 0.5, 0, 255)
    return grey
