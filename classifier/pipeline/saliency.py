"""Shows what a model looked at: the places of a picture that speak for a category, as a tint over it.

A network's logit is the mean of what its places say (class activation map, Zhou et al. 2016), so that this is exact and costs
no further computation on the model.
"""

import io

import numpy as np
from PIL import Image

from classifier.pipeline.preparing import without_banner
from classifier.pipeline.results import Floats, Grey

_TINT = (255, 140, 0)  # orange: apart from grey for every eye
_STRONGEST = 0.65  # of the tint, where the picture still shows through


def evidence(maps: Floats, category: int) -> Floats:
    """(rows, columns) of 0 to 1 from the maps (rows, columns, C) of a picture: how much more each place says for a category
    than for the categories on average; 0 where it says less than the mean place, 1 at the strongest."""
    said = maps[..., category] - maps.mean(axis=-1)
    above = np.maximum(said - said.mean(), 0.0)
    return np.asarray(above / max(float(above.max()), 1e-9), np.float32)


def draw_overlay(pixels: Grey, maps: Floats, category: int, *, longest_side: int = 800) -> bytes:
    """A WebP of the picture (H, W), at most `longest_side` wide and high, tinted by the evidence for a category. The banner,
    which the model does not see, stays as it is."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((longest_side, longest_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    seen = max(1, round(len(without_banner(pixels)) * picture.height / len(pixels)))
    strength = Image.fromarray(evidence(maps, category)).resize((picture.width, seen), Image.Resampling.BICUBIC)
    mask = np.zeros((picture.height, picture.width), np.uint8)
    mask[:seen] = np.clip(np.asarray(strength) * (255 * _STRONGEST), 0, 255)
    tinted = picture.convert("RGB")
    tinted.paste(_TINT, mask=Image.fromarray(mask))
    target = io.BytesIO()
    tinted.save(target, "WEBP", quality=80, method=0)
    return target.getvalue()
