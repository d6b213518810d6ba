"""Tells nm from µm by the shape of the letter, because Tesseract takes one for the other: n is closed above, µ and u below."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.pipeline.results import Grey
from classifier.pipeline.scale.ocr import Box

_ENLARGEMENT = 4

Ink = NDArray[np.bool_]


def unit_by_shape(strip: Grey, box: Box) -> str:
    """ "nm", "µm" or "mm" by the last two letters of the text in the `box` left, top, right, bottom of dark text on light
    ground (H, W); empty where the letters touch each other or are not clear."""
    ink = _enlarged_ink(strip, box)
    spans = _spans(ink.any(axis=0))
    if len(spans) < 3:
        return ""
    letter, last = ink[:, slice(*spans[-2])], ink[:, slice(*spans[-1])]
    rows = np.flatnonzero(last.any(axis=1))
    body = letter[rows[0] : rows[-1] + 1]
    if _stems(last[rows[0] : rows[-1] + 1]) != 3:
        return ""
    return {3: "mm", 2: _by_open_side(body)}.get(_stems(body), "")


def _enlarged_ink(strip: Grey, box: Box) -> Ink:
    left, top, right, bottom = box
    region = (max(round(left) - 1, 0), max(round(top) - 2, 0), round(right) + 2, round(bottom) + 3)
    crop = Image.fromarray(strip).crop(tuple(np.minimum(region, (strip.shape[1], strip.shape[0]) * 2).tolist()))
    size = (crop.width * _ENLARGEMENT, crop.height * _ENLARGEMENT)
    grey = np.asarray(crop.resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
    return grey < (grey.min() + grey.max()) / 2


def _spans(columns: NDArray[np.bool_] | np.bool_) -> list[tuple[int, int]]:
    """First and last-but-one column of what stands apart from its neighbours."""
    edges = np.flatnonzero(np.diff(np.pad(columns, 1).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _stems(body: Ink) -> int:
    """How many strokes the row somewhat below the middle cuts."""
    return len(_spans(body[int(body.shape[0] * 0.6)]))


def _by_open_side(body: Ink) -> str:
    height, width = body.shape
    between = body[:, width // 3 : max(2 * width // 3, width // 3 + 1)]
    above, below = float(between[: height // 3].mean()), float(between[-(height // 3) :].mean())
    if max(above, below) < 0.15 or min(above, below) > 0.6 * max(above, below):
        return ""
    return "nm" if above > below else "µm"
