"""Scale bars among the ink of a banner: a solid block, a line with end ticks, a line split by its own text, a ruler of ticks.

Only shapes and where they are. Which of them is the scale bar depends on the text beside it: `banner_scale.py`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.bool_]
Box = tuple[int, int, int, int]  # left, right, top, bottom; right and bottom are not part of it

WIDEST = 0.9  # of the picture; what is wider is a frame
_MOST_RUNS = 20_000  # in a banner; those of text 2,000 pixels wide have some thousands
_MOST_IN_A_ROW = 400
_SHORTEST_PART = 5  # pixels, of a bar that its text splits
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
    gap: tuple[int, int] | None = None  # the columns in which a split bar has its text

    @property
    def right(self) -> float:
        return self.left + self.length


def shapes_of(ink: Ink) -> list[Shape]:
    """All shapes in (H, W) that may be a scale bar, among them strokes of letters."""
    shortest = max(10, ink.shape[1] // 90)
    boxes = [box for box in _boxes(ink) if box[1] - box[0] <= WIDEST * ink.shape[1]]
    shapes = [shape for box in boxes if box[1] - box[0] >= shortest and (shape := _shape(ink, *box)) is not None]
    return shapes + _split_bars(ink, boxes) + _rulers(ink)


def runs_of(ink: Ink, shortest: int) -> NDArray[np.intp]:
    """Runs of ink along the rows as (N, 3): row, first column, column after the last."""
    edges = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    runs = np.column_stack([begins, ends[:, 1]])
    return runs[runs[:, 2] - runs[:, 1] >= shortest]


def _boxes(ink: Ink) -> list[Box]:
    """What runs of nearly the same ends in neighbouring rows make; nothing where there are more than text and bars leave."""
    runs = runs_of(ink, _SHORTEST_PART)
    if len(runs) > _MOST_RUNS:
        return []
    boxes: list[Box] = []
    ending: dict[int, list[int]] = {}  # by the row below them, the boxes that may go on there
    for row, left, right in runs.tolist():
        above = ending.get(row, [])
        index = next((one for one in above if _continues(boxes[one], left, right)), None)
        if index is None:
            index = len(boxes)
            boxes.append((left, right, row, row + 1))
        else:
            above.remove(index)
            before = boxes[index]
            boxes[index] = (min(before[0], left), max(before[1], right), before[2], row + 1)
        ending.setdefault(row + 1, []).append(index)
    return boxes


def _continues(box: Box, left: int, right: int) -> bool:
    return abs(box[0] - left) <= 2 and abs(box[1] - right) <= 2


def _shape(ink: Ink, left: int, right: int, top: int, bottom: int) -> Shape | None:
    thickness = bottom - top
    row = (top + bottom - 1) // 2
    first, last = (_tick(ink, row, column, thickness) for column in (left, right - 1))
    ticks = [tick for tick in (first, last) if tick is not None]
    if any(tick.bottom - tick.top >= TALLEST_TICK * ink.shape[0] for tick in ticks):
        return None
    upper, lower = min([top, *(tick.top for tick in ticks)]), max([bottom, *(tick.bottom for tick in ticks)])
    if first is not None and last is not None and _is_free(ink, (left, right, top, bottom), upper, lower):
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


def _split_bars(ink: Ink, boxes: list[Box]) -> list[Shape]:
    """Two lines of one length in the same rows with a tick at the outer end of each: ├── 4 µm ──┤."""
    begins, ends = [], []
    for box in boxes:
        left, right, top, bottom = box
        row, thickness = (top + bottom - 1) // 2, bottom - top
        first, last = (_tick(ink, row, column, thickness) for column in (left, right - 1))
        if _is_end(first, box, ink) and last is None:
            begins.append((box, first))
        if _is_end(last, box, ink) and first is None:
            ends.append((box, last))
    return [
        Shape("split", first.middle, first.top, first.bottom, last.middle - first.middle, (before[1], after[0]))
        for before, first in begins
        for after, last in ends
        if _belong_together(before, after) and after[0] - before[1] < 8 * (first.bottom - first.top)
    ]


def _is_end(tick: "_Tick | None", box: Box, ink: Ink) -> TypeGuard["_Tick"]:
    """Whether a tick goes up and down alike from a thin line, and is not the rule of a table or part of a letter."""
    left, right, top, bottom = box
    if tick is None or bottom - top > 4 or tick.bottom - tick.top >= TALLEST_TICK * ink.shape[0]:
        return False
    return abs((top - tick.top) - (tick.bottom - bottom)) <= 3 and _is_free(ink, box, tick.top, tick.bottom)


def _is_free(ink: Ink, box: Box, upper: int, lower: int) -> bool:
    """Whether there is nothing above and below the line but its ticks, in the rows from `upper` to before `lower`."""
    left, right, top, bottom = box
    inside = slice(left + 3, right - 3)
    beside = np.concatenate([ink[upper : max(top - 1, upper), inside].ravel(), ink[bottom + 1 : lower, inside].ravel()])
    return not beside.size or float(beside.mean()) < 0.05


def _belong_together(before: Box, after: Box) -> bool:
    shorter, longer = sorted((before[1] - before[0], after[1] - after[0]))
    return abs(before[2] - after[2]) <= 1 and before[1] + 8 < after[0] and longer <= 1.3 * shorter + 3


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
    middles = (narrow[:, 1] + narrow[:, 2] - 1).tolist() if len(narrow) <= _MOST_IN_A_ROW else []
    best: list[int] = []
    chain = middles[:1]
    for before, after in pairwise(middles):
        step = chain[1] - chain[0] if len(chain) > 1 else after - before
        chain = [*chain, after] if abs(after - before - step) <= 3 and step >= 6 else [before, after]
        best = max(best, chain, key=len)
    return (best[0], best[-1]) if len(best) >= 8 else None
