"""Reads a picture of any microscope as grey values, and says clearly why it cannot. What it shows is not asked here.

TIFF, JPEG, PNG, BMP and the first frame of a GIF. Sizes are refused by the header, before anything is decoded. What else a
harmful file could do is bounded by the child processes of `loading.py`.
"""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, TiffImagePlugin

from classifier.pipeline import tiff_pages
from classifier.pipeline.errors import UnreadableImage
from classifier.pipeline.grey_levels import to_grey
from classifier.pipeline.results import Grey

assert TiffImagePlugin  # imported so that Pillow knows TIFF without loading all its formats

_MEDIA_TYPES = {
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
    b"II+\0": "image/tiff",  # BigTIFF
    b"MM\0+": "image/tiff",
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}
# What Pillow and tifffile raise for files that are cut off or changed.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    struct.error,
    zlib.error,
)
_DAMAGED = "The file begins as an image and then cannot be decoded: it is cut off or damaged. Copy or upload it again."


@dataclass(frozen=True)
class ReadLimits:
    """`pixels` of the picture, `bytes` of the file, and the fewest pixels that a side must have."""

    pixels: int = 100_000_000
    bytes: int = 512 * 1024 * 1024
    smallest_side: int = 16


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before anything is decoded."""

    width: int
    height: int
    media_type: str


@dataclass(frozen=True)
class Picture:
    """`pixels` (H, W); `notes` are sentences about what was left out or changed."""

    pixels: Grey
    media_type: str
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def read_picture(source: Path | BinaryIO, name: str = "", *, limits: ReadLimits = ReadLimits()) -> Picture:
    """The picture of a file or of a seekable stream; `name` is for messages.

    16-bit and floating-point values are scaled to 8 bit between robust percentiles, colours become luminance, and of a TIFF
    with several pages the first one of full resolution is taken. Raises `UnreadableImage` with one of the codes
    `empty-file`, `file-too-large`, `not-an-image`, `too-many-pixels`, `too-few-pixels`, `damaged-image`, `unknown-pixels`.
    """
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return read_picture(stream, name or source.name, limits=limits)
    media_type = _media_type(source, name, limits)
    with _told_plainly(limits):
        if media_type == "image/tiff":
            pixels, notes = tiff_pages.read(source, lambda width, height: _check_size(width, height, limits))
        else:
            pixels, notes = _decoded(source, media_type, limits)
    return Picture(pixels, media_type, notes)


def read_header(source: Path, name: str = "", *, limits: ReadLimits = ReadLimits()) -> Header:
    """What `read_picture` would refuse by the header alone, it refuses too, with the same codes; cheap enough for a web request."""
    with source.open("rb") as stream:
        media_type = _media_type(stream, name or source.name, limits)
        with _told_plainly(limits):
            if media_type == "image/tiff":
                width, height = tiff_pages.size_of(stream)
            else:
                with Image.open(stream, formats=[media_type.removeprefix("image/").upper()]) as image:
                    width, height = image.size
            _check_size(width, height, limits)
    return Header(width, height, media_type)


def _media_type(stream: BinaryIO, name: str, limits: ReadLimits) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size == 0:
        raise UnreadableImage("empty-file", "The file is empty. Copy or upload it again.")
    if size > limits.bytes:
        raise UnreadableImage(
            "file-too-large", f"The file has {size / 1e6:.0f} MB; at most {limits.bytes / 1e6:.0f} MB are read."
        )
    head = stream.read(8)
    stream.seek(0)
    for mark, media_type in _MEDIA_TYPES.items():
        if head.startswith(mark):
            return media_type
    called = f"{name} is" if name else "This is"
    raise UnreadableImage("not-an-image", f"{called} not an image that can be read: TIFF, JPEG, PNG, BMP or GIF.")


def _check_size(width: int, height: int, limits: ReadLimits) -> None:
    if width * height > limits.pixels:
        raise _too_many_pixels(limits, f" of {width} x {height}")
    if min(width, height) < limits.smallest_side:
        raise UnreadableImage(
            "too-few-pixels",
            f"The picture has {width} x {height} pixels; nothing can be seen on fewer than {limits.smallest_side} a side.",
        )


def _too_many_pixels(limits: ReadLimits, size: str = "") -> UnreadableImage:
    most = f"{limits.pixels / 1e6:.0f} million"
    return UnreadableImage(
        "too-many-pixels", f"The picture{size} has more pixels than the {most} that are read. Make it smaller."
    )


def _decoded(stream: BinaryIO, media_type: str, limits: ReadLimits) -> tuple[Grey, tuple[str, ...]]:
    with Image.open(stream, formats=[media_type.removeprefix("image/").upper()]) as image:
        _check_size(image.width, image.height, limits)
        image.draft("L", image.size)  # JPEG: only the luminance is decoded
        notes: tuple[str, ...] = ()
        if media_type == "image/gif" and getattr(image, "is_animated", False):
            notes = ("The GIF is animated; its first frame was taken.",)
        return to_grey(image), notes


@contextmanager
def _told_plainly(limits: ReadLimits) -> Iterator[None]:
    """Whatever Pillow and tifffile raise for a broken file becomes `UnreadableImage`; their warnings say nothing to people."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except UnreadableImage:
            raise
        except Image.DecompressionBombError as error:
            raise _too_many_pixels(limits) from error
        except _BROKEN as error:
            raise UnreadableImage("damaged-image", _DAMAGED) from error
