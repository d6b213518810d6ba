"""A ZIP64 archive as a calculation: its size, any range of its bytes, and its tag are known before a byte is read.

Entries are stored, not compressed, in the order given. An entry whose CRC-32 is not known yet gets a data descriptor after
its content; such an archive can only be sent from its first byte to its last. The format is PKWARE's APPNOTE 6.3.10; section
numbers below are of that. Nothing here opens a file: contents come from the caller.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

# (index of the entry, offset, length) -> exactly `length` bytes of its content
ReadContent = Callable[[int, int, int], Iterable[bytes]]

FIRST_BYTES, GATHERED_BYTES = 8 * 1024, 256 * 1024
_ALL_ONES_16 = 0xFFFF
_ALL_ONES_32 = 0xFFFFFFFF
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")  # 4.3.7
_CENTRAL_HEADER = struct.Struct("<4sHHHHHHIIIHHHHHII")  # 4.3.12
_END_64 = struct.Struct("<4sQHHIIQQQQ")  # 4.3.14
_END_64_LOCATOR = struct.Struct("<4sIQI")  # 4.3.15
_END = struct.Struct("<4sHHHHIIH")  # 4.3.16
_UTF8_NAMES = 1 << 11
_HAS_DESCRIPTOR = 1 << 3
_UNIX_REGULAR_FILE = 0o100644 << 16
_MADE_ON_UNIX = 3 << 8
_VERSION = 20
_VERSION_ZIP64 = 45


class ContentMismatch(Exception):
    """What was read of an entry is not what its size or CRC-32 announced."""


@dataclass(slots=True)
class Entry:
    """One file of an archive. `modified_at` is kept in UTC, to two seconds, between 1980 and 2107 (4.4.6).

    `crc32` may be None; it is set while the content passes by.
    """

    name: str
    size: int
    modified_at: datetime | None = None
    crc32: int | None = None

    def __post_init__(self) -> None:
        if self.size == 0:
            self.crc32 = 0


class Archive:
    """The bytes of a ZIP of `entries`. `read` is asked for contents when their turn comes, never earlier.

    Nothing but `entries` is kept: 100,000 of them take about 40 MB.
    """

    def __init__(self, entries: Sequence[Entry], read: ReadContent) -> None:
        self.entries = entries
        self._read = read
        self._descriptor_lengths = [_descriptor_length(entry) for entry in entries]
        self.is_reproducible = not any(self._descriptor_lengths)
        self._measure()

    def _measure(self) -> None:
        position = central_length = 0
        for entry, descriptor_length in zip(self.entries, self._descriptor_lengths, strict=True):
            central_length += _central_length(entry, position)
            position += _local_length(entry) + entry.size + descriptor_length
        self._central_start, self._central_length = position, central_length
        self.size = position + central_length + len(self._end())

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`. Only a reproducible archive can start elsewhere than at 0.

        Raises ContentMismatch when a content that was read whole is not the one announced.
        """
        if start and not self.is_reproducible:
            raise ValueError("an archive with unknown checksums is sent from its first byte only")
        stop = self.size if stop is None else stop
        return _gathered(self._pieces(start, stop))

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        position = 0
        for length, produce in self._parts():
            first, last = max(start - position, 0), min(stop - position, length)
            if first < last:
                yield from produce(first, last)
            position += length
            if position >= stop:
                return

    def _parts(self) -> Iterator[tuple[int, Callable[[int, int], Iterable[bytes]]]]:
        for index, entry in enumerate(self.entries):
            descriptor_length = self._descriptor_lengths[index]
            has_descriptor = descriptor_length > 0
            yield _local_length(entry), _slicing(lambda e=entry, d=has_descriptor: _local_header(e, d))
            yield entry.size, lambda first, last, i=index: self._content(i, first, last)
            if has_descriptor:
                yield descriptor_length, _slicing(lambda e=entry: _descriptor(e))
        offset = 0
        for entry, descriptor_length in zip(self.entries, self._descriptor_lengths, strict=True):
            length = _central_length(entry, offset)
            yield length, _slicing(lambda e=entry, o=offset, d=descriptor_length > 0: _central_header(e, o, d))
            offset += _local_length(entry) + entry.size + descriptor_length
        end = self._end()
        yield len(end), _slicing(lambda: end)

    def _content(self, index: int, first: int, last: int) -> Iterator[bytes]:
        entry = self.entries[index]
        crc32 = length = 0
        for chunk in self._read(index, first, last - first):
            crc32 = zlib.crc32(chunk, crc32)
            length += len(chunk)
            yield chunk
        if length != last - first:
            raise ContentMismatch(f"{entry.name}: {length} bytes came instead of {last - first}")
        if length == entry.size:
            if entry.crc32 is None:
                entry.crc32 = crc32
            elif entry.crc32 != crc32:
                raise ContentMismatch(f"{entry.name}: the content is not the one whose checksum was registered")

    def _end(self) -> bytes:
        count, length, start = len(self.entries), self._central_length, self._central_start
        end = b""
        if count >= _ALL_ONES_16 or length >= _ALL_ONES_32 or start >= _ALL_ONES_32:
            version = _MADE_ON_UNIX | _VERSION_ZIP64
            remaining = _END_64.size - 12
            end += _END_64.pack(b"PK\6\6", remaining, version, _VERSION_ZIP64, 0, 0, count, count, length, start)
            end += _END_64_LOCATOR.pack(b"PK\6\7", 0, start + length, 1)
        shown_count = min(count, _ALL_ONES_16)
        shown_length, shown_start = min(length, _ALL_ONES_32), min(start, _ALL_ONES_32)
        return end + _END.pack(b"PK\5\6", 0, 0, shown_count, shown_count, shown_length, shown_start, 0)


def _is_big(entry: Entry) -> bool:
    return entry.size >= _ALL_ONES_32


def _name_length(entry: Entry) -> int:
    return len(entry.name) if entry.name.isascii() else len(entry.name.encode())


def _local_length(entry: Entry) -> int:
    return _LOCAL_HEADER.size + _name_length(entry) + (20 if _is_big(entry) else 0)


def _local_header(entry: Entry, has_descriptor: bool) -> bytes:
    """The sizes are given even before a descriptor, where 4.4.4 would have zeros: readers of streams need them."""
    name = entry.name.encode()
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if _is_big(entry) else b""
    size = min(entry.size, _ALL_ONES_32)
    crc32 = 0 if has_descriptor else entry.crc32
    time, date = _dos_time(entry.modified_at)
    version, flags = _version(entry, 0), _flags(has_descriptor)
    return (
        _LOCAL_HEADER.pack(b"PK\3\4", version, flags, 0, time, date, crc32, size, size, len(name), len(extra))
        + name
        + extra
    )


def _descriptor_length(entry: Entry) -> int:
    if entry.crc32 is not None:
        return 0
    return 24 if _is_big(entry) else 16


def _descriptor(entry: Entry) -> bytes:
    layout = "<4sIQQ" if _is_big(entry) else "<4sIII"  # 4.3.9
    return struct.pack(layout, b"PK\7\x08", entry.crc32, entry.size, entry.size)


def _central_extra(entry: Entry, offset: int) -> bytes:
    values = ([entry.size, entry.size] if _is_big(entry) else []) + ([offset] if offset >= _ALL_ONES_32 else [])
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""  # 4.5.3


def _central_length(entry: Entry, offset: int) -> int:
    return _CENTRAL_HEADER.size + _name_length(entry) + len(_central_extra(entry, offset))


def _central_header(entry: Entry, offset: int, has_descriptor: bool) -> bytes:
    name, extra = entry.name.encode(), _central_extra(entry, offset)
    size, time_date, version = min(entry.size, _ALL_ONES_32), _dos_time(entry.modified_at), _version(entry, offset)
    return (
        _CENTRAL_HEADER.pack(
            b"PK\1\2",
            _MADE_ON_UNIX | version,
            version,
            _flags(has_descriptor),
            0,
            *time_date,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _UNIX_REGULAR_FILE,
            min(offset, _ALL_ONES_32),
        )
        + name
        + extra
    )


def _version(entry: Entry, offset: int) -> int:
    return _VERSION_ZIP64 if _is_big(entry) or offset >= _ALL_ONES_32 else _VERSION


def _flags(has_descriptor: bool) -> int:
    return _UTF8_NAMES | (_HAS_DESCRIPTOR if has_descriptor else 0)


def _dos_time(moment: datetime | None) -> tuple[int, int]:
    earliest, latest = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
    moment = min(max((moment or earliest).astimezone(UTC), earliest), latest)
    time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
    return time, (moment.year - 1980) << 9 | moment.month << 5 | moment.day


def _slicing(produce: Callable[[], bytes]) -> Callable[[int, int], Iterable[bytes]]:
    return lambda first, last: (produce()[first:last],)


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces: headers and small files together, big chunks as they are; the first ones soon."""
    waiting: list[bytes] = []
    length, enough = 0, FIRST_BYTES
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= enough:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, length, enough = [], 0, GATHERED_BYTES
    if waiting:
        yield b"".join(waiting)
