"""Images that resemble one: the nearest feature vectors of the same model release, among those that the viewer may see.

Features of a release are told apart by the nearest of its centroids (`Prediction.cell`). The newest visible images of a few
near cells are compared exactly, so that the cost stays the same however large the archive grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from classifier.models import Image, ModelRelease, Prediction
from classifier.pipeline.errors import ModelRefused
from classifier.pipeline.feature_space import read_feature_space
from classifier.pipeline.releases import SPACE_FILE
from classifier.selectors import Viewer, visible_images
from classifier.services.releases import folder_of

MOST_CELLS = 4
MOST_OF_A_CELL = 500
MOST_SHOWN = 8

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Similar:
    """Another image, with the cosine of the angle between the features of both, from -1 to 1."""

    image: Image
    similarity: float


def similar_images(viewer: Viewer, image: Image, prediction: Prediction, *, now: datetime) -> list[Similar]:
    """The most similar ones first, `image` itself and copies of its bytes left out; those less alike than by chance too."""
    own = vector_of(bytes(prediction.features))
    if own.size == 0:
        return []
    keys, vectors = _candidates(viewer, prediction, own, now)
    if not keys:
        return []
    cosines = vectors @ own
    nearest = [int(place) for place in np.argsort(-cosines)[: 4 * MOST_SHOWN]]
    images = Image.objects.select_related("datafile__dataset", "submission").in_bulk([keys[place] for place in nearest])
    return _distinct(
        image, [(images[keys[place]], float(cosines[place])) for place in nearest if keys[place] in images]
    )


def _distinct(image: Image, ranked: Sequence[tuple[Image, float]]) -> list[Similar]:
    seen = {image.sha256} - {""}
    found = []
    for other, cosine in ranked:
        digest = other.sha256 or (other.datafile.sha256 if other.datafile else "")
        if other.pk != image.pk and (not digest or digest not in seen) and cosine > 0:
            seen.add(digest)
            found.append(Similar(other, min(1.0, cosine)))
    return found[:MOST_SHOWN]


def _candidates(viewer: Viewer, prediction: Prediction, own: Vectors, now: datetime) -> tuple[list[int], Vectors]:
    visible = visible_images(viewer, now=now).order_by().values("pk")
    keys: list[int] = []
    vectors: list[Vectors] = []
    for cell in near_cells(prediction.release, own, prediction.cell):
        for key, features in _newest_of(prediction.release, cell, visible):
            vector = vector_of(bytes(features))
            if vector.size == own.size:
                keys.append(key)
                vectors.append(vector)
    return keys, np.stack(vectors) if vectors else np.empty((0, own.size), np.float32)


def _newest_of(release: ModelRelease, cell: int, visible: QuerySet) -> list[tuple[int, bytes | memoryview]]:
    rows = Prediction.objects.filter(release=release, cell=cell, image__in=visible).order_by("-id")
    return list(rows.values_list("image_id", "features")[:MOST_OF_A_CELL])


def vector_of(features: bytes) -> Vectors:
    """Stored features (little-endian float16) as (F,) float32."""
    return np.frombuffer(features, dtype="<f2").astype(np.float32)


def near_cells(release: ModelRelease, own: Vectors, cell: int) -> list[int]:
    """The cell of the features first, then those whose centres lie next to it."""
    try:
        centres = _centres(release.digest, folder_of(release))
    except (OSError, ModelRefused):
        return [cell]
    nearest = [int(place) for place in np.argsort(-(centres @ own))[:MOST_CELLS]]
    return [cell, *(place for place in nearest if place != cell)][:MOST_CELLS]


@lru_cache(maxsize=4)
def _centres(digest: str, folder: Path) -> Vectors:
    """Those of a release, (K, F) of length 1. Its files were verified when it was installed, and `digest` names them."""
    return read_feature_space((folder / SPACE_FILE).read_bytes()).cells
