"""What operators see of the classifier, and what the nightly checks find when something was broken by hand."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalogue.access import SYSTEM
from catalogue.models import Annotation
from classifier import invariants
from classifier.files import upload_path
from classifier.models import Prediction, Scale, Submission, Work
from classifier.services import dispatch
from classifier.services.backlog import queue_datasets
from classifier.services.releases import folder_of
from classifier.services.results import store_verdicts
from classifier.status import classifier_status, queue_states
from tests.classifier.dispatch import world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def done(release, folder):
    """Two images of which one was classified and one has failed."""
    (dataset,) = world.make_archive(folder / "files", images=2)
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    first, second = dispatch.claim("gpu", 2)
    store_verdicts(actor=SYSTEM, release=release, found=[(first, world.verdict(0.9), 0)])
    dispatch.fail(second, "damaged-image", "The file is cut off.")
    return release


def found() -> list[str]:
    return [sentence for check in invariants.CHECKS for sentence in check()]


def test_the_status_tells_the_release_what_waits_and_what_failed(done):
    text = classifier_status().text
    assert "uses untrained 1;" in text and "2 pieces of work wait, 1 failed within a day" in text
    assert [(queue.name, queue.waiting) for queue in queue_states()] == [("ocr", 2)]
    page = Client().get("/status").content.decode()
    assert "Classifier" in page and "2 pieces of work wait" in page


def test_a_site_without_a_model_says_so_and_is_well(folder):
    status = classifier_status()
    assert status.is_up and "has no model yet" in status.text


def test_the_metrics_tell_how_much_waits_in_each_queue(done):
    text = Client().get("/metrics").content.decode()
    assert 'faircat_images_waiting{queue="ocr"} 2.0' in text
    assert 'faircat_images_oldest_seconds{queue="ocr"}' in text
    assert "faircat_images_failed 1.0" in text


def test_nothing_is_found_where_all_is_well(done):
    assert found() == []


def test_work_that_is_done_without_a_result_is_found(done):
    Prediction.objects.all().delete()
    Annotation.objects.all().delete()
    Work.objects.filter(kind="scale").update(state="done")
    assert [sentence.partition("and ")[2] for sentence in found()] == ["there is no prediction"] + [
        "there is no scale"
    ] * 2
    Scale.objects.bulk_create(Scale(image_id=key) for key in Work.objects.values_list("image", flat=True).distinct())
    assert len(found()) == 1


def test_a_prediction_without_work_is_found(done):
    Work.objects.filter(state="done").delete()
    assert any("belongs to no work that is done" in sentence for sentence in found())


def test_an_annotation_that_the_release_never_made_is_found(done):
    annotation = Annotation.objects.get()
    other = Work.objects.get(state="failed").image.datafile
    Annotation.objects.create(
        dataset=annotation.dataset,
        datafile=other,
        kind="category",
        label="Tips",
        source="ai",
        model_release=done.label,
    )
    assert any("has no prediction for its file" in sentence for sentence in found())


def test_work_that_nobody_began_for_a_day_is_found(done):
    Work.objects.filter(state="waiting").update(updated_at=timezone.now() - timedelta(days=2))
    assert [sentence for sentence in found() if "not begun" in sentence]


def test_an_upload_without_its_file_is_found(done):
    image = world.upload(Submission.objects.create(expires_at=timezone.now() + timedelta(hours=1)))
    assert found() == []
    upload_path(image.uid).unlink()
    assert [sentence for sentence in found() if "its file is gone" in sentence]


def test_an_upload_that_was_to_be_removed_is_found(done):
    Submission.objects.create(expires_at=timezone.now() - timedelta(days=2))
    assert [sentence for sentence in found() if "was to be removed" in sentence]


def test_a_release_whose_file_was_changed_is_found(done):
    (folder_of(done) / "model.tflite").write_bytes(b"another model")
    assert [sentence for sentence in found() if "model release untrained 1" in sentence]
