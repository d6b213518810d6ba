"""Scanning electron microscopes: the makers' tags and side-cars, and their traps."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from catalogue.extraction import LocalFile, extract
from tests.catalogue.extraction import making
from tests.catalogue.extraction.making import codes, pixels, standard, vendor


def test_a_zeiss_image_gives_actual_values_with_the_units_of_the_file(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif")))
    assert found.family == "zeiss"
    assert found.techniques == ("SEM",)
    assert found.instrument_model == "Supra 40"
    assert found.sample_hint == "Au on Si 7"
    assert standard(found, "accelerating_voltage") == (15.0, "kV")  # not the target of 20 kV
    assert standard(found, "working_distance") == (5.1, "mm")
    assert standard(found, "magnification") == (50_000.0, None)
    assert standard(found, "stage_tilt") == (54.0, "deg")
    assert standard(found, "detector") == ("InLens", None)  # the signal, not the detector type
    assert standard(found, "beam_current") == (159, "pA")
    assert standard(found, "emission_current") == (80.0, "uA")  # called "Beam Current" by the maker


def test_the_time_of_a_zeiss_image_has_no_zone(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif")))
    assert found.acquired_at == datetime(2019, 7, 18, 13, 5, 59)


def test_a_zeiss_pressure_takes_its_unit_from_the_file_and_a_gauge_at_zero_is_passed_over(tmp_path: Path) -> None:
    high_vacuum = extract(LocalFile(making.write_zeiss(tmp_path / "high.tif")))
    assert standard(high_vacuum, "chamber_pressure") == (3.46e-6, "mbar")
    entries = {**making.ZEISS_ENTRIES, "AP_CHAMBER_PRESSURE": "Chamber = 60 Pa"}
    low_vacuum = extract(LocalFile(making.write_zeiss(tmp_path / "low.tif", entries)))
    assert standard(low_vacuum, "chamber_pressure") == (60, "Pa")


def test_a_zeiss_image_stored_512_wide_gets_the_pixel_size_of_the_picture_that_is_there(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif", width=512)))
    size, unit = standard(found, "pixel_size_x")
    assert (size, unit) == (pytest.approx(11.64), "nm")
    assert "pixel-size-corrected" in codes(found)
    raw = vendor(found, "ap_image_pixel_size")
    assert raw is not None and (raw.value, raw.unit) == (5.82, "nm")


def test_the_field_of_view_decides_when_it_disagrees_with_the_zeiss_pixel_size(tmp_path: Path) -> None:
    entries = {**making.ZEISS_ENTRIES, "AP_WIDTH": "Width = 5.960 µm"}
    as_stored = extract(LocalFile(making.write_zeiss(tmp_path / "full.tif", entries)))
    assert standard(as_stored, "pixel_size_x")[0] == 5.82
    assert "pixel-size-corrected" not in codes(as_stored)
    resized = extract(LocalFile(making.write_zeiss(tmp_path / "half.tif", entries, width=2048)))
    assert standard(resized, "pixel_size_x")[0] == pytest.approx(2.91, rel=1e-3)


def test_older_zeiss_files_hold_only_an_unnamed_block(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif", {})))
    assert standard(found, "accelerating_voltage") == (15_000.0, "V")
    assert standard(found, "magnification") == (50_000.0, None)
    assert standard(found, "pixel_size_x") == (pytest.approx(5.82e-9), "m")
    assert standard(found, "working_distance") == (0.0051, "m")


@pytest.mark.parametrize("text", ["TESTER K X", "K X", ""])
def test_a_zeiss_magnification_that_is_no_number_falls_back_to_the_block(tmp_path: Path, text: str) -> None:
    entries = {**making.ZEISS_ENTRIES, "AP_MAG": f"Mag = {text}"}
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif", entries)))
    assert standard(found, "magnification") == (50_000.0, None)
    without_block = extract(LocalFile(making.write_zeiss(tmp_path / "b.tif", entries, block=())))
    assert standard(without_block, "magnification") == (None, None)


def test_nothing_of_the_operator_is_public(tmp_path: Path) -> None:
    zeiss = making.public_text(extract(LocalFile(making.write_zeiss(tmp_path / "a.tif"))))
    fei = making.public_text(extract(LocalFile(making.write_fei(tmp_path / "b.tif"))))
    tescan = making.public_text(extract(LocalFile(making.write_tescan(tmp_path / "c.tif"))))
    for secret in ("MUELLER", "secret project", "1234-56-78", "Mustermann", "Sommer", "D8439", "hoffmann", "116-0123"):
        assert secret not in zeiss + fei + tescan
    assert "High vacuum" in fei  # FEI's UserMode is a setting, not a person


def test_the_thumbnail_carries_no_tag_of_the_maker(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_zeiss(tmp_path / "a.tif")))
    assert found.thumbnail is not None
    assert found.thumbnail[:4] == b"RIFF" and found.thumbnail[8:12] == b"WEBP"
    assert b"MUELLER" not in found.thumbnail and b"EXIF" not in found.thumbnail and b"XMP" not in found.thumbnail


def test_a_palette_of_grey_is_shown_through_its_colours(tmp_path: Path) -> None:
    inverted = np.tile(np.arange(255, -1, -1, dtype=np.uint16) * 257, (3, 1))
    tifffile.imwrite(
        tmp_path / "a.tif", making.gradient(96, 128), photometric="palette", colormap=inverted, metadata=None
    )
    shown = pixels(extract(LocalFile(tmp_path / "a.tif")))
    assert shown[10, 5] > 240 and shown[10, -5] < 15


def test_an_fei_image_gives_si_values_and_angles_in_radians(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_fei(tmp_path / "a.tif")))
    assert found.family == "fei"
    assert standard(found, "accelerating_voltage") == (30_000.0, "V")
    assert standard(found, "stage_tilt") == (0.0184572, "rad")
    assert standard(found, "scan_rotation") == (0.5, "rad")
    assert standard(found, "pixel_size_x") == (1e-9, "m")
    assert standard(found, "magnification")[0] == pytest.approx(312_500)
    assert standard(found, "banner_height")[0] == 59


def test_fei_decimal_commas_are_read_and_blank_values_left_out(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_fei(tmp_path / "a.tif")))
    assert standard(found, "working_distance") == (pytest.approx(0.00625552), "m")
    assert standard(found, "beam_current") == (None, None)


def test_the_unambiguous_date_of_an_fei_image_wins_over_the_american_one(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_fei(tmp_path / "a.tif")))
    assert found.acquired_at == datetime(2020, 9, 3, 13, 40, 3)
    text = making.FEI_TEXT.replace("TimeOfCreation=03.09.2020 13:40:03", "")
    fallback = extract(LocalFile(making.write_fei(tmp_path / "b.tif", text)))
    assert fallback.acquired_at == datetime(2020, 8, 18, 13, 40, 3)


def test_an_image_of_the_ion_beam_is_fib(tmp_path: Path) -> None:
    text = making.FEI_TEXT.replace("Beam=EBeam", "Beam=IBeam").replace("[EBeam]", "[IBeam]")
    assert extract(LocalFile(making.write_fei(tmp_path / "a.tif", text))).techniques == ("FIB",)


def test_a_resized_fei_export_gets_a_corrected_pixel_size(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_fei(tmp_path / "a.tif", width=512)))
    assert standard(found, "pixel_size_x")[0] == pytest.approx(2e-9)
    assert "pixel-size-corrected" in codes(found)


def test_sixteen_bit_pixels_are_spread_over_the_range_of_the_eye(tmp_path: Path) -> None:
    shown = pixels(extract(LocalFile(making.write_fei(tmp_path / "a.tif"))))
    assert shown.min() < 10 and shown.max() > 245


def test_a_tescan_tag_is_read_after_its_binary_head(tmp_path: Path) -> None:
    found = extract(LocalFile(making.write_tescan(tmp_path / "a.tif")))
    assert found.family == "tescan"
    assert found.instrument_model == "TESCAN MIRA3"
    assert standard(found, "accelerating_voltage") == (5000.0, "V")
    assert standard(found, "stage_tilt") == (10.5, "deg")
    assert standard(found, "pixel_size_x") == (5e-8, "m")
    assert found.acquired_at == datetime(2024, 2, 7, 11, 22, 33)


@pytest.mark.parametrize("name", ["a.hdr", "a-png.hdr"])
def test_a_tescan_side_car_is_found_beside_its_picture(tmp_path: Path, name: str) -> None:
    making.write_picture(tmp_path / "a.png", 256, 192)
    (tmp_path / name).write_text(making.TESCAN_TEXT)
    found = extract(LocalFile(tmp_path / "a.png"))
    assert found.family == "tescan" and found.media_type == "image/png"
    assert standard(found, "working_distance") == (0.0049, "m")


def test_a_date_without_a_time_stays_a_date(tmp_path: Path) -> None:
    (tmp_path / "a.hdr").write_text("[MAIN]\nDevice=TESCAN VEGA\nDate=2024-02-07\n")
    found = extract(LocalFile(tmp_path / "a.hdr"))
    assert standard(found, "date_time") == (date(2024, 2, 7), None)
    assert found.acquired_at == datetime(2024, 2, 7)


def test_a_jeol_export_of_800_pixels_gets_the_scale_of_800_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(making.JEOL_TEXT)
    found = extract(LocalFile(making.write_picture(tmp_path / "a.bmp", 800, 640)))
    assert found.family == "jeol" and found.title_hint == "grain 7"
    assert standard(found, "pixel_size_x") == (pytest.approx(10 / 106 * 1.6), "um")
    assert standard(found, "field_of_view") == (pytest.approx(10 / 106 * 1280), "um")
    assert standard(found, "banner_height") == (40, "px")
    assert {"pixel-size-corrected", "side-car-read"} <= codes(found)


def test_a_jeol_picture_of_full_size_keeps_its_scale(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(making.JEOL_TEXT)
    found = extract(LocalFile(making.write_picture(tmp_path / "a.tif", 1280, 1024)))
    assert standard(found, "pixel_size_x") == (pytest.approx(10 / 106), "um")
    assert "pixel-size-corrected" not in codes(found)
    assert standard(found, "accelerating_voltage") == (10.0, "kV")
    assert standard(found, "beam_current") == (4.76e-8, "A")
    assert standard(found, "stage_rotation") == (1.0, "deg")


def test_a_hitachi_side_car_is_read_with_the_units_it_writes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(making.HITACHI_TEXT.encode("utf-16"))
    found = extract(LocalFile(making.write_picture(tmp_path / "a.tif", 1280, 960)))
    assert found.family == "hitachi" and found.instrument_model == "SU8000"
    assert standard(found, "accelerating_voltage") == (15_000.0, "V")
    assert standard(found, "working_distance") == (8100.0, "um")
    assert standard(found, "pixel_size_x") == (49.609375, "nm")
    assert found.acquired_at == datetime(2021, 12, 24, 14, 5, 6)


def test_a_text_of_someone_else_beside_a_picture_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("My notes: the sample broke.")
    found = extract(LocalFile(making.write_picture(tmp_path / "a.png", 64, 64)))
    assert found.family == "picture"
    assert {parameter.name for parameter in found.parameters} == {"image_width", "image_height"}


def test_a_side_car_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text(making.JEOL_TEXT)
    inside = tmp_path / "inside"
    inside.mkdir()
    making.write_picture(inside / "a.bmp", 800, 640)
    (inside / "a.txt").symlink_to(outside / "a.txt")
    assert extract(LocalFile(inside / "a.bmp")).family == "picture"


def test_resolution_tags_never_become_a_pixel_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", making.gradient(64, 64), resolution=(96, 96), resolutionunit="INCH")
    assert standard(extract(LocalFile(tmp_path / "a.tif")), "pixel_size_x") == (None, None)


def test_pages_of_a_stack_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    stack = np.stack([making.gradient(48, 64)] * 5)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", metadata=None)
    found = extract(LocalFile(tmp_path / "a.tif"))
    assert found.dimensions == (5, 48, 64)
    assert found.picture_size == (64, 48)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_pictures_are_shown_whatever_their_depth_and_packing(tmp_path: Path, dtype: str, compression: str) -> None:
    data = making.gradient(60, 100).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression, metadata=None)
    shown = pixels(extract(LocalFile(tmp_path / "a.tif")))
    assert shown[5, 2] < 20 and shown[5, -2] > 235


def test_colours_survive(tmp_path: Path) -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    tifffile.imwrite(tmp_path / "a.tif", red, photometric="rgb", metadata=None)
    found = extract(LocalFile(tmp_path / "a.tif"))
    assert found.dimensions == (32, 32, 3)
    assert 40 < pixels(found).mean() < 80
