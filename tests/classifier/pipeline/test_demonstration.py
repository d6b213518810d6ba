"""The demonstration's model on pictures of its own kind and of none. These are no figures about real SEM images."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from classifier.pipeline.classifying import Classifier
from classifier.pipeline.labels import NAMES
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import read_picture
from classifier.pipeline.releases import DEMONSTRATION, read_release
from classifier.pipeline.results import Grey, Verdict
from classifier.pipeline.runtimes import load_runtime
from classifier.pipeline.synthetic.images import make_image
from tests.services import SHARED


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    release = read_release(DEMONSTRATION)
    return Classifier(release, load_runtime(release, kind="litert", threads=1))


def verdict_on(classifier: Classifier, pixels: Grey) -> Verdict:
    return classifier.classify([prepare(pixels, classifier.manifest.input_side)])[0]


def test_it_says_that_it_is_a_demonstration_and_is_small(classifier: Classifier) -> None:
    assert classifier.manifest.is_demonstration
    assert classifier.manifest.labels == NAMES
    assert sum(path.stat().st_size for path in DEMONSTRATION.iterdir()) <= 3_000_000


def test_it_knows_synthetic_images_it_never_saw(classifier: Classifier) -> None:
    rng = np.random.default_rng(99)
    styles = ("zeiss", "fei", "jeol", "hitachi")
    verdicts = []
    for number in range(80):
        category = NAMES[number % 10]
        image = make_image(rng, category, styles[number % 4], shape=(480, 640))
        verdicts.append((category, verdict_on(classifier, image.pixels)))
    assert sum(verdict.label == category for category, verdict in verdicts) >= 68
    assert sum(verdict.is_strange for _, verdict in verdicts) <= 6


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_a_photograph_does_not_look_like_what_it_knows(classifier: Classifier, name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn, which has photographs, is not installed")
    photograph = np.asarray(Image.fromarray(datasets.load_sample_image(name)).convert("L"))
    verdict = verdict_on(classifier, photograph)
    assert verdict.is_strange
    assert verdict.is_uncertain


def noise() -> Grey:
    return np.random.default_rng(0).integers(0, 256, (768, 1024), dtype=np.uint8)


def page_of_text() -> Grey:
    image = Image.new("L", (1024, 768), 255)
    for row in range(20, 760, 22):
        ImageDraw.Draw(image).text((20, row), "What is written here is no sample under a microscope. " * 3, fill=0)
    return np.asarray(image)


@pytest.mark.parametrize("make", [noise, page_of_text, lambda: np.full((768, 1024), 128, np.uint8)])
def test_what_shows_no_sample_is_strange(classifier: Classifier, make) -> None:
    assert verdict_on(classifier, make()).is_strange


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not at hand")
def test_real_images_whose_pixels_were_blanked_are_strange(classifier: Classifier) -> None:
    for name in ("20_quanta_sem.tif", "21_zeiss_sem.tif"):
        picture = read_picture(SHARED / "samples" / "sem-tiff" / name)
        assert verdict_on(classifier, picture.pixels).is_strange
