"""The picture in a TIFF file: which of its pages, and its pixels.

Pages without compression, which microscopes write, are taken from the file as they lie; others are decoded by libtiff
through Pillow, which never writes more than the declared size. Metadata are read in `catalogue/extraction/`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from classifier.pipeline.errors import UnreadableImage
from classifier.pipeline.grey_levels import from_samples, to_grey
from classifier.pipeline.results import Grey

_MOST_PAGES = 64  # that are looked at
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType, TIFF 6.0 section 8
_PLAIN = {
    tifffile.PHOTOMETRIC.MINISWHITE,
    tifffile.PHOTOMETRIC.MINISBLACK,
    tifffile.PHOTOMETRIC.RGB,
    tifffile.PHOTOMETRIC.PALETTE,
}
_DEFLATED = {tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.COMPRESSION.DEFLATE}


def read(stream: BinaryIO, check_size: Callable[[int, int], None]) -> tuple[Grey, tuple[str, ...]]:
    """The grey values of the first page of full resolution, and notes. `check_size` gets width and height before anything
    is decoded, and raises. Otherwise raises what Pillow and tifffile raise, and `UnreadableImage` for unknown pixels."""
    with tifffile.TiffFile(stream) as file:
        index, count = _chosen(file)
        page = file.pages[index]
        assert isinstance(page, tifffile.TiffPage)
        check_size(int(page.imagewidth), int(page.imagelength))
        pixels = _as_it_lies(page, stream) if page.is_contiguous else None
        if pixels is None:
            pixels = _by_libtiff(page, stream, index)
    at_least = "at least " if count == _MOST_PAGES else ""
    notes = (f"Page {index + 1} of {at_least}{count} was taken.",) if count > 1 else ()
    return pixels, notes


def size_of(stream: BinaryIO) -> tuple[int, int]:
    """Width and height of the page that `read` would take."""
    with tifffile.TiffFile(stream) as file:
        page = file.pages[_chosen(file)[0]]
        assert isinstance(page, tifffile.TiffPage)
        return int(page.imagewidth), int(page.imagelength)


def _chosen(file: tifffile.TiffFile) -> tuple[int, int]:
    """The number of the first page that is no thumbnail, and how many there are: a page counts as a thumbnail when it says
    so, or has less than half the pixels of the largest one."""
    sizes: list[int] = []
    for page in file.pages:
        assert isinstance(page, tifffile.TiffPage)
        is_whole = not int(page.subfiletype) & (_REDUCED | _MASK)
        sizes.append(int(page.imagewidth) * int(page.imagelength) if is_whole else 0)
        if len(sizes) == _MOST_PAGES:
            break
    if not sizes:
        raise ValueError("no page")
    return next(index for index, size in enumerate(sizes) if size >= max(sizes) / 2), len(sizes)


def _as_it_lies(page: tifffile.TiffPage, stream: BinaryIO) -> Grey | None:
    """The pixels of a page without compression; None where they have to be decoded after all, as those of 1 or 4 bit."""
    height, width, samples = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
    if page.dtype is None or page.bitspersample not in (8, 16, 32, 64) or (samples > 1 and page.planarconfig != 1):
        return None
    if page.dtype.kind == "c":
        raise _unknown_pixels()
    if page.photometric not in _PLAIN:
        return None
    dtype = np.dtype(page.parent.byteorder + page.dtype.char)
    stream.seek(int(page.dataoffsets[0]))
    data = stream.read(height * width * samples * dtype.itemsize)
    values = np.frombuffer(data, dtype).reshape((height, width, samples) if samples > 1 else (height, width))
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        return _through_palette(values, np.asarray(page.colormap))
    grey = from_samples(values)
    return np.invert(grey) if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE else grey


def _through_palette(indices: NDArray[np.generic], colormap: NDArray[np.generic]) -> Grey:
    """`colormap` (3, 2^bits) of 16-bit values (TIFF 6.0 section 5)."""
    shades = from_samples((colormap.astype(np.uint32) >> 8).astype(np.uint8).T[np.newaxis])[0]
    return shades[np.minimum(indices.astype(np.int64), len(shades) - 1)]


def _by_libtiff(page: tifffile.TiffPage, stream: BinaryIO, index: int) -> Grey:
    stream.seek(0)
    try:
        with Image.open(stream, formats=["TIFF"]) as image:
            image.seek(index)
            return to_grey(image)
    except (UnidentifiedImageError, SyntaxError, KeyError):
        return _inflated(page, stream)


def _inflated(page: tifffile.TiffPage, stream: BinaryIO) -> Grey:
    """Deflated pixels of kinds that Pillow does not know, such as 16-bit floating point. No segment may inflate to more
    than its part of the picture, which tifffile would not notice."""
    if page.dtype is None or page.dtype.kind == "c" or page.compression not in _DEFLATED or page.samplesperpixel > 1:
        raise _unknown_pixels()
    most = int(np.prod(page.chunks)) * page.dtype.itemsize
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        stream.seek(int(offset))
        if len(zlib.decompressobj().decompress(stream.read(int(count)), most + 1)) > most:
            raise ValueError("a segment holds more than its part of the picture")
    grey = from_samples(page.asarray().reshape(int(page.imagelength), int(page.imagewidth)))
    return np.invert(grey) if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE else grey


def _unknown_pixels() -> UnreadableImage:
    return UnreadableImage(
        "unknown-pixels",
        "The picture has a kind of pixels or a compression that is not read. Save it without compression.",
    )
