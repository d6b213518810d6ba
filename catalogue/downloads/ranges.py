"""Byte ranges of RFC 9110 section 14: from a `Range` header and a size to the bytes to send. No I/O here."""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_SINGLE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.IGNORECASE)


class RangeNotSatisfiable(Exception):
    """The range starts behind the last byte."""


@dataclass(frozen=True)
class ByteRange:
    """The bytes from `start` up to, and without, `stop`, of `size` in all."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse_range(header: str, size: int) -> ByteRange | None:
    """The one range asked for, or None where the whole is to be sent.

    The whole is sent for no header, another unit, wrong syntax, and several ranges at once, all of which RFC 9110 permits
    a server to ignore. Raises RangeNotSatisfiable.
    """
    match = _SINGLE_RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        return _suffix(int(last), size)
    start = int(first)
    stop = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, stop, size)


def _suffix(length: int, size: int) -> ByteRange | None:
    if length == 0:
        raise RangeNotSatisfiable
    if size == 0:
        return None
    return ByteRange(max(size - length, 0), size, size)


def is_range_valid(if_range: str, *, etag: str, last_modified: int | None) -> bool:
    """Whether `If-Range` still describes what is here (RFC 9110 section 13.1.5): a strong tag, or the exact date.

    `last_modified` is in whole seconds since 1970.
    """
    if if_range.startswith(('"', "W/")):
        return bool(etag) and not etag.startswith("W/") and if_range == etag
    try:
        return last_modified is not None and int(parsedate_to_datetime(if_range).timestamp()) == last_modified
    except (TypeError, ValueError):
        return False
