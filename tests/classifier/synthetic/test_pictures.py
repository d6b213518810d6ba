"""Synthetic pictures: ten kinds that differ, the same again by seed, quick enough to train from."""

import time
import warnings

import numpy as np
import pytest

from catalogue.demo.pictures import PICTURES, blur, scattered, smooth_noise
from catalogue.demo.plan import CATEGORY_OF_PICTURE
from classifier.pipeline.labels import NAMES
from classifier.pipeline.synthetic import make_picture
from classifier.pipeline.synthetic.pictures import RECIPES

SECONDS_OF_A_SMALL_PICTURE = 0.010
SECONDS_OF_A_LARGE_PICTURE = 0.150


@pytest.mark.parametrize("category", NAMES)
def test_a_picture_is_grey_of_the_shape_that_was_asked_for_and_shows_something(category):
    picture = make_picture(np.random.default_rng(3), category, (120, 160))
    assert picture.shape == (120, 160)
    assert picture.dtype == np.uint8
    assert picture.std() > 5


def test_the_same_seed_gives_the_same_pictures_and_another_one_others():
    def made(seed: int) -> list[bytes]:
        rng = np.random.default_rng(seed)
        return [make_picture(rng, category, (64, 80)).tobytes() for category in NAMES]

    assert made(1) == made(1)
    assert not set(made(1)) & set(made(2))


def test_every_category_has_two_recipes_and_one_is_that_of_the_demonstration():
    assert set(RECIPES) == set(NAMES)
    for name, category in CATEGORY_OF_PICTURE.items():
        assert PICTURES[name] in RECIPES[category]
        assert len(RECIPES[category]) == 2


def test_a_category_that_nobody_knows_and_a_picture_too_small_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="none of the categories"):
        make_picture(rng, "Cats", (64, 64))
    with pytest.raises(ValueError, match="at least 16"):
        make_picture(rng, "Tips", (8, 64))


@pytest.mark.parametrize("shape", [(16, 16), (17, 400), (300, 16)])
def test_odd_shapes_make_pictures_without_a_warning(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed, category in enumerate(NAMES * 2):
            assert make_picture(np.random.default_rng(seed), category, shape).shape == shape


def test_features_grow_with_the_width_so_that_small_pictures_look_like_large_ones():
    """The share of contrast that is left after a blur of the same share of the width."""

    def smoothness(category: str, width: int) -> float:
        rng = np.random.default_rng(5)
        recipe = RECIPES[category][0]
        pictures = [recipe(rng, (width * 3 // 4, width), width / 1024) for _ in range(3)]
        return float(np.mean([blur(picture, width / 60).std() / picture.std() for picture in pictures]))

    for category in ("Particles", "Porous sponges", "Fibres"):
        assert smoothness(category, 320) == pytest.approx(smoothness(category, 640), rel=0.25)


def test_a_simple_measure_already_tells_some_categories_apart():
    """Lines that run across differ from noise: the recipes are no ten names for one texture."""

    def anisotropy(category: str) -> float:
        rng, found = np.random.default_rng(8), []
        for _ in range(12):
            spectrum = np.abs(np.fft.rfft2(make_picture(rng, category, (96, 96)) - 128.0)) ** 2
            found.append(np.sort(spectrum.ravel())[-8:].sum() / spectrum.ravel()[1:].sum())
        return float(np.median(found))

    assert anisotropy("Patterned surfaces") > 1.5 * anisotropy("Powders")
    assert anisotropy("Tips") > 2 * anisotropy("Powders")


def test_pictures_are_made_quickly():
    """Median processor time over all categories, of which each counts the same."""

    def seconds(shape: tuple[int, int], count: int) -> float:
        rng, spent = np.random.default_rng(2), []
        for category in NAMES * count:
            started_at = time.process_time()
            make_picture(rng, category, shape)
            spent.append(time.process_time() - started_at)
        return float(np.median(spent))

    assert seconds((160, 160), 4) < SECONDS_OF_A_SMALL_PICTURE
    assert seconds((768, 1024), 1) < SECONDS_OF_A_LARGE_PICTURE


def test_noise_has_the_scale_that_was_asked_for_and_points_keep_their_distance():
    rng = np.random.default_rng(4)
    fine, coarse = (smooth_noise(rng, (200, 300), scale) for scale in (4, 40))
    assert fine.shape == coarse.shape == (200, 300)
    assert np.abs(np.diff(fine)).mean() > 4 * np.abs(np.diff(coarse)).mean()
    points = scattered(rng, (100, 200), 300, 20)
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    assert len(points) > 15
    assert apart[np.triu_indices(len(points), 1)].min() >= 20
