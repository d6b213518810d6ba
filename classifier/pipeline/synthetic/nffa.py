"""Writes synthetic images in the layout of the NFFA-EUROPE SEM data set, with the flaws that real copies of it have.

One folder for each category, in it JPEGs named L<label>_<MD5>.jpg, grey in three channels, banner not removed, no tags
(specification of the classifier, section 2).
"""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from catalogue.demo.microscope_files import SYNTHETIC
from catalogue.demo.pictures import Shape
from classifier.pipeline.labels import FOLDERS, NAMES
from classifier.pipeline.results import Grey
from classifier.pipeline.synthetic.images import STYLES, make_image

_STRAY = "Thumbs.db"


@dataclass
class NffaTree:
    """What was written: good images, and the files that a reader must notice. A duplicate is a second copy of an image that
    is among the good ones; a near duplicate, one of them too, is the same place a little brighter and shifted."""

    images: list[Path] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)
    duplicates: list[Path] = field(default_factory=list)
    near_duplicates: list[tuple[Path, Path]] = field(default_factory=list)
    corrupt: list[Path] = field(default_factory=list)
    mismatched: list[Path] = field(default_factory=list)


def write_nffa_tree(
    folder: Path, rng: Generator, per_category: int, *, with_flaws: bool = True, shape: Shape = (768, 1024)
) -> NffaTree:
    """Write `per_category` images into each of ten folders below `folder`, which need not exist.

    With flaws there are besides, anywhere: one stray file in each folder, one exact duplicate, one near duplicate, one JPEG
    that breaks off, and one image whose name tells another label than its folder.
    """
    tree = NffaTree()
    for number, (category, name) in enumerate(zip(NAMES, FOLDERS, strict=True)):
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for _ in range(per_category):
            tree.images.append(_write(place, number, _grey(rng, category, shape)))
        if with_flaws:
            stray = place / _STRAY
            stray.write_bytes(b"not an image")
            tree.strays.append(stray)
    if with_flaws:
        _add_flaws(folder, rng, shape, tree)
    return tree


def _add_flaws(folder: Path, rng: Generator, shape: Shape, tree: NffaTree) -> None:
    first, last = tree.images[0], tree.images[-1]
    copy = first.with_name(f"L0_{hashlib.md5(first.name.encode(), usedforsecurity=False).hexdigest()}.jpg")
    copy.write_bytes(first.read_bytes())
    tree.duplicates.append(copy)
    pixels = np.asarray(Image.open(last).convert("L"))
    shifted = np.clip(np.roll(pixels.astype(np.int16), 3, axis=1) + 6, 0, 255).astype(np.uint8)
    near = _write(last.parent, len(FOLDERS) - 1, shifted)
    tree.images.append(near)
    tree.near_duplicates.append((last, near))
    whole = _write(folder / FOLDERS[1], 1, _grey(rng, NAMES[1], shape))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    tree.corrupt.append(whole)
    tree.mismatched.append(_write(folder / FOLDERS[2], 5, _grey(rng, NAMES[5], shape)))


def _grey(rng: Generator, category: str, shape: Shape) -> Grey:
    return make_image(rng, category, str(rng.choice(STYLES)), shape=shape).pixels


def _write(place: Path, label: int, pixels: Grey) -> Path:
    stream = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(stream, "JPEG", quality=90, comment=SYNTHETIC.encode())
    content = stream.getvalue()
    path = place / f"L{label}_{hashlib.md5(content, usedforsecurity=False).hexdigest()}.jpg"
    path.write_bytes(content)
    return path
