import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.downloads.ranges import ByteRange, RangeNotSatisfiable, is_range_valid, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=9-", (9, 10)),
        ("bytes=5-99", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("Bytes= 2-4 ", (2, 5)),
    ],
)
def test_one_range_of_ten_bytes(header: str, expected: tuple[int, int]) -> None:
    assert parse_range(header, 10) == ByteRange(*expected, 10)


@pytest.mark.parametrize(
    "header", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "items=0-1", "bytes=5-2", "bytes=0-1,4-5"]
)
def test_what_is_no_single_range_is_ignored(header: str) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 10)


def test_an_empty_file_has_no_first_byte_but_a_suffix_of_it_is_the_whole() -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range("bytes=0-", 0)
    assert parse_range("bytes=-5", 0) is None


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_a_range_is_what_python_would_cut_out(first: int, last: int, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    try:
        found = parse_range(f"bytes={first}-{last}", size)
    except RangeNotSatisfiable:
        assert first >= size
        return
    assert found is None if last < first else data[found.start : found.stop] == data[first : last + 1]


def test_only_the_same_strong_tag_or_the_exact_date_keeps_a_range_valid() -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert is_range_valid('"a"', etag='"a"', last_modified=None)
    assert not is_range_valid('W/"a"', etag='W/"a"', last_modified=None)
    assert not is_range_valid('"a"', etag='"b"', last_modified=784111777)
    assert not is_range_valid('"a"', etag="", last_modified=784111777)
    assert is_range_valid(date, etag='"a"', last_modified=784111777)
    assert not is_range_valid(date, etag='"a"', last_modified=784111778)
    assert not is_range_valid("nonsense", etag='"a"', last_modified=784111777)
