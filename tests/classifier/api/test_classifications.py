"""Programs send images or name datasets, ask for results, and wait for them a bounded time; errors have codes."""

import threading
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from catalogue.access import SYSTEM
from catalogue.api.error_codes import ERROR_CODES
from classifier.api import views
from classifier.models import Image, Submission, Work
from classifier.services.backlog import queue_datasets
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import png

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/classifications"


def test_files_are_sent_and_results_are_read(program, release, classify):
    client = program(factories.make_user())
    notes = SimpleUploadedFile("notes.txt", b"no image but words")
    answer = client.post(ADDRESS, {"files": [png(1), png(2), notes]})
    assert answer.status_code == 201
    document = answer.json()
    assert (document["total"], document["settled"], document["is_done"]) == (2, 0, False)
    assert [one["code"] for one in document["refusals"]] == ["not-an-image"]
    assert answer["Location"] in document["url"]
    classify(list(Image.objects.all()), 0.75)
    found = client.get(answer["Location"])
    assert found["Cache-Control"].startswith("private")
    result = found.json()["results"][0]
    assert found.json()["is_done"]
    assert (result["name"], result["state"], result["label"]) == ("picture-1.png", "done", "Biological")
    assert result["confidence"] == pytest.approx(0.75)
    assert [one["label"] for one in result["probabilities"]][:2] == ["Biological", "Tips"]
    assert document["model"] == "untrained 1"
    again = client.get(answer["Location"], headers={"If-None-Match": found["ETag"]})
    assert again.status_code == 304


def test_an_upload_is_read_by_its_owner_only(program, release):
    address = program(factories.make_user()).post(ADDRESS, {"files": [png(1)]})["Location"]
    for client in (Client(), program(factories.make_user()), program(factories.make_curator())):
        answer = client.get(address)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not-found"


def test_a_visitor_is_told_that_it_needs_an_account(release):
    answer = Client().post(ADDRESS, {"files": [png(1)]})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert not Submission.objects.exists()


def test_a_token_that_may_only_read_uploads_nothing(program, release):
    assert program(factories.make_user(), "read").post(ADDRESS, {"files": [png(1)]}).status_code == 403


def test_images_of_datasets_are_queued_by_the_team_and_read_by_readers(program, release, folder, classify):
    pi = factories.make_user()
    storage = factories.make_storage(folder / "files")
    investigation = factories.make_investigation(pi=pi)
    dataset = factories.make_dataset(investigation, storage=storage, files={"a.png": world.picture(1)})
    client = program(pi)
    answer = client.post(ADDRESS, {"datasets": [str(dataset.uid)]}, content_type="application/json")
    assert answer.status_code == 200
    assert Work.objects.count() == 2
    classify(list(Image.objects.all()), 0.9)
    document = client.get(answer["Location"]).json()
    assert [one["label"] for one in document["results"]] == ["Biological"]
    assert document["results"][0]["dataset"] == str(dataset.uid)
    stranger = program(factories.make_user())
    assert stranger.get(answer["Location"]).status_code == 404
    closed = stranger.post(ADDRESS, {"datasets": [str(dataset.uid)]}, content_type="application/json")
    missing = stranger.post(
        ADDRESS, {"datasets": ["0197a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"]}, content_type="application/json"
    )
    assert (closed.status_code, missing.status_code) == (404, 404)
    assert closed.json()["detail"] == missing.json()["detail"]


def test_a_reader_asks_for_no_work_on_what_others_may_change(program, release, folder):
    storage = factories.make_storage(folder / "files")
    dataset = factories.make_dataset(
        factories.make_investigation(is_open=True), storage=storage, files={"a.png": world.picture(1)}
    )
    answer = program(factories.make_user()).post(
        ADDRESS, {"datasets": [str(dataset.uid)]}, content_type="application/json"
    )
    assert answer.json()["total"] == 0
    assert not Work.objects.exists()


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "dataset"), ("dataset=x", "dataset"), ("wait=26", "wait"), ("wait=-1", "wait"), ("wait=now", "wait")],
)
def test_questions_that_make_no_sense_are_refused_with_their_field(program, release, folder, query, field):
    (dataset,) = world.make_archive(folder / "files")
    if field == "wait":
        query += f"&dataset={dataset.uid}"
    answer = program(factories.make_user()).get(f"{ADDRESS}?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]


def test_other_bodies_are_refused(program, release):
    client = program(factories.make_user())
    assert client.post(ADDRESS, "x", content_type="text/plain").status_code == 415
    assert client.post(ADDRESS, "{", content_type="application/json").json()["code"] == "malformed"
    assert client.post(ADDRESS, {}).json()["code"] == "no-files"


def test_waiting_ends_when_its_time_is_over_and_a_third_one_does_not_wait(program, release, folder):
    (dataset,) = world.make_archive(folder / "files")
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    client = program(factories.make_user())
    began = time.monotonic()
    assert client.get(f"{ADDRESS}?dataset={dataset.uid}&wait=1").json()["is_done"] is False
    assert 1 <= time.monotonic() - began < 4
    assert views._waiting.acquire() and views._waiting.acquire()
    began = time.monotonic()
    assert client.get(f"{ADDRESS}?dataset={dataset.uid}&wait=20").status_code == 200
    assert time.monotonic() - began < 3
    views._waiting.release()
    views._waiting.release()


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_as_soon_as_the_last_result_is_there(program, release, folder, classify):
    (dataset,) = world.make_archive(folder / "files")
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])

    def finish() -> None:
        try:
            time.sleep(1)
            classify(list(Image.objects.all()), 0.8)
        finally:
            connection.close()

    worker = threading.Thread(target=finish)
    worker.start()
    began = time.monotonic()
    document = program(factories.make_user()).get(f"{ADDRESS}?dataset={dataset.uid}&wait=20").json()
    worker.join()
    assert document["is_done"]
    assert time.monotonic() - began < 10


def test_every_code_of_the_classifier_is_explained():
    codes = {
        "no-files", "too-many-images", "too-many-kept", "too-many-waiting", "visitor-limit", "category-refused",
        "images-registered", "file-exists", "storage-unavailable", "no-model",
        "empty-file", "file-too-large", "not-an-image", "too-many-pixels", "too-few-pixels", "damaged-image",
        "unknown-pixels",
    }  # fmt: skip
    assert codes <= set(ERROR_CODES)
