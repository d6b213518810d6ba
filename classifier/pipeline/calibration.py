"""Honest confidences: temperature scaling (Guo et al. 2017), how far confidences are from the truth, and when to abstain.

N pictures, C categories; `logits` (N, C), `labels` (N,) the true category of each. numpy only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles = NDArray[np.float64]
_GOLDEN = (np.sqrt(5) - 1) / 2
_COOLEST, _HOTTEST = 0.5, 20.0  # pictures without a single error would ask for 0: nothing is that sure


@dataclass(frozen=True)
class ReliabilityBin:
    """Pictures with a confidence in [`low`, `high`]: how many, their mean confidence, and the share that is right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CoveragePoint:
    """Of the pictures with a confidence of at least `threshold`: their share of all, and the share that is right."""

    threshold: float
    coverage: float
    accuracy: float


def softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities (N, C) of logits (N, C), each row summing to 1."""
    heated = np.asarray(logits, np.float64) / temperature
    powers = np.exp(heated - heated.max(axis=-1, keepdims=True))
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def negative_log_likelihood(logits: ArrayLike, labels: ArrayLike, temperature: float = 1.0) -> float:
    """The mean of -log p of the true category."""
    heated = np.asarray(logits, np.float64) / temperature
    heated -= heated.max(axis=-1, keepdims=True)
    truth = np.take_along_axis(heated, np.asarray(labels, np.int64)[:, None], axis=-1)[:, 0]
    return float(np.mean(np.log(np.exp(heated).sum(axis=-1)) - truth))


def find_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature of 0.5 to 20 with the least negative log-likelihood, by golden section over its logarithm (in the
    inverse temperature the likelihood has one minimum). Use pictures that were not trained on."""
    low, high = float(np.log(_COOLEST)), float(np.log(_HOTTEST))
    while high - low > 1e-4:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        at_left = negative_log_likelihood(logits, labels, float(np.exp(left)))
        if at_left <= negative_log_likelihood(logits, labels, float(np.exp(right))):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> list[ReliabilityBin]:
    """Bins of equal width over the confidence; empty ones are left out."""
    confidences, is_right = _outcomes(probabilities, labels)
    numbers = np.minimum((confidences * bins).astype(np.int64), bins - 1)
    found = []
    for number in range(bins):
        inside = numbers == number
        if inside.any():
            mean, share = float(confidences[inside].mean()), float(is_right[inside].mean())
            found.append(ReliabilityBin(number / bins, (number + 1) / bins, int(inside.sum()), mean, share))
    return found


def calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: the mean distance of confidence and accuracy over the bins of `reliability`."""
    found = reliability(probabilities, labels, bins)
    total = sum(each.count for each in found)
    return sum(each.count * abs(each.confidence - each.accuracy) for each in found) / total


def coverage_curve(probabilities: ArrayLike, labels: ArrayLike) -> list[CoveragePoint]:
    """From the surest picture alone to all pictures; pictures of equal confidence come in together."""
    confidences, is_right = _outcomes(probabilities, labels)
    order = np.argsort(-confidences, kind="stable")
    confidences, right = confidences[order], np.cumsum(is_right[order])
    lasts = np.flatnonzero(np.append(np.diff(confidences) != 0, True))
    return [
        CoveragePoint(float(confidences[last]), (last + 1) / len(confidences), float(right[last]) / (last + 1))
        for last in lasts.tolist()
    ]


def find_threshold(probabilities: ArrayLike, labels: ArrayLike, wanted_accuracy: float) -> float:
    """The least confidence above which at least `wanted_accuracy` of the pictures are right; 1.0 where there is none."""
    good = [point for point in coverage_curve(probabilities, labels) if point.accuracy >= wanted_accuracy]
    return good[-1].threshold if good else 1.0


def _outcomes(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Doubles, NDArray[np.bool_]]:
    values = np.asarray(probabilities, np.float64)
    return values.max(axis=-1), values.argmax(axis=-1) == np.asarray(labels)
