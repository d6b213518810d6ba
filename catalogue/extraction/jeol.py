"""JEOL side-car files (.txt beside a TIFF, BMP or JPEG): lines "$CM_ACCEL_VOLT 7.00".

Units are those of the instrument's panel (kV, mm, degrees); the scale is the length of the micron bar in pixels of
the full picture, which an export at smaller size does not change.
"""

from __future__ import annotations

import re

from catalogue.extraction import scale, text
from catalogue.extraction.draft import Draft

_NUMBERS = {
    "CM_ACCEL_VOLT": ("accelerating_voltage", "kV"),
    "SM_WD": ("working_distance", "mm"),
    "CM_MAG": ("magnification", None),
    "SM_EMI_CURRENT": ("emission_current", "uA"),
    "SM_PROBE_CURRENT": ("beam_current", "A"),
    "SM_SCAN_ROTATION": ("scan_rotation", "deg"),
}
_TEXTS = {"CM_OPERATOR": "operator", "CM_TITLE": "title", "CM_COMMENT": "description"}
_STAGE = (("stage_x", "mm"), ("stage_y", "mm"), ("stage_z", "mm"), ("stage_rotation", "deg"), ("stage_tilt", "deg"))


def is_sidecar(content: str) -> bool:
    return content.startswith("$SEM_DATA_VERSION") or "$CM_FORMAT JEOL-SEM" in content[:20_000]


def read(content: str, picture_size: tuple[int, int], draft: Draft) -> None:
    """Fill the draft; `picture_size` is (0, 0) when only the side-car is known."""
    values: dict[str, str] = {}
    for line in content.splitlines():
        if match := re.fullmatch(r"\$+(\w+)[ \t]+(.*?)\s*", line):
            values.setdefault(match[1], match[2])
    draft.technique("SEM")
    draft.model(values.get("CM_INSTRUMENT"), "JEOL")
    for key, (name, unit) in _NUMBERS.items():
        draft.standard(name, text.number(values.get(key)), unit)
    for key, name in _TEXTS.items():
        draft.standard(name, values.get(key))
    draft.standard("detector", values.get("CM_DETECTOR") or values.get("CM_SIGNAL"))
    low_vacuum = text.number(values.get("SM_PRESSURE_AT_LOW_VACUUM"))
    if low_vacuum:
        draft.standard("chamber_pressure", low_vacuum, "Pa")
    _add_stage(values.get("CM_STAGE_POS", ""), draft)
    _add_scale(values, picture_size, draft)
    draft.title_hint = values.get("CM_TITLE")
    draft.acquired(text.moment(values.get("CM_DATE", ""), values.get("CM_TIME", "")))
    for key, value in values.items():
        if key not in _NUMBERS and key not in _TEXTS and not key.startswith("AN_"):
            draft.vendor("jeol", key, value)


def _add_stage(positions: str, draft: Draft) -> None:
    """Five numbers X Y Z R T. The order of R and T follows the panel of the instrument."""
    for (name, unit), field in zip(_STAGE, positions.split(), strict=False):
        draft.standard(name, text.number(field), unit)


def _add_scale(values: dict[str, str], picture_size: tuple[int, int], draft: Draft) -> None:
    bar_pixels = text.number(values.get("SM_MICRON_BAR"))
    marker = text.number_and_unit(values.get("SM_MICRON_MARKER", ""))
    full = [text.number(part) for part in values.get("CM_FULL_SIZE", "").split()]
    if not bar_pixels or marker is None or marker[1] is None:
        return
    size, unit = marker[0] / bar_pixels, marker[1]
    full_width = full[0] if full and full[0] else None
    true_size = size * full_width / picture_size[0] if full_width and picture_size[0] else None
    for axis in "xy":
        scale.add_pixel_size(draft, size, unit, axis=axis, true_value=true_size)
    if full_width:
        draft.standard("field_of_view", size * full_width, unit)
    if len(full) > 1 and full[1] and full_width:
        draft.standard("field_of_view_height", size * full[1], unit)
        if picture_size[1]:
            banner = picture_size[1] - round(full[1] * picture_size[0] / full_width)
            draft.standard("banner_height", banner if banner > 0 else None, "px")
