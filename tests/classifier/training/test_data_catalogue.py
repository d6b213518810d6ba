"""Images of the catalogue as training data: verified ones only, of data that the asker may read, never withdrawn ones."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.errors import NotAllowed
from catalogue.models import Datafile, Dataset, Storage
from catalogue.secrets import encrypt
from catalogue.services.annotations import CATEGORY, Label, record_labels, verify_label
from catalogue.services.storages import close_storages
from classifier.pipeline.synthetic import make_picture
from classifier.pipeline.training.data import examine
from classifier.services.training_data import verified_images
from tests import servers
from tests.factories import make_curator, make_dataset, make_investigation, make_storage, make_user

pytestmark = pytest.mark.django_db


def png(category: str, seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(make_picture(np.random.default_rng(seed), category, (96, 128))).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    (tmp_path / "data").mkdir()
    return make_storage(tmp_path / "data")


def add_image(
    storage: Storage, name: str, *, label: str = "Tips", is_verified: bool = True, **fields: object
) -> Datafile:
    seed = sum(name.encode())
    dataset = make_dataset(storage=storage, files={name: png("Tips", seed)}, **fields)
    file = dataset.files.get()
    record_labels(actor=SYSTEM, datafile=file, kind=CATEGORY, labels=[Label("Powders", 0.9)], model_release="model 1")
    if is_verified:
        verify_label(actor=principal_of(make_curator()), datafile=file, kind=CATEGORY, text=label)
    return file


def taken(folder: Path, **options: object) -> dict[str, str]:
    images, missing = verified_images(actor=principal_of(make_curator()), folder=folder, **options)
    assert not missing
    return {image.key: image.label for image in images}


def test_only_what_a_person_verified_is_taken_with_the_label_of_the_person(storage, tmp_path):
    verified = add_image(storage, "a.png", is_open=True)
    add_image(storage, "b.png", is_open=True, is_verified=False)
    assert taken(tmp_path) == {str(verified.pk): "Tips"}


def test_a_label_that_was_corrected_counts_once(storage, tmp_path):
    file = add_image(storage, "a.png", is_open=True)
    verify_label(actor=principal_of(make_curator()), datafile=file, kind=CATEGORY, text="Nanowires")
    assert taken(tmp_path) == {str(file.pk): "Nanowires"}


def test_withdrawn_data_train_no_model(storage, tmp_path):
    file = add_image(storage, "a.png", is_open=True)
    Dataset.objects.filter(pk=file.dataset_id).update(state="withdrawn", withdrawal_reason="Made by mistake.")
    assert taken(tmp_path) == {}


def test_closed_data_are_left_out_where_only_open_ones_are_wanted(storage, tmp_path):
    closed = add_image(storage, "a.png")
    opened = add_image(storage, "b.png", is_open=True)
    assert set(taken(tmp_path)) == {str(closed.pk), str(opened.pk)}
    assert set(taken(tmp_path, only_open=True)) == {str(opened.pk)}


def test_nobody_but_curators_and_administrators_takes_images(tmp_path):
    for asker in (ANONYMOUS, principal_of(make_user())):
        with pytest.raises(NotAllowed):
            verified_images(actor=asker, folder=tmp_path)


def test_images_of_one_investigation_are_one_session_and_keys_name_no_file(storage, tmp_path):
    investigation = make_investigation(is_open=True)
    for name in ("secret-a.png", "secret-b.png"):
        add_image(storage, name, investigation=investigation)
    add_image(storage, "secret-c.png", is_open=True)
    images, _ = verified_images(actor=SYSTEM, folder=tmp_path)
    found = examine(images, say=lambda text: None)
    assert found.report.sessions == 2
    assert sorted(found.groups.tolist()) == [0, 0, 1]
    assert not any("secret" in image.key for image in images)


def test_a_file_that_is_gone_is_told_and_the_others_are_taken(storage, tmp_path):
    gone, there = (add_image(storage, name, is_open=True) for name in ("a.png", "b.png"))
    (Path(storage.location) / gone.path).unlink()
    images, missing = verified_images(actor=SYSTEM, folder=tmp_path)
    assert [image.key for image in images] == [str(there.pk)]
    assert [key for key, reason in missing] == [str(gone.pk)]


def test_files_of_a_remote_storage_are_copied_so_that_other_processes_can_read_them(storage, tmp_path):
    files = [add_image(storage, name, is_open=True) for name in ("a.png", "b.png")]
    with servers.webdav_server(Path(storage.location)) as url:
        Storage.objects.filter(pk=storage.pk).update(
            kind="webdav",
            location=url,
            username=servers.USERNAME,
            secret=encrypt(servers.PASSWORD),
            is_private_network_allowed=True,
        )
        images, missing = verified_images(actor=SYSTEM, folder=tmp_path / "copies")
        close_storages()
    assert not missing
    found = examine(images, processes=2, say=lambda text: None)
    assert {image.key for image in found.images} == {str(file.pk) for file in files}
    assert set(found.report.files.values()) == {file.sha256 for file in files}
