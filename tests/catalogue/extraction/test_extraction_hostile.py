"""Broken and hostile files: never an exception, always a reason, never more than the limits."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from catalogue.extraction import Limits, LocalFile, extract, sandbox, sniff
from catalogue.extraction.sandbox import extract_in_sandbox
from tests.catalogue.extraction import making
from tests.catalogue.extraction.making import codes, gradient, standard

KINDS = ("zeiss.tif", "fei.tif", "a.h5", "a.png", "a.bmp", "a.mrc", "a.spec", "a.edf")


@pytest.fixture(scope="module", autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    sandbox.close()


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    making.write_zeiss(folder / "zeiss.tif", width=128)
    making.write_fei(folder / "fei.tif", width=128)
    with h5py.File(folder / "a.h5", "w") as file:
        file["entry/data"] = gradient(20, 20)
        file["entry/title"] = "a title"
        file.create_dataset("packed", data=gradient(50, 50), chunks=(10, 10), compression="gzip")
    making.write_picture(folder / "a.png", 60, 40)
    making.write_picture(folder / "a.bmp", 60, 40)
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, 12, 10, 3, 2)
    struct.pack_into("<3i3f", header, 28, 12, 10, 3, 12.0, 10.0, 3.0)
    struct.pack_into("<3i", header, 64, 1, 2, 3)
    header[208:212] = b"MAP "
    (folder / "a.mrc").write_bytes(bytes(header) + np.arange(360, dtype="<f4").tobytes())
    (folder / "a.spec").write_text("#F x\n#E 1\n#S 1 ascan a 0 1 2 1\n#L a  b\n" + "0 1\n1 2\n" * 20)
    (folder / "a.edf").write_bytes(b"{\nHeaderID = x ;\nDim_1 = 10 ;\nDim_2 = 10 ;\n}".ljust(512) + bytes(200))
    return {name: (folder / name).read_bytes() for name in KINDS}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), share=st.floats(0, 1))
def test_a_file_cut_off_anywhere_gives_a_result(
    tmp_path: Path, good_files: dict[str, bytes], kind: str, share: float
) -> None:
    content = good_files[kind]
    (tmp_path / kind).write_bytes(content[: int(len(content) * share)])
    found = extract(LocalFile(tmp_path / kind))
    assert found.notes or found.parameters or found.thumbnail


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32 - 1))
def test_a_file_with_damaged_bytes_gives_a_result(
    tmp_path: Path, good_files: dict[str, bytes], kind: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(good_files[kind])
    for position in random.integers(0, min(len(content), 4000), 12):
        content[position] = random.integers(256)
    (tmp_path / kind).write_bytes(content)
    found = extract_in_sandbox(tmp_path / kind, Limits(memory_bytes=300_000_000))
    assert found.format_label


@settings(max_examples=200)
@given(head=st.binary(max_size=2000), name=st.sampled_from(["a.tif", "a.mrc", "a.map", "a", "a.nxs"]))
def test_sniffing_never_fails(head: bytes, name: str) -> None:
    assert sniff(head, name) is None or isinstance(sniff(head, name), str)


def test_a_truncated_tiff_is_described_with_the_reason(tmp_path: Path) -> None:
    path = making.write_zeiss(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[:200_000])
    found = extract(LocalFile(path))
    assert found.family in {"zeiss", "tiff"}
    assert codes(found) & {"tiff-unreadable", "picture-unreadable"}


def test_metadata_survive_missing_pixels(tmp_path: Path) -> None:
    """The directory and the maker's tag stand before the pixels here, as in real Zeiss files."""
    path = making.write_zeiss(tmp_path / "a.tif")
    with tifffile.TiffFile(path) as file:
        start = file.pages.first.dataoffsets[0]
    path.write_bytes(path.read_bytes()[: start + 5000])
    found = extract(LocalFile(path))
    assert standard(found, "accelerating_voltage") == (15.0, "kV")
    assert "picture-unreadable" in codes(found)


def test_a_wrong_extension_is_read_by_content_and_mentioned(tmp_path: Path) -> None:
    making.write_zeiss(tmp_path / "a.tif").rename(tmp_path / "a.nxs")
    found = extract(LocalFile(tmp_path / "a.nxs"))
    assert found.family == "zeiss"
    assert "extension-mismatch" in codes(found)


def test_a_promise_that_the_content_does_not_keep_is_mentioned(tmp_path: Path) -> None:
    (tmp_path / "a.nxs").write_bytes(b"this is not HDF5 at all")
    found = extract(LocalFile(tmp_path / "a.nxs"))
    assert found.family == "unknown" and codes(found) == {"content-unrecognised"}


def test_an_empty_file_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    assert codes(extract(LocalFile(tmp_path / "a.tif"))) == {"empty-file"}
    assert codes(extract(LocalFile(tmp_path / "b.tif"))) == {"file-unreadable"}


def test_links_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    making.write_picture(tmp_path / "a.png", 10, 10)
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("link.png", "pipe.png", "."):
        assert codes(extract(LocalFile(tmp_path / name))) == {"file-unreadable"}


@pytest.mark.parametrize("name", ["../a.txt", "/etc/passwd", "..", "", "sub/a.txt"])
def test_a_side_car_is_looked_for_in_the_same_folder_only(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").touch()
    (tmp_path / "sub" / "a.txt").touch()
    assert LocalFile(tmp_path / "sub" / "b.tif").sibling(name) is None


def test_a_picture_of_too_many_pixels_is_described_but_not_decoded(tmp_path: Path) -> None:
    making.write_picture(tmp_path / "a.png", 200, 100)
    making.write_fei(tmp_path / "b.tif")
    for name in ("a.png", "b.tif"):
        found = extract(LocalFile(tmp_path / name), Limits(pixels=5000))
        assert found.thumbnail is None and found.picture_size is not None
        assert "picture-too-large" in codes(found)


def png_bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [20_000, 60_000])
def test_a_png_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    (tmp_path / "a.png").write_bytes(png_bomb(side))
    found = extract(LocalFile(tmp_path / "a.png"))
    assert found.thumbnail is None
    assert "picture-too-large" in codes(found)


def test_a_tiff_that_claims_a_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", gradient(64, 64), metadata=None)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tags = file.pages.first.tags
        places = [tags["ImageWidth"].valueoffset, tags["ImageLength"].valueoffset]
    for place in places:
        struct.pack_into("<H", content, place, 65_000)
    (tmp_path / "a.tif").write_bytes(content)
    found = extract(LocalFile(tmp_path / "a.tif"))
    assert found.thumbnail is None
    assert codes(found) & {"picture-too-large", "tiff-unreadable"}


def test_an_mrc_header_that_claims_more_than_the_file_holds_gives_a_note(tmp_path: Path) -> None:
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, 9000, 9000, 900_000, 2)
    struct.pack_into("<3i", header, 64, 1, 2, 3)
    header[208:212] = b"MAP "
    (tmp_path / "a.mrc").write_bytes(header)
    found = extract(LocalFile(tmp_path / "a.mrc"))
    assert found.dimensions == (900_000, 9000, 9000)
    assert "picture-unreadable" in codes(found)


def test_a_tiff_directory_of_thousands_of_tags_is_limited(tmp_path: Path) -> None:
    tags = [(40_000 + n, "s", 2, "x", True) for n in range(3_000)]
    tifffile.imwrite(tmp_path / "a.tif", gradient(16, 16), extratags=tags, metadata=None)
    found = extract(LocalFile(tmp_path / "a.tif"))
    assert codes(found) & {"parameters-limited", "tiff-unreadable"}
    assert len(found.parameters) < 100


def test_a_maker_tag_of_a_hundred_thousand_values_is_limited(tmp_path: Path) -> None:
    entries = {f"AP_TEST_{n}": f"Value {n} = {n} mm" for n in range(20_000)}
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif", {**making.ZEISS_ENTRIES, **entries})))
    assert standard(found, "accelerating_voltage") == (15.0, "kV")
    assert len(found.parameters) < 2_100
    assert "parameters-limited" in codes(found)


def test_long_and_binary_texts_are_cut_and_cleaned(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["long"] = "x" * 50_000
        file["odd"] = "a\x01b\u202e\n"
    values = {p.name: p.value for p in extract(LocalFile(tmp_path / "a.h5")).parameters}
    assert values["long"] == "x" * 2_000
    assert values["odd"] == "a b"


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["nan"], file["infinite"], file["real"] = np.nan, np.inf, 1.5
    assert [p.name for p in extract(LocalFile(tmp_path / "a.h5")).parameters] == ["real"]


def test_a_picture_in_an_unlisted_format_is_not_handed_to_any_decoder(tmp_path: Path) -> None:
    Image.fromarray(gradient(20, 20)).save(tmp_path / "a.gif")
    (tmp_path / "b.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    for name in ("a.gif", "b.eps"):
        assert extract(LocalFile(tmp_path / name)).family == "unknown"
