"""Where the files of the classifier lie, below `settings.CLASSIFIER_DIR`. Who may see them is decided by those who ask."""

import io
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image as Pillow

from catalogue.derived import write_whole

PREVIEW_PIXELS = 2048
THUMBNAIL_PIXELS = 384
SIDECARS = (".txt", ".hdr")


class Derived(StrEnum):
    """Pictures made from an image: to look at it closely, for grids, and where the model looked."""

    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"
    SALIENCY = "saliency"


def upload_path(uid: UUID) -> Path:
    """The uploaded bytes of the image `uid`, as they came."""
    return Path(settings.CLASSIFIER_DIR) / "uploads" / str(uid)[-2:] / str(uid)


def sidecar_path(uid: UUID, suffix: str) -> Path:
    """The text that a microscope wrote beside an uploaded image, where its reader looks for it; `suffix` is one of SIDECARS."""
    return upload_path(uid).with_name(f"{uid}{suffix}")


def sidecar_of(uid: UUID) -> Path | None:
    return next((path for suffix in SIDECARS if (path := sidecar_path(uid, suffix)).is_file()), None)


def derived_path(uid: UUID, kind: Derived, variant: str = "") -> Path:
    """A picture made from the image `uid`; `variant` tells apart those of several model releases."""
    name = f"{uid}.{kind}{'-' if variant else ''}{variant}.webp"
    return Path(settings.CLASSIFIER_DIR) / "derived" / str(uid)[-2:] / name


def keep_pictures(uid: UUID, pixels: NDArray[np.uint8]) -> None:
    """Write preview and thumbnail of an image, of which `pixels` (H, W) are the whole picture, banner included."""
    picture = Pillow.fromarray(pixels)
    for kind, side in ((Derived.PREVIEW, PREVIEW_PIXELS), (Derived.THUMBNAIL, THUMBNAIL_PIXELS)):
        picture.thumbnail((side, side), Pillow.Resampling.LANCZOS)
        stream = io.BytesIO()
        picture.save(stream, "WEBP", quality=82, method=2)
        write_whole(derived_path(uid, kind), stream.getvalue())


def remove_files(uid: UUID) -> None:
    """Whatever there is of the image `uid`."""
    upload_path(uid).unlink(missing_ok=True)
    for folder in (upload_path(uid).parent, derived_path(uid, Derived.PREVIEW).parent):
        for path in folder.glob(f"{uid}.*"):
            path.unlink(missing_ok=True)
