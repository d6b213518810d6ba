"""Words of a banner by Tesseract, which is killed when it takes too long. What the words mean is in `grammar.py`."""

import os
import shutil
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageOps

from classifier.pipeline.errors import PipelineError
from classifier.pipeline.results import Grey

SPARSE, BLOCK, LINE = 11, 6, 7  # page segmentation modes: words anywhere, one block of text, one line

Box = tuple[float, float, float, float]  # left, top, right, bottom

_MARGIN = 20
_COLUMNS = ("left", "top", "width", "height", "conf", "text")


class OcrFailed(PipelineError):
    """Tesseract is not installed, hung and was killed, or went wrong. The text says which."""


@dataclass(frozen=True)
class Word:
    """A word and its box in pixels of what was read; `right` and `bottom` are the first column and row after it."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def is_tesseract_available() -> bool:
    return shutil.which("tesseract") is not None


def read_words(strip: Grey, *, enlargement: float, mode: int, seconds: float) -> tuple[Word, ...]:
    """Words in dark text on light ground (H, W). Raises OcrFailed, at the latest after `seconds` and what a kill takes."""
    import pytesseract

    height, width = strip.shape
    image = Image.fromarray(strip).resize(
        (round(width * enlargement), round(height * enlargement)), Image.Resampling.BICUBIC
    )
    image = ImageOps.expand(image, _MARGIN, 255)
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # several threads of Tesseract are slower than one
    config = f"--psm {mode} -c tessedit_create_tsv=1 -c load_system_dawg=0 -c load_freq_dawg=0"
    try:
        # `image_to_data` asks for the version first, without a limit of time.
        table = pytesseract.run_and_get_output(image, "tsv", "eng", config, 0, seconds)
    except pytesseract.TesseractNotFoundError as error:
        raise OcrFailed("tesseract-missing", "Tesseract is not installed, so the banner was not read.") from error
    except pytesseract.TesseractError as error:
        raise OcrFailed("tesseract-failed", "Tesseract failed, so the banner was not read.") from error
    except RuntimeError as error:  # what pytesseract raises when it has killed the program
        message = f"Tesseract did not answer within {seconds:.1f} s and was ended, so the banner was not read."
        raise OcrFailed("tesseract-hung", message) from error
    except OSError as error:  # it cannot be started, or left no table
        raise OcrFailed("tesseract-failed", "Tesseract failed, so the banner was not read.") from error
    return _words(table, enlargement)


def _words(table: str, enlargement: float) -> tuple[Word, ...]:
    """From Tesseract's TSV, whose boxes are those of the enlarged picture with its margin."""
    header, *lines = [line.split("\t") for line in table.splitlines()] or [[]]
    if not set(_COLUMNS) <= set(header):
        return ()
    places = [header.index(name) for name in _COLUMNS]
    words = []
    for line in lines:
        if len(line) == len(header) and line[places[-1]].strip():
            left, top, width, height = (float(line[place]) for place in places[:4])
            box = np.array([left, top, left + width, top + height]) - _MARGIN
            words.append(Word(line[places[-1]].strip(), *(float(edge) / enlargement for edge in box)))
    return tuple(words)


def lines_of(words: tuple[Word, ...]) -> list[list[Word]]:
    """Words that stand beside each other, from left to right, whatever Tesseract thought of blocks."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.middle):
        for line in lines:
            last = line[-1]
            if abs(word.middle - last.middle) < 0.5 * min(max(word.height, 1), max(last.height, 1)):
                line.append(word)
                break
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.left) for line in lines]


def gaps_of(line: list[Word]) -> list[float]:
    """Between neighbouring words, in heights of the line's text."""
    height = float(np.median([word.height for word in line])) or 1.0
    return [(after.left - before.right) / height for before, after in pairwise(line)]
