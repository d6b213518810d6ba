"""What texts of a banner mean: lengths, and the few other fields that can be read reliably. No pixels in here.

Tesseract takes O for 0, S for 5 and l for 1, and the sign for micro for nearly any letter: numbers are repaired where they
stand in the place of a number, and a unit of length that is neither nm nor mm is read as µm.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from classifier.pipeline.results import BannerField
from classifier.pipeline.scale.ocr import Box, Word, gaps_of

SERIES = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # times a power of ten: what scale bars say

UNITS_TO_A_METRE = {"nm": 1e9, "µm": 1e6, "mm": 1e3}
_DIGITS = str.maketrans("OoDQIl|!iTtSsZBg,", "0000111111155289.")
_NUMBER = r"[\dOoIl|!iTSsZB]+(?:\s?[.,]\s?[\dOoIlSsZB]+)?"
_UNIT = r"(?:(?:n|m|[^\W\dnm]{1,2})?\s?m|[nuµ][nr])"
_LENGTH = re.compile(rf"(?<![\w.,=:])(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT})(?!\w)")
_LABELLED = re.compile(
    r"(?P<label>HFW|HFOV|FOV|Width|View\s?field)\s*[=:]?\s*"
    rf"(?P<number>{_NUMBER})\s?(?P<unit>{_UNIT})(?!\w)",
    re.IGNORECASE,
)
_NOT_A_BAR = re.compile(
    r"(?:W[DO0]|VD|Width|Height|HFW|HFOV|FOV|VFW|field|Size|HV|EHT|Spot|k[VvYy¥]|[=:.,])\s*[=:]?\s*$", re.IGNORECASE
)
_HEADINGS = re.compile(r"^(?:W[DO0]|HFW|HFOV|VFW|FOV|HV|mag|det|spot|tilt|mode|curr|dwell)\b", re.IGNORECASE)
_VOLTAGE = re.compile(rf"(?<![\w.,])(?:(?:SEM\s?)?(?:EHT|HV|Acc\.?V?)\s*[=:]?\s*)?(?P<number>{_NUMBER})\s?k[VvYy¥]")
_DISTANCE = re.compile(r"(?:W[DO0]\s*[=:]?\s*|k[VvYy¥]\s+)(?P<number>\d+[.,]\d+)\s?mm(?!\w)")
_MAGNIFICATION = re.compile(
    rf"(?:Mag(?:nification)?\s*[=:]\s*|(?<!\w)[xX×]{{1,2}}\s?)(?P<number>\d[\d,]*(?:\.\d+)?|{_NUMBER})"
    r"\s?(?P<kilo>[kK])?\s?[xX×]{0,2}(?!\w)"
    r"|(?P<before>\d[\d,]*(?:\.\d+)?)\s?(?P<kilo_before>[kK])?\s?[xX×](?!\w)"
)
_DETECTOR = re.compile(r"(?:Signal\s?A|Detector|Det)\s*[=:]+\s*(?P<name>[A-Za-z][\w()]{1,9})", re.IGNORECASE)
_DETECTORS = frozenset(
    "SEI LEI BEI COMPO TOPO SE2 InLens ESB AsB BSD VPSE ETD TLD LFD GSED CBS ABS vCD MD ICE BSE BSED LED UED USD".split()
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED_DATE = re.compile(r"(?<!\d)(\d{1,2})\s?([A-Z][a-z]{2})\w*\s?((?:19|20)\d\d)(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([/.])(\d{1,2})\2((?:19|20)\d\d)(?!\d)")


@dataclass(frozen=True)
class Length:
    """A length as it is printed, with the unit that was read, and its words in the banner."""

    number: float
    unit: str
    words: tuple[Word, ...]

    @property
    def box(self) -> Box:
        """Left, top, right and bottom in pixels of the banner."""
        return (
            min(word.left for word in self.words),
            min(word.top for word in self.words),
            max(word.right for word in self.words),
            max(word.bottom for word in self.words),
        )


def number_of(text: str) -> float | None:
    """A number with what OCR does to it repaired; None for what is none."""
    try:
        return float(text.replace(" ", "").translate(_DIGITS))
    except ValueError:
        return None


def unit_of(text: str) -> str:
    unit = re.sub("[nr]$", "m", text.replace(" ", ""))
    return unit if unit in UNITS_TO_A_METRE else "µm"


def metres(value: float, unit: str) -> float:
    return value / UNITS_TO_A_METRE[unit]


def is_of_series(value: float) -> bool:
    """Whether a scale bar can say so: 1, 2, 2.5, 5 and the like times a power of ten, from 0.1 to 999."""
    if not 0.1 <= value < 1000:
        return False
    value = value * 10 if value < 1 else value
    while value >= 10:
        value /= 10
    return any(abs(value - step) < 1e-6 for step in SERIES)


def bar_lengths(lines: Sequence[list[Word]]) -> list[Length]:
    """The lengths that may belong to a scale bar: of the series, and not the value of another field."""
    headings = [word for line in lines for word in line if _HEADINGS.match(word.text)]
    found = []
    for line in lines:
        text, owners = _joined(line)
        for match in _LENGTH.finditer(text):
            number = number_of(match["number"])
            if number is None or not is_of_series(number) or _NOT_A_BAR.search(text[: match.start()]):
                continue
            unit = unit_of(match["unit"])
            length = Length(number, unit, _owners(owners, match.span()))
            if not _is_below(length, headings):
                found.append(length)
    return found


def _joined(line: list[Word]) -> tuple[str, list[Word | None]]:
    """The text of a line, wide gaps as bars, and for each character the word that it comes from."""
    text, owners = "", []
    for word, gap in zip(line, [0.0, *gaps_of(line)], strict=True):
        joint = "" if not text else " " if gap < 2.5 else " ; "
        text += joint + word.text
        owners += [None] * len(joint) + [word] * len(word.text)
    return text, owners


def _owners(owners: list[Word | None], span: tuple[int, int]) -> tuple[Word, ...]:
    return tuple(dict.fromkeys(word for word in owners[slice(*span)] if word is not None))


def _is_below(length: Length, headings: Iterable[Word]) -> bool:
    """Whether it stands in the column of a table, under the name of another field."""
    left, top, right, bottom = length.box
    return any(
        word.bottom <= top + 0.3 * (bottom - top)
        and top - word.bottom < 1.5 * (bottom - top)
        and word.left < right
        and word.right > left
        for word in headings
    )


def fields_of(lines: Sequence[list[Word]]) -> tuple[BannerField, ...]:
    """The fields that were read, in SI, by their standard names."""
    texts = [_joined(line)[0] for line in lines]
    found = {
        "accelerating_voltage": (_first(_voltage, texts), "V"),
        "working_distance": (_first(_working_distance, texts), "m"),
        "magnification": (_first(_magnification, texts), ""),
        "field_of_view": (_first(_field_of_view, texts) or _width_in_table(lines), "m"),
        "detector": (_first(_detector, texts), ""),
        "date_time": (_first(_date, texts), ""),
    }
    return tuple(BannerField(name, value, unit) for name, (value, unit) in found.items() if value is not None)


def _first(read: Callable[[str], float | str | None], texts: Iterable[str]) -> float | str | None:
    return next((value for text in texts if (value := read(text)) is not None), None)


def _voltage(text: str) -> float | None:
    for match in _VOLTAGE.finditer(text):
        number = number_of(match["number"])
        if number is not None and 0.01 <= number <= 400:
            return number * 1e3
    return None


def _working_distance(text: str) -> float | None:
    """Only with its decimal point: without it, 4.1 mm and 41 mm cannot be told apart."""
    match = _DISTANCE.search(text)
    number = number_of(match["number"]) if match else None
    return number * 1e-3 if number is not None and 0.1 <= number <= 100 else None


def _magnification(text: str) -> float | None:
    for match in _MAGNIFICATION.finditer(text):
        written = (match["number"] or match["before"] or "").replace(",", "")
        number = number_of(written)
        if number is not None:
            value = number * (1e3 if match["kilo"] or match["kilo_before"] else 1)
            if 5 <= value <= 5e6:
                return value
    return None


def _field_of_view(text: str) -> float | None:
    match = _LABELLED.search(text)
    number = number_of(match["number"]) if match else None
    return metres(number, unit_of(match["unit"])) if match and number else None


def _width_in_table(lines: Sequence[list[Word]]) -> float | None:
    """The length under the heading HFW."""
    headings = [word for line in lines for word in line if word.text.upper() in ("HFW", "HFOV")]
    for line in lines:
        text, owners = _joined(line)
        for match in _LENGTH.finditer(text):
            number, unit = number_of(match["number"]), unit_of(match["unit"])
            if number and _is_below(Length(0.0, unit, _owners(owners, match.span())), headings):
                return metres(number, unit)
    return None


def _detector(text: str) -> str | None:
    match = _DETECTOR.search(text)
    if match:
        return match["name"]
    return next((word for word in re.findall(r"[\w()]+", text) if word in _DETECTORS), None)


def _date(text: str) -> str | None:
    """As ISO 8601; a day that could as well be a month is left out."""
    if match := _YEAR_FIRST.search(text):
        return _iso(int(match[1]), int(match[2]), int(match[3]))
    if match := _NAMED_DATE.search(text):
        month = match[2].lower()
        return _iso(int(match[3]), _MONTHS.index(month) + 1, int(match[1])) if month in _MONTHS else None
    if match := _YEAR_LAST.search(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] == "." or first > 12:
            return _iso(year, second, first)
        return _iso(year, first, second) if second > 12 else None
    return None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
