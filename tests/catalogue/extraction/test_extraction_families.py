"""MRC, SPEC, EDF, CBF, X-ray microscope containers, plain pictures, and the optional TEM readers."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from fabio.cbfimage import CbfImage
from fabio.edfimage import EdfImage
from PIL import Image

from catalogue.extraction import LocalFile, extract
from tests.catalogue.extraction.making import codes, gradient, pixels, public_text, standard, vendor


def write_mrc(path: Path, order: str = "<") -> None:
    with mrcfile.new(path) as file:
        file.set_data(np.stack([gradient(20, 30)] * 10).astype(np.float32))
        file.voxel_size = (1.5, 2.5, 3.5)
    if order == ">":
        data = bytearray(path.read_bytes())
        words = np.frombuffer(data, "<u4", count=52).astype(">u4")
        data[:208] = words.tobytes()
        data[212:216] = b"\x11\x11\x00\x00"
        data[1024:] = np.frombuffer(bytes(data[1024:]), "<f4").astype(">f4").tobytes()
        path.write_bytes(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_mrc_map_gives_voxels_in_angstrom_in_either_byte_order(tmp_path: Path, order: str) -> None:
    write_mrc(tmp_path / "a.mrc", order)
    found = extract(LocalFile(tmp_path / "a.mrc"))
    assert (found.family, found.dimensions) == ("mrc", (10, 20, 30))
    assert standard(found, "pixel_size_x") == (1.5, "angstrom")
    assert standard(found, "pixel_size_z") == (3.5, "angstrom")
    assert pixels(found).max() > 240


def test_a_jeol_map_is_not_taken_for_an_mrc_map(tmp_path: Path) -> None:
    (tmp_path / "a.map").write_bytes(b"JEOL map" + bytes(range(256)) * 20)
    found = extract(LocalFile(tmp_path / "a.map"))
    assert found.family == "unknown"
    assert "content-unrecognised" in codes(found)


SPEC_TEXT = """#F scan.spec
#E 1454539891
#D Wed Feb 03 16:51:31 2016
#C Powder run  User = mustermann
#O0 two theta  omega
#H0 ring_current  energy

#S 1 ascan omega 0 1 3 0.5
#D Wed Feb 03 16:52:03 2016
#T 0.5  (seconds)
#P0 30.5 0.25
#V0 101.5 17.0
#N 3
#L omega  Epoch  detector one
0 1 10
0.5 2 20
1 3 15
#C user stopped
#S 2 broken
#L
"""


def test_a_spec_file_gives_its_scans_motors_and_a_line(tmp_path: Path) -> None:
    (tmp_path / "scan.spec").write_text(SPEC_TEXT)
    found = extract(LocalFile(tmp_path / "scan.spec"))
    assert found.family == "spec"
    assert found.acquired_at == datetime(2016, 2, 3, 22, 51, 31, tzinfo=UTC)
    assert standard(found, "scan_count")[0] == 2
    assert standard(found, "scan_command")[0] == "ascan omega 0 1 3 0.5"
    assert standard(found, "exposure_time") == (0.5, "s")
    motor, current = vendor(found, "two theta"), vendor(found, "ring_current")
    assert motor is not None and (motor.value, motor.group) == (30.5, "spec/motors")
    assert current is not None and current.value == 101.5
    assert found.thumbnail is not None
    assert "mustermann" not in public_text(found)


def test_an_edf_image_gives_its_header(tmp_path: Path) -> None:
    header = {
        "Title": "AgBeh", "SampleDistance": "2.5", "WaveLength": "1e-10", "PSize_1": "0.000172",
        "motor_mne": "sx sy", "motor_pos": "1.5 2.5", "Time": "2024-02-07T10:11:12",
    }  # fmt: skip
    EdfImage(data=gradient(40, 60).astype("uint16"), header=header).write(str(tmp_path / "a.edf"))
    found = extract(LocalFile(tmp_path / "a.edf"))
    assert (found.family, found.dimensions, found.title_hint) == ("edf", (40, 60), "AgBeh")
    assert standard(found, "wavelength") == (1e-10, "m")
    assert standard(found, "detector_pixel_size_x") == (0.000172, "m")
    assert found.acquired_at == datetime(2024, 2, 7, 10, 11, 12)
    motor = vendor(found, "sy")
    assert motor is not None and motor.value == 2.5
    assert pixels(found).max() > 240


def test_a_cbf_image_gives_its_mini_header(tmp_path: Path) -> None:
    mini_header = (
        "# Detector: PILATUS 2M, S/N 24-0107\r\n# 2011-02-02T12:11:10.345\r\n# Pixel_size 172e-6 m x 172e-6 m\r\n"
        "# Exposure_time 0.0975 s\r\n# Wavelength 0.97950 A\r\n# Detector_distance 0.19 m\r\n"
        "# Start_angle 10.0 deg.\r\n# Angle_increment 0.1 deg.\r\n"
    )
    image = CbfImage(data=gradient(40, 60).astype("int32"))
    image.write(str(tmp_path / "plain.cbf"))
    convention = '_array_data.header_convention "PILATUS_1.2"\r\n_array_data.header_contents\r\n;\r\n'
    head = (convention + mini_header + ";\r\n\r\n_array_data.data").encode()
    content = (tmp_path / "plain.cbf").read_bytes().replace(b"_array_data.data", head, 1)
    (tmp_path / "a.cbf").write_bytes(content)
    found = extract(LocalFile(tmp_path / "a.cbf"))
    assert (found.family, found.dimensions) == ("cbf", (40, 60))
    assert standard(found, "detector")[0] == "PILATUS 2M"
    assert standard(found, "wavelength") == (0.9795, "angstrom")
    assert standard(found, "rotation_angle") == (10.0, "deg")
    assert found.techniques == ("XRD",)
    assert "24-0107" not in public_text(found)
    assert pixels(found).max() > 240


@pytest.mark.parametrize(
    ("name", "media_type"), [("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a.bmp", "image/bmp")]
)
def test_plain_pictures_are_shown(tmp_path: Path, name: str, media_type: str) -> None:
    Image.fromarray(gradient(300, 900)).save(tmp_path / name)
    found = extract(LocalFile(tmp_path / name))
    assert (found.family, found.media_type, found.picture_size) == ("picture", media_type, (900, 300))
    assert pixels(found).shape == (171, 512)


def test_of_a_photograph_only_camera_and_date_are_taken(tmp_path: Path) -> None:
    image = Image.fromarray(gradient(20, 20))
    exif = image.getexif()
    exif[271], exif[272], exif[306], exif[315] = "Nikon", "D90", "2019:07:18 13:05:59", "Erika Mustermann"
    exif.get_ifd(0x8825)[1] = "N"
    image.save(tmp_path / "a.jpg", exif=exif)
    found = extract(LocalFile(tmp_path / "a.jpg"))
    assert (found.manufacturer, found.instrument_model) == ("Nikon", "D90")
    assert found.acquired_at == datetime(2019, 7, 18, 13, 5, 59)
    assert "Mustermann" not in str(found.parameters)


def test_without_rosettasciio_a_dm_file_is_registered_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.dm3").write_bytes(b"\0\0\0\3\0\0\1\0\0\0\0\1" + bytes(500))
    program = (
        "import sys; sys.modules['rsciio'] = None\n"
        "from catalogue.extraction import LocalFile, extract\n"
        f"found = extract(LocalFile({str(tmp_path / 'a.dm3')!r}))\n"
        "print(found.family, [note.code for note in found.notes], 'gpl-readers' in found.notes[0].message)"
    )
    root = Path(__file__).parents[3]
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == "dm ['reader-missing'] True"


def test_the_package_does_not_import_django_or_rosettasciio() -> None:
    program = (
        "import sys, catalogue.extraction.sandbox\n"
        "print([name for name in ('django', 'rsciio', 'hdf5plugin') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
