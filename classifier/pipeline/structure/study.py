"""One study: from features to dimension, codes, trees and their agreement with labels, with a tree for people to walk through."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.pipeline.errors import PipelineError
from classifier.pipeline.structure import clustering
from classifier.pipeline.structure.coding import Coding, encode
from classifier.pipeline.structure.dimension import FEWEST_POINTS, DimensionAt, scree

REPRESENTATIVES = 12
MOST_CURVE_CLUSTERS = 500


@dataclass(frozen=True)
class Settings:
    """`coding_size` 0 takes the intrinsic dimension, rounded; `leaves` is how finely the tree for people ends."""

    coding_size: int = 0
    maximum: int = 8_000
    leaves: int = 40
    method: str = "ward"
    seed: int = 1
    epochs: int = 60


@dataclass(frozen=True)
class Node:
    """A cluster of the tree: how many images, of which labels, the rows nearest to its middle, and what it divides into."""

    number: int
    size: int
    labels: dict[str, int]
    representatives: tuple[int, ...]
    children: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Curve:
    """Agreement with the labels over the number of clusters."""

    name: str
    counts: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Study:
    """`rows` are the places of the features that were used, all of them or a sample of `maximum`."""

    rows: NDArray[np.int_]
    dimensions: tuple[DimensionAt, ...]
    coding: Coding
    trees: dict[str, NDArray[np.float64]]
    curves: tuple[Curve, ...]
    root: Node
    labels: tuple[str, ...]
    settings: Settings = field(default_factory=Settings)

    def summary(self) -> dict[str, Any]:
        """The figures as JSON; `representatives` are places in the features that were given."""
        best = {curve.name: max(zip(curve.values, curve.counts, strict=True)) for curve in self.curves}
        return {
            "images": len(self.rows),
            "dimension": self.dimensions[0].mean,
            "dimensions": [asdict(one) for one in self.dimensions],
            "coding_size": self.coding.codes.shape[1],
            "explained": self.coding.explained,
            "best": {name: {"agreement": value, "clusters": count} for name, (value, count) in best.items()},
            "curves": [asdict(one) for one in self.curves],
            "tree": asdict(self.root),
            "settings": asdict(self.settings),
        }


def run_study(features: NDArray[np.floating], labels: Sequence[str], settings: Settings) -> Study:
    """Study `features` (N, F) of images with `labels` (N,), "" for those without one. Above the maximum a sample is drawn.

    Raises PipelineError for fewer than 20 images, or a method or a maximum that is not known.
    """
    _check(len(features), settings)
    rows = _sample(len(features), settings)
    chosen = features[rows].astype(np.float32)
    dimensions = scree(chosen, seed=settings.seed)
    size = settings.coding_size or max(1, round(dimensions[0].mean))
    coding = encode(chosen, size, seed=settings.seed, epochs=settings.epochs)
    trees = {method: clustering.tree_of(coding.codes, method) for method in clustering.METHODS}
    names = tuple(labels[row] for row in rows)
    return Study(
        rows=rows,
        dimensions=dimensions,
        coding=coding,
        trees=trees,
        curves=_curves(trees, names, settings),
        root=_walkable(trees[settings.method], coding.codes, rows, names, settings),
        labels=names,
        settings=settings,
    )


def _check(count: int, settings: Settings) -> None:
    if count < FEWEST_POINTS:
        raise PipelineError(
            "too-few-images",
            f"{count} images are too few for a study, it needs {FEWEST_POINTS}. Widen the range of scales.",
        )
    if settings.method not in clustering.METHODS:
        raise PipelineError("unknown-method", f"The tree is one of: {', '.join(clustering.METHODS)}.")
    if not FEWEST_POINTS <= settings.maximum <= clustering.MOST_POINTS:
        raise PipelineError(
            "too-many-images", f"A study takes from {FEWEST_POINTS} to {clustering.MOST_POINTS} images."
        )


def _sample(count: int, settings: Settings) -> NDArray[np.int_]:
    if count <= settings.maximum:
        return np.arange(count)
    return np.sort(np.random.default_rng(settings.seed).choice(count, settings.maximum, replace=False))


def _curves(trees: dict[str, NDArray[np.float64]], names: Sequence[str], settings: Settings) -> tuple[Curve, ...]:
    """Of the images with a label; none where there are fewer than two labels."""
    known = np.array([bool(name) for name in names])
    _, numbers = np.unique([name for name in names if name], return_inverse=True)
    if len(set(numbers.tolist())) < 2:
        return ()
    most = min(len(names), MOST_CURVE_CLUSTERS)
    counts = tuple(dict.fromkeys(int(count) for count in np.geomspace(2, most, 24).round()))
    found = [
        Curve(
            method,
            counts,
            tuple(clustering.agreement(numbers, clustering.cut(tree, count)[known]) for count in counts),
        )
        for method, tree in trees.items()
    ]
    scenarios = {
        "good": lambda count: clustering.good_scenario(numbers, count),
        "uniform": lambda count: clustering.uniform_scenario(numbers, count, seed=settings.seed),
    }
    for name, deal in scenarios.items():
        found.append(Curve(name, counts, tuple(clustering.agreement(numbers, deal(count)) for count in counts)))
    return tuple(found)


def _walkable(
    tree: NDArray[np.float64],
    codes: NDArray[np.float32],
    rows: NDArray[np.int_],
    names: Sequence[str],
    settings: Settings,
) -> Node:
    """The top of a tree, down to `leaves` clusters."""
    points = len(tree) + 1
    joins = points - min(settings.leaves, points)
    members = {number: [number] for number in range(points)}
    for row in range(joins):
        first, second = tree[row, :2].astype(int)
        members[points + row] = members.pop(first) + members.pop(second)
    nodes = {number: _node(number, held, codes, rows, names) for number, held in members.items()}
    for row in range(joins, len(tree)):
        first, second = tree[row, :2].astype(int)
        members[points + row] = members.pop(first) + members.pop(second)
        children = (nodes.pop(first), nodes.pop(second))
        nodes[points + row] = _node(points + row, members[points + row], codes, rows, names, children)
    return nodes[max(nodes)]


def _node(
    number: int,
    held: list[int],
    codes: NDArray[np.float32],
    rows: NDArray[np.int_],
    names: Sequence[str],
    children: tuple[Node, ...] = (),
) -> Node:
    places = np.array(held)
    middle = codes[places].mean(axis=0)
    nearest = places[np.argsort(((codes[places] - middle) ** 2).sum(axis=1))[:REPRESENTATIVES]]
    counts: dict[str, int] = {}
    for place in held:
        counts[names[place]] = counts.get(names[place], 0) + 1
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return Node(number, len(held), ordered, tuple(int(rows[place]) for place in nearest), children)
