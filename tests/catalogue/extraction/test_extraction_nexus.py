"""NeXus, other HDF5 and EMD files: what is found, and what is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import h5py
import numpy as np
import pytest

from catalogue.extraction import Limits, LocalFile, extract
from tests.catalogue.extraction.making import codes, gradient, pixels, public_text, standard, vendor


def group(parent: h5py.Group, name: str, nx_class: str | None = None) -> h5py.Group:
    made = parent.create_group(name)
    if nx_class:
        made.attrs["NX_class"] = nx_class
    return made


def write_entry(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "scan_1"
        entry = group(file, "scan_1", "NXentry")
        entry.attrs["default"] = "measurement"
        entry["definition"] = "NXsas"
        entry["title"] = "Silver behenate"
        entry["start_time"] = "2024-02-07T10:11:12.123456789+01:00"
        instrument = group(entry, "beamline", "NXinstrument")
        instrument["name"] = "ID02"
        mono = group(instrument, "crystal", "NXmonochromator")
        mono["wavelength"] = np.array([0.9])
        mono["wavelength"].attrs["units"] = "A"
        detector = group(instrument, "eiger", "NXdetector")
        detector["distance"] = 2.5
        detector["distance"].attrs["units"] = "m"
        detector["gain_setting"] = "high"
        user = group(entry, "user", "NXuser")
        user["name"] = "Erika Mustermann"
        user["role"] = "principal"
        sample = group(entry, "specimen", "NXsample")
        sample["name"] = "AgBeh"
        data = group(entry, "measurement", "NXdata")
        data.attrs["signal"] = "frames"
        data["frames"] = np.stack([np.zeros((40, 60)), gradient(40, 60), np.zeros((40, 60))]).astype("uint16")


def test_fields_are_understood_by_the_class_of_their_group_not_by_its_name(tmp_path: Path) -> None:
    write_entry(tmp_path / "a.nxs")
    found = extract(LocalFile(tmp_path / "a.nxs"))
    assert (found.family, found.format_label) == ("nexus", "NeXus (NXsas)")
    assert found.techniques == ("SAXS",)
    assert found.instrument_model == "ID02"
    assert (found.title_hint, found.sample_hint) == ("Silver behenate", "AgBeh")
    assert standard(found, "wavelength") == (0.9, "angstrom")  # "A" is no ampere here
    assert standard(found, "detector_distance") == (2.5, "m")
    other = vendor(found, "gain_setting")
    assert other is not None and other.group == "nexus/scan_1/beamline/eiger"


def test_a_start_time_keeps_its_zone(tmp_path: Path) -> None:
    write_entry(tmp_path / "a.nxs")
    zone = timezone(timedelta(hours=1))
    assert extract(LocalFile(tmp_path / "a.nxs")).acquired_at == datetime(2024, 2, 7, 10, 11, 12, 123456, zone)


def test_users_are_not_public(tmp_path: Path) -> None:
    write_entry(tmp_path / "a.nxs")
    shown = public_text(extract(LocalFile(tmp_path / "a.nxs")))
    assert "Mustermann" not in shown and "principal" not in shown


def test_the_default_chain_leads_to_the_middle_frame(tmp_path: Path) -> None:
    write_entry(tmp_path / "a.nxs")
    found = extract(LocalFile(tmp_path / "a.nxs"))
    assert found.dimensions == (3, 40, 60)
    assert pixels(found).max() > 240


def test_a_file_with_canSAS_classes_only_is_understood(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        entry = file.create_group("sasentry01")
        entry.attrs["canSAS_class"] = "SASentry"
        entry["definition"] = "NXcanSAS"
        source = entry.create_group("src")
        source.attrs["canSAS_class"] = "SASsource"
        source["radiation"] = "neutron"
        data = entry.create_group("sasdata01")
        data.attrs["canSAS_class"] = "SASdata"
        data.attrs["signal"] = "I"
        data["I"] = np.linspace(5, 1, 50)
    found = extract(LocalFile(tmp_path / "a.h5"))
    assert found.family == "nexus" and found.techniques == ("SANS",)
    assert found.dimensions == (50,) and found.thumbnail is not None


def test_a_file_without_any_class_shows_its_largest_picture(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["notes/small"] = np.zeros((4, 4))
        file["scan/large"] = gradient(30, 50)
        file["scan/exposure"] = 0.5
        file["scan/exposure"].attrs["units"] = "s"
    found = extract(LocalFile(tmp_path / "a.h5"))
    assert (found.family, found.format_label) == ("hdf5", "HDF5")
    assert found.dimensions == (30, 50)
    exposure = vendor(found, "exposure")
    assert exposure is not None and (exposure.value, exposure.unit, exposure.group) == (0.5, "s", "nexus/scan")


def test_a_stack_of_spectra_is_drawn_as_a_line(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        data = group(group(file, "entry", "NXentry"), "data", "NXdata")
        data.attrs["signal"] = "counts"
        data.attrs["axes"] = ["x", "y", "energy"]
        data["counts"] = np.random.default_rng(1).poisson(3, (4, 5, 256))
    found = extract(LocalFile(tmp_path / "a.nxs"))
    assert found.picture_size is None
    assert pixels(found).shape == (320, 512)


def test_links_into_other_files_are_named_and_not_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["value"] = "top secret"
        file["data"] = gradient(20, 20)
    np.full((30, 30), 7, "uint16").tofile(tmp_path / "secret.raw")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["outside"] = h5py.ExternalLink("secret.h5", "/")
        file["detour"] = h5py.SoftLink("/outside/data")
        file.create_dataset("raw", (30, 30), "uint16", external=[(str(tmp_path / "secret.raw"), 0, h5py.h5f.UNLIMITED)])
        layout = h5py.VirtualLayout((20, 20), "uint8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "data", (20, 20))
        file.create_virtual_dataset("virtual", layout)
        data = group(group(file, "entry", "NXentry"), "data", "NXdata")
        data.attrs["signal"] = "/detour"
        file.attrs["default"] = "/outside"
    found = extract(LocalFile(tmp_path / "a.h5"))
    assert set(found.links) == {"outside", "raw", "virtual"}
    assert "links-refused" in codes(found)
    assert found.thumbnail is None
    assert "top secret" not in str(found.parameters)


def test_a_group_that_contains_itself_is_read_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        inner = file.create_group("outer/inner")
        inner["answer"] = 42
        inner["again"] = file["outer"]
        inner["root"] = file["/"]
        for n in range(20):
            inner[f"copy{n}"] = inner["answer"]
    found = extract(LocalFile(tmp_path / "a.h5"))
    assert [p.value for p in found.parameters] == [42]


def test_soft_links_in_a_circle_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a"] = h5py.SoftLink("/b")
        file["b"] = h5py.SoftLink("/a")
        file.attrs["default"] = "a"
    assert extract(LocalFile(tmp_path / "a.h5")).family == "hdf5"


def test_deep_and_wide_files_are_read_up_to_the_limits(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.create_group("/".join("g" * 60))["bottom"] = 1
        wide = file.create_group("wide")
        for n in range(300):
            wide.create_group(f"n{n}")
    found = extract(LocalFile(tmp_path / "a.h5"), Limits(depth=10, objects=200))
    assert "walk-limited" in codes(found)


def test_only_so_many_values_are_kept(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for n in range(120):
            file[f"value{n}"] = n
    found = extract(LocalFile(tmp_path / "a.h5"), Limits(parameters=100))
    assert len(found.parameters) == 100
    assert "parameters-limited" in codes(found)


def test_a_huge_sparse_picture_is_previewed_within_a_second(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stack = file.create_dataset("stack", (2000, 2048, 2560), "uint16", chunks=(1, 2048, 2560))
        stack[1000, :1024] = 7
    found = extract(LocalFile(tmp_path / "a.h5"))
    assert found.dimensions == (2000, 2048, 2560)
    assert found.thumbnail is not None


def test_a_signal_in_huge_chunks_is_not_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("stack", (1000, 1000, 1000), "float64", chunks=(1000, 500, 500), compression="gzip")
        file["line"] = np.arange(5.0)
    found = extract(LocalFile(tmp_path / "a.h5"))
    assert "preview-skipped" in codes(found)


def test_masked_detector_pixels_do_not_darken_the_picture(tmp_path: Path) -> None:
    frame = gradient(50, 50).astype("uint32")
    frame[:, :10] = np.iinfo("uint32").max
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["frame"] = frame
    assert pixels(extract(LocalFile(tmp_path / "a.h5"))).max() > 240


def test_a_velox_file_gives_its_json_metadata(tmp_path: Path) -> None:
    content = {
        "Optics": {"AccelerationVoltage": "300000"},
        "Instrument": {"InstrumentModel": "Titan Themis", "InstrumentId": "3456"},
        "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1580000000"}},
        "Stage": {"AlphaTilt": "0.25"},
        "Scan": {"DwellTime": "2e-06"},
        "BinaryResult": {
            "PixelSize": {"width": "1.5e-11", "height": "1.5e-11"},
            "PixelUnitX": "m",
            "Detector": "HAADF",
        },
    }
    encoded = np.frombuffer(json.dumps(content).encode() + b"\0" * 20, np.uint8)
    with h5py.File(tmp_path / "a.emd", "w") as file:
        image = file.create_group("Data/Image/0123abcd")
        image["Metadata"] = encoded[:, None]
        image["Data"] = np.repeat(gradient(32, 48)[..., None], 2, axis=2)
    found = extract(LocalFile(tmp_path / "a.emd"))
    assert (found.format_label, found.techniques, found.instrument_model) == ("Velox EMD", ("STEM",), "Titan Themis")
    assert standard(found, "accelerating_voltage") == (300_000.0, "V")
    assert standard(found, "pixel_size_x") == (1.5e-11, "m")
    assert standard(found, "stage_tilt") == (0.25, "rad")
    assert found.acquired_at == datetime.fromtimestamp(1580000000, UTC)
    assert found.picture_size == (48, 32)


def test_an_ncem_file_gives_its_scale(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.emd", "w") as file:
        signal = file.create_group("experimental/image")
        signal.attrs["emd_group_type"] = 1
        signal["data"] = gradient(32, 48)
        for name in ("dim1", "dim2"):
            signal[name] = np.arange(32) * 0.2
            signal[name].attrs["units"] = "[n_m]"
        microscope = file.create_group("microscope")
        microscope.attrs["voltage"] = 80_000
    found = extract(LocalFile(tmp_path / "a.emd"))
    assert found.format_label == "NCEM EMD"
    assert standard(found, "pixel_size_x") == (pytest.approx(0.2), "nm")
    assert standard(found, "accelerating_voltage") == (80_000, "V")
