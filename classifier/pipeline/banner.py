"""Finds the data banner that microscopes write below a picture. What stands in it is read in `scale/`.

A banner is a strip over the whole width of one grey level with text in it. It is told from a dark part of the picture by its
evenness: within a few grey levels, which the compression of JPEG leaves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.pipeline.results import Grey

LOWEST_SHARE, HIGHEST_SHARE = 0.02, 0.30  # of the picture's rows

_TOLERANCE = 3  # grey levels around the background's
_RINGING = 16  # and in a row beside text or picture after strong compression
_BLOCK = 8  # rows that compression treats together
_FILLED = 0.42  # share of a row that the background takes also where text stands
_EVEN = 0.90  # share of background and full ink in a row between lines of text, or through a solid bar
_PAPER = 0.1  # share of background in any such row
_INK = 0.7  # of the largest difference from the background
_MISSES = (
    0.012  # share of the picture's rows that may follow each other without background: rules, a solid bar, dense text
)
_CONTRAST = 60  # grey levels between text and background


@dataclass(frozen=True)
class Banner:
    """The rows from `top` to the picture's end, `height` of them, on the grey level `background`."""

    top: int
    height: int
    background: int

    def cut(self, pixels: Grey) -> Grey:
        """The picture (top, W) without its banner."""
        return pixels[: self.top]


def find_banner(pixels: Grey) -> Banner | None:
    """The banner of a picture (H, W), or None. Takes a few milliseconds."""
    rows, columns = pixels.shape
    if rows < 64 or columns < 64:
        return None
    depth = int(rows * HIGHEST_SHARE) + 1 + max(2, int(rows * _MISSES))
    strip = pixels[rows - depth :]
    background = _commonest_level(strip[-max(2, int(rows * LOWEST_SHARE)) :])
    difference = np.abs(strip.astype(np.int16) - background)
    is_ink = difference > _INK * difference[-max(2, rows // 10) :].max()
    is_filled = (difference <= _TOLERANCE).mean(axis=1) > _FILLED
    exact, blurred = (
        _top_row(is_filled, _is_even(difference <= tolerance, is_ink), max(2, int(rows * _MISSES)))
        for tolerance in (_TOLERANCE, _RINGING)
    )
    top = blurred if exact - blurred <= _BLOCK else exact
    height = depth - top
    if not LOWEST_SHARE <= height / rows <= HIGHEST_SHARE or not _holds_text(strip[top:], background):
        return None
    return Banner(top=rows - height, height=height, background=background)


def _commonest_level(part: Grey) -> int:
    counts = np.bincount(part.ravel(), minlength=256)
    near = np.convolve(counts, np.ones(2 * _TOLERANCE + 1, np.int64), mode="same")
    lowest = max(int(near.argmax()) - _TOLERANCE, 0)
    return lowest + int(counts[lowest : lowest + 2 * _TOLERANCE + 1].argmax())


def _is_even(is_background: NDArray[np.bool_], is_ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of background and full ink. Without some background it is the picture, which may be black above white paper."""
    return ((is_background | is_ink).mean(axis=1) > _EVEN) & (is_background.mean(axis=1) > _PAPER)


def _top_row(is_filled: NDArray[np.bool_], is_even: NDArray[np.bool_], misses: int) -> int:
    """Walks upwards over filled rows; the first row of the banner is an even one, because a dark picture looks like rows of
    text. Gives the number of rows where there is no banner."""
    top, missed = len(is_filled), 0
    for row in range(len(is_filled) - 1, -1, -1):
        missed = 0 if is_filled[row] or is_even[row] else missed + 1
        if missed > misses:
            break
        if is_even[row]:
            top = row
    return top


def _holds_text(strip: Grey, background: int) -> bool:
    """Some of it differs much from the background, and most of it does not."""
    differs = np.abs(strip.astype(np.int16) - background) > _CONTRAST
    return 0.003 < float(differs.mean()) < 0.5
