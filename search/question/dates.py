"""Days as people write them ("2024", "2024-01..", ">2023-05-03") and as the index holds moments: microseconds since 1970 UTC."""

import re
from datetime import UTC, date, datetime, time, timedelta

from search.clauses import Between

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LONGEST_DAYS = 60
Days = tuple[date | None, date | None]

_PERIOD = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?", re.ASCII)
_TO = re.compile(r"\s*(?:\.\.+|…|–|—|\bto\b|\s-\s)\s*")
_COMPARISON = re.compile(r"(<=|>=|≤|≥|<|>|=)\s*")


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def days_between(field: str, first: date | None, last: date | None) -> Between:
    """Moments on these days of UTC, both included; None is no bound."""
    low = microseconds(datetime.combine(first, time(), UTC)) if first else None
    high = microseconds(datetime.combine(last, time.max, UTC)) if last else None
    return Between(field, low, high)


def parse_days(text: str) -> Days | None:
    """First and last day of what is written; None where it is no date. A year or month is all of its days."""
    text = text.strip()
    if not text or len(text) > LONGEST_DAYS:
        return None
    comparison = _COMPARISON.match(text)
    if comparison:
        return _compared(comparison[1], _period(text[comparison.end() :]))
    pieces = _TO.split(text, maxsplit=1)
    if len(pieces) == 1:
        return _period(text)
    periods = [_period(piece) for piece in pieces]
    if not any(pieces) or any(piece and not period for piece, period in zip(pieces, periods, strict=True)):
        return None
    first, last = (periods[0][0] if periods[0] else None), (periods[1][1] if periods[1] else None)
    if periods[0] and periods[1] and periods[0][0] > periods[1][1]:
        return periods[1][0], periods[0][1]
    return first, last


def _compared(sign: str, period: tuple[date, date] | None) -> Days | None:
    if period is None:
        return None
    first, last = period
    if sign == "=":
        return period
    if sign == ">":
        return (last + DAY if last < date.max else last), None
    if sign == "<":
        return None, (first - DAY if first > date.min else first)
    return (first, None) if sign in (">=", "≥") else (None, last)


def _period(text: str) -> tuple[date, date] | None:
    match = _PERIOD.fullmatch(text.strip())
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        return first, first if day else _last_day(first, is_year=month is None)
    except ValueError:
        return None


def _last_day(first: date, *, is_year: bool) -> date:
    if is_year or first.month == 12:
        return date(first.year, 12, 31)
    return date(first.year, first.month + 1, 1) - DAY
