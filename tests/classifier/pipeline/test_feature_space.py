"""How strange a picture is, and where it lies among others, from the features of known ones."""

import io

import numpy as np
import pytest

from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.feature_space import FeatureSpace, fit_feature_space, read_feature_space, unit_length

RNG = np.random.default_rng(0)
CENTRES = np.abs(RNG.normal(0, 1, (4, 24))).astype(np.float32)
SPREAD = RNG.normal(0, 0.15, (6, 24)).astype(np.float32)  # pictures vary in six directions only


def known(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    noise = rng.normal(0, 1, (count, 6)) @ SPREAD + rng.normal(0, 0.01, (count, 24))
    return (CENTRES[labels] + noise).astype(np.float32), labels


@pytest.fixture(scope="module")
def space() -> FeatureSpace:
    features, labels = known(800, 1)
    return fit_feature_space(features, labels, known(400, 2)[0], cells=12)


def test_about_one_of_a_hundred_known_pictures_is_strange(space: FeatureSpace) -> None:
    share = float((space.strangeness(known(4000, 3)[0]) > 1).mean())
    assert 0.001 < share < 0.04


def test_far_from_every_category_is_strange_in_a_known_direction_too(space: FeatureSpace) -> None:
    assert space.strangeness(CENTRES[:1] + 12 * SPREAD[:1])[0] > 1.5
    assert space.strangeness(CENTRES[:1] + 0.5 * SPREAD[:1])[0] < 1


def test_a_direction_in_which_nothing_known_varies_is_strange_at_once(space: FeatureSpace) -> None:
    unknown = np.linalg.svd(np.concatenate([SPREAD, CENTRES - CENTRES.mean(axis=0)]))[2][-1]
    assert space.strangeness(CENTRES[:1] + np.float32(0.5) * unknown[None].astype(np.float32))[0] > 2


def test_features_of_zeros_are_strange_and_break_nothing(space: FeatureSpace) -> None:
    assert space.strangeness(np.zeros((1, 24), np.float32))[0] > 1
    assert 0 <= space.cells_of(np.zeros((1, 24), np.float32))[0] < 12


def test_the_same_statistics_come_back_from_their_file(space: FeatureSpace) -> None:
    features, _ = known(50, 4)
    again = read_feature_space(space.to_bytes())
    assert np.allclose(again.strangeness(features), space.strangeness(features), rtol=1e-4)
    assert np.array_equal(again.cells_of(features), space.cells_of(features))


def test_the_same_data_give_the_same_file_for_the_same_seed(space: FeatureSpace) -> None:
    features, labels = known(800, 1)
    assert fit_feature_space(features, labels, known(400, 2)[0], cells=12).to_bytes() == space.to_bytes()


def test_the_cell_of_a_picture_is_that_of_its_likes_however_bright(space: FeatureSpace) -> None:
    features, labels = known(400, 5)
    cells = space.cells_of(features)
    assert np.array_equal(cells, space.cells_of(3 * features))
    for cell in set(cells.tolist()):
        assert len(set(labels[cells == cell].tolist())) == 1


def test_a_category_without_pictures_and_features_that_are_dead_do_no_harm() -> None:
    features, labels = known(200, 6)
    features[:, 5] = 0
    space = fit_feature_space(features, np.where(labels == 2, 3, labels), features)
    assert np.isfinite(space.strangeness(features)).all()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04nonsense", b"\x80\x04cos\nsystem\n"])
def test_a_file_that_holds_no_statistics_is_refused(data: bytes) -> None:
    with pytest.raises(ModelRefused) as refused:
        read_feature_space(data)
    assert refused.value.code == "bad-statistics"


def test_an_archive_with_a_pickled_object_is_refused_and_not_unpickled(space: FeatureSpace) -> None:
    target = io.BytesIO()
    np.savez(target, **{name: np.array([{"a": 1}], dtype=object) for name in ("centre", "directions")})
    with pytest.raises(ModelRefused):
        read_feature_space(target.getvalue())


def test_rows_are_scaled_to_length_one() -> None:
    assert np.allclose(np.linalg.norm(unit_length(known(9, 7)[0]), axis=1), 1)
    assert not unit_length(np.zeros((1, 3), np.float32)).any()
