"""Detector images in EDF (ESRF) and CBF (Dectris): text header plus one array, decoded by fabio.

The header is checked for its claimed size before anything is decoded.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from catalogue.extraction import text, thumbnails
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.source import SourceFile

# Damaged headers are no news for our log, and may hold a person's name.
logging.getLogger("fabio").addHandler(logging.NullHandler())
logging.getLogger("fabio").propagate = False

_HEAD_BYTES = 65_536
_EDF_NUMBERS = {
    "wavelength": ("wavelength", "m"),
    "sampledistance": ("detector_distance", "m"),
    "psize_1": ("detector_pixel_size_x", "m"),
    "psize_2": ("detector_pixel_size_y", "m"),
    "center_1": ("beam_center_x", "pixel"),
    "center_2": ("beam_center_y", "pixel"),
    "exposuretime": ("exposure_time", "s"),
    "count_time": ("exposure_time", "s"),
}
_EDF_TEXTS = {"title": "title", "sample": "sample_name", "detector": "detector"}
_EDF_LAYOUT = {"byteorder", "datatype", "headerid", "image", "size", "edf_binarysize", "edf_headersize"}
_CBF_NUMBERS = {
    "Exposure_time": ("exposure_time", "s"),
    "Wavelength": ("wavelength", "angstrom"),
    "Detector_distance": ("detector_distance", "m"),
    "Angle_increment": ("angle_increment", "deg"),
    "Start_angle": ("rotation_angle", "deg"),
}


def read_edf(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from the first frame of an EDF file."""
    with source.open() as stream:
        head = stream.read(_HEAD_BYTES)
        header = _edf_header(head)
        width, height = (int(text.number(header.get(key)) or 0) for key in ("dim_1", "dim_2"))
        _add_edf_header(header, draft)
        draft.dimensions = (height, width) if height else (width,)
        stream.seek(0)
        _preview("EdfImage", stream.read, (width, height), draft)


def read_cbf(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a CBF with the mini header of Dectris detectors."""
    with source.open() as stream:
        head = stream.read(_HEAD_BYTES).decode("latin-1")
        sizes = [
            int(found[1])
            for axis in ("Fastest", "Second")
            if (found := re.search(rf"X-Binary-Size-{axis}-Dimension:\s*(\d{{1,9}})", head))
        ]
        _add_cbf_header(head, draft)
        if len(sizes) < 2:
            raise UnreadableFile("cbf-unreadable", "The CBF header does not say how large the picture is.")
        draft.dimensions = (sizes[1], sizes[0])
        stream.seek(0)
        _preview("CbfImage", stream.read, (sizes[0], sizes[1]), draft)


def _edf_header(head: bytes) -> dict[str, str]:
    block = head.decode("latin-1").partition("{")[2].partition("}")[0]
    header: dict[str, str] = {}
    for entry in block.split(";"):
        key, equals, value = entry.partition("=")
        if equals:
            header.setdefault(key.strip().lower(), value.strip())
    return header


def _add_edf_header(header: dict[str, str], draft: Draft) -> None:
    used = set(_EDF_LAYOUT)
    for key, (name, usual_unit) in _EDF_NUMBERS.items():
        found = text.number_and_unit(header.get(key, ""))
        if found is not None:
            draft.standard(name, found[0], found[1] or usual_unit)
            used.add(key)
    for key, name in _EDF_TEXTS.items():
        if draft.standard(name, header.get(key)):
            used.add(key)
    draft.title_hint = header.get("title")
    draft.sample_hint = header.get("sample")
    draft.acquired(_edf_moment(header))
    for pair in ("motor", "counter"):
        names, values = header.get(f"{pair}_mne", "").split(), header.get(f"{pair}_pos", "").split()
        for name, value in zip(names, values, strict=False):
            draft.vendor(f"edf/{pair}s", name, text.number(value))
    for key, value in header.items():
        if key not in used and not re.fullmatch(r"(motor|counter)_(mne|pos)|dim_\d", key):
            draft.vendor("edf", key, value)


def _edf_moment(header: dict[str, str]) -> datetime | date | None:
    for key in ("time", "date", "time_of_day"):
        value = header.get(key, "")
        found = text.iso_moment(value) or text.spec_moment(value)
        if found is None and key == "time_of_day" and 0 < (text.number(value) or 0) < 4e9:
            return datetime.fromtimestamp(text.number(value) or 0, UTC)
        if found is not None:
            return found
    return None


def _add_cbf_header(head: str, draft: Draft) -> None:
    lines = re.findall(r"^# (.{1,200}?)\r?$", head, re.MULTILINE)
    for line in lines:
        key, _, value = line.partition(" ")
        key = key.rstrip(":")
        if key == "Detector":
            model, _, serial = value.partition(", S/N ")
            draft.standard("detector", model)
            draft.standard("serial_number", serial)
        elif key == "Pixel_size":
            _add_cbf_pixel_size(value, draft)
        elif key in _CBF_NUMBERS:
            name, usual_unit = _CBF_NUMBERS[key]
            found = text.number_and_unit(value)
            if found is not None:
                unit = text.unit(found[1], is_wavelength=name == "wavelength") or usual_unit
                draft.standard(name, found[0], unit.rstrip("."))
        elif (when := text.iso_moment(line)) is not None:
            draft.acquired(when)
        else:
            draft.vendor("cbf", key, value)
    if draft.has("angle_increment") and draft.has("rotation_angle"):
        draft.technique("XRD")


def _add_cbf_pixel_size(value: str, draft: Draft) -> None:
    """ "172e-6 m x 172e-6 m"."""
    for name, part in zip(("detector_pixel_size_x", "detector_pixel_size_y"), value.split(" x "), strict=False):
        found = text.number_and_unit(part)
        if found is not None:
            draft.standard(name, found[0], found[1] or "m")


def _preview(reader_name: str, read_bytes: Any, size: tuple[int, int], draft: Draft) -> None:
    width, height = size
    try:
        draft.check_pixels(width * max(height, 1))
        data = _decode(reader_name, read_bytes(draft.limits.preview_bytes))
        if data is None or data.ndim not in {1, 2}:
            raise ValueError("no picture")
        longest_side = draft.limits.thumbnail_pixels
        if data.ndim == 1 or 1 in data.shape:
            draft.thumbnail = thumbnails.line(data.ravel(), None, longest_side)
            return
        draft.picture_size = (int(data.shape[1]), int(data.shape[0]))
        step = thumbnails.step_for(data.shape[0], data.shape[1], longest_side)
        draft.thumbnail = thumbnails.picture(data[::step, ::step], longest_side)
    except UnreadableFile as error:
        draft.note(error.code, error.message)
    except Exception as error:  # fabio raises what it likes on damaged files
        draft.note(
            "picture-unreadable",
            f"The detector image cannot be decoded ({type(error).__name__}): the file may be cut off.",
        )


def _decode(reader_name: str, content: bytes) -> thumbnails.Array | None:
    from fabio import cbfimage, edfimage, fabioutils  # slow to import

    reader = edfimage.EdfImage() if reader_name == "EdfImage" else cbfimage.CbfImage()
    image = reader.read(fabioutils.BytesIO(content))
    return None if image.data is None else np.asarray(image.data)
