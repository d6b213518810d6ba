"""The demonstration model that comes with the code: small, marked, good on the demonstration's own pictures, and wary of others."""

import json
from datetime import datetime

import numpy as np
import pytest

from catalogue.demo import microscope_files
from classifier.pipeline.classifying import Classifier
from classifier.pipeline.labels import NAMES
from classifier.pipeline.preparing import prepare
from classifier.pipeline.releases import CARD_FILE, DEMONSTRATION, LITERT_FILE, Release, read_release
from classifier.pipeline.runtimes import load_runtime
from classifier.pipeline.synthetic.pictures import RECIPES
from classifier.pipeline.training.card import IS_DEMONSTRATION
from classifier.pipeline.training.strange import odd_pictures, scenes


@pytest.fixture(scope="module")
def release() -> Release:
    return read_release(DEMONSTRATION)


@pytest.fixture(scope="module")
def classifier(release: Release) -> Classifier:
    return Classifier(release, load_runtime(release, kind="litert"))


def test_it_is_small_and_complete(release: Release):
    assert sum(path.stat().st_size for path in DEMONSTRATION.iterdir()) < 3_000_000
    assert {path.name for path in DEMONSTRATION.iterdir()} == {*release.manifest.files, "manifest.json"}
    assert release.manifest.labels == NAMES
    assert release.holds(LITERT_FILE)


def test_it_says_everywhere_what_it_is(release: Release):
    assert release.manifest.is_demonstration
    assert "demonstration" in release.manifest.name
    for name in (CARD_FILE, "report.html"):
        text = release.path(name).read_text()
        assert text.index(IS_DEMONSTRATION) < text.index("Macro-F1")
    assert json.loads(release.path("report.json").read_text())["is_demonstration"] is True


def test_command_and_seed_that_made_it_stand_in_its_manifest(release: Release):
    training = release.manifest.training
    assert "classifier_train --synthetic" in training["command"]
    assert f"--seed {training['recipe']['seed']}" in training["command"]
    assert {"keras", "tensorflow"} <= set(training["versions"])


def test_it_knows_the_pictures_of_the_demonstration(classifier: Classifier):
    exposure = microscope_files.Exposure(datetime(2026, 1, 1), "s", 5e-6, 5000, 5e-3, "SE2")
    wrong = []
    for category, (usual, _) in RECIPES.items():
        for seed, (maker, shape) in enumerate(microscope_files.SHAPES.items()):
            picture = usual(np.random.default_rng(7000 + seed), shape)
            pixels = microscope_files.with_banner(picture, exposure, maker)
            (verdict,) = classifier.classify([prepare(pixels, classifier.manifest.input_side)])
            if verdict.label != category or verdict.is_strange:
                wrong.append((category, maker, verdict.label, verdict.strangeness))
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize(("kind", "share"), [(odd_pictures, 0.75), (lambda rng, side: scenes(rng, 60, side), 0.8)])
def test_it_is_wary_of_pictures_of_no_sample(classifier: Classifier, kind, share: float):
    pictures = kind(np.random.default_rng(11), classifier.manifest.input_side)
    verdicts = classifier.classify(pictures)
    assert np.mean([verdict.is_strange or verdict.is_uncertain for verdict in verdicts]) >= share
