"""Scale bars among the ink of a banner: a solid block, a line with end ticks, a line split by its own text, a ruler of ticks.

Only shapes and where they are. Whether one is the scale bar depends on the text beside it: `banner_scale.py`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.bool_]

WIDEST = 0.9  # of the picture; what is wider is a frame
TALLEST_TICK = 0.8  # of the banner's height; what is taller is a rule of a table


@dataclass(frozen=True)
class Shape:
    """A horizontal shape with its ticks, in pixels of the banner. `length` runs between the centres of the end ticks where
    there are any."""

    kind: str  # "block", "ticks", "split", "ruler" or "line"
    left: float
    top: int
    bottom: int  # the first row below it
    length: float

    @property
    def right(self) -> float:
        return self.left + self.length


def shapes_of(ink: Ink) -> list[Shape]:
    """All bars in (H, W) that stand for themselves; for those split by their text see `split_bar`."""
    boxes = [box for box in _boxes(ink) if box[1] - box[0] <= WIDEST * ink.shape[1]]
    shapes = [shape for box in boxes if (shape := _shape(ink, *box)) is not None]
    return shapes + _rulers(ink)


def runs_of(ink: Ink, shortest: int) -> NDArray[np.intp]:
    """Runs of ink along the rows as (N, 3): row, first column, column after the last."""
    edges = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    runs = np.column_stack([begins, ends[:, 1]])
    return runs[runs[:, 2] - runs[:, 1] >= shortest]


def _boxes(ink: Ink) -> list[tuple[int, int, int, int]]:
    """Left, right, top and bottom of what runs of nearly the same ends in neighbouring rows make."""
    boxes: list[tuple[int, int, int, int]] = []
    for row, left, right in runs_of(ink, max(10, ink.shape[1] // 90)).tolist():
        for index, (box_left, box_right, top, bottom) in enumerate(boxes):
            if bottom == row and abs(box_left - left) <= 2 and abs(box_right - right) <= 2:
                boxes[index] = (min(box_left, left), max(box_right, right), top, row + 1)
                break
        else:
            boxes.append((left, right, row, row + 1))
    return boxes


def _shape(ink: Ink, left: int, right: int, top: int, bottom: int) -> Shape | None:
    thickness = bottom - top
    row = (top + bottom - 1) // 2
    first, last = (_tick(ink, row, column, thickness) for column in (left, right - 1))
    ticks = [tick for tick in (first, last) if tick is not None]
    if any(tick.bottom - tick.top >= TALLEST_TICK * ink.shape[0] for tick in ticks):
        return None
    upper, lower = min([top, *(tick.top for tick in ticks)]), max([bottom, *(tick.bottom for tick in ticks)])
    if first is not None and last is not None:
        return Shape("ticks", first.middle, upper, lower, last.middle - first.middle)
    if (right - left) < 1.5 * thickness:
        return None
    return Shape("block" if thickness >= 3 else "line", left, upper, lower, right - left)


class _Tick(NamedTuple):
    """A vertical stroke: the column of its middle, its first row and the row below it."""

    middle: float
    top: int
    bottom: int


def _tick(ink: Ink, row: int, column: int, thickness: int) -> _Tick | None:
    """The tick at an end of a line, or None where there is none."""
    places = range(max(column - 3, 0), min(column + 4, ink.shape[1]))
    strokes = [(place, *_stroke(ink[:, place], row)) for place in places]
    tall = [stroke for stroke in strokes if stroke[2] - stroke[1] >= thickness + 3]
    if not 0 < len(tall) <= 5:
        return None
    middle = (tall[0][0] + tall[-1][0]) / 2
    return _Tick(middle, min(stroke[1] for stroke in tall), max(stroke[2] for stroke in tall))


def _stroke(column: Ink, row: int) -> tuple[int, int]:
    """The first row of the vertical run of ink through a row, and the row below it; twice the row where there is no ink."""
    if not column[row]:
        return row, row
    gaps = np.flatnonzero(~column)
    above, below = gaps[gaps < row], gaps[gaps > row]
    return (int(above[-1]) + 1 if above.size else 0), (int(below[0]) if below.size else column.size)


def split_bar(ink: Ink, box: tuple[float, float, float, float]) -> Shape | None:
    """The line on both sides of a text with the `box` left, top, right, bottom: ├── 4 µm ──┤."""
    left, top, right, bottom = (round(edge) for edge in box)
    reach = max(round(1.6 * (bottom - top)), 4)
    best = None
    for row in range(max(top, 0), min(bottom, ink.shape[0])):
        before, after = _run_left(ink[row], left, reach), _run_right(ink[row], right, reach)
        if before is None or after is None:
            continue
        shorter, longer = sorted((before[1] - before[0], after[1] - after[0]))
        if longer <= 1.6 * shorter + 3 and (best is None or shorter > best[0]):
            best = (shorter, row, before[0], after[1] - 1)
    return _split_shape(ink, *best[1:]) if best is not None else None


def _split_shape(ink: Ink, row: int, first: int, last: int) -> Shape | None:
    ticks = [_tick(ink, row, column, 1) for column in (first, last)]
    if any(tick is not None and tick.bottom - tick.top >= TALLEST_TICK * ink.shape[0] for tick in ticks):
        return None
    begin, end = (tick.middle if tick else float(column) for tick, column in zip(ticks, (first, last), strict=True))
    return Shape("split", begin, row, row + 1, end - begin)


def _run_left(row: Ink, edge: int, reach: int) -> tuple[int, int] | None:
    """The run of at least 3 pixels that ends nearest before `edge`, as first column and column after the last."""
    end = next((column for column in range(min(edge, row.size) - 1, max(edge - reach, 0), -1) if row[column]), None)
    if end is None:
        return None
    gaps = np.flatnonzero(~row[:end])
    begin = int(gaps[-1]) + 1 if gaps.size else 0
    return (begin, end + 1) if end + 1 - begin >= 3 else None


def _run_right(row: Ink, edge: int, reach: int) -> tuple[int, int] | None:
    mirrored = _run_left(row[::-1], row.size - edge, reach)
    return (row.size - mirrored[1], row.size - mirrored[0]) if mirrored is not None else None


def _rulers(ink: Ink) -> list[Shape]:
    """Rows of at least eight narrow ticks at equal distances, the same in four neighbouring rows: what Hitachi draws."""
    found: list[Shape] = []
    since: dict[tuple[int, int], int] = {}
    for row in range(ink.shape[0]):
        ends = _evenly_spaced(ink[row])
        since = {ends: since.get(ends, row)} if ends is not None else {}
        if ends is not None and row - since[ends] == 3 and (ruler := _ruler(ink, row, ends)) is not None:
            found.append(ruler)
    return found


def _ruler(ink: Ink, row: int, ends: tuple[int, int]) -> Shape | None:
    """None where ink joins the ticks, as in letters."""
    left, right = ends[0] / 2, ends[1] / 2
    strokes = [_stroke(ink[:, round(column)], row) for column in (left, right)]
    top, bottom = min(stroke[0] for stroke in strokes), max(stroke[1] for stroke in strokes)
    inside = ink[top:bottom, round(left) : round(right) + 1]
    is_free = ~inside.any(axis=0)
    return Shape("ruler", left, top, bottom, right - left) if is_free.mean() > 0.4 else None


def _evenly_spaced(row: Ink) -> tuple[int, int] | None:
    """The first and the last middle (in half pixels) of the longest chain of evenly spaced narrow runs in a row."""
    runs = runs_of(row[np.newaxis], 1)
    narrow = runs[runs[:, 2] - runs[:, 1] <= 5]
    middles = (narrow[:, 1] + narrow[:, 2] - 1).tolist()
    best, chain = [], middles[:1]
    for before, after in pairwise(middles):
        step = chain[1] - chain[0] if len(chain) > 1 else after - before
        chain = [*chain, after] if abs(after - before - step) <= 3 and step >= 6 else [before, after]
        best = max(best, chain, key=len)
    return (best[0], best[-1]) if len(best) >= 8 else None
