"""Labelled images in Croissant: `mlcroissant` finds the document right and reads images with their labels out of the archive."""

import io
import json
import logging
import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.descriptions import describe_collection, describe_dataset, describe_investigation
from catalogue.interop.croissant import croissant, is_image_set
from catalogue.models import Collection, CollectionMember, Datafile, Dataset, Storage, User
from catalogue.models.collections import CollectionState
from catalogue.record import LabelledImage
from catalogue.services.annotations import CATEGORY, Label, record_labels, verify_label
from catalogue.services.collections import start_collection
from tests import described, factories
from tests.catalogue.downloads.conftest import body_of

GOLDEN = Path(__file__).with_name("golden") / "dataset.croissant.json"
# Where mlcroissant unpacks archives is read when it is loaded.
os.environ.setdefault("CROISSANT_CACHE", tempfile.mkdtemp(prefix="faircat-croissant-"))
mlcroissant = pytest.importorskip("mlcroissant")
# mlcroissant calls rdflib by names that rdflib deprecates.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")]


@pytest.fixture
def pi() -> User:
    return factories.make_user("pi")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    (tmp_path / "storage").mkdir()
    return factories.make_storage(tmp_path / "storage")


def a_picture() -> bytes:
    data = io.BytesIO()
    Image.new("L", (4, 4), 128).save(data, "PNG")
    return data.getvalue()


def labelled(dataset: Dataset, name: str, *labels: tuple[str, float]) -> None:
    answers = [Label(text, confidence) for text, confidence in labels]
    file = dataset.files.get(name=name)
    record_labels(actor=SYSTEM, datafile=file, kind=CATEGORY, labels=answers, model_release="sem-1.0")


@pytest.fixture
def images(storage: Storage, pi: User) -> Dataset:
    """Two labelled images, one of them by a person too, and a file that is none."""
    investigation = factories.make_investigation(is_open=True, pi=pi)
    dataset = factories.make_dataset(investigation, storage=storage, title="Wires & <tips>")
    for name in ("sub/a b.png", "b.png"):
        factories.add_file(dataset, storage, name, a_picture(), media_type="image/png")
    factories.add_file(dataset, storage, "notes.txt", b"text", media_type="text/plain")
    labelled(dataset, "sub/a b.png", ("Nanowires", 0.9), ("Tips", 0.1))
    labelled(dataset, "b.png", ("Nanowires", 0.6))
    verify_label(actor=principal_of(pi), datafile=dataset.files.get(name="b.png"), kind=CATEGORY, text="Tips")
    return Dataset.objects.get(pk=dataset.pk)


def document_of(dataset: Dataset) -> dict[str, Any]:
    description = describe_dataset(dataset.uid, ANONYMOUS, now=timezone.now())
    assert is_image_set(description)
    return croissant(description)


def rows_of(document: dict[str, Any], name: str = "labels") -> list[dict[str, Any]]:
    (found,) = [one for one in document["recordSet"] if one["@id"] == name]
    return found["data"]


def checked(document: dict[str, Any], caplog: pytest.LogCaptureFixture, **values: Any) -> Any:
    """What mlcroissant makes of it: errors are raised, warnings would be in the log."""
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=json.loads(json.dumps(document)), **values)
    assert [record.message for record in caplog.records] == []
    assert not dataset.metadata.issues.errors
    return dataset


# mlcroissant leaves the files open that it reads.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_document_is_valid_and_images_come_with_their_labels(
    client: Client, images: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = tmp_path / "archive.zip"
    archive.write_bytes(body_of(client.get(f"/datasets/{images.uid}/download.zip")))
    dataset = checked(document_of(images), caplog, mapping={"archive": str(archive)})
    found = {record["images/file"].decode(): record for record in dataset.records("images")}
    assert {name.partition("/")[2] for name in found} == {"sub/a b.png", "b.png"}
    first = next(record for name, record in found.items() if name.endswith("a b.png"))
    assert first["images/label"] == b"Nanowires"
    assert first["images/image"].size == (4, 4)
    assert not first["images/verified"]


def test_the_document_is_as_written_down() -> None:
    image = LabelledImage("wires-0/ü.tif", "/datasets/1/files/%C3%BC.tif", "image/tiff", "ab" * 32, "Wires", 0.9, False)
    other = replace(image, path="wires-0/b.tif", label="Tips & cones", confidence=None, is_verified=True, sha256="")
    description = described.describe(described.dataset_record(), images=(image, other))
    assert croissant(description) == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.both_databases
def test_a_verified_label_counts_more_than_what_a_model_is_surest_of(images: Dataset) -> None:
    rows = {row["labels/file"].partition("/")[2]: row for row in rows_of(document_of(images))}
    one, other = rows["sub/a b.png"], rows["b.png"]
    assert (one["labels/label"], one["labels/confidence"], one["labels/verified"]) == ("Nanowires", 0.9, False)
    assert (other["labels/label"], other["labels/confidence"], other["labels/verified"]) == ("Tips", None, True)
    file = Datafile.objects.get(name="b.png")
    assert other["labels/sha256"] == file.sha256
    assert other["labels/url"].endswith(f"/datasets/{images.uid}/files/b.png")


def test_what_is_no_image_set_has_no_croissant(client: Client, storage: Storage) -> None:
    dataset = factories.make_dataset(is_open=True, storage=storage, files={"a.png": a_picture()})
    now = timezone.now()
    assert not is_image_set(describe_dataset(dataset.uid, ANONYMOUS, now=now))
    assert not is_image_set(describe_investigation(dataset.investigation.uid, ANONYMOUS, now=now))
    assert client.get(f"/datasets/{dataset.uid}.croissant.json").status_code == 404


def test_closed_images_have_none_for_strangers_and_one_for_their_team(
    client: Client, images: Dataset, pi: User
) -> None:
    investigation = images.investigation
    investigation.embargo_until = timezone.now() + timedelta(days=9)
    investigation.save()
    address = f"/datasets/{images.uid}.croissant.json"
    response = client.get(address)
    assert response.status_code == 404
    assert b"Nanowires" not in response.content
    client.force_login(pi)
    assert b"Nanowires" in client.get(address).content


def test_a_collection_gives_the_splits_that_its_members_are_for(
    images: Dataset, storage: Storage, pi: User, caplog: pytest.LogCaptureFixture
) -> None:
    closed = factories.make_dataset(factories.make_investigation(), storage=storage, files={"canary.png": a_picture()})
    test = factories.make_dataset(images.investigation, storage=storage, files={"t.png": a_picture()})
    for one, name in ((closed, "canary.png"), (test, "t.png")):
        labelled(one, name, ("Canary" if one == closed else "Tips", 0.7))
    collection = start_collection(
        actor=principal_of(factories.make_curator()), datasets=Q(pk__in=[images.pk, closed.pk, test.pk])
    )
    Collection.objects.filter(pk=collection.pk).update(
        state=CollectionState.PUBLISHED, doi="10.5072/images.1", published_at=timezone.now(), title="Images"
    )
    CollectionMember.objects.filter(dataset=images).update(role="Training set")
    CollectionMember.objects.filter(dataset=test).update(role="test")
    description = describe_collection(collection.uid, ANONYMOUS, now=timezone.now())
    document = croissant(description)
    checked(document, caplog)
    splits = {row["labels/file"].rpartition("/")[2]: row["labels/split"] for row in rows_of(document)}
    assert splits == {"a b.png": "train", "b.png": "train", "t.png": "test"}
    assert {row["splits/url"] for row in rows_of(document, "splits")} == {"cr:TrainingSplit", "cr:TestSplit"}
    assert "anary" not in json.dumps(document)
