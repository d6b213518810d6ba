"""Confidences that mean what they say, on outcomes whose truth is known because they are drawn."""

import numpy as np
import pytest

from classifier.pipeline.calibration import (
    calibration_error,
    coverage_curve,
    find_temperature,
    find_threshold,
    negative_log_likelihood,
    reliability,
    softmax,
)


def drawn(count: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model that is too sure by a factor, and labels drawn from what it should have said."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (count, 5))
    labels = (honest + rng.gumbel(size=honest.shape)).argmax(axis=1)
    return honest * temperature, labels


@pytest.mark.parametrize("truth", [0.7, 1.0, 3.3])
def test_the_temperature_that_makes_a_model_honest_is_found(truth: float) -> None:
    assert find_temperature(*drawn(6000, truth)) == pytest.approx(truth, rel=0.06)


def test_the_temperature_found_has_the_least_likelihood_of_all_near_it() -> None:
    logits, labels = drawn(500, 2.0)
    found = find_temperature(logits, labels)
    best = negative_log_likelihood(logits, labels, found)
    assert all(best <= negative_log_likelihood(logits, labels, found * factor) for factor in (0.9, 0.99, 1.01, 1.1))


def test_a_model_that_was_always_right_is_not_taken_for_one_that_always_will_be() -> None:
    labels = np.arange(40) % 4
    assert find_temperature(np.eye(4)[labels] * 5, labels) == pytest.approx(0.5, rel=0.01)


def test_scaling_lowers_the_calibration_error() -> None:
    logits, labels = drawn(6000, 3.3)
    before = calibration_error(softmax(logits), labels)
    after = calibration_error(softmax(logits, find_temperature(logits, labels)), labels)
    assert before > 0.1
    assert after < 0.02


def test_the_calibration_error_is_the_mean_distance_of_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10)
    labels = np.array([0] * 9 + [1] + [0] * 3 + [1] * 7)
    assert calibration_error(probabilities, labels) == pytest.approx((0.0 + 0.3) / 2, abs=1e-6)


def test_the_bins_of_reliability_hold_every_picture_once_the_surest_too() -> None:
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.7, 0.3]])
    bins = reliability(probabilities, np.array([0, 0, 1]), bins=10)
    assert [(each.low, each.count, each.accuracy) for each in bins] == [(0.5, 1, 1.0), (0.7, 1, 0.0), (0.9, 1, 1.0)]


def test_the_coverage_curve_ends_with_all_pictures_and_their_accuracy() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.6, 0.4]])
    points = coverage_curve(probabilities, np.array([0, 0, 1, 1]))
    assert [(point.threshold, point.coverage, point.accuracy) for point in points] == [
        (0.9, 0.25, 1.0),
        (0.8, 0.75, pytest.approx(2 / 3)),
        (0.6, 1.0, 0.5),
    ]


def test_above_the_threshold_found_the_wanted_share_is_right() -> None:
    logits, labels = drawn(6000, 1.0)
    probabilities = softmax(logits)
    threshold = find_threshold(probabilities, labels, 0.9)
    kept = probabilities.max(axis=1) >= threshold
    assert (probabilities.argmax(axis=1) == labels)[kept].mean() >= 0.9
    assert 0.2 < kept.mean() < 1.0
    assert find_threshold(probabilities, 4 - probabilities.argmax(axis=1), 0.99) == 1.0


def test_logits_of_any_size_become_probabilities() -> None:
    assert np.allclose(softmax(np.array([[1e4, 0.0, -1e4]])), [[1, 0, 0]])
