"""Pictures of images for pages: previews and thumbnails, which workers leave behind, and what the model looked at, made when it
is first asked for. Whoever asks for one was let in before; nothing here decides that.
"""

import atexit
import threading
from functools import lru_cache
from pathlib import Path

from catalogue.derived import write_whole
from catalogue.errors import NotFound, Unavailable
from classifier.files import Derived, derived_path, keep_pictures
from classifier.models import Image, ModelRelease, Prediction
from classifier.pipeline.classifying import Classifier
from classifier.pipeline.errors import FileUnreachable, ModelRefused, OutOfMemory, PipelineError, RuntimeMissing
from classifier.pipeline.loading import PictureReader
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import Picture, ReadLimits
from classifier.pipeline.releases import LITERT_FILE, read_release
from classifier.pipeline.runtimes import load_runtime
from classifier.pipeline.saliency import draw_overlay
from classifier.services.opening import source_of
from classifier.services.releases import folder_of

# What is decoded for a page; a larger picture has a preview only where a worker left one.
WEB_LIMITS = ReadLimits(pixels=32_000_000, bytes=64 * 1024 * 1024)
LARGEST_WEB_MODEL = 64 * 1024 * 1024
NO_OVERLAY = "What the model looked at cannot be shown of this image."

# One at a time in a process: a page of thumbnails must not take all threads of the site.
_decoding = threading.Lock()
_running = threading.Lock()
_reader = PictureReader(limits=WEB_LIMITS, seconds=10.0)
atexit.register(_reader.close)


def picture_of(image: Image, kind: Derived) -> bytes:
    """A preview or thumbnail in WebP. Raises NotFound where there is none, or none yet."""
    path = derived_path(image.uid, kind)
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
    """The whole picture, read in a child process: nothing that a file does harms the site."""
    try:
        with _decoding:
            return _reader.read(source_of(image), image.name)
    except FileUnreachable as error:
        raise Unavailable(error.message) from None
    except PipelineError as refusal:
        raise NotFound(f"There is no picture of {image.name}. {refusal.message}") from None
