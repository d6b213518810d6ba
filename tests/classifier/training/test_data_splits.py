"""Groups of near duplicates, and parts of a set: nothing that belongs together is on two sides."""

import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from classifier.pipeline.labels import NAMES
from classifier.pipeline.synthetic import STYLES, make_image, make_picture
from classifier.pipeline.training.duplicates import (
    NEAR_BITS,
    groups_by_features,
    groups_by_hash,
    joined,
    perceptual_hash,
)
from classifier.pipeline.training.splits import groups_with_sessions, split_by_group


def distance(first: bytes, second: bytes) -> int:
    return int(np.bitwise_count(np.frombuffer(first, np.uint8) ^ np.frombuffer(second, np.uint8)).sum())


def as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@pytest.mark.parametrize("category", NAMES)
def test_a_copy_that_is_compressed_brighter_smaller_or_noisier_is_near(category):
    rng = np.random.default_rng(NAMES.index(category))
    picture = make_picture(rng, category, (384, 512))
    noise = rng.normal(0, 8, picture.shape)
    copies = {
        "compressed": as_jpeg(picture, 60),
        "brighter": np.clip(picture * 0.8 + 30, 0, 255).astype(np.uint8),
        "smaller": np.asarray(Image.fromarray(picture).resize((256, 192), Image.Resampling.BOX)),
        "noisier": np.clip(picture + noise, 0, 255).astype(np.uint8),
    }
    for name, copy in copies.items():
        assert distance(perceptual_hash(picture), perceptual_hash(copy)) <= NEAR_BITS, name


def test_another_banner_below_the_same_picture_does_not_hide_that_it_is_the_same():
    image = make_image(np.random.default_rng(3), "Particles", "jeol")
    other = image.pixels.copy()
    other[-image.banner_height :] = 0
    other[-30:-20, 100:400] = 255
    assert distance(perceptual_hash(image.pixels), perceptual_hash(other)) <= NEAR_BITS


def test_different_pictures_are_far_apart():
    rng = np.random.default_rng(5)
    hashes = [perceptual_hash(make_image(rng, name, style).pixels) for name in NAMES[:5] for style in STYLES[:2]]
    distances = [distance(one, other) for place, one in enumerate(hashes) for other in hashes[:place]]
    assert min(distances) > NEAR_BITS + 10


def with_flipped_bits(rng: np.random.Generator, hashes: np.ndarray, count: int) -> np.ndarray:
    flips = np.zeros((len(hashes), 256), np.uint8)
    for row in flips:
        row[rng.choice(256, count, replace=False)] = 1
    return hashes ^ np.packbits(flips, axis=1)


def test_bands_find_nearly_all_near_pairs_and_no_others():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 256, (500, 32), dtype=np.uint8)
    near = groups_by_hash(np.vstack([hashes, with_flipped_bits(rng, hashes, 24)]))
    assert len(set(near[:500].tolist())) == 500, "different ones stay apart"
    assert (near[:500] == near[500:]).mean() >= 0.98
    far = groups_by_hash(np.vstack([hashes, with_flipped_bits(rng, hashes, 60)]))
    assert far.tolist() == list(range(1000))


def test_thousands_of_equal_or_near_hashes_become_one_group_in_a_moment():
    rng = np.random.default_rng(0)
    equal = np.zeros((5000, 32), np.uint8)
    near = with_flipped_bits(rng, np.full((1200, 32), 255, np.uint8), 8)
    started_at = time.process_time()
    groups = groups_by_hash(np.vstack([equal, near]))
    assert time.process_time() - started_at < 10
    assert groups.tolist() == [0] * 5000 + [1] * 1200


def test_alike_features_are_paired_by_their_cosine_whatever_their_length():
    features = np.array([[1, 0, 0], [10, 1, 0], [0, 1, 0], [0, 0, 0]], np.float32)
    assert groups_by_features(features).tolist() == [0, 0, 1, 2]


def test_groups_are_joined_along_chains():
    assert joined("ABACDD", [None, None, 1, 2, 1, 3]).tolist() == [0, 1, 0, 2, 0, 0]


sets = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.sampled_from(["", "s", "t", "u"])), min_size=1)


@settings(max_examples=200, deadline=None)
@given(sets, st.integers(0, 5))
def test_no_group_and_no_session_is_ever_on_two_sides(rows, seed):
    labels, near, sessions = zip(*rows, strict=True)
    split = split_by_group(labels, groups_with_sessions(np.array(near), sessions), seed=seed)
    parts = split.parts()
    for names in (near, [session or place for place, session in enumerate(sessions)]):
        for name in set(names):
            assert len({parts[place] for place, other in enumerate(names) if other == name}) == 1
    together = np.concatenate([split.training, split.validation, split.test])
    assert sorted(together.tolist()) == list(range(len(rows))), "each image is in one part"


def test_each_label_has_its_share_of_each_part_the_rare_one_too():
    rng = np.random.default_rng(0)
    labels = ["common"] * 2000 + ["rare"] * 60
    groups = np.cumsum(rng.uniform(size=2060) > 0.3)
    split = split_by_group(labels, groups, seed=1)
    for places, share in ((split.training, 0.7), (split.validation, 0.15), (split.test, 0.15)):
        rare = sum(labels[place] == "rare" for place in places)
        assert rare / 60 == pytest.approx(share, abs=0.06)
        assert (len(places) - rare) / 2000 == pytest.approx(share, abs=0.01)


def test_the_same_seed_gives_the_same_parts_and_another_one_others():
    labels, groups = ["a", "b"] * 100, np.arange(200)

    def tested(seed: int) -> list[int]:
        return split_by_group(labels, groups, seed=seed).test.tolist()

    assert tested(3) == tested(3)
    assert tested(3) != tested(4)
