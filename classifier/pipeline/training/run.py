"""A whole training: prepares pictures, divides them, trains, and writes the release with report and card.

Everything that takes long is kept in a work folder and used again by a run that resumes. How a model is judged stands in
`judging.py`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from classifier.pipeline import networks, releases
from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.labels import NAMES
from classifier.pipeline.results import Floats, Grey
from classifier.pipeline.training import features, fitting
from classifier.pipeline.training.cache import Read, cached_pictures
from classifier.pipeline.training.data import LabelledSet
from classifier.pipeline.training.recipes import Mode, Recipe
from classifier.pipeline.training.splits import Split

Say = Callable[[str], None]
LARGEST_GROUP = 0.2  # share of all pictures that may be near duplicates of each other


@dataclass(frozen=True)
class Naming:
    """What the release shall be called, what it was trained on, and by which command. `reference` is a DOI or an address."""

    name: str
    release: str
    command: str
    data: str
    reference: str = ""
    licence: str = ""
    is_demonstration: bool = False


@dataclass(frozen=True)
class Run:
    """One training. `work` is the folder for everything that is kept on the way."""

    recipe: Recipe
    data: LabelledSet
    naming: Naming
    work: Path
    say: Say

    @property
    def names(self) -> tuple[str, ...]:
        """The classes in the order of the logits: those of the NFFA-EUROPE set first, then others by name."""
        found = set(self.data.labels)
        return tuple([name for name in NAMES if name in found] + sorted(found - set(NAMES)))

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) the place of each picture's class in `names`."""
        place = {name: number for number, name in enumerate(self.names)}
        return np.asarray([place[label] for label in self.data.labels], np.int64)

    def pictures(self) -> Grey:
        """All pictures (N, side, side) without their banners."""
        return cached_pictures(self._path("pictures"), self.reads(), self.recipe.side, self.say)

    def pictures_with_banner(self, rows: NDArray[np.int64]) -> Grey:
        reads = self.reads()
        chosen = [reads[row] for row in rows]
        return cached_pictures(self._path("with-banner"), chosen, self.recipe.side, self.say, keeps_banner=True)

    def reads(self) -> list[Read]:
        return [image.read for image in self.data.images]

    def _path(self, what: str) -> Path:
        return self.work / f"{what}-{self.data.report.digest[:12]}-{self.recipe.side}.npy"


@dataclass(frozen=True)
class Trained:
    """A trained model, the features (N, F) that it gives for all pictures, and the parts that these were divided into."""

    model: keras.Model
    features: Floats
    split: Split


def train_release(recipe: Recipe, data: LabelledSet, naming: Naming, folder: Path, say: Say) -> releases.Release:
    """Train and write `folder`/release. A run of the same recipe and data goes on with what is in `folder`/work. Raises
    `ModelRefused` for a part without pictures of a class, another recipe in the folder, and an int8 model that disagrees."""
    from classifier.pipeline.training.judging import judge

    run = Run(recipe, data, naming, folder / "work", say)
    run.work.mkdir(parents=True, exist_ok=True)
    _claim(run)
    pictures = run.pictures()
    split = _divided(run, pictures)
    model = _trained(run, pictures, split)
    path = run.work / releases.KERAS_FILE
    model.save(path)
    found = features.pooled_features(model, pictures, run.work / f"features-{sha256_of(path)[:12]}.npy", say)
    say("Judges the model.")
    manifest, files = judge(run, Trained(model, found, split), pictures)
    return releases.write_release(folder / "release", manifest, files)


def _claim(run: Run) -> None:
    path = run.work / "recipe.json"
    if path.exists() and not run.recipe.is_that_of(path, run.data.report.digest):
        raise ModelRefused(
            "other-recipe",
            "The folder holds a training with other settings or other data. Name another folder, or remove it.",
        )
    run.recipe.write(path, run.data.report.digest)
    run.data.report.write(run.work / "data.json")


def _divided(run: Run, pictures: Grey) -> Split:
    """The parts. Where the recipe says so, pictures whose features of the given weights are alike stay together too."""
    data = run.data
    if run.recipe.groups_by_features:
        data = data.grouped_by_features(_features_of_given_weights(run, _given(run), pictures))
        largest = int(np.bincount(data.groups).max())
        if largest > LARGEST_GROUP * len(data.groups):
            raise ModelRefused(
                "groups-too-large",
                f"By these weights {largest} of {len(data.groups)} pictures resemble each other, which leaves nothing to divide. "
                "Group by features of weights of another task (ImageNet), or not at all.",
            )
    split = data.split(seed=run.recipe.seed)
    for part, rows in parts_of(split).items():
        missing = set(range(len(run.names))) - set(run.labels[rows].tolist())
        if missing:
            raise ModelRefused(
                "too-few-pictures",
                f"The {part} part has no picture of {run.names[min(missing)]}: there are too few of them.",
            )
    _keep_parts(run, split)
    return split


def _keep_parts(run: Run, split: Split) -> None:
    """A run that resumes judges on pictures that the one before did not train on: its parts must be the same."""
    path = run.work / "parts.npy"
    if path.exists() and not np.array_equal(np.load(path, allow_pickle=False), split.parts()):
        raise ModelRefused(
            "other-parts", "The pictures are divided in another way than when this training began. Name another folder."
        )
    np.save(path, split.parts(), allow_pickle=False)


def parts_of(split: Split) -> dict[str, NDArray[np.int64]]:
    """The rows of each part by its name."""
    return {"training": split.training, "validation": split.validation, "test": split.test}


def _trained(run: Run, pictures: Grey, split: Split) -> keras.Model:
    if run.recipe.mode is not Mode.FEATURES:
        training, validation = (fitting.Part(pictures, run.labels, rows) for rows in (split.training, split.validation))
        return fitting.fit(run.recipe, len(run.names), training, validation, run.work / "checkpoints", run.say)
    model = _given(run)
    found = _features_of_given_weights(run, model, pictures)
    features.train_head(
        model, found, run.labels, split.training, split.validation, is_balanced=run.recipe.is_balanced, say=run.say
    )
    return model


def _given(run: Run) -> keras.Model:
    keras.utils.set_random_seed(run.recipe.seed)
    weights = Path(run.recipe.weights)
    return networks.build(run.recipe.architecture, run.recipe.side, len(run.names), weights=weights)


def _features_of_given_weights(run: Run, model: keras.Model, pictures: Grey) -> Floats:
    digest = sha256_of(Path(run.recipe.weights))[:12]
    path = run.work / f"features-of-{digest}-{run.data.report.digest[:12]}-{run.recipe.side}.npy"
    return features.pooled_features(model, pictures, path, run.say)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def shown_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe for manifest and report: of the weights the file's name and SHA-256, not where it lay."""
    shown = replace(recipe, weights=Path(recipe.weights).name)
    return {**asdict(shown), "weights_sha256": sha256_of(Path(recipe.weights)) if recipe.weights else ""}
