"""EMD files of electron microscopes: Velox (Thermo Fisher) and NCEM, both HDF5.

Velox keeps its metadata as JSON text in Data/<kind>/<id>/Metadata, with SI units and angles in radians.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import h5py
import numpy as np

from catalogue.extraction import hdf5, hdf5_preview, scale, text
from catalogue.extraction.draft import Draft

_LONGEST_JSON = 200_000
_NUMBERS: dict[str, tuple[str, str | None]] = {
    "Optics/AccelerationVoltage": ("accelerating_voltage", "V"),
    "Optics/NominalMagnification": ("magnification", None),
    "Optics/CameraLength": ("camera_length", "m"),
    "Optics/Defocus": ("defocus", "m"),
    "Optics/BeamConvergence": ("convergence_angle", "rad"),
    "Stage/Position/x": ("stage_x", "m"),
    "Stage/Position/y": ("stage_y", "m"),
    "Stage/Position/z": ("stage_z", "m"),
    "Stage/AlphaTilt": ("stage_tilt", "rad"),
    "Stage/BetaTilt": ("stage_tilt_beta", "rad"),
    "Scan/DwellTime": ("dwell_time", "s"),
    "Scan/ScanRotation": ("scan_rotation", "rad"),
}
_TEXTS = {
    "BinaryResult/Detector": "detector",
    "Instrument/InstrumentId": "serial_number",
    "Operations/Operator": "operator",
    "Sample/SampleId": "sample_name",
}


def is_emd(file: h5py.File) -> bool:
    """Velox has Data/Image or its like plus Version; NCEM marks groups with emd_group_type."""
    return _velox_signal(file) is not None or _ncem_group(file) is not None


def read(file: h5py.File, draft: Draft) -> None:
    found = _velox_signal(file)
    if found is not None:
        _read_velox(*found, draft)
        return
    group = _ncem_group(file)
    if group is not None:
        _read_ncem(file, group, draft)


def _velox_signal(file: h5py.File) -> tuple[str, h5py.Group] | None:
    for kind in ("Image", "SpectrumStream", "Spectrum"):
        signals = hdf5.resolve(file, f"Data/{kind}")
        if not isinstance(signals, h5py.Group) or not len(signals):
            continue
        signal = hdf5.resolve(file, next(iter(signals)), signals)
        if isinstance(signal, h5py.Group) and hdf5.resolve(file, "Metadata", signal) is not None:
            return kind, signal
    return None


def _read_velox(kind: str, signal: h5py.Group, draft: Draft) -> None:
    draft.identify("emd", "Velox EMD", "application/x-hdf5")
    values = dict(_flat(_metadata(signal, draft)))
    is_scanning = "Scan/DwellTime" in values or str(values.get("Optics/OperatingMode", "")) in {"2", "STEM"}
    draft.technique("STEM" if is_scanning else "TEM")
    if kind != "Image":
        draft.technique("EDS")
    draft.model(
        values.get("Instrument/InstrumentModel") or values.get("Instrument/InstrumentClass"),
        str(values.get("Instrument/Manufacturer") or "Thermo Fisher Scientific"),
    )
    for path, (name, unit) in _NUMBERS.items():
        draft.standard(name, text.number(values.get(path)), unit)
    for path, name in _TEXTS.items():
        draft.standard(name, str(values.get(path) or ""))
    for axis, key in (("x", "width"), ("y", "height")):
        size = text.number(values.get(f"BinaryResult/PixelSize/{key}"))
        if size:
            unit = text.unit(str(values.get(f"BinaryResult/PixelUnit{axis.upper()}") or "m")) or "m"
            scale.add_pixel_size(draft, size, unit, axis=axis)
    seconds = text.number(values.get("Acquisition/AcquisitionStartDatetime/DateTime"))
    if seconds and 0 < seconds < 4e9:
        draft.acquired(datetime.fromtimestamp(seconds, UTC))
    for path, value in values.items():
        if path not in _NUMBERS and path not in _TEXTS:
            group, _, name = path.rpartition("/")
            draft.vendor(f"velox/{group}".rstrip("/"), name, value)
    _draw_velox(signal, draft)


def _metadata(signal: h5py.Group, draft: Draft) -> Mapping[str, Any]:
    """The JSON of the first frame: one column of bytes, ended by a zero."""
    dataset = hdf5.resolve(signal, "Metadata", signal)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2 or not hdf5.is_self_contained(dataset):
        return {}
    column = dataset[:_LONGEST_JSON, 0]
    try:
        found = json.loads(np.asarray(column, np.uint8).tobytes().partition(b"\x00")[0])
    except (ValueError, RecursionError):
        draft.note("metadata-unreadable", "The JSON metadata of this EMD file cannot be parsed.")
        return {}
    return found if isinstance(found, dict) else {}


def _flat(values: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        here = f"{path}/{key}" if path else str(key)
        if isinstance(value, dict) and depth < 8:
            yield from _flat(value, here, depth + 1)
        elif isinstance(value, str | int | float | bool):
            as_number = text.number(value) if isinstance(value, str) and text.number_and_unit(value) else None
            is_number = as_number is not None and text.number_and_unit(str(value)) == (as_number, None)
            yield here, as_number if is_number else value


def _draw_velox(signal: h5py.Group, draft: Draft) -> None:
    """Velox puts frames last: (height, width, frames)."""
    data = hdf5.resolve(signal, "Data", signal)
    if not isinstance(data, h5py.Dataset):
        return
    draft.dimensions = tuple(int(n) for n in data.shape)
    if data.ndim == 3 and hdf5.is_self_contained(data) and data.dtype.kind in "biufc":
        height, width, frames = data.shape
        draft.picture_size = (int(width), int(height))
        chunk = int(np.prod(data.chunks)) * data.dtype.itemsize if data.chunks else 0
        if data.nbytes > draft.limits.preview_bytes or chunk > draft.limits.preview_bytes:
            draft.note("preview-skipped", "No preview was made: reading a frame would cost too much.")
            return
        hdf5_preview.draw_array(data[:, :, frames // 2], draft)
    else:
        hdf5_preview.draw(data, draft)


def _ncem_group(file: h5py.File) -> h5py.Group | None:
    """The first group with emd_group_type 1 within three levels."""
    waiting: list[tuple[h5py.Group, int]] = [(file, 0)]
    visited = 0
    while waiting:
        group, depth = waiting.pop()
        for name in list(group)[:50]:
            visited += 1
            member = hdf5.resolve(file, name, group)
            if not isinstance(member, h5py.Group) or visited > 500:
                continue
            if int(text.number(hdf5.attributes(member).get("emd_group_type")) or 0) == 1:
                return member
            if depth < 2:
                waiting.append((member, depth + 1))
    return None


def _read_ncem(file: h5py.File, group: h5py.Group, draft: Draft) -> None:
    draft.identify("emd", "NCEM EMD", "application/x-hdf5")
    draft.technique("TEM")
    data = hdf5.resolve(file, "data", group)
    for path, node in hdf5.walk(file, draft):
        if isinstance(node, h5py.Group):
            for name, value in hdf5.attributes(node).items():
                draft.vendor(f"emd/{path}", name, value)
    for parameter in draft.build().parameters:
        key = parameter.name.lower().replace(" ", "_")
        if key in {"accelerating_voltage", "beam_energy", "voltage"}:
            draft.standard("accelerating_voltage", parameter.value, "V")
    if not isinstance(data, h5py.Dataset):
        return
    draft.dimensions = tuple(int(n) for n in data.shape)
    for axis, index in (("x", data.ndim), ("y", data.ndim - 1)):
        dimension = hdf5.resolve(file, f"dim{index}", group)
        if isinstance(dimension, h5py.Dataset) and dimension.ndim == 1 and dimension.size and dimension.size > 1:
            first, second = (float(value) for value in dimension[:2])
            unit = text.unit(hdf5.attribute_text(dimension, "units").replace("_", ""))
            if unit and unit.endswith("m"):
                scale.add_pixel_size(draft, second - first, unit, axis=axis)
    hdf5_preview.draw(data, draft)
