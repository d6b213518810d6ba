"""X-ray microscope files of Zeiss / Xradia (.xrm, .txrm, .txm): OLE containers of small binary streams.

No public specification exists; types and units of the streams below are those that the open readers of the field
(dxchange) agree on. Streams of unknown type are not guessed.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import olefile

from catalogue.extraction import scale, text, thumbnails
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.source import SourceFile

_PIXEL_TYPES = {3: "<u1", 5: "<u2", 10: "<f4"}
_LARGEST_STREAM = 4_096
_FLOATS: dict[str, tuple[str, str | None]] = {
    "ExpTimes": ("exposure_time", "s"),
    "OpticalMagnification": ("magnification", None),
    "XPosition": ("stage_x", "um"),
    "YPosition": ("stage_y", "um"),
    "ZPosition": ("stage_z", "um"),
    "Angles": ("rotation_angle", "deg"),
}
_OTHER_FLOATS = {
    "XrayMagnification": None, "DtoRADistance": "mm", "StoRADistance": "mm", "IonChamberCurrent": None,
    "ReadoutFreq": "Hz", "ReadOutTime": "s",
}  # fmt: skip
_INTEGERS = ("HorizontalBin", "VerticalalBin", "NoOfImagesAveraged", "CameraNo", "Temperature")
_TEXTS = ("ObjectiveName", "CameraName", "ReferenceFile", "ZonePlateName", "ZonePlateSerial")


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from an OLE container. Raises UnreadableFile when it is damaged or no X-ray microscope file."""
    with source.open() as stream:
        try:
            with olefile.OleFileIO(stream) as container:
                _Container(container, draft).read()
        except UnreadableFile:
            raise
        except Exception as error:
            raise UnreadableFile(
                "ole-unreadable", "The container cannot be read: the file is cut off or damaged. Copy it again."
            ) from error


class _Container:
    """The streams of one file."""

    def __init__(self, container: Any, draft: Draft) -> None:
        self.container = container
        self.draft = draft

    def read(self) -> None:
        width, height = (int(self._number("ImageWidth", "<i") or 0), int(self._number("ImageHeight", "<i") or 0))
        if width <= 0 or height <= 0:
            raise UnreadableFile("ole-unknown", "This container of Microsoft's OLE format holds no X-ray image.")
        frames = max(1, int(self._number("NoOfImages", "<i") or 1))
        draft = self.draft
        draft.technique("TXM")
        draft.manufacturer = "Carl Zeiss X-ray Microscopy (Xradia)"
        draft.standard("manufacturer", draft.manufacturer)
        draft.dimensions = (frames, height, width) if frames > 1 else (height, width)
        draft.picture_size = (width, height)
        if frames > 1:
            draft.technique("tomography")
            draft.standard("frame_count", frames)
        self._add_values()
        self._preview(width, height, frames)

    def _add_values(self) -> None:
        draft = self.draft
        for name, (standard, unit) in _FLOATS.items():
            draft.standard(standard, self._number(name, "<f"), unit)
        pixel_size = self._number("PixelSize", "<f")
        for axis in "xy":
            if pixel_size:
                scale.add_pixel_size(draft, pixel_size, "um", axis=axis)
        self._add_beam()
        draft.standard("detector", self._text("ImageInfo/CameraName"))
        draft.standard("operator", self._text("SampleInfo/Analyst"))
        draft.standard("sample_name", self._text("SampleInfo/SampleID"))
        draft.sample_hint = self._text("SampleInfo/SampleID")
        day_text, _, time_text = (self._text("ImageInfo/Date") or "").partition(" ")
        draft.acquired(text.moment(day_text, time_text.partition(".")[0]))
        for name, unit in _OTHER_FLOATS.items():
            draft.vendor("xrm/ImageInfo", name, self._number(name, "<f"), unit)
        for name in _INTEGERS:
            unit = "degC" if name == "Temperature" else None
            draft.vendor("xrm/ImageInfo", name, self._number(name, "<i"), unit)
        for name in _TEXTS:
            draft.vendor("xrm/ImageInfo", name, self._text(f"ImageInfo/{name}"), personal=name == "ZonePlateSerial")

    def _add_beam(self) -> None:
        """Laboratory instruments state the tube's voltage (kV); at a synchrotron Energy is that of the photons (eV)."""
        voltage, energy = self._number("Voltage", "<f"), self._number("Energy", "<f")
        if voltage:
            self.draft.standard("accelerating_voltage", voltage, "kV")
        elif energy and energy > 0:
            self.draft.standard("photon_energy", energy, "eV")

    def _number(self, name: str, kind: str) -> float | None:
        data = self._bytes(f"ImageInfo/{name}")
        value = float(struct.unpack_from(kind, data)[0]) if data is not None and len(data) >= 4 else None
        if value is None or not np.isfinite(value):
            return None
        return int(value) if kind == "<i" else round(value, 7)

    def _text(self, path: str) -> str | None:
        data = self._bytes(path)
        return data.partition(b"\x00")[0].decode("latin-1").strip() or None if data else None

    def _bytes(self, path: str) -> bytes | None:
        if not self.container.exists(path) or self.container.get_size(path) > 64 * _LARGEST_STREAM:
            return None
        return bytes(self.container.openstream(path).read(_LARGEST_STREAM))

    def _preview(self, width: int, height: int, frames: int) -> None:
        kind = _PIXEL_TYPES.get(int(self._number("DataType", "<i") or 0))
        middle = frames // 2 + 1
        path = f"ImageData{(middle - 1) // 100 + 1}/Image{middle}"
        if kind is None or not self.container.exists(path):
            self.draft.note("picture-unreadable", "The container holds no picture that can be shown.")
            return
        try:
            self.draft.check_pixels(width * height)
            pixels = np.frombuffer(self.container.openstream(path).read(), np.dtype(kind))
            array = pixels[: width * height].reshape(height, width)
        except (ValueError, UnreadableFile) as error:
            code = error.code if isinstance(error, UnreadableFile) else "picture-unreadable"
            self.draft.note(code, "The picture cannot be shown: it is too large or cut off.")
            return
        longest_side = self.draft.limits.thumbnail_pixels
        step = thumbnails.step_for(height, width, longest_side)
        self.draft.thumbnail = thumbnails.picture(array[::step, ::step], longest_side)
