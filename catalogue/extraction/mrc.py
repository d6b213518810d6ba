"""MRC and CCP4 maps: header, voxel size, central section. Format: MRC2014 (Cheng et al. 2015), dtypes of `mrcfile`.

The labels are free text of the program that wrote the file.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from mrcfile import dtypes

from catalogue.extraction import scale, thumbnails
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.source import SourceFile

_HEADER_BYTES = 1024
_PIXEL_TYPES = {0: "i1", 1: "i2", 2: "f4", 4: "c8", 6: "u2", 12: "f2"}
# Fields of the FEI extended header (the first image's) -> standard name and unit; the FEI1 documentation gives SI units.
_FEI_FIELDS = {
    "HT": ("accelerating_voltage", "V"),
    "Alpha tilt": ("stage_tilt", "deg"),
    "Beta tilt": ("stage_tilt_beta", "deg"),
    "X-Stage": ("stage_x", "m"),
    "Y-Stage": ("stage_y", "m"),
    "Z-Stage": ("stage_z", "m"),
    "Magnification": ("magnification", None),
    "Camera length": ("camera_length", "m"),
    "Defocus": ("defocus", "m"),
    "Integration time": ("exposure_time", "s"),
    "D-Number": ("serial_number", None),
    "Camera name": ("detector", None),
}


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from an MRC file. Raises UnreadableFile when the header is cut off or senseless."""
    with source.open() as stream:
        header = _header(stream.read(_HEADER_BYTES))
        draft.dimensions = tuple(int(header[axis]) for axis in ("nz", "ny", "nx"))
        draft.standard("frame_count", draft.dimensions[0] if draft.dimensions[0] > 1 else None)
        _add_voxel_size(header, draft)
        _add_header(header, draft)
        extended = bytes(header["exttyp"]).decode("ascii", errors="replace")
        if extended in {"FEI1", "FEI2"}:
            _add_fei(stream.read(min(int(header["nsymbt"]), 4096)), extended, header.dtype.byteorder, draft)
        _preview(stream, header, draft)


def is_header(head: bytes) -> bool:
    """Whether the first bytes hold a believable header, for files without the word "MAP "."""
    try:
        _header(head[:_HEADER_BYTES])
    except UnreadableFile:
        return False
    return True


def _header(data: bytes) -> Any:
    if len(data) < _HEADER_BYTES:
        raise UnreadableFile("mrc-unreadable", "The MRC header is cut off. Copy the file again.")
    for order in "<>":
        header = np.frombuffer(data, dtypes.HEADER_DTYPE.newbyteorder(order))[0]
        sizes = [int(header[name]) for name in ("nx", "ny", "nz")]
        axes = sorted(int(header[name]) for name in ("mapc", "mapr", "maps"))
        is_sane = all(0 < size < 1_000_000 for size in sizes) and axes in ([1, 2, 3], [0, 0, 0])
        if is_sane and int(header["mode"]) in {*_PIXEL_TYPES, 3, 101} and int(header["nsymbt"]) >= 0:
            return header
    raise UnreadableFile("mrc-unreadable", "The MRC header makes no sense: the file is damaged or no MRC file.")


def _add_voxel_size(header: Any, draft: Draft) -> None:
    """Voxel size = cell length / sampling, along the cell axis that columns, rows and sections are mapped to."""
    for axis, mapped in (("x", "mapc"), ("y", "mapr"), ("z", "maps")):
        cell_axis = "xyz"[(int(header[mapped]) or "xyz".index(axis) + 1) - 1]
        length, sampling = float(header["cella"][cell_axis]), int(header[f"m{cell_axis}"])
        if length > 0 and sampling > 0 and np.isfinite(length):
            scale.add_pixel_size(draft, length / sampling, "angstrom", axis=axis)


def _add_header(header: Any, draft: Draft) -> None:
    labels = [
        bytes(label).decode("latin-1").strip("\x00 ") for label in header["label"][: max(0, int(header["nlabl"]))]
    ]
    labels = [label for label in labels if label]
    if labels:
        draft.standard("description", " ".join(labels))
        if "EMDATABANK" in labels[0].upper() or "EMD-" in labels[0]:
            draft.technique("TEM")
            draft.title_hint = labels[0].strip(": ").replace("::::", " ")
    for name in ("mode", "nxstart", "nystart", "nzstart", "ispg", "nsymbt", "dmin", "dmax", "dmean", "rms"):
        draft.vendor("mrc", name, header[name].item())
    draft.vendor("mrc", "cell_lengths", tuple(float(n) for n in header["cella"].item()), "angstrom")
    draft.vendor("mrc", "cell_angles", tuple(float(n) for n in header["cellb"].item()), "deg")
    draft.vendor("mrc", "axis_order", tuple(int(header[name]) for name in ("mapc", "mapr", "maps")))


def _add_fei(data: bytes, kind: str, order: str, draft: Draft) -> None:
    dtype = dtypes.get_ext_header_dtype(kind.encode(), "<" if order in "=|" else order)
    if dtype is None or len(data) < dtype.itemsize:
        return
    record = np.frombuffer(data[: dtype.itemsize], dtype)[0]
    draft.technique("TEM")
    draft.model(record["Microscope type"], "FEI / Thermo Fisher Scientific")
    for field in record.dtype.names or ():
        value = record[field]
        if field in _FEI_FIELDS:
            name, unit = _FEI_FIELDS[field]
            draft.standard(name, value, unit)
        elif field != "Microscope type":
            draft.vendor("mrc/fei", field, value)


def _preview(stream: BinaryIO, header: Any, draft: Draft) -> None:
    mode = int(header["mode"])
    sections, height, width = draft.dimensions
    draft.picture_size = (width, height)
    if mode not in _PIXEL_TYPES:
        draft.note("preview-skipped", f"No preview was made: pixels of MRC mode {mode} are packed.")
        return
    order = ">" if header.dtype["nx"].byteorder == ">" else "<"
    dtype = np.dtype(order + _PIXEL_TYPES[mode])
    offset = _HEADER_BYTES + int(header["nsymbt"]) + (sections // 2) * height * width * dtype.itemsize
    try:
        draft.check_pixels(height * width)
        array = thumbnails.read_rows(stream, offset, (height, width), dtype, draft.limits.thumbnail_pixels)
        draft.thumbnail = thumbnails.picture(
            array[::-1], draft.limits.thumbnail_pixels
        )  # the first row is at the bottom
    except UnreadableFile as error:
        draft.note(error.code, error.message)
    except (EOFError, ValueError, OverflowError, OSError):
        draft.note("picture-unreadable", "The map is shorter than its header says: the file is cut off. Copy it again.")
