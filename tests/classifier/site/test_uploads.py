"""Uploads: kept whole or not at all, refused with reasons, seen by their owners only, removed with their files."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image as Pillow

from classifier.files import sidecar_of, upload_path
from classifier.models import Image, Submission, Work
from classifier.services.measuring import measure
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import png, signed_in, upload

pytestmark = pytest.mark.django_db


def files_below(folder: Path) -> list[Path]:
    return [path for path in (folder / "classifier" / "uploads").rglob("*") if path.is_file()]


def test_a_visitor_uploads_sees_the_images_in_this_browser_only_and_for_a_day(release, folder):
    client = Client()
    submission = upload(client, png(1), png(2))
    assert submission.owner is None
    assert timedelta(hours=23) < submission.expires_at - timezone.now() <= timedelta(hours=24)
    page = client.get(f"/classify/{submission.uid}").content.decode()
    assert "picture-1.png" in page and "Seen in this browser only" in page
    assert Client().get(f"/classify/{submission.uid}").status_code == 404
    assert upload_path(submission.images.get(name="picture-1.png").uid).read_bytes() == world.picture(1)


def test_an_upload_of_an_account_is_kept_and_nobody_else_sees_it(release):
    owner, other, curator = factories.make_user(), factories.make_user(), factories.make_curator()
    submission = upload(signed_in(owner))
    image = submission.images.get()
    assert submission.expires_at is None
    assert str(submission.uid) in signed_in(owner).get("/classify").content.decode()
    paths = (
        f"/classify/{submission.uid}",
        f"/classify/{submission.uid}/register",
        f"/classify/images/{image.uid}",
        f"/classify/images/{image.uid}/preview.webp",
        f"/classify/images/{image.uid}/thumbnail.webp",
        f"/classify/images/{image.uid}/saliency.webp",
    )
    for path in paths[:5]:
        answer = signed_in(owner).get(path)
        assert answer.status_code == 200, path
        assert "private" in answer["Cache-Control"], path
    for user in (other, curator):
        for path in paths:
            assert signed_in(user).get(path).status_code == 404, path
        assert str(submission.uid) not in signed_in(user).get("/classify").content.decode()


def test_what_waits_for_a_worker_is_work_of_both_kinds(release):
    upload(Client(), png(1), png(2))
    assert world.states() == {"category waiting": 2, "scale waiting": 2}


def test_a_site_without_a_model_keeps_the_images_and_says_so(folder, db):
    client = Client()
    submission = upload(client)
    assert "No model is in use" in client.get(f"/classify/{submission.uid}").content.decode()
    assert world.states() == {"scale waiting": 1}


def gif() -> bytes:
    frames = [Pillow.new("L", (40, 40), shade) for shade in (0, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def bmp_of(width: int, height: int) -> bytes:
    """A header that promises more pixels than there are bytes."""
    stream = io.BytesIO()
    Pillow.new("L", (20, 20)).save(stream, "BMP")
    content = bytearray(stream.getvalue())
    content[18:26] = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return bytes(content)


BAD = {
    "notes.txt": (b"no image at all, only words", "not-an-image"),
    "empty.tif": (b"", "empty-file"),
    "bomb.bmp": (bmp_of(100_000, 100_000), "too-many-pixels"),
    "dot.bmp": (bmp_of(1, 1), "too-few-pixels"),
    "cut.tif": (b"II*\x00\x08\x00\x00\x00\x0f", "damaged-image"),
}


def test_each_file_that_is_no_image_is_refused_with_its_reason_and_the_others_are_kept(release, folder):
    client = Client()
    files = [SimpleUploadedFile(name, content) for name, (content, _) in BAD.items() if content]
    submission = upload(client, *files, png(1), SimpleUploadedFile("moving.gif", gif()))
    assert sorted(image.name for image in submission.images.all()) == ["moving.gif", "picture-1.png"]
    told = {one["name"]: one["code"] for one in submission.refusals}
    assert told == {name: code for name, (content, code) in BAD.items() if content}
    page = client.get(f"/classify/{submission.uid}").content.decode()
    assert "4 files refused" in page and "notes.txt" in page and "not-an-image" in page
    assert len(files_below(folder)) == 2


def test_a_text_beside_an_image_is_kept_with_it_and_gives_its_metadata(release, folder, shared_samples):
    client = signed_in(factories.make_user())
    files = sorted(shared_samples.glob("sem-jeol/image000.*"))
    submission = upload(client, *[SimpleUploadedFile(path.name, path.read_bytes()) for path in files])
    image = submission.images.get()
    assert not submission.refusals
    measure("ocr", list(Work.objects.filter(kind="scale").values_list("pk", flat=True)))
    image.refresh_from_db()
    assert image.scale.source == "side-car"
    assert len(image.metadata) > 5
    assert sidecar_of(image.uid).read_bytes() == (shared_samples / "sem-jeol" / "image000.txt").read_bytes()
    page = client.get(f"/classify/images/{image.uid}").content.decode()
    assert "Accelerating voltage" in page and "as the instrument wrote them</summary>" in page


def test_a_form_without_files_says_what_to_do(release):
    response = Client().post("/classify", {})
    assert response.status_code == 422
    assert "Choose at least one image" in response.content.decode()
    assert not Submission.objects.exists()


def test_more_images_than_one_upload_may_have_are_refused_and_none_is_kept(release, folder, settings):
    settings.CLASSIFIER_MOST_IMAGES = 2
    response = Client().post("/classify", {"files": [png(number) for number in range(3)]})
    assert response.status_code == 422
    assert "at most 2 images" in response.content.decode()
    assert not Submission.objects.exists() and not files_below(folder)


def test_more_files_than_a_request_may_bring_are_refused_with_a_clear_page(release, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = Client().post("/classify", {"files": [png(number) for number in range(3)]})
    assert response.status_code == 413
    assert "2 files at most" in response.content.decode()
    assert not Submission.objects.exists()


def test_a_request_that_states_more_bytes_than_its_address_takes_is_refused_before_it_is_read(release, settings):
    settings.UPLOADS_TO = {"/classify": 1000}
    response = Client().post("/classify", {"files": [png(1)]})
    assert response.status_code == 413
    assert "nothing was kept" in response.content.decode()


def test_a_thousand_images_at_once_are_accepted(release, folder):
    content = world.picture(0, (16, 16))
    files = [SimpleUploadedFile(f"{number}.png", content) for number in range(1000)]
    user = factories.make_user()
    submission = upload(signed_in(user), *files)
    assert submission.images.count() == 1000
    assert Work.objects.count() == 2000


def test_visitors_from_one_address_have_a_limit_and_are_told_to_sign_in(release, settings, folder):
    settings.CLASSIFIER_ANONYMOUS_IMAGES = 3
    client = Client()
    upload(client, png(1), png(2))
    response = client.post("/classify", {"files": [png(3), png(4)]})
    assert response.status_code == 422
    assert "Sign in to send more" in response.content.decode()
    assert Image.objects.count() == 2
    upload(client, png(3))
    upload(signed_in(factories.make_user()), png(5), png(6))


def test_one_person_keeps_a_bounded_number_of_images(release, settings):
    settings.CLASSIFIER_KEPT_IMAGES = 1
    client = signed_in(factories.make_user())
    upload(client, png(1))
    response = client.post("/classify", {"files": [png(2)]})
    assert "Register or remove some" in response.content.decode()
    assert Image.objects.count() == 1


def test_the_script_sends_file_by_file_into_one_upload_and_one_that_is_sent_again_is_there_once(release):
    client = Client()
    json = {"HTTP_ACCEPT": "application/json"}
    first = client.post("/classify", {"files": [png(1)]}, **json).json()
    for number in (2, 2, 1):
        answer = client.post("/classify", {"files": [png(number)], "submission": first["uid"]}, **json).json()
        assert answer == first
    assert Submission.objects.get().images.count() == 2


def test_nobody_adds_to_the_upload_of_somebody_else(release):
    submission = upload(Client())
    answer = Client().post(
        "/classify", {"files": [png(2)], "submission": str(submission.uid)}, HTTP_ACCEPT="application/json"
    )
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"
    assert submission.images.count() == 1


def test_when_the_database_refuses_no_file_is_left(release, folder, settings):
    settings.CLASSIFIER_MOST_WAITING = 0
    response = Client().post("/classify", {"files": [png(1)]})
    assert response.status_code == 422
    assert not Submission.objects.exists() and not Image.objects.exists()
    assert not files_below(folder)


def test_an_upload_is_removed_with_its_files(release, folder, django_capture_on_commit_callbacks):
    client = signed_in(factories.make_user())
    submission = upload(client, png(1))
    image = submission.images.get()
    assert client.get(f"/classify/images/{image.uid}/thumbnail.webp").status_code == 200
    assert signed_in(factories.make_user()).post(f"/classify/{submission.uid}/remove").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/classify/{submission.uid}/remove")
    assert not Submission.objects.exists()
    assert not [path for path in (folder / "classifier").rglob("*") if path.is_file() and "releases" not in path.parts]


def test_names_of_files_are_made_harmless(release):
    submission = upload(Client(), png(1, name="..\\..\\evil\x07name<script>.png"))
    assert submission.images.get().name == "evilname<script>.png"
    assert "<script>.png" not in Client().get(f"/classify/{submission.uid}").content.decode()


def test_an_instruments_token_uploads_nothing(release, world_instrument_token):
    answer = Client().post(
        "/api/v1/classifications", {"files": [png(1)]}, headers={"Authorization": f"Bearer {world_instrument_token}"}
    )
    assert answer.status_code == 403
    assert not Image.objects.exists()


@pytest.fixture
def world_instrument_token() -> str:
    from catalogue.access import principal_of
    from catalogue.services.tokens import create_token

    account = factories.make_instrument_account(factories.make_instrument(), "microscope-account")
    administrator = factories.make_user("administrator", is_superuser=True, is_staff=True)
    _, text = create_token(
        actor=principal_of(administrator),
        owner=account,
        name="microscope",
        scopes={"read", "register"},
        lifetime=timedelta(days=1),
    )
    return text
