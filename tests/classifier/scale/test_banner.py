"""Where the data banner of a picture begins, and that pictures without one have none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.pipeline.banner import find_banner
from tests.classifier.scale.drawing import FONTS, STYLES, draw

SAMPLES = Path(__file__).parents[3] / "../shared/samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the real sample files are not on this machine")


def grey(path: Path) -> np.ndarray:
    image = Image.open(path)
    return np.asarray(
        image.point(lambda level: level / 256).convert("L") if image.mode == "I;16" else image.convert("L")
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("is_dark", [True, False])
@pytest.mark.parametrize("quality", [None, 95, 70])
def test_a_banner_is_found_on_light_and_dark_ground_and_after_compression(style, is_dark, quality):
    rng = np.random.default_rng(5)
    image = draw(rng, style, font=FONTS[0] if FONTS else None, is_dark=is_dark, quality=quality)

    banner = find_banner(image.pixels)

    assert banner is not None
    assert abs(banner.height - image.banner_height) <= (1 if quality is None else 8)
    assert banner.cut(image.pixels).shape[0] == image.pixels.shape[0] - banner.height
    assert (banner.background < 128) == is_dark


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((768, 1024), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.full((2000, 1), 7, np.uint8),
        np.random.default_rng(1).integers(0, 256, (768, 1024)).astype(np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), (300, 2)),
    ],
    ids=["blank", "one pixel", "one column", "noise", "a ramp"],
)
def test_what_has_no_banner_has_none(pixels):
    assert find_banner(pixels) is None


def test_the_dark_lower_part_of_a_picture_is_no_banner():
    picture = np.random.default_rng(2).integers(90, 160, (700, 1000)).astype(np.uint8)
    picture[560:] = 4
    picture[600:690, 300:420] = 9

    assert find_banner(picture) is None


def test_a_dark_picture_does_not_lengthen_its_banner_by_much():
    rng = np.random.default_rng(3)
    ground = np.clip(rng.normal(12, 9, (716, 1024)), 0, 255).astype(np.uint8)
    image = draw(rng, "jeol", ground=ground)

    banner = find_banner(image.pixels)

    assert banner is not None and abs(banner.height - image.banner_height) <= 8


@needs_samples
@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("sem-jeol/image000.tif", 960),
        ("sem-jeol/Standard_BSE_1000x_800.bmp", 600),
        ("sem-tiff/20_quanta_sem.tif", None),
        ("sem-tiff/21_zeiss_sem.tif", None),
        ("sem-tiff/22_zeiss_sem_bad_mag.tif", None),
        ("sem-tiff/thermofisher_slice001.tif", None),
    ],
)
def test_real_pictures_have_the_banners_that_are_seen_in_them(name, top):
    banner = find_banner(grey(SAMPLES / name))

    assert (banner.top if banner else None) == top
