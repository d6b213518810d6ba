"""Small parsers that several families share: numbers with odd spelling, units, dates, INI-like text.

Nothing here opens a file. Parsers return None for what they do not understand; they never guess a number.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from functools import lru_cache

_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
_UNITS = {
    "µm": "um", "μm": "um", "µa": "uA", "μa": "uA", "µs": "us", "μs": "us", "°": "deg", "degree": "deg",
    "degrees": "deg", "°c": "degC", "secs": "s", "sec": "s", "seconds": "s", "second": "s", "mins": "min",
    "hours": "h", "volt": "V", "volts": "V", "kvolt": "kV", "a": "angstrom", "ang": "angstrom", "å": "angstrom",
    "angstroms": "angstrom", "angstrom": "angstrom", "none": "", "microns": "um", "micron": "um", "µrad": "urad", "x": "",
    "pixels": "pixel", "nm²": "nm^2", "1/a": "1/angstrom", "µah": "uA*h",
}  # fmt: skip
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}


def number(text: object) -> float | None:
    """A finite number from 15, "15,5", "1.64e-008", "100um" or "8100 um"; None for anything else.

    A comma is a decimal comma (FEI files written under a German or French Windows have it); no vendor writes
    thousands separators.
    """
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int | float):
        return float(text) if math.isfinite(text) else None
    match = _NUMBER.match(str(text).strip())
    if match is None:
        return None
    value = float(match.group().replace(",", "."))
    return value if math.isfinite(value) else None


def number_and_unit(text: str) -> tuple[float, str | None] | None:
    """(8100.0, "um") from "8100 um"; the unit is None when there is none."""
    value = number(text)
    if value is None:
        return None
    rest = _NUMBER.sub("", text.strip(), count=1).strip()
    return value, unit(rest)


@lru_cache(maxsize=1024)
def unit(text: str | None, *, is_wavelength: bool = False) -> str | None:
    """A unit in plain ASCII spelling ("um", "deg", "degC"), or None when there is none.

    A lone "A" is ampere, except for lengths (`is_wavelength`), where crystallographers mean ångström.
    """
    if text is None:
        return None
    cleaned = text.strip().strip("[]()")
    if cleaned == "A" and not is_wavelength:
        return "A"
    return _UNITS.get(cleaned.lower(), cleaned.replace("µ", "u").replace("μ", "u").replace("°", "deg")) or None


def magnification(text: object) -> float | None:
    """267430.0 from Zeiss "267.43 K X", 105.0 from "105 X" or 105; None for "TESTER K X"."""
    if not isinstance(text, str):
        return number(text)
    match = re.fullmatch(r"([\d.,]+)\s*([KkMm]?)\s*[Xx]?", text.strip())
    value = number(match.group(1)) if match else None
    if value is None or match is None:
        return None
    return value * {"": 1, "k": 1e3, "m": 1e6}[match.group(2).lower()]


def day(text: str) -> date | None:
    """A date from the spellings of the vendors.

    "15 Dec 2017" (Zeiss), "18.08.2020" (FEI), "08/18/2020" (FEI User.Date: month first, unless that is no month),
    "2020/09/01" (JEOL), "2024-02-07" (TESCAN), "11/08/15" (Xradia: month first).
    """
    text = text.strip()
    if match := re.fullmatch(r"(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{4})", text):
        return _date(int(match[3]), _MONTHS.get(match[2].lower(), 0), int(match[1]))
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        return _date(int(match[3]), int(match[2]), int(match[1]))
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})", text):
        first, second, year = (int(part) for part in match.groups())
        year += 2000 if year < 70 else 1900 if year < 100 else 0
        return _date(year, first, second) or _date(year, second, first)
    return None


def moment(day_text: str, time_text: str = "") -> datetime | date | None:
    """A naive datetime from a vendor's date and time; the bare date when the time is missing or unreadable."""
    found = day(day_text)
    if found is None:
        return None
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?", time_text.strip())
    if match is None:
        return found
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "pm" else 0)
    try:
        return datetime(found.year, found.month, found.day, hour, int(match[2]), int(match[3] or 0))
    except ValueError:
        return found


def iso_moment(text: str) -> datetime | None:
    """A datetime from ISO 8601, aware when the text gives a zone, else naive; None for anything else."""
    text = text.strip().rstrip("\x00")
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if 1950 <= found.year <= 2100 else None


def spec_moment(text: str) -> datetime | None:
    """A naive datetime from SPEC's "Wed Feb 03 16:51:31 2016"."""
    match = re.match(r"\w{3} (\w{3}) +(\d{1,2}) (\d{2}:\d{2}:\d{2}) (\d{4})", text.strip())
    found = moment(f"{match[2]} {match[1]} {match[4]}", match[3]) if match else None
    return found if isinstance(found, datetime) else None


def decode(data: bytes) -> str:
    """Text of a side-car file: byte order marks, UTF-8, else Latin-1 (which never fails)."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def sections(text: str) -> dict[str, dict[str, str]]:
    """{"MAIN": {"Device": "..."}} from INI-like text; forgiving, the first of equal keys wins."""
    found: dict[str, dict[str, str]] = {}
    current = found.setdefault("", {})
    for line in re.split(r"[\r\n\x00]+", text):
        if match := re.fullmatch(r"\s*\[([\w .-]{1,64})\]\s*", line):
            current = found.setdefault(match[1], {})
        elif match := re.fullmatch(r"\s*([\w .:/()-]{1,64}?)\s*=\s*(.*?)\s*", line):
            current.setdefault(match[1], match[2])
    return {name: values for name, values in found.items() if values}


def _date(year: int, month: int, day_of_month: int) -> date | None:
    try:
        found = date(year, month, day_of_month)
    except ValueError:
        return None
    return found if 1950 <= year <= 2100 else None
