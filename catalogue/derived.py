"""Pictures made from files: a preview for looking closely, a thumbnail for lists. They inherit the access of the dataset.

Both lie in settings.DERIVED_DIR, spread over 256 folders by the end of the uid (its beginning is the time of registration).
"""

import io
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from django.conf import settings
from PIL import Image

PREVIEW_PIXELS = 2048
THUMBNAIL_PIXELS = 512


class Picture(StrEnum):
    """The longest side is 2048 pixels for a preview, 512 for a thumbnail."""

    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"


def picture_path(uid: UUID, kind: Picture) -> Path:
    """Where a picture of a dataset lies; it is served only through a view that checks access."""
    return Path(settings.DERIVED_DIR) / str(uid)[-2:] / f"{uid}.{kind}.webp"


def keep_pictures(uid: UUID, preview: bytes | None) -> None:
    """Put preview (WebP) and thumbnail in their places, each whole or not at all; without a preview, earlier ones go."""
    if preview is None:
        for kind in Picture:
            picture_path(uid, kind).unlink(missing_ok=True)
        return
    write_whole(picture_path(uid, Picture.PREVIEW), preview)
    write_whole(picture_path(uid, Picture.THUMBNAIL), _thumbnail(preview))


def _thumbnail(preview: bytes) -> bytes:
    with Image.open(io.BytesIO(preview), formats=["WEBP"]) as image:
        if max(image.size) <= THUMBNAIL_PIXELS:
            return preview
        image.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), Image.Resampling.LANCZOS)
        target = io.BytesIO()
        image.save(target, "WEBP", quality=80)
    return target.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """`content` at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        os.chmod(temporary, 0o640)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
