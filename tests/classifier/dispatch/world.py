"""Images in a small archive, a release that was never trained, and verdicts as a model would give them. No assertion belongs here."""

import io
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from catalogue.access import SYSTEM
from catalogue.models import Datafile, Dataset
from classifier.files import upload_path
from classifier.models import Image, ModelRelease, Submission, Work
from classifier.pipeline.feature_space import FeatureSpace
from classifier.pipeline.labels import NAMES
from classifier.pipeline.releases import LITERT_FILE, SPACE_FILE, Manifest, write_release
from classifier.pipeline.results import Verdict
from classifier.services.releases import activate_release, install_release
from tests import factories

FEATURES = 8


def picture(number: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """A PNG of noise, another one for each number."""
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0]), dtype=np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def make_archive(folder: Path, *, datasets: int = 1, images: int = 1) -> list[Dataset]:
    """Datasets with `images` pictures each; registered straight in the database, so that no news told of them."""
    storage = factories.make_storage(folder)
    investigation = factories.make_investigation(is_open=True)
    files = {f"image_{number:03}.png": picture(number) for number in range(images)}
    return [factories.make_dataset(investigation, storage=storage, files=files) for _ in range(datasets)]


def write_untrained(folder: Path, release: str = "1", **values: object) -> Path:
    """The folder of a release whose model nobody can run; its files are what its manifest names."""
    ones = np.ones((2, FEATURES), np.float32)
    space = FeatureSpace(ones[0], ones.T, np.ones((2, 2), np.float32), 1.0, 1.0, 1.0, ones)
    manifest = Manifest(
        **{
            "name": "untrained",
            "release": release,
            "architecture": "none",
            "labels": NAMES,
            "input_side": 32,
            "feature_count": FEATURES,
            "temperature": 1.0,
            "abstain_below": 0.5,
        }
        | values
    )
    write_release(folder, manifest, {LITERT_FILE: b"no model", SPACE_FILE: space.to_bytes()})
    return folder


def use_untrained(folder: Path, release: str = "1") -> ModelRelease:
    """An active release, for what needs no model to run."""
    installed = install_release(actor=SYSTEM, folder=write_untrained(folder, release))
    activate_release(actor=SYSTEM, release=installed)
    return installed


def verdict(*first: float, is_strange: bool = False, labels: tuple[str, ...] = NAMES) -> Verdict:
    """The first labels get these probabilities, the last one the rest."""
    probabilities = np.zeros(len(labels), np.float32)
    probabilities[: len(first)] = first
    probabilities[-1] = 1 - sum(first)
    features = np.arange(FEATURES, dtype=np.float32)
    return Verdict(labels, probabilities, features, False, 2.0 if is_strange else 0.3, is_strange)


def upload(submission: Submission, number: int = 0) -> Image:
    """An uploaded image with its file, not queued yet."""
    content = picture(number)
    image = Image.objects.create(submission=submission, name=f"upload_{number}.png", size=len(content))
    upload_path(image.uid).parent.mkdir(parents=True, exist_ok=True)
    upload_path(image.uid).write_bytes(content)
    return image


def states() -> dict[str, int]:
    """How many pieces of work there are by kind and state, as "kind state"."""
    found: dict[str, int] = {}
    for kind, state in Work.objects.values_list("kind", "state"):
        found[f"{kind} {state}"] = found.get(f"{kind} {state}", 0) + 1
    return found


def first_file(dataset: Dataset) -> Datafile:
    return dataset.files.order_by("name")[0]
