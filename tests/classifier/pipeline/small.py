"""A small model without any framework, whole as a release and as a run-time: what classifying needs of both."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifier.pipeline.errors import OutOfMemory
from classifier.pipeline.feature_space import fit_feature_space
from classifier.pipeline.releases import KERAS_FILE, SPACE_FILE, Manifest, Release, write_release
from classifier.pipeline.results import Floats, Grey, Outputs
from classifier.pipeline.runtimes import Runtime

SIDE, FEATURES = 32, 8
LABELS = ("dark", "bright", "striped")


def pictures(rng: np.random.Generator, count: int) -> tuple[Grey, np.ndarray]:
    """`count` noisy pictures (SIDE, SIDE) of the three LABELS in turn, and the numbers of their labels."""
    labels = np.arange(count) % 3
    levels = np.array([60, 190, 125])[labels][:, None, None] + rng.normal(0, 6, (count, SIDE, SIDE))
    levels[labels == 2, ::2] += 60
    levels[labels == 2, 1::2] -= 60
    return np.clip(levels, 0, 255).astype(np.uint8), labels


def features_of(batch: Grey) -> Floats:
    """Means of eight strips, which no neighbouring rows of a stripe share."""
    return batch.reshape(len(batch), -1, FEATURES, SIDE).mean(axis=(1, 3)).astype(np.float32) / 255


class SmallRuntime(Runtime):
    """Says that there is no memory for batches of more than `fits`, and remembers which sizes it ran."""

    name = "numpy"

    def __init__(self, batch_sizes: Sequence[int] = (1, 8), fits: int = 1000) -> None:
        self.batch_sizes = tuple(batch_sizes)
        self.fits = fits
        self.ran: list[int] = []

    def run(self, batch: Grey, *, with_maps: bool = False) -> Outputs:
        if len(batch) > self.fits:
            raise OutOfMemory("out-of-memory", f"There is no memory for {len(batch)} pictures at once.")
        self.ran.append(len(batch))
        features = features_of(batch)
        mean, stripes = features.mean(axis=1), features[:, ::2].mean(axis=1) - features[:, 1::2].mean(axis=1)
        logits = np.stack([10 * (0.45 - mean), 10 * (mean - 0.55), 20 * stripes - 3], axis=1).astype(np.float32)
        maps = np.repeat(np.repeat(logits[:, None, None], 4, axis=1), 4, axis=2) if with_maps else None
        return Outputs(logits, features, maps)


def small_release(folder: Path, **changes: object) -> Release:
    rng = np.random.default_rng(0)
    (seen, labels), (held_out, _) = pictures(rng, 300), pictures(rng, 150)
    space = fit_feature_space(features_of(seen), labels, features_of(held_out), cells=6)
    values = {
        "name": "small", "release": "1", "architecture": "strips", "labels": LABELS, "input_side": SIDE,
        "feature_count": FEATURES, "temperature": 1.5, "abstain_below": 0.6,
    }  # fmt: skip
    manifest = Manifest(**{**values, **changes})
    return write_release(folder, manifest, {KERAS_FILE: b"not looked at", SPACE_FILE: space.to_bytes()})
