"""Pictures of images for pages: previews and thumbnails, which workers leave behind, and what the model looked at, made when it
is first asked for. Whoever asks for one was let in before; nothing here decides that.
"""

import io
import threading
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from catalogue.errors import NotFound, Unavailable
from catalogue.services.storages import open_storage
from catalogue.storages.errors import StorageError
from classifier.files import Derived, derived_path, keep_pictures, upload_path, write_whole
from classifier.models import Image, ModelRelease, Prediction
from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import ModelRefused, OutOfMemory, RuntimeMissing, UnreadableImage
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import Picture, ReadLimits, read_picture
from classifier.pipeline.releases import LITERT_FILE, read_release
from classifier.pipeline.runtimes import load_runtime
from classifier.pipeline.saliency import draw_overlay
from classifier.services.releases import folder_of

# What a web process decodes itself; larger pictures wait for the worker.
WEB_LIMITS = ReadLimits(pixels=32_000_000, bytes=64 * 1024 * 1024)
LARGEST_WEB_MODEL = 64 * 1024 * 1024
NO_OVERLAY = "What the model looked at cannot be shown of this image."

# One at a time in a process: a page of thumbnails must not take all threads of the site.
_decoding = threading.Lock()
_running = threading.Lock()


def picture_of(image: Image, kind: Derived) -> bytes:
    """A preview or thumbnail in WebP. Raises NotFound where there is none, or none yet."""
    path = derived_path(image.uid, kind)
    if not path.exists():
        with _decoding:
            if not path.exists():
                keep_pictures(image.uid, _decoded(image).pixels)
    return path.read_bytes()


def saliency_of(image: Image, prediction: Prediction) -> bytes:
    """Where the model of `prediction` found what it says, as a tinted picture; kept for the next who asks.

    Computed in this process by LiteRT, which needs some milliseconds; raises NotFound where that cannot be done.
    """
    path = derived_path(image.uid, Derived.SALIENCY, str(prediction.release.uid))
    if not path.exists():
        if not has_saliency(prediction.release):
            raise NotFound(NO_OVERLAY)
        pixels = _decoded(image).pixels
        with _running:
            try:
                classifier = _classifier(prediction.release.digest, folder_of(prediction.release))
                picture = prepare(pixels, classifier.manifest.input_side)
                maps = classifier.explain(picture)[1]
            except (ModelRefused, RuntimeMissing, OutOfMemory):
                raise NotFound(NO_OVERLAY) from None
        place = prediction.release.labels.index(prediction.label)
        write_whole(path, draw_overlay(pixels, maps, place))
    return path.read_bytes()


def has_saliency(release: ModelRelease) -> bool:
    """Whether the model is small enough, and in a form, to be run by a web process."""
    path = folder_of(release) / LITERT_FILE
    return path.is_file() and path.stat().st_size <= LARGEST_WEB_MODEL


@lru_cache(maxsize=1)
def _classifier(digest: str, folder: Path) -> Classifier:
    release = read_release(folder)
    return Classifier(release, load_runtime(release, kind="litert", threads=1))


def _decoded(image: Image) -> Picture:
    try:
        with _opened(image) as stream:
            return read_picture(stream, image.name, limits=WEB_LIMITS)
    except UnreadableImage as refusal:
        raise NotFound(f"There is no picture of {image.name}. {refusal.message}") from None
    except FileNotFoundError:
        raise NotFound("The file of this image is not here any more.") from None
    except StorageError as error:
        raise Unavailable(f"The storage of this file does not answer: {error}") from None


def _opened(image: Image) -> BinaryIO:
    if image.datafile is None:
        return upload_path(image.uid).open("rb")
    storage, path = open_storage(image.datafile.storage), image.datafile.path
    local = storage.local_path(path)
    if local is not None:
        return local.open("rb")
    with storage.open_seekable(path) as stream:
        return io.BytesIO(stream.read(WEB_LIMITS.bytes + 1))
