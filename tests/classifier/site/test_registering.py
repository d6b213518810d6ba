"""Uploads become a dataset in one step: bytes in a storage, rows in the catalogue, what was found with them; or nothing at all."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalogue.models import Annotation, Datafile, Dataset
from classifier.files import upload_path
from classifier.models import Image, Prediction, Work
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import png, signed_in, upload

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def place(folder, release):
    """A principal investigator with a session at an instrument whose storage has folders of teams."""
    pi = factories.make_user("pi")
    investigation = factories.make_investigation(pi=pi)
    (folder / "store").mkdir()
    storage = factories.make_storage(folder / "store", instrument=investigation.instrument, member_folder="{visit_id}")
    return pi, investigation, storage


def form(investigation, storage, *images: Image, **more: str) -> dict:
    return {
        "image": [str(image.uid) for image in images],
        "investigation": str(investigation.uid),
        "storage": str(storage.uid),
        "title": "Wires on a wafer",
        "folder": "",
    } | more


def stored(folder: Path) -> list[str]:
    root = folder / "store"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_images_are_registered_with_all_that_was_found_and_no_model_runs_again(place, folder, classify):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client, png(1), png(2))
    images = list(submission.images.all())
    classify(images, 0.7, 0.25)
    client.post(f"/classify/images/{images[0].uid}/opinion", {"other": "Tips"})
    response = client.post(f"/classify/{submission.uid}/register", form(investigation, storage, *images))
    dataset = Dataset.objects.get()
    assert response["Location"] == f"/datasets/{dataset.uid}"
    assert stored(folder) == [f"{investigation.visit_id}/classified/picture-{number}.png" for number in (1, 2)]
    assert (folder / "store" / stored(folder)[0]).read_bytes() == world.picture(1)
    files = {file.name: file for file in dataset.files.all()}
    twin = Image.objects.get(datafile=files["picture-1.png"])
    assert Prediction.objects.filter(image=twin).count() == 1
    assert {row.state for row in Work.objects.filter(image=twin, kind="category")} == {"done"}
    labels = set(Annotation.objects.filter(datafile=files["picture-2.png"]).values_list("label", flat=True))
    assert labels == {"Biological", "Fibres"}
    assert Annotation.objects.get(datafile=files["picture-1.png"], verified_at__isnull=False).label == "Tips"
    assert Image.objects.get(pk=images[0].pk).registered_as == files["picture-1.png"]
    assert f"/datasets/{dataset.uid}" in client.get(f"/classify/{submission.uid}").content.decode()


def test_the_text_beside_an_image_goes_with_it(place, folder):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client, png(1, name="wire.png"), SimpleUploadedFile("wire.txt", b"$CM_FORMAT JPG"))
    client.post(f"/classify/{submission.uid}/register", form(investigation, storage, submission.images.get()))
    assert [path.rpartition("/")[2] for path in stored(folder)] == ["wire.png", "wire.txt"]
    assert sorted(Dataset.objects.get().files.values_list("name", flat=True)) == ["wire.png", "wire.txt"]


def test_the_form_sent_twice_leads_to_the_same_dataset(place, classify):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client)
    image = submission.images.get()
    data = form(investigation, storage, image)
    first = client.post(f"/classify/{submission.uid}/register", data)
    second = client.post(f"/classify/{submission.uid}/register", data)
    assert first["Location"] == second["Location"]
    assert Dataset.objects.count() == 1


def test_when_the_storage_fails_nothing_is_registered_and_the_same_call_works_later(place, folder):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client)
    data = form(investigation, storage, submission.images.get())
    root = folder / "store"
    root.rmdir()
    root.write_bytes(b"a file where the folder should be")
    response = client.post(f"/classify/{submission.uid}/register", data)
    assert response.status_code == 422
    assert "Nothing was registered" in response.content.decode()
    assert not Dataset.objects.exists() and not Datafile.objects.exists()
    root.unlink()
    root.mkdir()
    assert client.post(f"/classify/{submission.uid}/register", data).status_code == 302
    assert Dataset.objects.count() == 1


def test_bytes_that_lie_there_from_an_earlier_attempt_are_used_and_others_are_never_overwritten(place, folder):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client)
    target = folder / "store" / investigation.visit_id / "classified" / "picture-0.png"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"somebody else's")
    data = form(investigation, storage, submission.images.get())
    response = client.post(f"/classify/{submission.uid}/register", data)
    assert "Another file lies at" in response.content.decode()
    assert target.read_bytes() == b"somebody else's"
    assert not Dataset.objects.exists()
    target.write_bytes(world.picture(0))
    assert client.post(f"/classify/{submission.uid}/register", data).status_code == 302


def test_two_images_of_one_name_get_paths_of_their_own(place, folder):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client, png(1, name="wire.png"), png(2, name="wire.png"))
    client.post(f"/classify/{submission.uid}/register", form(investigation, storage, *submission.images.all()))
    assert [path.rpartition("/")[2] for path in stored(folder)] == ["wire-2.png", "wire.png"]


def test_team_members_stay_in_the_folder_of_their_team(place, folder):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client)
    data = form(investigation, storage, submission.images.get(), folder="visit-of-others")
    response = client.post(f"/classify/{submission.uid}/register", data)
    assert response.status_code == 422
    assert not stored(folder) and not Dataset.objects.exists()


def test_nobody_registers_in_an_investigation_or_storage_of_others(place, folder, tmp_path):
    pi, investigation, storage = place
    other = factories.make_user()
    factories.make_investigation(pi=other)
    client = signed_in(other)
    submission = upload(client)
    response = client.post(
        f"/classify/{submission.uid}/register", form(investigation, storage, submission.images.get())
    )
    assert response.status_code in (200, 422)
    assert not Dataset.objects.exists() and not stored(folder)


def test_images_of_others_are_not_taken_along(place, folder):
    pi, investigation, storage = place
    foreign = upload(signed_in(factories.make_user())).images.get()
    client = signed_in(pi)
    submission = upload(client, png(5))
    client.post(f"/classify/{submission.uid}/register", form(investigation, storage, foreign))
    assert not Dataset.objects.exists() and not stored(folder)


def test_a_file_whose_upload_is_gone_is_told(place, folder):
    pi, investigation, storage = place
    client = signed_in(pi)
    submission = upload(client)
    upload_path(submission.images.get().uid).unlink()
    response = client.post(
        f"/classify/{submission.uid}/register", form(investigation, storage, submission.images.get())
    )
    assert "Upload it again" in response.content.decode()
    assert not Dataset.objects.exists()
