"""Brings together what a training needs: labelled images from where the operator says, a recipe, names. The training itself is
`classifier/pipeline/training/`."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalogue.access import SYSTEM
from catalogue.errors import InvalidInput
from classifier.pipeline.releases import Release
from classifier.pipeline.training.data import LabelledSet, examine, read_nffa
from classifier.pipeline.training.recipes import Mode, make_recipe
from classifier.services.training_data import verified_images

Say = Callable[[str], None]
SYNTHETIC_SHAPE = (384, 512)
_DATA_OF_NFFA = "Images in the layout of the NFFA-EUROPE SEM data set"
_DATA_OF_CATALOGUE = "Images of open data sets of the catalogue whose category a person verified"
_DATA_SYNTHETIC = "Synthetic images, drawn by the software itself"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an operator asks for; None is "as usual". One of `nffa`, `catalogue` and `synthetic` says where images come from."""

    output: Path
    nffa: Path | None = None
    catalogue: bool = False
    synthetic: int | None = None
    resume: bool = False
    architecture: str = "inception-v3"
    mode: str = "finetune"
    weights: Path | None = None
    free_after: str | None = None
    side: int | None = None
    epochs: int | None = None
    batch: int | None = None
    rate: float | None = None
    seed: int = 0
    precision: str = "float32"
    no_augmentation: bool = False
    no_class_weights: bool = False
    group_by_features: bool = False
    show_scenes: bool = False
    name: str | None = None
    release: str = "1"
    reference: str = ""
    licence: str = ""
    command: str = ""


def train(wanted: Wanted, *, say: Say) -> Release:
    """Train as wanted and write the release. Raises InvalidInput and the errors of the pipeline."""
    from classifier.pipeline.networks import ARCHITECTURES
    from classifier.pipeline.training.run import Naming, train_release

    _check_output(wanted)
    recipe = make_recipe(
        wanted.architecture,
        Mode(wanted.mode),
        wanted.side or ARCHITECTURES[wanted.architecture].side,
        epochs=wanted.epochs,
        batch=wanted.batch,
        rate=wanted.rate,
        seed=wanted.seed,
        free_after=wanted.free_after,
        weights=str(wanted.weights) if wanted.weights else None,
        is_augmented=not wanted.no_augmentation,
        is_balanced=not wanted.no_class_weights,
        precision=wanted.precision,
        groups_by_features=wanted.group_by_features,
        shows_scenes=wanted.show_scenes,
    )
    data, described = _collect(wanted, say)
    naming = Naming(
        name=wanted.name or wanted.architecture,
        release=wanted.release,
        command=wanted.command,
        data=described,
        reference=wanted.reference,
        licence=wanted.licence,
        is_demonstration=wanted.synthetic is not None,
    )
    return train_release(recipe, data, naming, wanted.output, say)


def _check_output(wanted: Wanted) -> None:
    if (wanted.output / "release").exists():
        raise InvalidInput(f"{wanted.output} holds a finished release. Name another folder.", code="release-exists")
    if (wanted.output / "work").exists() and not wanted.resume:
        raise InvalidInput(
            f"{wanted.output} holds a training that was begun: go on with it by --resume, or name another folder.",
            code="training-begun",
        )
    if wanted.weights and not wanted.weights.is_file():
        raise InvalidInput(f"There is no file {wanted.weights}.", code="weights-missing")


def _collect(wanted: Wanted, say: Say) -> tuple[LabelledSet, str]:
    """The images that can be used, and in a few words what they are."""
    work, processes = wanted.output / "work", len(os.sched_getaffinity(0))
    if wanted.catalogue:
        # What a model has seen it can tell: images that are closed are not for it.
        images, missing = verified_images(actor=SYSTEM, folder=work / "originals", only_open=True)
        say(f"{len(images)} verified images of open data; {len(missing)} more cannot be read now")
        if not images:
            raise InvalidInput("No image of open data has a category yet that a person verified.", code="no-images")
        return examine(images, processes=processes, say=say), _DATA_OF_CATALOGUE
    if wanted.synthetic is not None:
        folder = _draw_images(work / "synthetic", wanted.synthetic, wanted.seed, say)
        return read_nffa(folder, work / "archives", processes=processes, say=say), _DATA_SYNTHETIC
    assert wanted.nffa is not None
    return read_nffa(wanted.nffa, work / "archives", processes=processes, say=say), _DATA_OF_NFFA


def _draw_images(folder: Path, per_category: int, seed: int, say: Say) -> Path:
    from classifier.pipeline.synthetic import write_nffa_tree

    if not folder.exists():
        say(f"Draws {per_category} images of each category.")
        unfinished = folder.with_name("new-synthetic")
        shutil.rmtree(unfinished, ignore_errors=True)
        rng = np.random.default_rng(seed)
        write_nffa_tree(unfinished, rng, per_category, with_flaws=False, shape=SYNTHETIC_SHAPE)
        unfinished.rename(folder)
    return folder
