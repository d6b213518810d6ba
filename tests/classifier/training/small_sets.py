"""Small labelled sets on disk for tests of training: three categories, pictures of 64 pixels, without banners."""

from pathlib import Path

import numpy as np
from PIL import Image

from classifier.pipeline.labels import FOLDERS, NAMES
from classifier.pipeline.synthetic import make_picture
from classifier.pipeline.training.data import LabelledSet, read_nffa

CATEGORIES = ("Biological", "Patterned surfaces", "Tips")


def write_tree(folder: Path, per_category: int, seed: int = 3) -> Path:
    """PNGs in the layout of the NFFA-EUROPE set."""
    rng = np.random.default_rng(seed)
    for category in CATEGORIES:
        number = NAMES.index(category)
        place = folder / FOLDERS[number]
        place.mkdir(parents=True)
        for image in range(per_category):
            Image.fromarray(make_picture(rng, category, (64, 64))).save(place / f"L{number}_{image:032x}.png")
    return folder


def small_set(folder: Path, per_category: int = 24) -> LabelledSet:
    return read_nffa(write_tree(folder / "tree", per_category), folder / "scratch", say=lambda text: None)
