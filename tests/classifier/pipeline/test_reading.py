"""Pictures of every kind become grey values; files that are none are refused with a code and a sentence."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from classifier.pipeline.errors import UnreadableImage
from classifier.pipeline.reading import ReadLimits, read_header, read_picture
from tests.services import SHARED

WIDTH, HEIGHT = 160, 120
RAMP = np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint8)


def saved(image: Image.Image, format: str, **options: object) -> io.BytesIO:
    target = io.BytesIO()
    image.copy().save(target, format, **options)  # saving changes the image
    target.seek(0)
    return target


def tiff(*arrays: np.ndarray, byteorder: str = "<", bigtiff: bool = False, **options: object) -> io.BytesIO:
    target = io.BytesIO()
    with tifffile.TiffWriter(target, byteorder=byteorder, bigtiff=bigtiff) as writer:
        for array in arrays:
            writer.write(array, metadata=None, **options)
    target.seek(0)
    return target


GREY = Image.fromarray(RAMP)
COLOURS = Image.merge("RGB", (GREY, GREY, GREY))
READABLE: dict[str, Callable[[], io.BytesIO]] = {
    "8-bit TIFF": lambda: tiff(RAMP),
    "big-endian TIFF": lambda: tiff(RAMP.astype(">u2") * 257, byteorder=">"),
    "BigTIFF": lambda: tiff(RAMP, bigtiff=True),
    "16-bit TIFF": lambda: tiff(RAMP.astype(np.uint16) * 257),
    "12 bit in 16": lambda: tiff(RAMP.astype(np.uint16) * 16),
    "signed 16-bit TIFF": lambda: tiff(RAMP.astype(np.int16) - 100),
    "16-bit float TIFF": lambda: tiff((RAMP / 300).astype(np.float16)),
    "32-bit float TIFF": lambda: tiff((RAMP * 1e-6).astype(np.float32)),
    "32-bit TIFF": lambda: tiff(RAMP.astype(np.uint32) * 10_000),
    "LZW TIFF": lambda: saved(GREY, "TIFF", compression="tiff_lzw"),
    "deflated TIFF": lambda: saved(GREY, "TIFF", compression="tiff_adobe_deflate"),
    "deflated 32-bit float TIFF": lambda: saved(Image.fromarray(RAMP / 9).convert("F"), "TIFF", compression="tiff_lzw"),
    "deflated 16-bit TIFF": lambda: saved(
        Image.fromarray(RAMP.astype(np.uint16)), "TIFF", compression="tiff_adobe_deflate"
    ),
    "RGB TIFF": lambda: tiff(np.asarray(COLOURS), photometric="rgb"),
    "16-bit RGB TIFF": lambda: tiff(np.asarray(COLOURS).astype(np.uint16) * 257, photometric="rgb"),
    "palette TIFF": lambda: saved(GREY.convert("P"), "TIFF"),
    "TIFF with white for 0": lambda: tiff(255 - RAMP, photometric="miniswhite"),
    "16-bit TIFF with white for 0": lambda: tiff(65535 - RAMP.astype(np.uint16) * 257, photometric="miniswhite"),
    "PNG": lambda: saved(GREY, "PNG"),
    "16-bit PNG": lambda: saved(Image.fromarray(RAMP.astype(np.uint16) * 257), "PNG"),
    "palette PNG": lambda: saved(GREY.convert("P"), "PNG"),
    "RGBA PNG": lambda: saved(COLOURS.convert("RGBA"), "PNG"),
    "BMP": lambda: saved(GREY, "BMP"),
    "JPEG": lambda: saved(GREY, "JPEG", quality=95),
    "RGB JPEG": lambda: saved(COLOURS, "JPEG", quality=95),
    "CMYK JPEG": lambda: saved(COLOURS.convert("CMYK"), "JPEG", quality=95),
    "GIF": lambda: saved(GREY, "GIF"),
}


@pytest.mark.parametrize("kind", READABLE)
def test_a_picture_of_this_kind_becomes_the_same_grey_values(kind: str) -> None:
    picture = read_picture(READABLE[kind](), kind)
    assert (picture.height, picture.width) == (HEIGHT, WIDTH)
    assert picture.pixels.dtype == np.uint8
    difference = np.abs(picture.pixels.astype(int) - RAMP)
    assert difference.max() <= 4, "scaled between percentiles, which cut some levels at the ends"
    assert picture.notes == ()


def test_a_picture_of_one_bit_is_black_and_white() -> None:
    pixels = read_picture(saved(GREY.convert("1"), "TIFF"), "mask.tif").pixels
    assert set(np.unique(pixels)) == {0, 255}


def test_a_deflated_tiff_of_16_bit_float_is_read() -> None:
    values = (RAMP / 300).astype(np.float16)
    pixels = read_picture(tiff(values, compression="zlib", rowsperstrip=16), "half.tif").pixels
    assert np.abs(pixels.astype(int) - RAMP).max() <= 4


def test_the_brightest_and_darkest_few_values_do_not_hide_the_others() -> None:
    values = RAMP.astype(np.float32)
    values[0, :3] = (1e9, -1e9, np.nan)
    pixels = read_picture(tiff(values), "hot.tif").pixels
    assert np.abs(pixels[1:].astype(int) - RAMP[1:]).max() <= 4


def test_of_several_pages_the_first_of_full_resolution_is_taken_and_said() -> None:
    thumbnail = RAMP[::4, ::4].copy()
    picture = read_picture(tiff(thumbnail, RAMP, 255 - RAMP), "stack.tif")
    assert np.array_equal(picture.pixels, RAMP)
    assert picture.notes == ("Page 2 of 3 was taken.",)


def test_of_a_compressed_stack_the_right_page_is_decoded() -> None:
    pages = [Image.fromarray(RAMP[::4, ::4].copy()), GREY]
    stack = saved(pages[0], "TIFF", compression="tiff_lzw", save_all=True, append_images=pages[1:])
    assert np.array_equal(read_picture(stack, "stack.tif").pixels, RAMP)


def test_of_an_animated_gif_the_first_frame_is_taken_and_said() -> None:
    frames = [Image.fromarray(np.full((40, 40), level, np.uint8)) for level in (10, 200)]
    picture = read_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "moving.gif")
    assert int(picture.pixels[0, 0]) == 10
    assert picture.notes == ("The GIF is animated; its first frame was taken.",)


def test_a_file_is_read_by_its_path_and_keeps_its_size_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ramp.tif"
    path.write_bytes(READABLE["16-bit TIFF"]().getvalue())
    assert read_picture(path).pixels.shape == (HEIGHT, WIDTH)
    assert (read_header(path).width, read_header(path).height) == (WIDTH, HEIGHT)


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT"


def bmp_header(width: int, height: int) -> bytes:
    return (
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 8, 0, 0, 0, 0, 0, 0) + b"\0" * 1200
    )


def tiff_header(width: int, height: int) -> bytes:
    """A little-endian TIFF whose one strip claims to be where the file ends (TIFF 6.0, section 2)."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 200),
        (278, 4, height),
    ]
    entries += [(279, 4, min(width * height, 2**32 - 1))]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + body + b"\0" * 200


@pytest.mark.parametrize("header", [png_header, bmp_header, tiff_header])
def test_a_hundred_thousand_pixels_a_side_are_refused_before_anything_is_decoded(header: Callable) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableImage) as refused:
            read_picture(io.BytesIO(header(100_000, 100_000)), "huge")
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert refused.value.code == "too-many-pixels"
    assert refused.value.message.endswith("has more pixels than the 100 million that are read. Make it smaller.")


def test_an_image_bomb_is_refused_by_its_header() -> None:
    bomb = saved(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(UnreadableImage) as refused:
        read_picture(bomb, "bomb.png")
    assert refused.value.code == "too-many-pixels"


def test_a_tiff_whose_strip_inflates_without_end_is_read_no_further_than_its_picture() -> None:
    """The deflated strip of a 16-bit float picture holds 200 MB of zeros."""
    stream = tiff(np.zeros((64, 64), np.float16), compression="zlib", rowsperstrip=64)
    with tifffile.TiffFile(stream) as file:
        (offset,), tag = file.pages[0].dataoffsets, file.pages[0].tags[279]
    data = bytearray(stream.getvalue()[:offset])
    bomb = zlib.compress(bytes(200_000_000))
    struct.pack_into("<I", data, tag.offset + 8, len(bomb))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableImage) as refused:
            read_picture(io.BytesIO(bytes(data) + bomb), "bomb.tif")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert refused.value.code == "damaged-image"


JPEG_BYTES = saved(GREY, "JPEG").getvalue()
REFUSED = {
    "nothing": (b"", "empty-file"),
    "a text": (b"Dear all, the SEM is down until Monday.", "not-an-image"),
    "a program": (b"\x7fELF" + bytes(500), "not-an-image"),
    "a PDF": (b"%PDF-1.7\n" + bytes(500), "not-an-image"),
    "a WebP, which no microscope writes": (saved(GREY, "WEBP").getvalue(), "not-an-image"),
    "one pixel": (saved(Image.new("L", (1, 1)), "PNG").getvalue(), "too-few-pixels"),
    "one row": (tiff(RAMP[:1].copy()).getvalue(), "too-few-pixels"),
    "a truncated TIFF": (tiff(RAMP).getvalue()[:9000], "damaged-image"),
    "a truncated LZW TIFF": (saved(COLOURS, "TIFF", compression="tiff_lzw").getvalue()[:300], "damaged-image"),
    "a TIFF that ends in its header": (b"II*\0\x08\0\0\0\xff", "damaged-image"),
    "a truncated JPEG": (JPEG_BYTES[: len(JPEG_BYTES) // 2], "damaged-image"),
    "a truncated PNG": (saved(GREY.resize((500, 500)), "PNG").getvalue()[:200], "damaged-image"),
    "the mark of a PNG and then noise": (b"\x89PNG\r\n\x1a\n" + bytes(range(200)), "damaged-image"),
    "the mark of a BMP in a text": (b"BMW is no microscope", "damaged-image"),
    "complex numbers": (tiff(RAMP.astype(np.complex64)).getvalue(), "unknown-pixels"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_this_file_is_refused_with_its_own_code_and_a_sentence(what: str) -> None:
    data, code = REFUSED[what]
    with pytest.raises(UnreadableImage) as refused:
        read_picture(io.BytesIO(data), "file.tif")
    assert refused.value.code == code
    assert refused.value.message.endswith(".")


def test_a_file_of_too_many_bytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    with path.open("wb") as stream:
        stream.write(b"II*\0")
        stream.truncate(2_000_000)
    with pytest.raises(UnreadableImage) as refused:
        read_picture(path, limits=ReadLimits(bytes=1_000_000))
    assert refused.value.code == "file-too-large"
    assert refused.value.message == "The file has 2 MB; at most 1 MB are read."


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_changed_in_a_file_it_is_read_or_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    originals = [make().getvalue() for make in READABLE.values()]
    for original in originals:
        data = bytearray(original)
        for position in rng.integers(0, min(len(data), 400), 6):
            data[position] = rng.integers(256)
        try:
            read_picture(io.BytesIO(bytes(data)), "changed", limits=ReadLimits(pixels=1_000_000))
        except UnreadableImage as refused:
            assert refused.code and refused.message


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not at hand")
def test_the_real_sem_images_are_read() -> None:
    sizes = {}
    for path in sorted((SHARED / "samples").glob("sem-*/*")):
        if path.suffix in {".tif", ".bmp"}:
            picture = read_picture(path)
            sizes[path.name] = (picture.width, picture.height)
    assert sizes == {
        "20_quanta_sem.tif": (1024, 943),
        "21_zeiss_sem.tif": (1024, 768),
        "22_zeiss_sem_bad_mag.tif": (1024, 768),
        "Standard_BSE_1000x_800.bmp": (800, 640),
        "image000.tif": (1280, 1024),
        "thermofisher_slice001.tif": (1536, 1024),
    }
