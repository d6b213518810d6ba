"""The scale of pictures: read by the real Tesseract, compared with what metadata say, and honest where the two differ."""

import os
import resource
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from catalogue.demo.microscope_files import Exposure, nice_length, with_banner
from classifier.pipeline.results import ScaleFinding
from classifier.pipeline.scale import KnownScale, find_scale, is_tesseract_available, parameters_of
from classifier.pipeline.scale.finding import NO_BANNER, NO_TESSERACT
from tests.classifier.scale.drawing import FONTS, STYLES, Drawn, draw
from tests.classifier.scale.test_banner import SAMPLES, grey, needs_samples

needs_tesseract = pytest.mark.skipif(not is_tesseract_available(), reason="Tesseract is not installed")


def drawn(style: str = "zeiss", **arguments: object) -> Drawn:
    return draw(np.random.default_rng(11), style, font=FONTS[0] if FONTS else None, **arguments)  # type: ignore[arg-type]


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program `tesseract` that is found before the real one."""
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@needs_tesseract
@pytest.mark.parametrize("style", STYLES)
def test_bars_of_every_shape_are_read_in_many_fonts_sizes_and_compressions(style):
    rng = np.random.default_rng([4, STYLES.index(style)])
    right = []
    for number in range(4):
        image = draw(
            rng,
            style,
            width=(800, 1024, 1280)[number % 3],
            font=FONTS[int(rng.integers(len(FONTS)))] if FONTS else None,
            is_dark=bool(number % 2),
            quality=(None, 95, 80)[number % 3],
        )
        found = find_scale(image.pixels)
        right.append(found.pixel_size is not None and abs(found.pixel_size / image.pixel_size - 1) < 0.05)

    assert sum(right) >= 3


@needs_tesseract
@needs_samples
@pytest.mark.parametrize(
    ("name", "printed", "bar"),
    [("image000.tif", 1e-4, 102), ("Standard_BSE_1000x_800.bmp", 1e-5, 67)],
)
def test_the_scale_of_real_pictures_is_read_from_their_banners(name, printed, bar):
    found = find_scale(grey(SAMPLES / "sem-jeol" / name))

    assert found.printed_value == pytest.approx(printed)
    assert found.bar is not None and found.bar.length == pytest.approx(bar, abs=1)
    assert found.pixel_size == pytest.approx(printed / bar, rel=0.02)
    assert found.source == "ocr"
    assert {field.name for field in found.fields} >= {"magnification", "working_distance", "detector", "date_time"}


@needs_samples
@pytest.mark.parametrize("name", ["20_quanta_sem", "21_zeiss_sem", "22_zeiss_sem_bad_mag", "thermofisher_slice001"])
def test_real_pictures_without_a_banner_get_no_false_scale_and_cost_nothing(name):
    pixels = grey(SAMPLES / f"sem-tiff/{name}.tif")
    before = processor_seconds()
    found = find_scale(pixels)

    assert processor_seconds() - before < 0.4
    assert (found.pixel_size, found.printed_value, found.bar) == (None, None, None)
    assert found.missing == NO_BANNER


@needs_tesseract
@pytest.mark.parametrize("maker", ["zeiss", "fei", "tescan", "jeol"])
def test_banners_of_the_demonstration_are_read(maker):
    exposure = Exposure(datetime(2024, 5, 6, 7, 8), "s", 6.1e-6, 5000.0, 0.0041, "InLens")
    picture = np.random.default_rng(1).random((480, 640), np.float32)

    found = find_scale(with_banner(picture, exposure, maker))

    assert found.printed_value == pytest.approx(nice_length(6.1e-6))
    assert found.pixel_size == pytest.approx(6.1e-6 / 640, rel=0.05)


@needs_tesseract
def test_a_bar_that_agrees_with_the_metadata_makes_them_sure_and_their_value_is_kept():
    image = drawn()
    found = find_scale(image.pixels, KnownScale(pixel_size=image.pixel_size * 1.01))

    assert found.source == "metadata"
    assert found.pixel_size == image.pixel_size * 1.01
    assert found.field_of_view == pytest.approx(image.field_of_view * 1.01)
    assert found.printed_value == pytest.approx(image.value)
    assert found.confidence > 0.95
    assert found.disagreements == ()


@needs_tesseract
def test_a_disagreement_of_metadata_and_bar_is_told_and_lowers_the_confidence():
    image = drawn(value=1e-6)
    found = find_scale(image.pixels, KnownScale(pixel_size=image.pixel_size * 1.6))

    assert found.source == "metadata"
    assert found.confidence < 0.5
    (sentence,) = found.disagreements
    assert "By the metadata a pixel has" in sentence and "by the scale bar" in sentence


@needs_tesseract
def test_bar_and_printed_field_of_view_together_outvote_the_metadata():
    image = drawn("tescan", value=1e-6)
    found = find_scale(image.pixels, KnownScale(pixel_size=image.pixel_size * 2))

    assert found.source == "ocr"
    assert found.pixel_size == pytest.approx(image.pixel_size, rel=0.05)
    assert found.disagreements


@needs_tesseract
@needs_samples
def test_a_side_car_of_another_size_of_the_picture_is_scaled_with_a_sentence():
    """The side-car counts a bar of 106 pixels in 1280 columns; the picture was exported with 800."""
    pixels = grey(SAMPLES / "sem-jeol/Standard_BSE_1000x_800.bmp")
    known = KnownScale(pixel_size=1e-5 / 106, picture_width=1280, magnification=1000, source="side-car")
    found = find_scale(pixels, known)

    assert found.pixel_size == pytest.approx(1e-5 / 67, rel=0.02)
    assert found.source == "side-car"
    (sentence,) = found.disagreements
    assert "1280 columns, this one has 800" in sentence


@needs_tesseract
@needs_samples
def test_a_side_car_that_hides_its_size_does_not_stand_against_a_clear_bar():
    pixels = grey(SAMPLES / "sem-jeol/Standard_BSE_1000x_800.bmp")
    found = find_scale(pixels, KnownScale(pixel_size=1e-5 / 106, source="side-car"))

    assert found.pixel_size == pytest.approx(1e-5 / 67, rel=0.02)
    assert found.source == "ocr"
    assert len(found.disagreements) == 1


@needs_tesseract
def test_a_factor_of_a_thousand_between_metadata_and_banner_is_shown():
    image = drawn(value=2e-7)
    found = find_scale(image.pixels, KnownScale(pixel_size=image.pixel_size * 1000))

    assert found.disagreements
    assert found.confidence < 0.95


@needs_tesseract
def test_a_magnification_that_cannot_be_is_shown():
    image = drawn("hitachi", value=1e-6)
    found = find_scale(image.pixels, KnownScale(magnification=0.127 / image.field_of_view / 1000))

    assert any("magnification" in sentence for sentence in found.disagreements)
    assert found.confidence <= 0.5


def test_metadata_without_a_banner_are_used_as_they_are():
    pixels = np.random.default_rng(1).integers(0, 256, (600, 800)).astype(np.uint8)
    found = find_scale(pixels, KnownScale(field_of_view=8e-6))

    assert found.pixel_size == pytest.approx(1e-8)
    assert (found.source, found.disagreements, found.missing) == ("metadata", (), NO_BANNER)


def test_pixel_size_and_field_of_view_that_contradict_each_other_are_shown():
    pixels = np.zeros((600, 800), np.uint8)
    found = find_scale(pixels, KnownScale(pixel_size=1e-8, field_of_view=1.28e-5))

    assert found.pixel_size == 1e-8
    assert found.confidence <= 0.5
    assert "field of view" in found.disagreements[0]


@pytest.mark.parametrize("pixel_size", [1e-3, 1e-12])
def test_a_pixel_size_that_cannot_be_is_refused_with_a_sentence(pixel_size):
    found = find_scale(np.zeros((600, 800), np.uint8), KnownScale(pixel_size=pixel_size))

    assert found.pixel_size is None and found.field_of_view is None and found.source == ""
    assert "cannot be" in found.disagreements[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (64, 64)])
def test_tiny_pictures_have_no_scale(shape):
    assert find_scale(np.zeros(shape, np.uint8)) == ScaleFinding(missing=NO_BANNER)


def test_a_strip_that_only_looks_like_a_banner_does_not_take_long(tmp_path, monkeypatch):
    """Dashes everywhere: hundreds of thousands of strokes, none of which is a bar."""
    put_on_path(tmp_path, monkeypatch, "exec sleep 60")
    pixels = np.random.default_rng(1).integers(80, 160, (4000, 4000)).astype(np.uint8)
    pixels[3000:] = 0
    for offset in range(6):
        pixels[3010:3990:2, offset::13] = 255

    before = processor_seconds()
    found = find_scale(pixels, seconds=0.3)

    assert "was ended" in found.missing
    assert processor_seconds() - before < 10


def test_a_tesseract_that_hangs_is_killed_and_the_metadata_are_used(tmp_path, monkeypatch):
    put_on_path(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid\nexec sleep 60")
    image = drawn()
    began = time.monotonic()
    found = find_scale(image.pixels, KnownScale(pixel_size=image.pixel_size), seconds=0.5)

    assert time.monotonic() - began < 10
    assert (found.pixel_size, found.source) == (image.pixel_size, "metadata")
    assert "did not answer within 0.5 s and was ended" in found.missing
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("script", ["exit 1", "exit 0", "kill -9 $$"], ids=["fails", "writes nothing", "dies"])
def test_a_tesseract_that_fails_is_told(tmp_path, monkeypatch, script):
    put_on_path(tmp_path, monkeypatch, script)
    found = find_scale(drawn().pixels)

    assert found.pixel_size is None
    assert found.missing == "Tesseract failed, so the banner was not read."


def test_without_tesseract_the_metadata_are_used_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    image = drawn()
    found = find_scale(image.pixels, KnownScale(pixel_size=image.pixel_size, source="side-car"))

    assert not is_tesseract_available()
    assert (found.pixel_size, found.source) == (image.pixel_size, "side-car")
    assert found.missing == NO_TESSERACT


def test_what_was_found_becomes_metadata_by_standard_names():
    found = ScaleFinding(printed_value=2e-7, pixel_size=1e-9, field_of_view=1.024e-6, source="ocr")

    assert parameters_of(found) == (
        ("pixel_size_x", 1e-9, "m"),
        ("field_of_view", 1.024e-6, "m"),
        ("scale_bar", 2e-7, "m"),
    )
    assert parameters_of(ScaleFinding()) == ()


def test_what_is_known_comes_from_numbers_by_their_standard_names():
    known = KnownScale.from_parameters({"pixel_size_x": 1e-9, "magnification": 0.0, "image_width": 800.0})

    assert known == KnownScale(pixel_size=1e-9)
