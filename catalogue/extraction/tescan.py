"""TESCAN metadata: the same INI-like text in TIFF tag 50431 and in .hdr side-cars. Values are in SI units, angles in degrees."""

from __future__ import annotations

from collections.abc import Mapping

from catalogue.extraction import scale, text
from catalogue.extraction.draft import Draft

TAG = 50431
_NUMBERS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "accelerating_voltage": (("HV", "AcceleratorVoltage"), "V"),
    "working_distance": (("WD",), "m"),
    "magnification": (("Magnification",), None),
    "field_of_view": (("ViewField",), "m"),
    "stage_x": (("StageX",), "m"),
    "stage_y": (("StageY",), "m"),
    "stage_z": (("StageZ",), "m"),
    "stage_tilt": (("StageTilt",), "deg"),
    "stage_rotation": (("StageRotation",), "deg"),
    "beam_current": (("PredictedBeamCurrent",), "A"),
    "chamber_pressure": (("ChamberPressure",), "Pa"),
    "dwell_time": (("DwellTime",), "s"),
    "scan_rotation": (("ScanRotation",), "deg"),
}
_TEXTS = {
    "detector": ("Detector", "Detector0"),
    "software": ("Software", "SoftwareVersion"),
    "serial_number": ("SerialNumber",),
    "operator": ("UserName",),
    "description": ("Description",),
}


def read(content: bytes | str, picture_size: tuple[int, int], draft: Draft) -> None:
    """Fill the draft from the text of a tag or of a side-car; `picture_size` is (0, 0) when no picture is known."""
    if isinstance(content, str):
        content = content.encode("latin-1", errors="replace")
    elif not isinstance(content, bytes):
        content = bytes(content)
    found = text.sections(text.decode(content[: draft.limits.sidecar_bytes]))
    draft.technique("SEM")
    flat: dict[str, str] = {}
    for values in found.values():
        for key, value in values.items():
            flat.setdefault(key, value)
    draft.model(flat.get("Device") or flat.get("DeviceModel"), "TESCAN")
    used = _add_values(flat, draft)
    _add_pixel_size(flat, picture_size, draft)
    draft.acquired(text.moment(flat.get("Date", ""), flat.get("Time", "")))
    for section, values in found.items():
        for key, value in values.items():
            if key not in used:
                number = text.number(value) if text.number_and_unit(value) == (text.number(value), None) else None
                draft.vendor(f"tescan/{section}".rstrip("/"), key, value if number is None else number)


def _add_values(flat: Mapping[str, str], draft: Draft) -> set[str]:
    used = {"Date", "Time", "Device"}
    for name, (keys, unit) in _NUMBERS.items():
        for key in keys:
            if draft.standard(name, text.number(flat.get(key)), unit):
                used.add(key)
    for name, text_keys in _TEXTS.items():
        for key in text_keys:
            if draft.standard(name, flat.get(key)):
                used.add(key)
    return used


def _add_pixel_size(flat: Mapping[str, str], picture_size: tuple[int, int], draft: Draft) -> None:
    field = text.number(flat.get("ViewField"))
    true_size = field / picture_size[0] if field and picture_size[0] else None
    for axis in "xy":
        size = text.number(flat.get(f"PixelSize{axis.upper()}"))
        if size:
            scale.add_pixel_size(draft, size, "m", axis=axis, true_value=true_size)
