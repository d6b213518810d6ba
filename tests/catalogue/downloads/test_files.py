import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from catalogue.access import ANONYMOUS, principal_of
from catalogue.derived import Picture, picture_path
from catalogue.errors import NotIntact
from catalogue.models import Dataset, Download, Storage, User
from catalogue.models.datasets import Fixity
from catalogue.services.downloads import open_file
from catalogue.services.tokens import create_token
from tests import factories
from tests.catalogue.downloads.conftest import FILES, body_of

TIFF = "images/a b.tif"


def url_of(dataset: Dataset, name: str = TIFF) -> str:
    return reverse("dataset-file", args=[dataset.uid, name])


def path_of(dataset: Dataset, name: str = TIFF) -> Path:
    file = dataset.files.select_related("storage").get(name=name)
    return Path(file.storage.location) / file.path


def test_anyone_gets_a_file_of_an_open_dataset_with_its_digest(client: Client, open_dataset: Dataset) -> None:
    response = client.get(url_of(open_dataset))
    assert response.status_code == 200
    assert body_of(response) == FILES[TIFF]
    assert response["Content-Length"] == str(len(FILES[TIFF]))
    assert response["ETag"] == f'"{hashlib.sha256(FILES[TIFF]).hexdigest()}"'
    assert response["Repr-Digest"].startswith("sha-256=:")
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Disposition"] == "attachment; filename=\"a b.tif\"; filename*=UTF-8''a%20b.tif"
    assert "public" in response["Cache-Control"]
    assert "Last-Modified" in response


def test_names_in_any_script_and_empty_files_are_sent(client: Client, open_dataset: Dataset) -> None:
    assert body_of(client.get(url_of(open_dataset, "notes/Größe.txt"))) == FILES["notes/Größe.txt"]
    empty = client.get(url_of(open_dataset, "empty.dat"))
    assert (empty.status_code, body_of(empty), empty["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("header", "start", "stop"), [("bytes=0-9", 0, 10), ("bytes=3990-", 3990, 4000), ("bytes=-5", 3995, 4000)]
)
def test_a_range_is_sent_as_partial_content(
    client: Client, open_dataset: Dataset, header: str, start: int, stop: int
) -> None:
    response = client.get(url_of(open_dataset), headers={"range": header})
    assert response.status_code == 206
    assert body_of(response) == FILES[TIFF][start:stop]
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/4000"
    assert response["Content-Length"] == str(stop - start)


def test_a_range_behind_the_end_is_answered_with_the_length(client: Client, open_dataset: Dataset) -> None:
    response = client.get(url_of(open_dataset), headers={"range": "bytes=4000-"})
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */4000")


def test_several_ranges_at_once_are_answered_with_the_whole(client: Client, open_dataset: Dataset) -> None:
    response = client.get(url_of(open_dataset), headers={"range": "bytes=0-1,5-6"})
    assert (response.status_code, len(body_of(response))) == (200, 4000)


def test_a_range_of_an_older_version_is_answered_with_the_whole(client: Client, open_dataset: Dataset) -> None:
    etag = client.head(url_of(open_dataset))["ETag"]
    date = client.head(url_of(open_dataset))["Last-Modified"]
    for valid in (etag, date):
        assert client.get(url_of(open_dataset), headers={"range": "bytes=5-", "if-range": valid}).status_code == 206
    for old in ('"old"', "Sun, 06 Nov 1994 08:49:37 GMT", f"W/{etag}"):
        assert client.get(url_of(open_dataset), headers={"range": "bytes=5-", "if-range": old}).status_code == 200


def test_what_the_visitor_has_already_is_not_sent_again(client: Client, open_dataset: Dataset) -> None:
    first = client.head(url_of(open_dataset))
    again = client.get(url_of(open_dataset), headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    since = client.get(url_of(open_dataset), headers={"if-modified-since": first["Last-Modified"]})
    assert since.status_code == 304
    assert client.get(url_of(open_dataset), headers={"if-match": '"other"'}).status_code == 412


def test_head_tells_the_length_and_sends_nothing(client: Client, open_dataset: Dataset) -> None:
    response = client.head(url_of(open_dataset), headers={"range": "bytes=0-1"})
    assert (response.status_code, response["Content-Length"], response.content) == (200, "4000", b"")


def test_a_page_in_a_dataset_cannot_run_in_a_browser(client: Client, storage: Storage) -> None:
    dataset = factories.make_dataset(is_open=True)
    factories.add_file(dataset, storage, "evil.html", b"<script>alert(1)</script>", media_type="text/html")
    response = client.get(url_of(dataset, "evil.html"))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox;")


def test_a_stranger_is_told_the_same_of_every_name_in_a_closed_dataset(client: Client, closed_dataset: Dataset) -> None:
    there, not_there = client.get(url_of(closed_dataset)), client.get(url_of(closed_dataset, "no such file"))
    assert there.status_code == not_there.status_code == 403
    assert b"a b.tif" not in there.content
    assert "Open from" in there.content.decode()


def test_the_team_gets_closed_files_and_no_shared_cache_keeps_them(
    client: Client, closed_dataset: Dataset, pi: User
) -> None:
    client.force_login(pi)
    response = client.get(url_of(closed_dataset))
    assert body_of(response) == FILES[TIFF]
    assert "private" in response["Cache-Control"]


def test_a_token_opens_closed_files_to_programs(client: Client, closed_dataset: Dataset, pi: User) -> None:
    _, token = create_token(actor=principal_of(pi), owner=pi, name="t", scopes=["read"], lifetime=timedelta(days=1))
    _, blind = create_token(actor=principal_of(pi), owner=pi, name="b", scopes=["register"], lifetime=timedelta(days=1))
    answers = [
        client.get(url_of(closed_dataset), headers={"authorization": f"Bearer {text}"}).status_code
        for text in (token, blind, "fct_wrong")
    ]
    assert answers == [200, 403, 403]


def test_a_withdrawn_dataset_is_gone(client: Client, open_dataset: Dataset) -> None:
    Dataset.objects.filter(pk=open_dataset.pk).update(state="withdrawn", withdrawal_reason="measured twice")
    response = client.get(url_of(open_dataset))
    assert response.status_code == 410
    assert "measured twice" in response.content.decode()


def test_an_unknown_file_is_not_found(client: Client, open_dataset: Dataset) -> None:
    assert client.get(url_of(open_dataset, "other.tif")).status_code == 404
    assert client.get(url_of(open_dataset, "../../etc/passwd")).status_code == 404


def test_a_file_that_vanished_or_changed_is_refused_with_the_reason(client: Client, open_dataset: Dataset) -> None:
    place = path_of(open_dataset)
    place.write_bytes(b"longer than it was" * 1000)
    assert "has 18000 bytes and was registered with 4000" in client.get(url_of(open_dataset)).content.decode()
    place.write_bytes(b"x" * 4000)
    os.utime(place, (1_700_000_000, 1_700_000_000))
    assert "was changed on 2023-11-14" in client.get(url_of(open_dataset)).content.decode()
    place.unlink()
    response = client.get(url_of(open_dataset))
    assert response.status_code == 409
    assert "is missing" in response.content.decode()
    assert not Download.objects.exists()


def test_a_file_that_became_a_link_is_refused(client: Client, open_dataset: Dataset, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 4000)
    path_of(open_dataset).unlink()
    path_of(open_dataset).symlink_to(secret)
    response = client.get(url_of(open_dataset))
    assert response.status_code == 409
    assert "may not be read by this site" in response.content.decode()


def test_a_file_replaced_between_looking_and_opening_is_refused(open_dataset: Dataset) -> None:
    download = open_file(principal=ANONYMOUS, uid=open_dataset.uid, name=TIFF)
    place = path_of(open_dataset)
    place.rename(place.with_suffix(".old"))
    place.write_bytes(b"x" * 4000)
    with pytest.raises(NotIntact, match="was changed a moment ago"), download.open(0, 10):
        pass


def test_a_file_whose_checksum_changed_is_refused(client: Client, open_dataset: Dataset) -> None:
    open_dataset.files.update(fixity=Fixity.CHANGED)
    assert "no longer has the checksum" in client.get(url_of(open_dataset)).content.decode()


def test_a_storage_that_is_gone_is_named_as_the_cause(client: Client, open_dataset: Dataset) -> None:
    Storage.objects.update(location="/nowhere/at/all")
    response = client.get(url_of(open_dataset))
    assert response.status_code == 503
    assert "does not answer" in response.content.decode()
    assert "/nowhere" not in response.content.decode()


def test_nginx_is_handed_the_file_after_the_same_checks(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset, settings: Settings
) -> None:
    settings.ACCEL_REDIRECT_PREFIX = "/_storages"
    response = client.get(url_of(open_dataset))
    file = open_dataset.files.select_related("storage").get(name=TIFF)
    assert response["X-Accel-Redirect"] == f"/_storages/{file.storage.uid}/{open_dataset.uid}/images/a%20b.tif"
    assert body_of(response) == b""
    assert "attachment" in response["Content-Disposition"]
    assert Download.objects.count() == 1
    assert "X-Accel-Redirect" not in client.get(url_of(closed_dataset))


def test_the_thumbnail_is_as_closed_as_the_files(
    client: Client, closed_dataset: Dataset, pi: User, settings: Settings, tmp_path: Path
) -> None:
    settings.DERIVED_DIR = tmp_path / "derived"
    place = picture_path(closed_dataset.uid, Picture.THUMBNAIL)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"RIFF....WEBP")
    url = reverse("dataset-thumbnail", args=[closed_dataset.uid])
    assert client.get(url).status_code == 403
    client.force_login(pi)
    response = client.get(url)
    assert (response["Content-Type"], body_of(response)) == ("image/webp", b"RIFF....WEBP")
    assert client.get(url, headers={"if-none-match": response["ETag"]}).status_code == 304
    place.unlink()
    assert client.get(url).status_code == 404
    assert not Download.objects.exists()


def test_only_get_and_head_are_answered(client: Client, open_dataset: Dataset) -> None:
    assert client.post(url_of(open_dataset)).status_code == 405
