"""The intrinsic dimension of points by their two nearest neighbours (2-NN; Facco et al., Scientific Reports 7, 12140, 2017)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from classifier.pipeline.errors import PipelineError

# The ratios that are largest fit the model worst: the paper leaves out a tenth.
DISCARDED = 0.1
FEWEST_POINTS = 20


@dataclass(frozen=True)
class DimensionAt:
    """The dimension seen in subsets of `size` points: mean and standard deviation over `subsets` that share no point."""

    size: int
    mean: float
    deviation: float
    subsets: int


def two_nn(points: NDArray[np.floating]) -> float:
    """The dimension: minus log(1 - F) is proportional to log(mu), mu being the ratio of the distances of the two nearest.

    Points that coincide are counted once. Raises PipelineError for fewer than 20 different points.
    """
    different = np.unique(points, axis=0)
    if len(different) < FEWEST_POINTS:
        raise PipelineError(
            "too-few-images",
            f"The dimension needs {FEWEST_POINTS} images that differ, and there are {len(different)}. Widen the range of scales.",
        )
    distances, _ = NearestNeighbors(n_neighbors=3).fit(different).kneighbors(different)
    ratios = np.sort(distances[:, 2] / np.maximum(distances[:, 1], np.finfo(float).tiny))
    kept = int(len(ratios) * (1 - DISCARDED))
    share = np.arange(1, kept + 1) / len(ratios)
    x, y = np.log(ratios[:kept]), -np.log1p(-share)
    return float((x @ y) / max(float(x @ x), np.finfo(float).tiny))


def scree(points: NDArray[np.floating], *, seed: int, halvings: int = 6) -> tuple[DimensionAt, ...]:
    """The dimension of ever smaller subsets, the largest first. Where it stays the same the points tell it and not their noise."""
    order = np.random.default_rng(seed).permutation(len(points))
    found = []
    for halving in range(halvings + 1):
        parts = np.array_split(order, 2**halving)
        if halving and len(parts[-1]) < 2 * FEWEST_POINTS:
            break
        values = [two_nn(points[part]) for part in parts]
        found.append(DimensionAt(len(parts[0]), float(np.mean(values)), float(np.std(values)), len(values)))
    return tuple(found)
