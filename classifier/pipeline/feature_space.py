"""Where pictures lie among those a model was trained on: how strange they are, and near which others. numpy only.

N pictures, F features, C categories. Features are the pooled ones of `Outputs`.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.results import Floats

_SHARE_WITHIN = 98.0  # percent of known pictures that are not strange; of few hundreds the rarest are no measure
_VARIANCE_KEPT = 0.99
_MOST_DIRECTIONS = 128
_ROUNDS = 30
_PARTS = ("centre", "directions", "class_centres", "distance_limit", "rest_limit", "limit", "cells")


@dataclass(frozen=True)
class FeatureSpace:
    """Statistics of the features of training pictures.

    `centre` (F,); `directions` (F, D) whiten: after them the pictures of each category vary by about 1 each way;
    `class_centres` (C, D) in those directions; `cells` (K, F) of length 1, the centres of K groups of directions of features.
    Limits are 98th percentiles over known pictures.
    """

    centre: Floats
    directions: Floats
    class_centres: Floats
    distance_limit: float
    rest_limit: float
    limit: float
    cells: Floats

    def strangeness(self, features: Floats) -> Floats:
        """(N,) for features (N, F): from 0 on, 1 being the limit that 98 of 100 known pictures keep.

        The worse of two: the distance to the nearest category (Mahalanobis; Lee et al. 2018), and what lies outside of all
        directions in which known pictures vary (Wang et al. 2022, ViM).
        """
        distances, rests = self.distances(features)
        worse = np.maximum(distances / self.distance_limit, rests / self.rest_limit)
        return np.asarray(worse / self.limit, np.float32)

    def cells_of(self, features: Floats) -> NDArray[np.int64]:
        """(N,) the number of the nearest cell of each row of features (N, F)."""
        return np.asarray(features @ self.cells.T).argmax(axis=1)

    def to_bytes(self) -> bytes:
        """A `.npz` archive of plain arrays."""
        target = io.BytesIO()
        np.savez_compressed(target, allow_pickle=False, **{name: np.float32(getattr(self, name)) for name in _PARTS})
        return target.getvalue()

    @cached_property
    def _basis(self) -> NDArray[np.float64]:
        """(F, D): the directions, of length 1 and at right angles."""
        return np.linalg.qr(self.directions.astype(np.float64))[0]

    def distances(self, features: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N,) to the nearest category, and (N,) the length of what the directions do not hold."""
        centred = np.asarray(features, np.float64) - self.centre
        inside = centred @ self.directions
        squares = (inside**2).sum(axis=1)[:, None] - 2 * inside @ self.class_centres.T
        squares += (self.class_centres**2).sum(axis=1)
        rests = (centred**2).sum(axis=1) - ((centred @ self._basis) ** 2).sum(axis=1)
        return np.sqrt(np.maximum(squares.min(axis=1), 0.0)), np.sqrt(np.maximum(rests, 0.0))


def read_feature_space(data: bytes) -> FeatureSpace:
    """The opposite of `to_bytes`. Raises `ModelRefused` for anything else; nothing is unpickled."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            parts = {name: archive[name].astype(np.float32) for name in _PARTS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelRefused(
            "bad-statistics", "The statistics of the features in this release cannot be read."
        ) from error
    return FeatureSpace(**{name: part if part.ndim else float(part) for name, part in parts.items()})  # type: ignore[arg-type]


def fit_feature_space(
    features: Floats, labels: NDArray[np.integer], known: Floats, *, cells: int = 32, seed: int = 0
) -> FeatureSpace:
    """From features (N, F) and labels (N,) of training pictures; limits from `known` (M, F), pictures of the same kind that were
    not trained on, because a network knows those that were too well."""
    features = np.asarray(features, np.float64)
    numbers = np.asarray(labels)
    present = np.unique(numbers)
    means = np.stack([features[numbers == number].mean(axis=0) for number in present])
    centre = features.mean(axis=0)
    directions = _whitening(features - means[np.searchsorted(present, numbers)], features - centre)
    class_centres = (means - centre) @ directions
    space = FeatureSpace(
        centre=centre.astype(np.float32),
        directions=directions.astype(np.float32),
        class_centres=class_centres.astype(np.float32),
        distance_limit=1.0,
        rest_limit=1.0,
        limit=1.0,
        cells=_cells(features.astype(np.float32), cells, seed),
    )
    distances, rests = space.distances(known)
    space = replace(space, distance_limit=_high(distances), rest_limit=_high(rests))
    return replace(space, limit=_high(space.strangeness(known)))


def _high(values: NDArray[np.floating]) -> float:
    return max(float(np.percentile(values, _SHARE_WITHIN)), 1e-6)


def _whitening(within: NDArray[np.float64], around: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F, D): the directions that hold 99 % of all variance, each divided by how pictures of one category vary in it."""
    variances, vectors = np.linalg.eigh(around.T @ around / len(around))
    variances, vectors = variances[::-1], vectors[:, ::-1]
    needed = int(np.searchsorted(np.cumsum(variances), _VARIANCE_KEPT * variances.sum())) + 1
    kept = vectors[:, : min(needed, _MOST_DIRECTIONS)]
    spread = within @ kept
    covariance = spread.T @ spread / len(spread)
    covariance += np.eye(len(covariance)) * max(1e-3 * float(np.trace(covariance)) / len(covariance), 1e-12)
    return np.asarray(kept @ np.linalg.inv(np.linalg.cholesky(covariance)).T)


def unit_length(features: Floats) -> Floats:
    """Rows of features (N, F) scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12), np.float32)


def _cells(features: Floats, count: int, seed: int) -> Floats:
    """Centres of length 1 of groups of like directions, by Lloyd's rounds from randomly chosen pictures."""
    units = unit_length(features)
    chosen = np.random.default_rng(seed).choice(len(units), size=min(count, len(units)), replace=False)
    centres = units[chosen]
    for _ in range(_ROUNDS):
        nearest = (units @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, units)
        is_empty = np.bincount(nearest, minlength=len(centres)) == 0
        sums[is_empty] = centres[is_empty]
        centres = unit_length(sums)
    return centres
