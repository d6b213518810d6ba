"""Hitachi side-car files (.txt beside a TIFF, BMP or JPEG): an INI section [SemImageFile].

Stage tilt and rotation stay among the vendor's values: their units could not be checked on a real file.
"""

from __future__ import annotations

from collections.abc import Mapping

from catalogue.extraction import scale, text
from catalogue.extraction.draft import Draft

_NUMBERS = {
    "AcceleratingVoltage": ("accelerating_voltage", "V"),
    "WorkingDistance": ("working_distance", "um"),
    "Magnification": ("magnification", None),
    "EmissionCurrent": ("emission_current", "nA"),
    "StagePositionX": ("stage_x", "nm"),
    "StagePositionY": ("stage_y", "nm"),
    "StagePositionZ": ("stage_z", "nm"),
}
_TEXTS = {"SignalName": "detector", "SerialNumber": "serial_number", "Operator": "operator", "Comment": "description"}
_SECTION = "SemImageFile"


def is_sidecar(content: str) -> bool:
    return f"[{_SECTION}]" in content[:2_000]


def read(content: str, picture_size: tuple[int, int], draft: Draft) -> None:
    """Fill the draft; units written beside a number ("15000 Volt") win over the usual ones."""
    values = text.sections(content).get(_SECTION, {})
    draft.technique("SEM")
    draft.model(values.get("InstructName") or values.get("InstrumentName"), "Hitachi")
    for key, (name, usual_unit) in _NUMBERS.items():
        found = text.number_and_unit(values.get(key, ""))
        if found is not None:
            draft.standard(name, found[0], found[1] or usual_unit)
    for key, name in _TEXTS.items():
        draft.standard(name, values.get(key))
    _add_scale(values, picture_size, draft)
    draft.acquired(text.moment(values.get("Date", ""), values.get("Time", "")))
    for key, value in values.items():
        if key not in _NUMBERS and key not in _TEXTS:
            draft.vendor("hitachi", key, value)


def _add_scale(values: Mapping[str, str], picture_size: tuple[int, int], draft: Draft) -> None:
    """PixelSize is in nm of the picture whose size DataSize ("1280x960") gives."""
    size = text.number(values.get("PixelSize"))
    data_width = text.number(values.get("DataSize"))
    if not size:
        return
    true_size = size * data_width / picture_size[0] if data_width and picture_size[0] else None
    for axis in "xy":
        scale.add_pixel_size(draft, size, "nm", axis=axis, true_value=true_size)
    if data_width:
        draft.standard("field_of_view", size * data_width, "nm")
