"""The pictures of a training report, as SVG that needs nothing else: confusion, reliability, coverage, course."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifier.pipeline.training.evaluation import Abstention, Calibration, Scores

_DARK, _BRIGHT, _GREY = "#0b4f6c", "#d1495b", "#8a8f98"


def draw_all(
    scores: Scores, calibration: Calibration, abstention: Abstention, history: Sequence[dict[str, float]]
) -> dict[str, bytes]:
    """The pictures by their names; `course.svg` only where there were epochs."""
    drawn = {
        "confusion.svg": _confusion(scores),
        "reliability.svg": _reliability(calibration),
        "coverage.svg": _coverage(abstention),
    }
    if history:
        drawn["course.svg"] = _course(history)
    return drawn


def read_history(path: Path) -> list[dict[str, float]]:
    """The lines of `history.csv`; none where there is no such file."""
    import csv

    if not path.exists():
        return []
    with path.open() as file:
        return [{name: float(value) for name, value in line.items()} for line in csv.DictReader(file)]


def _figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns)
    for each in np.atleast_1d(axes):
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> bytes:
    """The same bytes for the same figure; text stays text."""
    from matplotlib import rc_context

    target = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "faircat", "font.family": "sans-serif"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return target.getvalue()


def _confusion(scores: Scores) -> bytes:
    names = [each.label for each in scores.classes]
    counts = np.asarray(scores.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(2.2 + 0.62 * len(names), 1.8 + 0.5 * len(names))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.55 else "black"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("what the model says")
    axes.set_ylabel("what it is")
    return _svg(figure)


def _reliability(calibration: Calibration) -> bytes:
    figure, axes = _figure(8, 3.7, 2)
    parts = (
        ("before", calibration.before, calibration.error_before),
        ("after", calibration.after, calibration.error_after),
    )
    for one, (name, bins, error) in zip(axes, parts, strict=True):
        one.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
        sizes = [20 + 180 * each["count"] / max(sum(bin["count"] for bin in bins), 1) for each in bins]
        one.plot([each["confidence"] for each in bins], [each["accuracy"] for each in bins], color=_DARK, linewidth=1)
        one.scatter([each["confidence"] for each in bins], [each["accuracy"] for each in bins], s=sizes, color=_DARK)
        one.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
        one.set_title(f"{name} scaling: error {error:.3f}", fontsize=10)
    return _svg(figure)


def _coverage(abstention: Abstention) -> bytes:
    figure, axes = _figure(5.5, 3.7)
    axes.plot(
        [point["coverage"] for point in abstention.curve],
        [point["accuracy"] for point in abstention.curve],
        color=_DARK,
    )
    axes.plot([abstention.coverage], [abstention.accuracy], marker="o", color=_BRIGHT, linestyle="none")
    axes.annotate(
        f"threshold {abstention.threshold:.2f}",
        (abstention.coverage, abstention.accuracy),
        textcoords="offset points",
        xytext=(-8, -14),
        ha="right",
        fontsize=9,
    )
    lowest = min(point["accuracy"] for point in abstention.curve)
    axes.set(xlim=(0, 1.02), ylim=(max(lowest - 0.05, 0), 1.01))
    axes.set(xlabel="share of pictures that get a label", ylabel="share of those that is right")
    return _svg(figure)


def _course(history: Sequence[dict[str, float]]) -> bytes:
    figure, axes = _figure(8, 3.2, 2)
    epochs = [line["epoch"] for line in history]
    for one, name in zip(axes, ("loss", "accuracy"), strict=True):
        one.plot(epochs, [line[name] for line in history], color=_GREY, label="training")
        one.plot(epochs, [line[f"val_{name}"] for line in history], color=_DARK, label="validation")
        one.set(xlabel="epoch", ylabel=name)
        one.legend(frameon=False, fontsize=8)
    return _svg(figure)
