"""Hierarchies over points by five methods, all in the form of `scipy.cluster.hierarchy.linkage`, and what they say at a cut."""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from sklearn.metrics import normalized_mutual_info_score

from classifier.pipeline.structure.peaks import density_peaks

LINKAGES = ("single", "complete", "centroid", "ward")
METHODS = (*LINKAGES, "density peaks")
# Condensed distances are 8 bytes for each pair: 256 MB for 8,000 points, 1.6 GB for 20,000.
MOST_POINTS = 20_000


def tree_of(points: NDArray[np.floating], method: str) -> NDArray[np.float64]:
    """The hierarchy (N - 1, 4) of `points` by one of METHODS. Needs N² / 2 distances in memory, density peaks N."""
    if method == "density peaks":
        return density_peaks(points)
    return hierarchy.linkage(points.astype(np.float64), method)


def cut(tree: NDArray[np.float64], count: int) -> NDArray[np.int_]:
    """The cluster, from 0, of each point when the last `count` - 1 joins are undone: exactly `count` clusters.

    Joins are undone in the order of the tree, since centroid linkage joins at heights that may fall.
    """
    points = len(tree) + 1
    joins = points - max(1, min(count, points))
    top = np.arange(points + joins)
    for row in range(joins - 1, -1, -1):
        top[tree[row, :2].astype(int)] = top[points + row]
    return np.unique(top[:points], return_inverse=True)[1]


def agreement(labels: NDArray[np.int_], clusters: NDArray[np.int_]) -> float:
    """Normalised mutual information, from 0 to 1, by the arithmetic mean of the entropies."""
    return float(normalized_mutual_info_score(labels, clusters))


def good_scenario(labels: NDArray[np.int_], count: int) -> NDArray[np.int_]:
    """What could at best be found: clusters of one category each, the categories divided in proportion to their sizes."""
    categories, sizes = np.unique(labels, return_counts=True)
    if count < len(categories):
        return np.minimum(np.searchsorted(categories, labels), count - 1)
    parts = np.maximum(1, np.floor(sizes * count / len(labels)).astype(int))
    clusters = np.empty(len(labels), int)
    first = 0
    for category, number in zip(categories, parts, strict=True):
        members = np.flatnonzero(labels == category)
        clusters[members] = first + np.arange(len(members)) % min(number, len(members))
        first += min(number, len(members))
    return clusters


def uniform_scenario(labels: NDArray[np.int_], count: int, *, seed: int) -> NDArray[np.int_]:
    """What chance finds: images dealt to clusters at random."""
    return np.random.default_rng(seed).integers(0, count, len(labels))
