"""Model cards: what a release is and is not, its figures and its files; demonstrations say so wherever they speak."""

import hashlib
import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pillow

from catalogue.access import SYSTEM
from classifier.models import Image, Work
from classifier.pipeline.releases import DEMONSTRATION
from classifier.services.releases import activate_release, install_release
from classifier.services.results import classify
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import signed_in, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstration(folder, db):
    release = install_release(actor=SYSTEM, folder=DEMONSTRATION)
    activate_release(actor=SYSTEM, release=release)
    return release


def test_the_card_of_the_demonstration_says_what_it_is_before_any_figure(demonstration):
    page = Client().get(f"/models/{demonstration.name}/{demonstration.release}").content.decode()
    warning = page.index("trained on synthetic images")
    assert warning < page.index("Figures on synthetic images") < page.index("Confusion matrix")
    for label in demonstration.labels:
        assert label in page
    assert "It never saw a real image." in page
    described = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
    assert described["@type"] == "SoftwareApplication"
    assert "synthetic" in described["description"]


def test_its_files_are_downloaded_with_their_checksums(demonstration):
    address = f"/models/{demonstration.name}/{demonstration.release}"
    page = Client().get(address).content.decode()
    for name, sha256 in demonstration.manifest["files"].items():
        answer = Client().get(f"{address}/files/{name}")
        assert hashlib.sha256(b"".join(answer.streaming_content)).hexdigest() == sha256
        assert answer["Content-Disposition"].startswith("attachment")
        assert sha256 in page


@pytest.mark.parametrize("name", ["manifest.json", "..%2f..%2fmodels.py", "passwd", "card.md%00"])
def test_nothing_but_what_the_manifest_names_is_downloaded(demonstration, name):
    assert Client().get(f"/models/demonstration/{demonstration.release}/files/{name}").status_code in (400, 404)


def test_every_page_with_results_says_that_a_demonstration_made_them(demonstration):
    client = Client()
    submission = upload(client)
    for path in ("/classify", f"/classify/{submission.uid}", f"/classify/images/{Image.objects.get().uid}", "/models"):
        assert "A demonstration model." in client.get(path).content.decode(), path


def test_a_candidate_is_shown_to_curators_only(release, folder):
    install_release(actor=SYSTEM, folder=world.write_untrained(folder / "next", "2"))
    for path in ("/models/untrained/2", "/models/untrained/2/files/model.tflite"):
        assert Client().get(path).status_code == 404
        assert signed_in(factories.make_curator(path[-5:])).get(path).status_code == 200
    assert "untrained 2" not in Client().get("/models").content.decode()


def test_the_saliency_of_an_image_is_made_once_and_shows_the_whole_picture(demonstration, folder):
    client = Client()
    picture = SimpleUploadedFile("large.png", world.picture(3, (400, 300)))
    image = upload(client, picture).images.get()
    assert client.get(f"/classify/images/{image.uid}/saliency.webp").status_code == 404
    classify("cpu", list(Work.objects.filter(kind="category").values_list("pk", flat=True)))
    assert "What the model looked at" in client.get(f"/classify/images/{image.uid}").content.decode()
    first = client.get(f"/classify/images/{image.uid}/saliency.webp")
    assert Pillow.open(io.BytesIO(first.content)).size == (400, 300)
    assert client.get(f"/classify/images/{image.uid}/saliency.webp").content == first.content
    assert Client().get(f"/classify/images/{image.uid}/saliency.webp").status_code == 404
