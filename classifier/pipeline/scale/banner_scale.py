"""Reads a banner: its words by OCR, the length that belongs to the scale bar, and the bar beside it.

What the rest of the world says about the scale is not known here: `finding.py`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from classifier.pipeline.banner import Banner
from classifier.pipeline.results import BannerField, Grey
from classifier.pipeline.scale import ocr
from classifier.pipeline.scale.bars import Ink, Shape, runs_of, shapes_of
from classifier.pipeline.scale.glyphs import unit_by_shape
from classifier.pipeline.scale.grammar import Length, bar_lengths, fields_of

_SHORTEST_ERASED = 32  # pixels: serifs of neighbouring letters touch, and are shorter
# Heights of text in pixels, at which Tesseract reads best, and how it is to divide the page.
_ATTEMPTS = ((30.0, ocr.SPARSE), (22.0, ocr.BLOCK))
_AGAIN = (22.0, 38.0)
_FARTHEST = 0.4  # of the picture's width, between text and bar
_MILLIMETRES = 4.0  # likewise: most of them are working distances
_WEIGHTS = {
    "split": 0.0,
    "ticks": 0.0,
    "ruler": 0.0,
    "block": 0.5,
    "line": 4.0,
}  # in heights of the text, as more distance


@dataclass(frozen=True)
class BannerScale:
    """What stands in a banner. `unit_by_shape` is "" where the letters do not tell; `shape` is in pixels of the banner;
    `is_confirmed`: the length was read the same at another size."""

    length: Length | None = None
    shape: Shape | None = None
    unit_by_shape: str = ""
    is_confirmed: bool = False
    fields: tuple[BannerField, ...] = field(default=())


class _Reader:
    """Reads one strip with the time that is left. Raises `ocr.OcrFailed`."""

    def __init__(self, strip: Grey, text_height: float, seconds: float) -> None:
        self._strip = strip
        self._text_height = text_height
        self._deadline = time.monotonic() + seconds

    def words(self, text_height: float, mode: int, box: ocr.Box | None = None) -> tuple[ocr.Word, ...]:
        """Words at a size at which text is about `text_height` pixels tall; of the rectangle `box` only, where given."""
        strip = self._strip
        if box is not None:
            left, top, right, bottom = (round(edge) for edge in box)
            strip = strip[max(top - 4, 0) : bottom + 4, max(left - 6, 0) : right + 6]
        enlargement = min(max(text_height / self._text_height, 1.0), 4.0)
        seconds = max(self._deadline - time.monotonic(), 0.01)
        return ocr.read_words(strip, enlargement=enlargement, mode=mode, seconds=seconds)


def read_banner(pixels: Grey, banner: Banner, *, seconds: float) -> BannerScale:
    """What a picture's (H, W) banner says, in at most two runs of Tesseract over it and two over the length of the bar, and in
    `seconds`. Raises `ocr.OcrFailed`."""
    strip = pixels[banner.top :]
    strip = 255 - strip if banner.background < 128 else strip
    ink = _ink(strip)
    shapes = shapes_of(ink)
    legible = _without_lines(strip, ink, shapes)
    reader = _Reader(legible, _text_height(_ink(legible)), seconds)
    best = BannerScale()
    for text_height, mode in _ATTEMPTS:
        words = reader.words(text_height, mode)
        lines = ocr.lines_of(words)
        fields = fields_of(lines)
        bars = [shape for shape in shapes if not _is_lettering(shape, words)]
        pair = _nearest_pair(bar_lengths(lines), bars, pixels.shape[1])
        if pair is not None:
            length, is_confirmed = _read_again(reader, pair[0])
            return BannerScale(length, pair[1], unit_by_shape(legible, length.box), is_confirmed, fields)
        if len(fields) > len(best.fields):
            best = BannerScale(fields=fields)
    return best


def _read_again(reader: _Reader, length: Length) -> tuple[Length, bool]:
    """The length that two of up to three readings give, and whether there are two. The unit stays as it was read first."""
    numbers = [length.number]
    for text_height in _AGAIN:
        again = bar_lengths(ocr.lines_of(reader.words(text_height, ocr.LINE, length.box)))
        numbers += [again[0].number] if again else []
        number = next((number for number in numbers if numbers.count(number) > 1), None)
        if number is not None:
            return replace(length, number=number), True
    return length, False


def _text_height(ink: Ink) -> float:
    """Of a line with its descenders, as the middle of the heights of bands of ink."""
    edges = np.flatnonzero(np.diff(np.pad(ink.any(axis=1), 1).astype(np.int8))).reshape(-1, 2)
    heights = (edges[:, 1] - edges[:, 0])[edges[:, 1] - edges[:, 0] >= 6]
    return float(np.median(heights)) if heights.size else 16.0


def _ink(strip: Grey) -> Ink:
    """Where dark stands on light, judged by the darkest that is there."""
    paper = float(np.median(strip))
    return strip < paper - 0.45 * (paper - float(np.percentile(strip, 0.5)))


def _without_lines(strip: Grey, ink: Ink, shapes: Sequence[Shape]) -> Grey:
    """The strip without bars and tall vertical strokes, which OCR takes for letters or for parts of them."""
    height, width = strip.shape
    legible = strip.copy()
    paper = np.uint8(np.median(strip))
    for shape in shapes:
        if shape.length >= max(_SHORTEST_ERASED, width // 25):
            begin, end = max(round(shape.left) - 3, 0), round(shape.right) + 4
            for first, last in [(begin, shape.gap[0] + 1), (shape.gap[1] - 1, end)] if shape.gap else [(begin, end)]:
                legible[max(shape.top - 1, 0) : shape.bottom + 1, first:last] = paper
    for column, begin, end in runs_of(np.ascontiguousarray(ink.T), max(int(0.6 * height), 16)).tolist():
        legible[begin:end, max(column - 1, 0) : column + 2] = paper
    return legible


def _nearest_pair(lengths: list[Length], shapes: list[Shape], width: int) -> tuple[Length, Shape] | None:
    """The length and the bar that are nearest to each other."""
    pairs: list[tuple[float, Length, Shape]] = []
    for length in lengths:
        for shape in shapes:
            if (distance := _distance(length, shape, width)) is not None:
                pairs.append((distance, length, shape))
    return min(pairs, key=lambda pair: pair[0])[1:] if pairs else None


def _is_lettering(shape: Shape, words: Sequence[ocr.Word]) -> bool:
    """Serifs and strokes of letters look like short bars. A ruler may have been read as letters."""
    return shape.kind != "ruler" and any(
        (sum(letter.isalnum() for letter in word.text) >= 2 or word.text.isdigit())
        and word.left - 3 < shape.left
        and shape.right < word.right + 3
        and word.top - 2 <= shape.top
        and shape.bottom <= word.bottom + 2
        for word in words
    )


def _distance(length: Length, shape: Shape, width: int) -> float | None:
    """Between the boxes of text and bar, in heights of the text; None where they do not belong together."""
    left, top, right, bottom = length.box
    aside = max(shape.left - right, left - shape.right, 0.0)
    apart = max(shape.top - bottom, top - shape.bottom, 0.0)
    if aside > _FARTHEST * width:
        return None
    return (
        (aside + apart) / max(bottom - top, 1.0) + _WEIGHTS[shape.kind] + (_MILLIMETRES if length.unit == "mm" else 0.0)
    )
