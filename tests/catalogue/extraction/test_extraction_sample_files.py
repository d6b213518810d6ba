"""Every real file of the shared collection gives sensible metadata."""

import dataclasses
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from catalogue.extraction import STANDARD_NAMES, LocalFile, extract
from catalogue.extraction.sandbox import extract_in_sandbox
from tests.catalogue.extraction.making import codes, pixels, public_text, standard

EXPECTED: dict[str, dict[str, Any]] = {
    "mrc/EMD-3001.map": {"family": "mrc", "dimensions": (25, 43, 73), "pixel_size_x": (0.45875, "angstrom")},
    "mrc/EMD-3197.map": {"family": "mrc", "dimensions": (20, 20, 20), "pixel_size_y": (11.4, "angstrom")},
    "nexus/aps_usaxs_S11_GlassyCarbon.h5": {
        "family": "nexus", "techniques": ("USAXS",), "sample_hint": "GlassyCarbon_Bob",
        "photon_energy": (17.99998, "keV"), "wavelength": (0.688802, "angstrom"),
    },
    "nexus/sasdata_33837rear_2D_NXcanSAS.h5": {
        "family": "nexus", "techniques": ("SANS",), "instrument_model": "SANS2D", "title_hint": "MH4_5deg_16T_SLOW",
        "detector_distance": (4.38528, "m"),
    },
    "nexus/sasdata_x25000_no_di.h5": {"family": "nexus", "techniques": ("SANS",), "dimensions": (100, 100)},
    "nexus/savu_fluo_single_sino.nxs": {
        "family": "nexus", "techniques": ("XRF",), "sample_hint": "Catalyst", "photon_energy": (17000.0039, "eV"),
    },
    "nexus/savu_i12_45657.nxs": {"family": "nexus", "links": ("entry/final_result_tomo",)},
    "nexus/savu_testfluo2.nxs": {"family": "nexus", "techniques": ("XRF",), "dimensions": (18, 18, 512)},
    "sem-jeol/Standard_BSE_1000x_800.bmp": {
        "family": "jeol", "instrument_model": "8530F", "acquired_at": datetime(2020, 9, 16, 18, 51, 40),
        "accelerating_voltage": (10.0, "kV"), "pixel_size_x": (0.150943, "um"), "picture_size": (800, 640),
    },
    "sem-jeol/Standard_BSE_1000x_800.txt": {"family": "jeol", "media_type": "text/plain"},
    "sem-jeol/image000.tif": {
        "family": "jeol", "acquired_at": datetime(2020, 8, 31, 15, 32, 31), "magnification": (95.0, None),
        "pixel_size_x": (0.990099, "um"), "working_distance": (10.52, "mm"),
    },
    "sem-jeol/image000.txt": {"family": "jeol", "accelerating_voltage": (7.0, "kV")},
    "sem-tescan-hdr/tescan-minimal.hdr": {
        "family": "tescan", "instrument_model": "TESCAN SOLARIS X", "accelerating_voltage": (5000.0, "V"),
        "pixel_size_x": (5e-8, "m"), "date_time": (date(2024, 2, 7), None),
    },
    "sem-tiff/20_quanta_sem.tif": {
        "family": "fei", "instrument_model": "Quanta FEG", "acquired_at": datetime(2022, 3, 3, 17, 27, 45),
        "accelerating_voltage": (30000.0, "V"), "pixel_size_x": (1.25e-9, "m"), "magnification": (250000.0, None),
    },
    "sem-tiff/21_zeiss_sem.tif": {
        "family": "zeiss", "acquired_at": datetime(2017, 12, 15, 10, 43, 43), "pixel_size_x": (1.057, "nm"),
        "accelerating_voltage": (15.0, "kV"), "magnification": (267430.0, None), "picture_size": (1024, 768),
    },
    "sem-tiff/22_zeiss_sem_bad_mag.tif": {"family": "zeiss", "magnification": (267433.1, None)},
    "sem-tiff/thermofisher_slice001.tif": {
        "family": "fei", "instrument_model": "Helios G4 PFIB CXe", "stage_tilt": (0.336851, "rad"),
        "beam_current": (1.6e-9, "A"), "acquired_at": datetime(2020, 8, 18, 13, 40, 3),
    },
    "spec/02_03_setup.dat": {"family": "spec", "scan_count": (50, None), "title_hint": "Setup with new A stage"},
    "spec/twoc.dat": {"family": "spec", "scan_count": (3, None), "scan_command": ("ascan  y -25.09 -13.09  20 2", None)},
    "tem/02_EDS_SI_Titan.dm4": {
        "family": "dm", "techniques": ("STEM", "EDS"), "sample_hint": "Au_Fibers_A2",
        "accelerating_voltage": (300000.0, "V"), "acquired_at": datetime(2019, 5, 21, 15, 49, 18),
    },
    "tem/10_Titan_EELS_proc.dm3": {
        "family": "dm", "techniques": ("STEM", "EELS"), "energy_dispersion": (0.2, "eV"), "dimensions": (1340,),
    },
    "xrm/test_chip00.xrm": {
        "family": "xrm", "techniques": ("TXM",), "photon_energy": (7191.046, "eV"), "pixel_size_x": (0.0778947, "um"),
        "acquired_at": datetime(2015, 11, 8, 11, 58, 8), "picture_size": (512, 512),
    },
}  # fmt: skip
# Side-cars, a file of links, and files whose measured values were set to zero before they were given away.
WITHOUT_PICTURE = {
    "nexus/savu_i12_45657.nxs", "sem-jeol/Standard_BSE_1000x_800.txt", "sem-jeol/image000.txt",
    "sem-tescan-hdr/tescan-minimal.hdr", "sem-tiff/20_quanta_sem.tif", "sem-tiff/21_zeiss_sem.tif",
    "sem-tiff/22_zeiss_sem_bad_mag.tif", "tem/02_EDS_SI_Titan.dm4", "tem/10_Titan_EELS_proc.dm3",
}  # fmt: skip
SECRETS = ("TESTR", "Test Operat", "UMNUser", "D8439", "9952707", "1525-XX", "usaxs/", "C:\\", "Z:/", "D:\\", "/home/")


def test_the_table_names_every_file_of_the_collection(shared_samples: Path) -> None:
    there = {str(p.relative_to(shared_samples)) for p in shared_samples.glob("*/*") if p.is_file()}
    assert there == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_gives_what_it_holds(shared_samples: Path, name: str) -> None:
    if name.startswith("tem/"):
        pytest.importorskip("rsciio", reason="the optional GPL readers are not installed")
    found = extract(LocalFile(shared_samples / name))
    fields = {field.name for field in dataclasses.fields(found)}
    for key, value in EXPECTED[name].items():
        if key in fields:
            assert getattr(found, key) == value
        else:
            number, unit = standard(found, key)
            assert unit == value[1]
            assert number == (pytest.approx(value[0], rel=1e-5) if isinstance(value[0], float) else value[0])
    assert (found.thumbnail is None) == (name in WITHOUT_PICTURE)
    assert not codes(found) & {"extraction-failed", "picture-unreadable", "content-unrecognised", "extension-mismatch"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_shows_nothing_personal_and_only_standard_names(shared_samples: Path, name: str) -> None:
    found = extract(LocalFile(shared_samples / name))
    assert all(p.group or p.name in STANDARD_NAMES for p in found.parameters)
    shown = public_text(found)
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize(
    "name", ["sem-jeol/image000.tif", "sem-tiff/thermofisher_slice001.tif", "xrm/test_chip00.xrm", "mrc/EMD-3001.map"]
)
def test_a_real_picture_is_not_flat(shared_samples: Path, name: str) -> None:
    assert pixels(extract(LocalFile(shared_samples / name))).std() > 20


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_cut_off_in_the_middle_is_registered_with_a_reason(
    shared_samples: Path, tmp_path: Path, name: str
) -> None:
    content = (shared_samples / name).read_bytes()
    path = tmp_path / Path(name).name
    for share in (0.01, 0.3, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        found = extract_in_sandbox(path)
        assert found.notes or found.parameters
        assert "extraction-crashed" not in codes(found)
