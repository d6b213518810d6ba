"""Verdicts: calibrated, in order, from batches of few sizes, and honest about what the model does not know."""

from pathlib import Path

import numpy as np
import pytest

from classifier.pipeline.calibration import softmax
from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import ModelRefused, OutOfMemory
from tests.classifier.pipeline.small import LABELS, SIDE, SmallRuntime, features_of, pictures, small_release


@pytest.fixture
def release(tmp_path: Path):
    return small_release(tmp_path / "release")


def test_each_picture_gets_its_label_in_the_order_of_the_pictures(release) -> None:
    seen, labels = pictures(np.random.default_rng(1), 31)
    verdicts = Classifier(release, SmallRuntime()).classify(list(seen))
    assert [verdict.label for verdict in verdicts] == [LABELS[number] for number in labels]
    assert not any(verdict.is_strange for verdict in verdicts)


def test_confidences_are_softened_by_the_temperature_of_the_release(release) -> None:
    seen, _ = pictures(np.random.default_rng(1), 3)
    runtime = SmallRuntime()
    verdicts = Classifier(release, runtime).classify(seen)
    assert np.allclose([verdict.probabilities for verdict in verdicts], softmax(runtime.run(seen).logits, 1.5))
    assert [float(verdict.probabilities.sum()) for verdict in verdicts] == pytest.approx([1, 1, 1])


def test_a_confidence_below_the_threshold_of_the_release_is_uncertain(release) -> None:
    between = np.full((1, SIDE, SIDE), 127, np.uint8)
    (verdict,) = Classifier(release, SmallRuntime()).classify(between)
    assert verdict.confidence < 0.6
    assert verdict.is_uncertain


def test_the_device_sees_few_shapes_of_which_the_last_is_padded(release) -> None:
    runtime = SmallRuntime((1, 8))
    seen, _ = pictures(np.random.default_rng(1), 21)
    assert len(Classifier(release, runtime).classify(seen)) == 21
    assert runtime.ran == [8, 8, 8]
    runtime.ran.clear()
    Classifier(release, runtime).classify(seen[:1])
    assert runtime.ran == [1]


def test_padding_changes_no_verdict(release) -> None:
    seen, _ = pictures(np.random.default_rng(1), 5)
    alone = [Classifier(release, SmallRuntime((1,))).classify(picture[None])[0] for picture in seen]
    together = Classifier(release, SmallRuntime((8,))).classify(seen)
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one.probabilities, other.probabilities)
        assert one.strangeness == pytest.approx(other.strangeness)


@pytest.mark.parametrize("fits", [1, 3, 20, 63])
def test_a_device_without_memory_for_a_batch_gets_halves_and_nothing_is_lost(release, fits: int) -> None:
    seen, labels = pictures(np.random.default_rng(1), 100)
    runtime = SmallRuntime((64,), fits=fits)
    classifier = Classifier(release, runtime)
    verdicts = classifier.classify(seen)
    assert [verdict.label for verdict in verdicts] == [LABELS[number] for number in labels]
    runtime.fits = 1000
    runtime.ran.clear()
    classifier.classify(seen)
    assert max(runtime.ran) <= max(fits, 1), "what did not fit is not tried again"


def test_a_device_without_memory_for_one_picture_says_so(release) -> None:
    with pytest.raises(OutOfMemory):
        Classifier(release, SmallRuntime((1, 8), fits=0)).classify(pictures(np.random.default_rng(1), 9)[0])


def test_no_pictures_give_no_verdicts(release) -> None:
    assert Classifier(release, SmallRuntime()).classify([]) == []


def test_what_the_model_never_saw_is_strange(release) -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (1, SIDE, SIDE), dtype=np.uint8)
    gradient = np.linspace(0, 255, SIDE * SIDE).reshape(1, SIDE, SIDE).astype(np.uint8)
    white = np.full((1, SIDE, SIDE), 255, np.uint8)
    verdicts = Classifier(release, SmallRuntime()).classify(np.concatenate([noise, gradient, white]))
    assert [verdict.is_strange for verdict in verdicts] == [True, True, True]


def test_an_explanation_is_the_verdict_with_the_maps_behind_it(release) -> None:
    seen, _ = pictures(np.random.default_rng(1), 1)
    classifier = Classifier(release, SmallRuntime((8,)))
    verdict, maps = classifier.explain(seen[0])
    assert verdict.label == "dark"
    assert maps.shape == (4, 4, 3)
    assert np.allclose(softmax(maps.mean(axis=(0, 1)), 1.5), verdict.probabilities)


def test_like_pictures_lie_in_one_cell_and_unlike_ones_in_others(release) -> None:
    seen, labels = pictures(np.random.default_rng(3), 60)
    classifier = Classifier(release, SmallRuntime())
    cells = np.array([classifier.cell_of(features) for features in features_of(seen)])
    assert set(cells[labels == 2]).isdisjoint(cells[labels != 2])


def test_a_release_whose_statistics_are_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused) as refused:
        Classifier(small_release(tmp_path / "release", feature_count=9), SmallRuntime())
    assert refused.value.code == "model-unfit"
