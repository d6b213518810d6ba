"""Trains a network on prepared pictures: batches, checkpoints, logs. What is learnt is judged in `evaluation.py`.

After each epoch a checkpoint with the state of the optimiser is written whole or not at all, so that a run that was killed
goes on after its last finished epoch.
"""

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from classifier.pipeline import networks
from classifier.pipeline.results import Grey
from classifier.pipeline.training.recipes import Mode, Recipe
from classifier.pipeline.training.strange import scenes

KEPT_CHECKPOINTS = 2
LARGEST_CLASS_WEIGHT = 10.0
_SCENES = 512
_SCENES_IN_BATCH = 8  # one for so many pictures
Say = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """A part of a data set: `pictures` uint8 (N, side, side), on disk for large ones; `labels` (N,) from 0 on; `rows` the
    pictures that belong to the part."""

    pictures: Grey
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]


class Batches(keras.utils.PyDataset):
    """Batches of one size, in an order that follows from seed and epoch, so that resumed runs see the same. With the recipe's
    `shows_scenes` each has some pictures more for which all classes are equally right."""

    def __init__(self, part: Part, recipe: Recipe, weights: NDArray[np.float32]) -> None:
        super().__init__(workers=min(os.cpu_count() or 1, 8), max_queue_size=16)
        self.part, self.recipe, self.class_weights = part, recipe, weights
        self.epoch = 0
        self.scenes = scenes(np.random.default_rng(recipe.seed), _SCENES, recipe.side) if recipe.shows_scenes else None

    def __len__(self) -> int:
        return max(len(self.part.rows) // self.recipe.batch, 1)

    def __getitem__(self, index: int) -> tuple[Grey, NDArray[np.float32], NDArray[np.float32]]:
        size = self.recipe.batch
        rows = np.random.default_rng([self.recipe.seed, self.epoch]).permutation(self.part.rows)
        rows = rows[index * size : (index + 1) * size]
        rng = np.random.default_rng([self.recipe.seed, self.epoch, index])
        labels = self.part.labels[rows]
        pictures, weights = self.part.pictures[rows], self.class_weights[labels]
        targets = np.eye(len(self.class_weights), dtype=np.float32)[labels]
        if self.scenes is not None:
            shown = self.scenes[rng.integers(0, len(self.scenes), size // _SCENES_IN_BATCH)]
            pictures = np.concatenate([pictures, shown])
            targets = np.concatenate(
                [targets, np.full((len(shown), targets.shape[1]), 1 / targets.shape[1], np.float32)]
            )
            weights = np.concatenate([weights, np.ones(len(shown), np.float32)])
        if self.recipe.is_augmented:
            pictures = np.stack([augment(rng, picture) for picture in pictures])
        return pictures[..., None], targets, weights


class Examination(keras.utils.PyDataset):
    """The pictures of a part as they are, in their order."""

    def __init__(self, part: Part, classes: int, batch: int) -> None:
        super().__init__(workers=2)
        self.part, self.classes, self.batch = part, classes, batch

    def __len__(self) -> int:
        return -(-len(self.part.rows) // self.batch)

    def __getitem__(self, index: int) -> tuple[Grey, NDArray[np.float32]]:
        rows = self.part.rows[index * self.batch : (index + 1) * self.batch]
        return self.part.pictures[rows][..., None], np.eye(self.classes, dtype=np.float32)[self.part.labels[rows]]


def augment(rng: Generator, picture: Grey) -> Grey:
    """The picture (side, side) as another microscope might have taken it: mirrored, a quarter turned, cut closer, brighter or
    darker, with more or less contrast. Sizes stay."""
    from PIL import Image

    side = len(picture)
    if rng.random() < 0.6:
        kept = int(side * rng.uniform(0.7, 1.0))
        top, left = rng.integers(0, side - kept + 1, 2)
        cut = Image.fromarray(np.ascontiguousarray(picture[top : top + kept, left : left + kept]))
        picture = np.asarray(cut.resize((side, side), Image.Resampling.BILINEAR))
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.5:
        picture = np.rot90(picture, int(rng.integers(1, 4)))
    contrast, brightness = float(np.exp(rng.normal(0, 0.2))), rng.normal(0, 20)
    levels = np.clip((np.arange(256) - 128) * contrast + 128 + brightness, 0, 255).astype(np.uint8)
    return levels[picture]


def class_weights(labels: NDArray[np.int64], classes: int, *, is_balanced: bool) -> NDArray[np.float32]:
    """The weight of each class: the rarer the heavier, at most `LARGEST_CLASS_WEIGHT`, 1 where they are not balanced."""
    counts = np.bincount(labels, minlength=classes)
    balanced = np.minimum(len(labels) / (classes * np.maximum(counts, 1)), LARGEST_CLASS_WEIGHT)
    return (balanced if is_balanced else np.ones(classes)).astype(np.float32)


def fit(recipe: Recipe, classes: int, training: Part, validation: Part, folder: Path, say: Say) -> keras.Model:
    """The network after the epoch that was best on `validation`, float32. Continues what `folder` holds of the same recipe."""
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        weights = Path(recipe.weights) if recipe.weights else None
        model = networks.build(recipe.architecture, recipe.side, classes, weights=weights)
    finally:
        keras.config.set_dtype_policy("float32")
    if recipe.mode is Mode.FINETUNE:
        networks.freeze_until(model, recipe.free_after)
    trained = keras.Model(model.input, model.output["logits"])
    balance = class_weights(training.labels[training.rows], classes, is_balanced=recipe.is_balanced)
    batches = Batches(training, recipe, balance)
    compile_for(trained, recipe, len(batches))
    keeper = Keeper(trained, folder, batches, say)
    keeper.restore()
    if keeper.epoch < recipe.epochs:
        trained.fit(
            batches,
            validation_data=Examination(validation, classes, recipe.batch),
            epochs=recipe.epochs,
            initial_epoch=keeper.epoch,
            callbacks=[keeper, *_tensorboard(folder)],
            verbose=0,
        )
    trained.load_weights(folder / "best.weights.h5")
    return in_full_precision(model, recipe, classes)


def in_full_precision(model: keras.Model, recipe: Recipe, classes: int) -> keras.Model:
    """The same network with the same weights, computing in float32, whatever it was trained in."""
    plain = networks.build(recipe.architecture, recipe.side, classes)
    plain.set_weights(model.get_weights())
    return plain


def compile_for(model: keras.Model, recipe: Recipe, steps: int) -> None:
    """AdamW, whose rate rises through a tenth of the training and falls along a cosine."""
    total = steps * recipe.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.rate / 100, max(total - total // 10, 1), warmup_target=recipe.rate, warmup_steps=max(total // 10, 1)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=5.0),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def _tensorboard(folder: Path) -> Sequence[keras.callbacks.Callback]:
    """TensorBoard's logs need TensorFlow; the table `history.csv` is written by every backend."""
    if keras.backend.backend() != "tensorflow":
        return []
    return [keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)]


class Keeper(keras.callbacks.Callback):
    """Writes a checkpoint and a line of `history.csv` after each epoch, keeps the best weights, and restores all of it."""

    def __init__(self, trained: keras.Model, folder: Path, batches: Batches, say: Say) -> None:
        super().__init__()
        self.trained, self.folder, self.batches, self.say = trained, folder, batches, say
        self.history: list[dict[str, float]] = []

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history)

    def restore(self) -> None:
        """Go on after the last finished epoch, if there is one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = sorted(self.folder.glob("epoch-*.weights.h5"))
        if not found:
            return
        self.trained.optimizer.build(self.trained.trainable_variables)
        self.trained.load_weights(found[-1])
        finished = int(found[-1].name[6:10])
        with (self.folder / "history.csv").open() as file:
            lines = [{name: float(value) for name, value in line.items()} for line in csv.DictReader(file)]
        self.history = lines[:finished]
        self.say(f"Goes on after epoch {finished}.")

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.batches.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        best = min((line["val_loss"] for line in self.history), default=np.inf)
        self.history.append({"epoch": float(epoch + 1), **figures})
        if figures["val_loss"] < best:
            self._write("best.weights.h5")
        self._write_history()
        # The checkpoint last: it is what counts as a finished epoch.
        self._write(f"epoch-{epoch + 1:04d}.weights.h5")
        for old in sorted(self.folder.glob("epoch-*.weights.h5"))[:-KEPT_CHECKPOINTS]:
            old.unlink()
        self.say(f"Epoch {epoch + 1}: " + ", ".join(f"{name} {value:.4f}" for name, value in figures.items()))

    def _write(self, name: str) -> None:
        temporary = self.folder / f"new-{name}"
        self.trained.save_weights(temporary)
        os.replace(temporary, self.folder / name)

    def _write_history(self) -> None:
        temporary = self.folder / "new-history.csv"
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.history[-1]))
            writer.writeheader()
            writer.writerows(self.history)
        os.replace(temporary, self.folder / "history.csv")
