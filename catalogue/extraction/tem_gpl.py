"""Gatan .dm3/.dm4 and TIA .ser files, read by rosettasciio where it is installed.

rosettasciio is under the GPL, so it is an optional extra of the worker (requirements-gpl-readers.txt) and is imported
only inside a function. Without it the file is registered all the same, with a note.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from catalogue.extraction import scale, text, thumbnails
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.source import LocalFile, SourceFile

# Items repeat the values of their neighbours, operator included, under names that do not tell what they are.
_SKIPPED = re.compile(r"\.Items\.TagGroup|SI\.Acquisition\.Survey Image|^Group Save|\.?Tag [Pp]ath$")
_NUMBERS: dict[str, tuple[str, str | None]] = {
    "Microscope Info.Voltage": ("accelerating_voltage", "V"),
    "Microscope Info.Indicated Magnification": ("magnification", None),
    "Microscope Info.Stage Position.Stage X": ("stage_x", "um"),
    "Microscope Info.Stage Position.Stage Y": ("stage_y", "um"),
    "Microscope Info.Stage Position.Stage Z": ("stage_z", "um"),
    "Microscope Info.Stage Position.Stage Alpha": ("stage_tilt", "deg"),
    "Microscope Info.Stage Position.Stage Beta": ("stage_tilt_beta", "deg"),
    "Microscope Info.Field of View (µm)": ("field_of_view", "um"),
    "Microscope Info.STEM Camera Length": ("camera_length", "mm"),
    "EELS.Experimental Conditions.Convergence semi-angle (mrad)": ("convergence_angle", "mrad"),
    "EELS.Experimental Conditions.Collection semi-angle (mrad)": ("collection_angle", "mrad"),
    "EELS.Acquisition.Exposure (s)": ("exposure_time", "s"),
    "SI.Acquisition.Exposure (s)": ("exposure_time", "s"),
    "EDS.Live time": ("live_time", "s"),
}
# Zero means "not measured" here.
_NUMBERS_UNLESS_ZERO: dict[str, tuple[str, str | None]] = {
    "Microscope Info.Probe Current (nA)": ("beam_current", "nA"),
    "Microscope Info.Emission Current (µA)": ("emission_current", "uA"),
}
_TEXTS = {
    "Session Info.Operator": "operator",
    "Microscope Info.Operator": "operator",
    "Session Info.Specimen": "sample_name",
    "Microscope Info.Specimen": "sample_name",
    "Session Info.Detector": "detector",
    "Acquisition.Device.Name": "detector",
    "GMS Version.Created": "software",
}
_MOMENTS = (
    ("SI.Acquisition.Date", "SI.Acquisition.Start time"),
    ("EELS.Acquisition.Date", "EELS.Acquisition.Start time"),
    ("EDS.Acquisition.Date", "EDS.Acquisition.Start time"),
    ("DataBar.Acquisition Date", "DataBar.Acquisition Time"),
)


def read_dm(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a DigitalMicrograph file. Raises UnreadableFile without rosettasciio or for damage."""
    with _signals("rsciio.digitalmicrograph", source, draft) as signals:
        main = signals[0]
        tags = main["original_metadata"].get("ImageList", {}).get("TagGroup0", {}).get("ImageTags", {})
        _add_tags(dict(_flat(tags)), draft)
        _add_signal(main, draft)


def read_ser(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a TIA series; most of its metadata are in the .emi file beside it."""
    with _signals("rsciio.tia", source, draft) as signals:
        main = signals[0]
        for path, value in _flat(main["original_metadata"]):
            group, _, name = path.rpartition(".")
            draft.vendor(f"tia/{group}".rstrip("/"), name, value)
        draft.technique("TEM")
        _add_signal(main, draft)


@contextmanager
def _signals(module_name: str, source: SourceFile, draft: Draft) -> Iterator[list[Any]]:
    try:
        reader = import_module(module_name)
    except ImportError as error:
        raise UnreadableFile(
            "reader-missing",
            "This format needs the optional readers: install requirements-gpl-readers.txt in the worker"
            " and run the extraction again.",
        ) from error
    with _on_disk(source, draft) as path:
        try:
            signals = reader.file_reader(str(path), lazy=True)
        except Exception as error:
            raise UnreadableFile(
                "tem-unreadable", f"The file cannot be read ({type(error).__name__}): it is cut off or damaged."
            ) from error
        if not signals:
            raise UnreadableFile("no-signal", "The file holds no image or spectrum.")
        yield signals


@contextmanager
def _on_disk(source: SourceFile, draft: Draft) -> Iterator[Path]:
    """A path for a reader that takes no streams; remote files are copied if they are not too large."""
    if isinstance(source, LocalFile):
        with source.open():
            yield source.path
        return
    if source.size > draft.limits.copied_bytes:
        raise UnreadableFile("file-too-large", "The file is too large to be copied here for its reader.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{Path(source.name).suffix}"
        with source.open() as stream, path.open("wb") as target:
            shutil.copyfileobj(stream, target)
        yield path


def _flat(tags: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if hasattr(tags, "as_dictionary"):
        tags = tags.as_dictionary()
    for key, value in tags.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and depth < 12:
            yield from _flat(value, here, depth + 1)
        else:
            yield here, value


def _add_tags(tags: dict[str, Any], draft: Draft) -> None:
    draft.model(tags.get("Session Info.Microscope") or tags.get("Microscope Info.Name"))
    for path, (name, unit) in _NUMBERS.items():
        draft.standard(name, text.number(tags.get(path)), unit)
    for path, (name, unit) in _NUMBERS_UNLESS_ZERO.items():
        draft.standard(name, text.number(tags.get(path)) or None, unit)
    for path, name in _TEXTS.items():
        value = tags.get(path)
        draft.standard(name, value if isinstance(value, str) else None)
    specimen = tags.get("Session Info.Specimen") or tags.get("Microscope Info.Specimen")
    draft.sample_hint = specimen if isinstance(specimen, str) else None
    for day_path, time_path in _MOMENTS:
        draft.acquired(text.moment(str(tags.get(day_path, "")), str(tags.get(time_path, ""))))
    is_scanning = "STEM" in str(tags.get("Microscope Info.Illumination Mode", ""))
    draft.technique("STEM" if is_scanning else "TEM")
    known = {*_NUMBERS, *_TEXTS}
    for path, value in tags.items():
        if path in known or _SKIPPED.search(path) or (isinstance(value, list) and not value):
            continue
        group, _, name = path.rpartition(".")
        label = re.fullmatch(r"(.*?) ?\((nA|µA|V|s|eV|mm|nm|um|mrad|deg)\)", name)
        unit = text.unit(label[2]) if label else None
        draft.vendor(f"dm/{group}".rstrip("/"), label[1] if label else name, value, unit)


def _add_signal(signal: Mapping[str, Any], draft: Draft) -> None:
    metadata = signal["metadata"]
    metadata = metadata.as_dictionary() if hasattr(metadata, "as_dictionary") else metadata
    signal_type = str(metadata.get("Signal", {}).get("signal_type", ""))
    if "EELS" in signal_type:
        draft.technique("EELS")
    if "EDS" in signal_type:
        draft.technique("EDS")
    title = metadata.get("General", {}).get("title")
    draft.title_hint = str(title) if title else None
    draft.standard("title", title)
    axes = signal["axes"]
    data = signal["data"]
    draft.dimensions = tuple(int(n) for n in data.shape)
    _add_axes(axes, draft)
    _preview(data, axes, draft)


def _add_axes(axes: list[Mapping[str, Any]], draft: Draft) -> None:
    spatial = [axis for axis in axes if str(axis.get("units")) in {"nm", "µm", "um", "m", "mm", "pm", "Å"}]
    for direction, axis in zip("xy", reversed(spatial), strict=False):
        scale.add_pixel_size(draft, float(axis["scale"]), text.unit(str(axis["units"])) or "nm", axis=direction)
    for axis in axes:
        if str(axis.get("units")) in {"eV", "keV"}:
            draft.standard("energy_dispersion", float(axis["scale"]), str(axis["units"]))


def _preview(data: Any, axes: list[Mapping[str, Any]], draft: Draft) -> None:
    """A spectrum as a line over its energies, an image (the middle one of a stack) as a picture."""
    longest_side = draft.limits.thumbnail_pixels
    try:
        if data.nbytes > draft.limits.preview_bytes * 4:
            draft.note("preview-skipped", "No preview was made: the data are too large.")
            return
        last = axes[-1]
        if data.ndim == 1 or str(last.get("units")) in {"eV", "keV"}:
            spectrum = np.asarray(data).reshape(-1, data.shape[-1]).mean(axis=0)
            energies = float(last["offset"]) + float(last["scale"]) * np.arange(spectrum.size)
            draft.thumbnail = thumbnails.line(spectrum, energies, longest_side)
            return
        frame = np.asarray(data[tuple(n // 2 for n in data.shape[:-2])])
        draft.picture_size = (int(frame.shape[1]), int(frame.shape[0]))
        step = thumbnails.step_for(frame.shape[0], frame.shape[1], longest_side)
        draft.thumbnail = thumbnails.picture(frame[::step, ::step], longest_side)
    except (ValueError, TypeError, OSError, IndexError) as error:
        draft.note("picture-unreadable", f"The data cannot be read ({type(error).__name__}): the file may be cut off.")
