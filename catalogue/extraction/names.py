"""The words that readers share: standard parameter names and technique keys.

A reader may use no other name with an empty group and no other technique key. Nothing is read or converted here.
"""

from __future__ import annotations

from typing import NamedTuple


class StandardName(NamedTuple):
    """What a standard name means: its label for people and the SI unit it is compared in ("" for text and dates)."""

    label: str
    si_unit: str


STANDARD_NAMES: dict[str, StandardName] = {
    # Electron microscopes: the table of the instrument metadata specification.
    "accelerating_voltage": StandardName("Accelerating voltage", "V"),
    "working_distance": StandardName("Working distance", "m"),
    "magnification": StandardName("Magnification", "1"),
    "pixel_size_x": StandardName("Pixel size (horizontal)", "m"),
    "pixel_size_y": StandardName("Pixel size (vertical)", "m"),
    "pixel_size_z": StandardName("Voxel size along the stack", "m"),
    "field_of_view": StandardName("Field of view (width)", "m"),
    "field_of_view_height": StandardName("Field of view (height)", "m"),
    "detector": StandardName("Detector", ""),
    "date_time": StandardName("Acquired at", ""),
    "stage_x": StandardName("Stage X", "m"),
    "stage_y": StandardName("Stage Y", "m"),
    "stage_z": StandardName("Stage Z", "m"),
    "stage_tilt": StandardName("Stage tilt", "rad"),
    "stage_tilt_beta": StandardName("Stage tilt (second axis)", "rad"),
    "stage_rotation": StandardName("Stage rotation", "rad"),
    "beam_current": StandardName("Beam current", "A"),
    "emission_current": StandardName("Emission current", "A"),
    "chamber_pressure": StandardName("Chamber pressure", "Pa"),
    "dwell_time": StandardName("Dwell time", "s"),
    "scan_rotation": StandardName("Scan rotation", "rad"),
    "instrument_model": StandardName("Instrument model", ""),
    "manufacturer": StandardName("Manufacturer", ""),
    "serial_number": StandardName("Serial number", ""),
    "operator": StandardName("Operator", ""),
    "software": StandardName("Software", ""),
    "banner_height": StandardName("Height of the picture's banner", "px"),
    "image_width": StandardName("Width of the picture", "px"),
    "image_height": StandardName("Height of the picture", "px"),
    "camera_length": StandardName("Camera length", "m"),
    "defocus": StandardName("Defocus", "m"),
    "convergence_angle": StandardName("Convergence semi-angle", "rad"),
    "collection_angle": StandardName("Collection semi-angle", "rad"),
    "energy_dispersion": StandardName("Energy per channel", "J"),
    "live_time": StandardName("Live time", "s"),
    # Photons and neutrons: NeXus, SPEC, EDF, CBF, X-ray microscopes.
    "title": StandardName("Title", ""),
    "description": StandardName("Description", ""),
    "definition": StandardName("NeXus application definition", ""),
    "start_time": StandardName("Start", ""),
    "end_time": StandardName("End", ""),
    "duration": StandardName("Duration", "s"),
    "experiment_identifier": StandardName("Experiment identifier", ""),
    "run_identifier": StandardName("Run identifier", ""),
    "instrument_name": StandardName("Instrument", ""),
    "source_name": StandardName("Source", ""),
    "source_type": StandardName("Type of source", ""),
    "source_current": StandardName("Current of the source", "A"),
    "probe": StandardName("Probe", ""),
    "photon_energy": StandardName("Energy of the beam", "J"),
    "wavelength": StandardName("Wavelength", "m"),
    "exposure_time": StandardName("Exposure time", "s"),
    "detector_distance": StandardName("Distance from sample to detector", "m"),
    "detector_pixel_size_x": StandardName("Detector pixel size (horizontal)", "m"),
    "detector_pixel_size_y": StandardName("Detector pixel size (vertical)", "m"),
    "beam_center_x": StandardName("Beam centre on the detector (horizontal)", ""),
    "beam_center_y": StandardName("Beam centre on the detector (vertical)", ""),
    "sample_name": StandardName("Sample", ""),
    "sample_description": StandardName("Sample description", ""),
    "sample_temperature": StandardName("Sample temperature", "K"),
    "sample_pressure": StandardName("Sample pressure", "Pa"),
    "sample_thickness": StandardName("Sample thickness", "m"),
    "chemical_formula": StandardName("Chemical formula", ""),
    "rotation_angle": StandardName("Rotation angle", "rad"),
    "angle_increment": StandardName("Angle increment", "rad"),
    "scan_count": StandardName("Number of scans", "1"),
    "scan_command": StandardName("Scan command", ""),
    "frame_count": StandardName("Number of frames", "1"),
}

# Technique keys and what they mean, in the words of PaNET where it has them. The catalogue maps keys to IRIs.
TECHNIQUES: dict[str, str] = {
    "SEM": "scanning electron microscopy",
    "FIB": "focused ion beam microscopy",
    "TEM": "transmission electron microscopy",
    "STEM": "scanning transmission electron microscopy",
    "EELS": "electron energy loss spectroscopy",
    "EDS": "energy dispersive x-ray spectroscopy",
    "EBSD": "electron backscatter diffraction",
    "SAXS": "small angle x-ray scattering",
    "USAXS": "ultra small angle x-ray scattering",
    "WAXS": "wide angle x-ray scattering",
    "SANS": "small angle neutron scattering",
    "XRF": "x-ray fluorescence",
    "tomography": "tomography",
    "XRD": "x-ray diffraction",
    "MX": "macromolecular crystallography",
    "ARPES": "angle resolved photoemission spectroscopy",
    "XPS": "photoemission spectroscopy",
    "STXM": "scanning transmission x-ray microscopy",
    "TXM": "x-ray microscopy",
    "XAS": "x-ray absorption spectroscopy",
    "XANES": "x-ray absorption near edge structure",
    "ptychography": "ptychography",
}
