"""An active release without a model for every test here, and a data folder of the test's own."""

import pytest

from classifier.models import ModelRelease
from tests.classifier.dispatch import world


@pytest.fixture
def folder(tmp_path, settings):
    """Where the classifier keeps its files in this test."""
    settings.CLASSIFIER_DIR = tmp_path / "classifier"
    return tmp_path


@pytest.fixture
def release(folder, db) -> ModelRelease:
    return world.use_untrained(folder / "untrained")
