"""Ten kinds of pictures, one for each category of the NFFA-EUROPE SEM data set, as a microscope might have taken them.

Half of each kind comes from the pictures of the demonstration, the other half from the variants beside this file
(specification of the classifier, section 6). Banners are drawn elsewhere.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from catalogue.demo import pictures as usual
from catalogue.demo.pictures import Picture, Shape
from classifier.pipeline.labels import NAMES
from classifier.pipeline.results import Grey
from classifier.pipeline.synthetic import disturbances, variants

Recipe = Callable[[Generator, Shape, float], Picture]

RECIPES: dict[str, tuple[Recipe, ...]] = {
    "Biological": (usual.biological, variants.cells),
    "Fibres": (usual.fibres, variants.aligned_strands),
    "Films and coated surfaces": (usual.film, variants.cracked_coating),
    "MEMS devices and electrodes": (usual.mems, variants.electrodes),
    "Nanowires": (usual.nanowires, variants.lying_wires),
    "Particles": (usual.particles, variants.scattered_discs),
    "Patterned surfaces": (usual.patterned_surface, variants.periodic_lines),
    "Porous sponges": (usual.porous_sponge, variants.round_pores),
    "Powders": (usual.powder, variants.fine_grains),
    "Tips": (usual.tip, variants.slanted_cone),
}
_USUAL_WIDTH = 1024


def make_picture(rng: Generator, category: str, shape: Shape) -> Grey:
    """A picture of a category of `labels.NAMES`, (height, width) in 8 bits, without a banner.

    The size of its features goes with the width: a small picture looks like a large one that was made smaller. Raises
    ValueError for another category, and below 16 pixels.
    """
    if category not in NAMES:
        raise ValueError(f"{category} is none of the categories: {', '.join(NAMES)}.")
    if min(shape) < 16:
        raise ValueError("A synthetic picture has at least 16 rows and columns.")
    recipes = RECIPES[category]
    recipe = recipes[int(rng.integers(len(recipes)))]
    zoom = shape[1] / _USUAL_WIDTH * float(np.exp(rng.uniform(np.log(0.75), np.log(2.2))))
    picture = disturbances.disturb(rng, recipe(rng, shape, zoom))
    return np.round(picture * 255).astype(np.uint8)
