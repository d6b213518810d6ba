"""The demonstration's images and its model fit together: every category is there, and the model knows each of them."""

from datetime import date

import pytest

from catalogue.demo.generate import make_demo_files
from catalogue.demo.plan import CATEGORY_OF_PICTURE, DATASETS
from classifier.pipeline.classifying import Classifier
from classifier.pipeline.labels import NAMES
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import read_picture
from classifier.pipeline.releases import DEMONSTRATION, read_release
from classifier.pipeline.runtimes import load_runtime


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    release = read_release(DEMONSTRATION)
    return Classifier(release, load_runtime(release, kind="litert", threads=1))


def test_the_demonstration_shows_images_of_all_ten_categories():
    shown = {
        CATEGORY_OF_PICTURE[str(dict(plan.options)["picture"])] for plan in DATASETS if plan.techniques == ("SEM",)
    }
    assert shown == set(NAMES)


def test_its_model_names_every_image_of_the_demonstration_rightly(classifier, tmp_path):
    side = classifier.manifest.input_side
    shown = {plan.key: CATEGORY_OF_PICTURE.get(str(dict(plan.options).get("picture"))) for plan in DATASETS}
    files = [file for file in make_demo_files(tmp_path, today=date(2026, 11, 21)) if file.path.suffix == ".tif"]
    verdicts = classifier.classify([prepare(read_picture(file.path).pixels, side) for file in files])
    assert len(files) > 20
    found = {file.dataset: verdict for file, verdict in zip(files, verdicts, strict=True)}
    assert {key: verdict.label for key, verdict in found.items()} == {key: shown[key] for key in found}
    assert sum(verdict.is_uncertain or verdict.is_strange for verdict in verdicts) <= 2
