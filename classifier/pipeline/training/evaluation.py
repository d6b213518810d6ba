"""How good a model is, in figures that do not flatter: each class for itself, calibration, abstention, the banner's part.

N pictures, C classes; `logits` (N, C), `labels` (N,). The temperature and the threshold come from the validation part, all
figures from the test part, which nothing else has seen.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.pipeline import calibration
from classifier.pipeline.results import Floats

WANTED_ACCURACY = 0.99  # of the pictures on which the model does not abstain
LEAST_SURE = 0.01
_POINTS_OF_CURVE = 200
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ClassFigures:
    """One class: how many pictures of it are in the test part, and the class it is most often taken for."""

    label: str
    count: int
    recall: float
    precision: float
    f1: float
    mistaken_for: str
    mistakes: int


@dataclass(frozen=True)
class Scores:
    """`accuracy` with its 95 % interval (Wilson), `macro_f1` the mean over the classes, whatever their sizes."""

    count: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error and reliability, before and after division by the temperature."""

    temperature: float
    error_before: float
    error_after: float
    before: tuple[dict[str, Any], ...]
    after: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Abstention:
    """At the threshold: the share of pictures that get a label, the share of those that is right, and the share of all
    mistakes that is held back. `curve` holds threshold, coverage and accuracy."""

    threshold: float
    coverage: float
    accuracy: float
    mistakes_held_back: float
    curve: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Evaluation:
    """All figures; `banner` are the scores of the same pictures with their banner left in."""

    scores: Scores
    calibration: Calibration
    abstention: Abstention
    banner: Scores | None = None

    def as_table(self) -> dict[str, Any]:
        return asdict(self)


def score(names: Sequence[str], labels: Labels, found: Labels) -> Scores:
    """Scores of the classes `found` against `labels`. Classes without a picture do not count for the macro-F1."""
    classes = len(names)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, found), 1)
    figures = tuple(_class_figures(names, confusion, number) for number in range(classes))
    right = int(np.trace(confusion))
    return Scores(
        count=len(labels),
        accuracy=right / len(labels),
        accuracy_interval=interval(right, len(labels)),
        macro_f1=float(np.mean([each.f1 for each in figures if each.count])),
        classes=figures,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def _class_figures(names: Sequence[str], confusion: Labels, number: int) -> ClassFigures:
    right, count, said = (
        int(part) for part in (confusion[number, number], confusion[number].sum(), confusion[:, number].sum())
    )
    others = confusion[number].copy()
    others[number] = 0
    mistakes = int(others.max())
    return ClassFigures(
        label=names[number],
        count=count,
        recall=right / max(count, 1),
        precision=right / max(said, 1),
        f1=2 * right / max(count + said, 1),
        mistaken_for=names[int(others.argmax())] if mistakes else "",
        mistakes=mistakes,
    )


def interval(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of Wilson for a share."""
    z = 1.96
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def find_calibration(logits: Floats, labels: Labels) -> tuple[float, float]:
    """The temperature, and the confidence below which to abstain, from the validation part: where `WANTED_ACCURACY` is reached,
    and at least as much as all but the least sure 1 % have, so that a model that is hardly ever wrong is wary of others too."""
    temperature = calibration.find_temperature(logits, labels)
    probabilities = calibration.softmax(logits, temperature)
    least = float(np.quantile(probabilities.max(axis=1), LEAST_SURE))
    return temperature, max(calibration.find_threshold(probabilities, labels, WANTED_ACCURACY), least)


def evaluate(
    names: Sequence[str],
    logits: Floats,
    labels: Labels,
    *,
    temperature: float,
    threshold: float,
    with_banner: Floats | None = None,
) -> Evaluation:
    """All figures of the test part; `with_banner` are the logits of the same pictures with their banner left in."""
    probabilities = calibration.softmax(logits, temperature)
    return Evaluation(
        scores=score(names, labels, logits.argmax(axis=1)),
        calibration=_judge_calibration(logits, labels, temperature),
        abstention=_judge_abstention(probabilities, labels, threshold),
        banner=None if with_banner is None else score(names, labels, with_banner.argmax(axis=1)),
    )


def _judge_calibration(logits: Floats, labels: Labels, temperature: float) -> Calibration:
    before, after = calibration.softmax(logits), calibration.softmax(logits, temperature)
    return Calibration(
        temperature=temperature,
        error_before=calibration.calibration_error(before, labels),
        error_after=calibration.calibration_error(after, labels),
        before=tuple(asdict(each) for each in calibration.reliability(before, labels)),
        after=tuple(asdict(each) for each in calibration.reliability(after, labels)),
    )


def _judge_abstention(probabilities: Floats, labels: Labels, threshold: float) -> Abstention:
    is_right = probabilities.argmax(axis=1) == labels
    is_kept = probabilities.max(axis=1) >= threshold
    mistakes = int((~is_right).sum())
    curve = calibration.coverage_curve(probabilities, labels)
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), _POINTS_OF_CURVE)).round().astype(int))
    return Abstention(
        threshold=threshold,
        coverage=float(is_kept.mean()),
        accuracy=float(is_right[is_kept].mean()) if is_kept.any() else 1.0,
        mistakes_held_back=float((~is_right & ~is_kept).sum() / mistakes) if mistakes else 1.0,
        curve=tuple(asdict(curve[index]) for index in chosen),
    )
