"""FEI / Thermo Fisher metadata of SEM and dual-beam TIFFs (tags 34680 and 34682), as tifffile parses them.

Sections of named values in SI units; tilts, rotations and scan rotation are in radians. Values that were off are blank
strings; numbers written under another locale have decimal commas.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from catalogue.extraction import scale, text
from catalogue.extraction.draft import Draft

TAGS = (34680, 34682)
_Sections = Mapping[str, Mapping[str, Any]]

# Standard name -> places in order of preference; {beam} and {scan} stand for the sections that the file names.
_PLACES: dict[str, tuple[tuple[tuple[str, str], ...], str | None]] = {
    "accelerating_voltage": ((("{beam}", "HV"), ("Beam", "HV")), "V"),
    "working_distance": ((("{beam}", "WD"), ("Stage", "WorkingDistance")), "m"),
    "field_of_view": ((("{beam}", "HFW"), ("{scan}", "HorFieldsize"), ("Scan", "HorFieldsize")), "m"),
    "field_of_view_height": ((("{beam}", "VFW"), ("{scan}", "VerFieldsize"), ("Scan", "VerFieldsize")), "m"),
    "stage_x": ((("Stage", "StageX"), ("{beam}", "StageX")), "m"),
    "stage_y": ((("Stage", "StageY"), ("{beam}", "StageY")), "m"),
    "stage_z": ((("Stage", "StageZ"), ("{beam}", "StageZ")), "m"),
    "stage_tilt": ((("Stage", "StageT"), ("{beam}", "StageTa")), "rad"),
    "stage_rotation": ((("Stage", "StageR"), ("{beam}", "StageR")), "rad"),
    "beam_current": ((("{beam}", "BeamCurrent"),), "A"),
    "emission_current": ((("{beam}", "EmissionCurrent"),), "A"),
    "chamber_pressure": ((("Vacuum", "ChPressure"),), "Pa"),
    "dwell_time": ((("Scan", "Dwelltime"), ("{scan}", "Dwell")), "s"),
    "scan_rotation": ((("Beam", "ScanRotation"), ("{beam}", "ScanRotation")), "rad"),
    "banner_height": ((("PrivateFei", "DatabarHeight"),), "px"),
}


def read(metadata: _Sections, picture_size: tuple[int, int], draft: Draft) -> None:
    """Fill the draft from tifffile's `fei_metadata`; `picture_size` is (width, height)."""
    metadata = {name: values for name, values in metadata.items() if isinstance(values, Mapping)}
    draft.identify("fei", "FEI / Thermo Fisher SEM image (TIFF)", "image/tiff")
    beam = str(_get(metadata, "Beam", "Beam") or "EBeam")
    scan = str(_get(metadata, "Beam", "Scan") or "EScan")
    draft.technique("FIB" if beam == "IBeam" else "SEM")
    draft.model(_get(metadata, "System", "SystemType"), "FEI / Thermo Fisher Scientific")
    used = set()
    for name, (places, unit) in _PLACES.items():
        for section, key in places:
            section = section.format(beam=beam, scan=scan)
            if draft.standard(name, text.number(_get(metadata, section, key)), unit):
                used.add((section, key))
                break
    for name, section, key in (
        ("detector", "Detectors", "Name"), ("software", "System", "Software"), ("serial_number", "System", "Dnumber"),
        ("operator", "User", "User"),
    ):  # fmt: skip
        draft.standard(name, _text(_get(metadata, section, key)))
    _add_scale(metadata, scan, picture_size, draft)
    draft.acquired(_moment(metadata))
    _keep_rest(metadata, used, draft)


def _get(metadata: _Sections, section: str, key: str) -> Any:
    return metadata.get(section, {}).get(key)


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _add_scale(metadata: _Sections, scan: str, picture_size: tuple[int, int], draft: Draft) -> None:
    """Pixel sizes checked against the field widths, and the magnification on the display of the instrument."""
    for axis, key, field_key, pixels in (
        ("x", "PixelWidth", "HorFieldsize", picture_size[0]),
        ("y", "PixelHeight", "VerFieldsize", None),  # the height may include a banner
    ):
        size = text.number(_get(metadata, "Scan", key)) or text.number(_get(metadata, scan, key))
        field = text.number(_get(metadata, "Scan", field_key)) or text.number(_get(metadata, scan, field_key))
        if size:
            true_size = field / pixels if field and pixels else None
            scale.add_pixel_size(draft, size, "m", axis=axis, true_value=true_size)
    display = text.number(_get(metadata, "System", "DisplayWidth"))
    beam = str(_get(metadata, "Beam", "Beam") or "EBeam")
    field = text.number(_get(metadata, beam, "HFW"))
    if display and field:
        draft.standard("magnification", display / field)


def _moment(metadata: _Sections) -> datetime | date | None:
    """PrivateFei.TimeOfCreation "18.08.2020 13:40:03" is unambiguous; User.Date is US style by default."""
    day_text, _, time_text = str(_get(metadata, "PrivateFei", "TimeOfCreation") or "").partition(" ")
    return text.moment(day_text, time_text) or text.moment(
        str(_get(metadata, "User", "Date") or ""), str(_get(metadata, "User", "Time") or "")
    )


def _keep_rest(metadata: _Sections, used: set[tuple[str, str]], draft: Draft) -> None:
    for section, values in metadata.items():
        for key, value in values.items():
            if (section, key) not in used:
                is_private = section == "User" or (section, key) == ("System", "Dnumber")
                draft.vendor(f"fei/{section}", key, value, personal=is_private)
