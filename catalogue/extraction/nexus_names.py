"""Tables for NeXus files: which field of which class is which standard name, and what a definition measures.

Source: the NeXus base classes and application definitions (NIAC), NXcanSAS, and the files of the sample collection.
"""

from __future__ import annotations

STANDARD_BY_FIELD: dict[tuple[str, str], str] = {
    **{
        (entry, field): standard
        for entry in ("NXentry", "NXsubentry")
        for field, standard in {
            "title": "title",
            "definition": "definition",
            "start_time": "start_time",
            "end_time": "end_time",
            "duration": "duration",
            "experiment_identifier": "experiment_identifier",
            "experiment_description": "description",
            "entry_identifier": "run_identifier",
            "run_number": "run_identifier",
            "run": "run_identifier",
            "program_name": "software",
        }.items()
    },
    ("NXinstrument", "name"): "instrument_name",
    ("NXsource", "name"): "source_name",
    ("NXsource", "type"): "source_type",
    ("NXsource", "probe"): "probe",
    ("NXsource", "radiation"): "probe",
    ("NXsource", "current"): "source_current",
    ("NXmonochromator", "energy"): "photon_energy",
    ("NXmonochromator", "wavelength"): "wavelength",
    ("NXbeam", "incident_energy"): "photon_energy",
    ("NXbeam", "incident_wavelength"): "wavelength",
    ("NXbeam", "energy"): "photon_energy",
    ("NXbeam", "wavelength"): "wavelength",
    ("NXsource", "incident_wavelength"): "wavelength",
    ("NXsource", "wavelength"): "wavelength",
    ("NXdetector", "name"): "detector",
    ("NXdetector", "description"): "detector",
    ("NXdetector", "local_name"): "detector",
    ("NXdetector", "distance"): "detector_distance",
    ("NXdetector", "SDD"): "detector_distance",
    ("NXdetector", "count_time"): "exposure_time",
    ("NXdetector", "exposure_time"): "exposure_time",
    ("NXdetector", "frame_time"): "exposure_time",
    ("NXdetector", "x_pixel_size"): "detector_pixel_size_x",
    ("NXdetector", "y_pixel_size"): "detector_pixel_size_y",
    ("NXdetector", "beam_center_x"): "beam_center_x",
    ("NXdetector", "beam_center_y"): "beam_center_y",
    ("NXdetector", "serial_number"): "serial_number",
    ("NXsample", "name"): "sample_name",
    ("NXsample", "ID"): "sample_name",
    ("NXsample", "description"): "sample_description",
    ("NXsample", "temperature"): "sample_temperature",
    ("NXsample", "pressure"): "sample_pressure",
    ("NXsample", "thickness"): "sample_thickness",
    ("NXsample", "chemical_formula"): "chemical_formula",
    ("NXsample", "rotation_angle"): "rotation_angle",
    ("NXuser", "name"): "operator",
}

# Group names that tell their class where the attribute is missing.
CLASS_BY_NAME: dict[str, str] = {
    "entry": "NXentry", "entry1": "NXentry", "entry_1": "NXentry", "instrument": "NXinstrument", "sample": "NXsample",
    "source": "NXsource", "monochromator": "NXmonochromator", "detector": "NXdetector", "beam": "NXbeam",
    "user": "NXuser", "data": "NXdata",
}  # fmt: skip

TECHNIQUES_BY_DEFINITION: dict[str, tuple[str, ...]] = {
    "NXtomo": ("tomography",),
    "NXtomophase": ("tomography",),
    "NXtomoproc": ("tomography",),
    "NXsas": ("SAXS",),
    "NXcanSAS": ("SAXS",),
    "NXsastof": ("SANS",),
    "NXmx": ("MX",),
    "NXreflections": ("MX",),
    "NXfluo": ("XRF",),
    "NXstxm": ("STXM",),
    "NXarpes": ("ARPES",),
    "NXmpes": ("XPS",),
    "NXmpes_arpes": ("ARPES",),
    "NXxps": ("XPS",),
    "NXxrd": ("XRD",),
    "NXxrd_pan": ("XRD",),
    "NXmonopd": ("XRD",),
    "NXxbase": ("XRD",),
    "NXxas": ("XAS",),
    "NXxasproc": ("XAS",),
    "NXptycho": ("ptychography",),
    "NXcxi_ptycho": ("ptychography",),
}

# Words of an instrument's name or a title that name the technique. Matched with their case, as whole words.
INSTRUMENT_WORDS: dict[str, str] = {
    "USAXS": "USAXS", "SAXS": "SAXS", "WAXS": "WAXS", "SANS2?D?": "SANS", "XANES": "XANES", "XRF": "XRF",
    "ARPES": "ARPES", "STXM": "STXM",
}  # fmt: skip
