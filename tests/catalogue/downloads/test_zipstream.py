import io
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.downloads.zipstream import Archive, ContentMismatch, Entry

MOMENT = datetime(2024, 2, 29, 13, 37, 42, tzinfo=UTC)
GIB = 1 << 30


def archive_of(contents: dict[str, bytes], *, without_crc: frozenset[str] = frozenset()) -> Archive:
    names = list(contents)

    def read(index: int, offset: int, length: int) -> Iterator[bytes]:
        data = contents[names[index]][offset : offset + length]
        yield from (data[start : start + 7] for start in range(0, len(data), 7))

    entries = [
        Entry(name, len(data), MOMENT, None if name in without_crc else zlib.crc32(data))
        for name, data in contents.items()
    ]
    return Archive(entries, read)


CONTENTS = {"b/ä 1.txt": b"first content", "b/empty": b"", "a/second.bin": bytes(range(256)) * 5}
some_contents = st.dictionaries(st.text("abcé/_", min_size=1, max_size=12), st.binary(max_size=60), max_size=6)


def test_the_archive_holds_the_files_in_the_given_order_with_their_dates() -> None:
    archive = archive_of(CONTENTS)
    data = b"".join(archive.stream())
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        assert {info.filename: found.read(info) for info in found.infolist()} == CONTENTS
        assert found.namelist() == list(CONTENTS)
        assert {info.date_time for info in found.infolist()} == {(2024, 2, 29, 13, 37, 42)}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in found.infolist())
    assert archive.is_reproducible


@given(some_contents, st.data())
def test_every_range_is_cut_out_of_the_same_bytes(contents: dict[str, bytes], data: st.DataObject) -> None:
    archive = archive_of(contents)
    whole = b"".join(archive.stream())
    assert len(whole) == archive.size
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    assert b"".join(archive.stream(start, stop)) == whole[start:stop]


@given(some_contents, st.data())
def test_an_archive_with_unknown_checksums_has_the_announced_length(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    unknown = data.draw(st.frozensets(st.sampled_from(sorted(contents)) if contents else st.nothing()))
    archive = archive_of(contents, without_crc=unknown)
    whole = b"".join(archive.stream())
    assert len(whole) == archive.size
    with zipfile.ZipFile(io.BytesIO(whole)) as found:
        assert found.testzip() is None
        assert {info.filename: found.read(info) for info in found.infolist()} == contents


def test_an_archive_with_unknown_checksums_is_sent_from_its_first_byte_only() -> None:
    archive = archive_of(CONTENTS, without_crc=frozenset({"a/second.bin"}))
    assert not archive.is_reproducible
    with pytest.raises(ValueError, match="first byte"):
        archive.stream(1)


def test_content_that_is_not_the_registered_one_breaks_the_archive_off() -> None:
    entries = [Entry("a", 3, MOMENT, zlib.crc32(b"abc"))]
    with pytest.raises(ContentMismatch):
        list(Archive(entries, lambda *_: [b"abd"]).stream())
    with pytest.raises(ContentMismatch):
        list(Archive(entries, lambda *_: [b"ab"]).stream())


def test_other_programs_find_nothing_wrong(tmp_path: Path) -> None:
    place = tmp_path / "made.zip"
    place.write_bytes(b"".join(archive_of(CONTENTS, without_crc=frozenset({"a/second.bin"})).stream()))
    programs = [["unzip", "-tq", str(place)], ["7z", "t", str(place)], ["bsdtar", "-tf", str(place)]]
    present = [command for command in programs if shutil.which(command[0])]
    if not present:
        pytest.skip("none of unzip, 7z and bsdtar is on this machine")
    for command in present:
        subprocess.run(command, check=True, capture_output=True)


class Zeros(io.RawIOBase):
    """An archive as a file that is never held: python's zipfile jumps about in it."""

    def __init__(self, archive: Archive) -> None:
        self.archive, self.position = archive, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = offset + {0: 0, 1: self.position, 2: self.archive.size}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer: bytearray) -> int:
        stop = min(self.position + len(buffer), self.archive.size)
        data = b"".join(self.archive.stream(self.position, stop))
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


def read_zeros(index: int, offset: int, length: int) -> Iterator[bytes]:
    block = bytes(1 << 20)
    while length > 0:
        yield block[:length]
        length -= len(block)


def test_files_and_offsets_beyond_4_gib_are_written_in_zip64() -> None:
    entries = [Entry(name, size, MOMENT, 1) for name, size in [("a", 5 * GIB), ("b", 10), ("c", 6 * GIB)]]
    with zipfile.ZipFile(io.BufferedReader(Zeros(Archive(entries, read_zeros)))) as found:
        sizes = {info.filename: info.file_size for info in found.infolist()}
        assert sizes == {"a": 5 * GIB, "b": 10, "c": 6 * GIB}
        assert found.getinfo("b").header_offset > 5 * GIB
        with found.open("c") as file:
            assert file.read(4) == bytes(4)


def test_more_than_65535_files_are_written_in_zip64() -> None:
    contents = {f"{number:06}": b"" for number in range(70_000)}
    data = b"".join(archive_of(contents).stream())
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert len(found.infolist()) == 70_000


def test_dates_that_a_zip_cannot_hold_are_moved_to_the_nearest() -> None:
    moments = [None, datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)]
    entries = [Entry(str(number), 0, moment, 0) for number, moment in enumerate(moments)]
    with zipfile.ZipFile(io.BytesIO(b"".join(Archive(entries, read_zeros).stream()))) as found:
        assert [info.date_time[0] for info in found.infolist()] == [1980, 1980, 2107]
