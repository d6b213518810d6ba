"""Clustering by density peaks (Rodriguez & Laio, Science 344, 1492, 2014), as a hierarchy.

Every point leads to the nearest one of higher density. The points of greatest density times distance to that one are centres;
one centre more cuts one link more, so that the clusterings for all numbers of clusters are one tree.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 512
NEIGHBOUR_SHARE = 0.02


def density_peaks(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """The tree in the form of `scipy.cluster.hierarchy.linkage`: (N - 1, 4); heights are density times distance.

    Density is Gaussian with the cutoff of the paper, by which a point has 2 % of all points in its neighbourhood on average.
    Distances are computed in blocks of rows: memory is proportional to N.
    """
    cutoff = _cutoff(points)
    density = np.concatenate(
        [np.exp(-((block / cutoff) ** 2)).sum(axis=1) - 1 for _, block in _distance_blocks(points)]
    )
    # Equal densities are put in an order, so that there is one densest point.
    rank = np.empty(len(points), int)
    rank[np.lexsort((np.arange(len(points)), -density))] = np.arange(len(points))
    parent = np.zeros(len(points), int)
    delta = np.zeros(len(points))
    for start, block in _distance_blocks(points):
        higher = rank[None, :] < rank[start : start + len(block), None]
        distances = np.where(higher, block, np.inf)
        parent[start : start + len(block)] = distances.argmin(axis=1)
        delta[start : start + len(block)] = distances.min(axis=1)
    return _tree(parent, density * delta, top=int(rank.argmin()))


def _distance_blocks(points: NDArray[np.floating]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Distances of BLOCK rows at a time to all points, and the number of the first row."""
    squares = (points.astype(np.float64) ** 2).sum(axis=1)
    for start in range(0, len(points), BLOCK):
        rows = points[start : start + BLOCK].astype(np.float64)
        square = squares[start : start + BLOCK, None] + squares[None, :] - 2 * rows @ points.T.astype(np.float64)
        yield start, np.sqrt(np.maximum(square, 0.0))


def _cutoff(points: NDArray[np.floating]) -> float:
    """The distance below which 2 % of the pairs lie, from at most 1,000 rows."""
    chosen = points[:: max(1, len(points) // 1000)]
    distances = np.concatenate([block.ravel() for _, block in _distance_blocks(chosen)])
    positive = distances[distances > 0]
    return float(np.quantile(positive, NEIGHBOUR_SHARE)) if len(positive) else 1.0


def _tree(parent: NDArray[np.int_], weight: NDArray[np.float64], *, top: int) -> NDArray[np.float64]:
    """Join each point's cluster to its parent's, the links of least weight first."""
    links = [point for point in np.argsort(weight, kind="stable") if point != top]
    cluster = list(range(2 * len(parent) - 1))
    size = [1] * len(parent) + [0] * (len(parent) - 1)

    def root(node: int) -> int:
        while cluster[node] != node:
            cluster[node] = cluster[cluster[node]]
            node = cluster[node]
        return node

    rows = np.empty((len(parent) - 1, 4))
    for place, point in enumerate(links):
        first, second = sorted((root(int(point)), root(int(parent[point]))))
        made = len(parent) + place
        cluster[first] = cluster[second] = made
        size[made] = size[first] + size[second]
        rows[place] = first, second, weight[point], size[made]
    return rows
