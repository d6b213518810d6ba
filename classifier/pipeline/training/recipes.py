"""How a network is trained: the settings, their usual values for each mode, and which of them do not go together."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from classifier.pipeline.errors import ModelRefused


class Mode(StrEnum):
    """From random weights; only the head, on features of given weights; all or some blocks, from given weights."""

    SCRATCH = "scratch"
    FEATURES = "features"
    FINETUNE = "finetune"


@dataclass(frozen=True)
class Recipe:
    """`rate` is the highest learning rate; `free_after` the block of the base after which layers are trained ("" is all of
    them); `weights` the file that training begins with; `precision` a policy of Keras ("float32", "mixed_bfloat16", …). With
    `groups_by_features` pictures that the given weights find alike are kept in one part. With `shows_scenes` the network sees
    pictures of no sample too, see `strange.py`."""

    architecture: str
    mode: Mode
    side: int
    epochs: int
    batch: int
    rate: float
    seed: int = 0
    free_after: str = ""
    weights: str = ""
    is_augmented: bool = True
    is_balanced: bool = True
    precision: str = "float32"
    groups_by_features: bool = False
    shows_scenes: bool = False

    def write(self, path: Path, data_digest: str) -> None:
        """The recipe and the data that it was used with, for those who resume."""
        path.write_text(json.dumps({**asdict(self), "data": data_digest}, indent=2) + "\n")

    def is_that_of(self, path: Path, data_digest: str) -> bool:
        stored: dict[str, Any] = json.loads(path.read_text())
        return stored == json.loads(json.dumps({**asdict(self), "data": data_digest}))


_USUAL: dict[Mode, dict[str, Any]] = {
    Mode.SCRATCH: {"epochs": 60, "batch": 32, "rate": 1e-3},
    Mode.FEATURES: {"epochs": 1, "batch": 32, "rate": 0.0},
    Mode.FINETUNE: {"epochs": 20, "batch": 32, "rate": 1e-4},
}


def make_recipe(architecture: str, mode: Mode, side: int, **chosen: Any) -> Recipe:
    """The usual recipe of a mode with what was `chosen`, None being "as usual". Raises `ModelRefused` for one that makes no
    sense: features or fine tuning without weights, and weights for training from scratch."""
    usual = Recipe(architecture, mode, side, **_USUAL[mode])
    recipe = replace(usual, **{name: value for name, value in chosen.items() if value is not None})
    if mode is not Mode.SCRATCH and not recipe.weights:
        raise ModelRefused(
            "weights-needed",
            f"The mode {mode} begins with weights: name a file of them. Features of random weights say nothing.",
        )
    if mode is Mode.SCRATCH and (recipe.weights or recipe.free_after or recipe.groups_by_features):
        raise ModelRefused(
            "weights-unwanted",
            "Training from scratch takes no weights, trains all layers, and has no features to group by.",
        )
    if mode is Mode.FEATURES and recipe.shows_scenes:
        raise ModelRefused(
            "scenes-unwanted", "A head on given features is not shown scenes: that is for training and fine tuning."
        )
    if min(recipe.epochs, recipe.batch) < 1:
        raise ModelRefused("empty-training", "There must be at least one epoch, and one picture in a batch.")
    return recipe
