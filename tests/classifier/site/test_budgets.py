"""Pages cost the same however much there is to show, and an upload that breaks off leaves nothing."""

import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.access import SYSTEM
from classifier.models import Image, Submission
from classifier.services.backlog import queue_datasets
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import png, signed_in, upload

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(path).status_code == 200
    return len(counted)


def test_more_images_and_more_uploads_cost_no_more_queries(release, classify):
    client = signed_in(factories.make_user())
    small, large = upload(client, png(0)), upload(client, *[png(number) for number in range(1, 30)])
    classify(list(Image.objects.all()), 0.7)
    few = queries_of(client, f"/classify/{small.uid}")
    assert queries_of(client, f"/classify/{large.uid}") <= few <= 17
    listed = queries_of(client, "/classify")
    for number in range(40, 45):
        upload(client, png(number))
    assert queries_of(client, "/classify") <= listed <= 8


def test_an_images_page_costs_a_bounded_number_of_queries(release, folder, classify):
    (dataset,) = world.make_archive(folder / "files", images=30)
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    images = list(Image.objects.all())
    classify(images, 0.7)
    client = signed_in(factories.make_user())
    assert queries_of(client, f"/classify/images/{images[0].uid}") <= 24
    assert queries_of(client, f"/classify/datasets/{dataset.uid}") <= 17


class BrokenOff(io.BytesIO):
    """The beginning of a body, and then a connection that is not there any more."""

    def read(self, size: int = -1) -> bytes:
        content = super().read(size)
        if not content:
            raise OSError("connection reset")
        return content


def test_an_upload_that_is_broken_off_leaves_nothing(release, folder, settings):
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + world.picture(1)
    client = Client(raise_request_exception=False)
    answer = client.generic(
        "POST",
        "/classify",
        b"replaced below",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(len(head) + 100_000),
        **{"wsgi.input": BrokenOff(head)},
    )
    assert answer.status_code == 400
    assert not Submission.objects.exists()
    assert not [path for path in folder.rglob("*.upload*")]
    assert not [path for path in (folder / "classifier" / "uploads").rglob("*") if path.is_file()]
