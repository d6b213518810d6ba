"""TIFF files of any maker: the picture and the common tags; vendor tags go to the vendor's own module.

Resolution tags are ignored on purpose: in SEM files they hold 72 or 96 dpi whatever the magnification.
"""

from __future__ import annotations

import logging
import warnings
from typing import BinaryIO

import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

from catalogue.extraction import fei, sidecars, tescan, text, thumbnails, zeiss
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.source import SourceFile

# tifffile logs the bytes of tags that it cannot decode, and they may hold a person's name.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
logging.getLogger("tifffile").propagate = False

_MAX_TAGS = 1_000
_PLAIN_TAGS = {
    "ImageDescription": "description", "Make": "manufacturer", "Model": "instrument_model", "Software": "software",
    "Artist": "operator",
}  # fmt: skip


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a TIFF. Raises UnreadableFile when the file has no readable directory."""
    with source.open() as stream:
        try:
            # tifffile reads only the first directory here; a chain of a million pages costs nothing.
            with tifffile.TiffFile(stream, name=source.name) as file:
                page = file.pages.first
                _describe(file, page, draft)
                _read_vendor_tags(file, page, source, draft)
                _preview(page, stream, draft)
        except (tifffile.TiffFileError, IndexError) as error:
            raise UnreadableFile(
                "tiff-unreadable", "The TIFF directory cannot be read: the file is cut off or damaged. Copy it again."
            ) from error


def _describe(file: tifffile.TiffFile, page: tifffile.TiffPage, draft: Draft) -> None:
    if len(page.tags) > _MAX_TAGS:
        draft.note(
            "parameters-limited", f"The TIFF directory holds {len(page.tags)} tags; vendor tags were still read."
        )
    draft.picture_size = (int(page.imagewidth), int(page.imagelength))
    draft.dimensions = tuple(int(n) for n in page.shape)
    pages = _count_pages(file)
    if pages > 1:
        draft.dimensions = (pages, *draft.dimensions)
        draft.standard("frame_count", pages)


def _count_pages(file: tifffile.TiffFile, at_most: int = 10_000) -> int:
    """Number of directories, counted up to a limit: the chain of a broken file may be endless."""
    for index in (1, at_most):
        try:
            file.pages[index]
        except IndexError:
            return len(file.pages)
        except Exception:  # a broken later page must not hide the first one
            return 1
    return at_most


def _read_vendor_tags(file: tifffile.TiffFile, page: tifffile.TiffPage, source: SourceFile, draft: Draft) -> None:
    size = draft.picture_size or (0, 0)
    if zeiss.TAG in page.tags:
        zeiss.read(file.sem_metadata or {}, size, draft)
    elif any(tag in page.tags for tag in fei.TAGS):
        fei.read(file.fei_metadata or {}, size, draft)
    elif tescan.TAG in page.tags:
        draft.identify("tescan", "TESCAN SEM image (TIFF)", "image/tiff")
        tescan.read(page.tags[tescan.TAG].value, size, draft)
    elif not sidecars.read_beside(source, size, draft):
        _read_plain_tags(page, draft)


def _read_plain_tags(page: tifffile.TiffPage, draft: Draft) -> None:
    for tag_name, standard in _PLAIN_TAGS.items():
        tag = page.tags.get(tag_name)
        if tag is None or tag.count > 1_000_000 or not isinstance(tag.value, str):
            continue
        if standard in {"manufacturer", "instrument_model"}:
            draft.model(*((None, tag.value) if standard == "manufacturer" else (tag.value,)))
        else:
            draft.standard(standard, tag.value)
    tag = page.tags.get("DateTime")
    if tag is not None and isinstance(tag.value, str):
        day_text, _, time_text = tag.value.partition(" ")
        draft.acquired(text.moment(day_text.replace(":", "/"), time_text))


def _preview(page: tifffile.TiffPage, stream: BinaryIO, draft: Draft) -> None:
    width, height = draft.picture_size or (0, 0)
    try:
        draft.check_pixels(width * height)
        longest_side = draft.limits.thumbnail_pixels
        array = _decimated(page, stream, longest_side)
        if array is None:
            array = _decoded(stream, draft.limits.pixels, longest_side)
        draft.thumbnail = thumbnails.picture(array, longest_side)
    except UnreadableFile as error:
        draft.note(error.code, error.message)
    except (EOFError, OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        draft.note(
            "picture-unreadable",
            f"The picture cannot be read ({type(error).__name__}): the file may be cut off. Its metadata are kept.",
        )


def _decimated(page: tifffile.TiffPage, stream: BinaryIO, longest_side: int) -> thumbnails.Array | None:
    """The picture of an uncompressed page, in pixels near the thumbnail's size; None when it must be decoded."""
    if not page.is_contiguous or page.dtype is None or (page.samplesperpixel > 1 and page.planarconfig != 1):
        return None
    samples = int(page.samplesperpixel)
    shape: tuple[int, ...] = (int(page.imagelength), int(page.imagewidth))
    if samples > 1:
        shape = (*shape, samples)
    if np.prod(page.shape) != np.prod(shape):
        return None
    dtype = np.dtype(page.parent.byteorder + page.dtype.char)
    array = thumbnails.read_rows(stream, int(page.dataoffsets[0]), shape, dtype, longest_side)
    if samples > 1:
        return array[..., :3] if samples >= 3 else array[..., 0]
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        return _through_palette(array, page.colormap)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and array.dtype.kind == "u":
        return np.invert(array)
    return array


def _through_palette(indices: thumbnails.Array, colormap: thumbnails.Array) -> thumbnails.Array:
    """Grey or RGB values of palette indices; SEM palettes are grey ramps."""
    ramp = (np.asarray(colormap, np.uint16) >> 8).astype(np.uint8)
    is_grey = bool((ramp[0] == ramp[1]).all() and (ramp[1] == ramp[2]).all())
    indices = np.minimum(indices, ramp.shape[1] - 1)
    return ramp[0][indices] if is_grey else np.stack([channel[indices] for channel in ramp], axis=-1)


def _decoded(stream: BinaryIO, max_pixels: int, longest_side: int) -> thumbnails.Array:
    """The first picture, decoded by Pillow (libtiff), which never writes more than the declared size."""
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(stream, formats=["TIFF"]) as image:
            if image.width * image.height > max_pixels:
                raise ValueError("too many pixels")
            return thumbnails.decimated(image, longest_side)
