"""Zeiss SmartSEM metadata (TIFF tag 34118), as tifffile parses them.

Two layouts: named entries key -> (label, value[, unit]), and on older files only an unnamed block of numbers under the
empty key. Values of the block (specification, "vendor tag -> standard name"): 3 pixel size (m), 4 magnification,
6 voltage (V), 8 probe current (A), 9 working distance (m).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalogue.extraction import scale, text
from catalogue.extraction.draft import Draft

TAG = 34118
_FULL_WIDTH = 1024  # pixels: what the unnamed block and the pixel size of small stores refer to
_TO_METRES = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "pm": 1e-12}

_DIRECT = {
    "ap_actualkv": "accelerating_voltage",
    "ap_wd": "working_distance",
    "ap_width": "field_of_view",
    "ap_height": "field_of_view_height",
    "ap_stage_at_x": "stage_x",
    "ap_stage_at_y": "stage_y",
    "ap_stage_at_z": "stage_z",
    "ap_stage_at_t": "stage_tilt",
    "ap_stage_at_r": "stage_rotation",
    "ap_iprobe": "beam_current",
    "ap_beam_current": "emission_current",  # on Gemini columns this is the emission, not the probe
    "dp_dwell_time": "dwell_time",
    "ap_scanrotation": "scan_rotation",
    "sv_version": "software",
    "sv_serial_number": "serial_number",
    "sv_user_name": "operator",
}
_BLOCK = {
    "accelerating_voltage": (6, "V"),
    "beam_current": (8, "A"),
    "working_distance": (9, "m"),
}
_PERSONAL = {"sv_user_name", "sv_operator", "sv_image_path", "sv_serial_number", "sv_user_text", "sv_file_name"}


def read(metadata: Mapping[str, Any], picture_size: tuple[int, int], draft: Draft) -> None:
    """Fill the draft from tifffile's `sem_metadata`; `picture_size` is (width, height)."""
    draft.identify("zeiss", "Zeiss SEM image (TIFF)", "image/tiff")
    draft.technique("SEM")
    draft.model(_value(metadata, "dp_sem"), "Carl Zeiss")
    block = metadata.get("", ())
    for key, name in _DIRECT.items():
        _add(draft, metadata, key, name)
    for name, (index, unit) in _BLOCK.items():
        if len(block) > index and not draft.has(name):
            draft.standard(name, block[index], unit)
    draft.standard("operator", _value(metadata, "sv_operator"))
    draft.standard("detector", _value(metadata, "dp_detector_channel") or _value(metadata, "dp_detector_type"))
    _add_pressure(metadata, draft)
    _add_magnification(metadata, block, draft)
    _add_pixel_size(metadata, block, picture_size, draft)
    draft.acquired(text.moment(str(_value(metadata, "ap_date") or ""), str(_value(metadata, "ap_time") or "")))
    sample = _value(metadata, "sv_sample_id")
    draft.sample_hint = str(sample) if sample else None
    draft.standard("sample_name", sample)
    _keep_rest(metadata, block, draft)


def _value(metadata: Mapping[str, Any], key: str) -> Any:
    entry = metadata.get(key)
    return entry[1] if isinstance(entry, tuple) and len(entry) > 1 else None


def _unit(metadata: Mapping[str, Any], key: str) -> str | None:
    entry = metadata.get(key)
    return text.unit(str(entry[2])) if isinstance(entry, tuple) and len(entry) > 2 else None


def _add(draft: Draft, metadata: Mapping[str, Any], key: str, name: str) -> None:
    draft.standard(name, _value(metadata, key), _unit(metadata, key))


def _add_pressure(metadata: Mapping[str, Any], draft: Draft) -> None:
    """The chamber gauge reads 0 in high vacuum; then the system vacuum is the one that was measured."""
    for key in ("ap_chamber_pressure", "ap_system_vac"):
        if text.number(_value(metadata, key)):
            _add(draft, metadata, key, "chamber_pressure")


def _add_magnification(metadata: Mapping[str, Any], block: tuple[Any, ...], draft: Draft) -> None:
    raw = _value(metadata, "ap_mag")
    magnification = text.magnification(raw)
    if magnification is None and raw is not None:
        draft.note("magnification-unreadable", f"The magnification reads {str(raw)[:40]!r}, which is no number.")
    if magnification is None and len(block) > 4:
        magnification = text.number(block[4])
    draft.standard("magnification", magnification)


def _add_pixel_size(
    metadata: Mapping[str, Any], block: tuple[Any, ...], picture_size: tuple[int, int], draft: Draft
) -> None:
    """The pixel size, checked against the field of view, else against the picture's width.

    A picture stored 512 pixels wide keeps the pixel size of the 1024 wide frame.
    """
    width = picture_size[0]
    size, unit = text.number(_value(metadata, "ap_image_pixel_size")), _unit(metadata, "ap_image_pixel_size")
    is_block = not size or unit not in _TO_METRES
    if is_block:
        size, unit = (text.number(block[3]) if len(block) > 3 else None), "m"
    if not size or not width or unit is None:
        return
    field, field_unit = text.number(_value(metadata, "ap_width")), _unit(metadata, "ap_width")
    true_size = None
    if field and field_unit in _TO_METRES:
        true_size = field * _TO_METRES[field_unit] / _TO_METRES[unit] / width
    elif is_block or width < _FULL_WIDTH:
        true_size = size * _FULL_WIDTH / width
    for axis in "xy":
        scale.add_pixel_size(draft, size, unit, axis=axis, true_value=true_size)


def _keep_rest(metadata: Mapping[str, Any], block: tuple[Any, ...], draft: Draft) -> None:
    for key, entry in metadata.items():
        if not key or key in _DIRECT or not isinstance(entry, tuple) or len(entry) < 2:
            continue
        unit = text.unit(str(entry[2])) if len(entry) > 2 else None
        draft.vendor("zeiss", key, entry[1], unit, personal=key in _PERSONAL)
    if block:
        draft.vendor("zeiss", "unnamed_block", tuple(block[:10]))
