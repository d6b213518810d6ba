import hashlib
import http.client
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from catalogue.access import ANONYMOUS
from catalogue.models import Dataset, Download, Storage, User
from catalogue.services import zips
from tests import factories, services
from tests.catalogue.downloads.conftest import FILES, body_of

OF_THE_CRATE = {"ro-crate-metadata.json", "ro-crate-preview.html"}
COPIED = ("investigation", "instrument", "title", "licence", "registered_by")


def url_of(dataset: Dataset) -> str:
    return reverse("dataset-zip", args=[dataset.uid])


def contents_of(data: bytes) -> dict[str, bytes]:
    """File name -> content, after every checksum was verified; the top folder is cut off."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {info.filename.partition("/")[2] or info.filename: archive.read(info) for info in archive.infolist()}


def data_of(data: bytes) -> dict[str, bytes]:
    """The same without the crate, which `test_crates.py` looks at."""
    contents = contents_of(data)
    assert OF_THE_CRATE <= contents.keys()
    return {name: content for name, content in contents.items() if name not in OF_THE_CRATE}


def test_a_dataset_comes_as_one_zip_with_a_manifest(client: Client, open_dataset: Dataset) -> None:
    response = client.get(url_of(open_dataset))
    data = body_of(response)
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Length"] == str(len(data))
    contents = data_of(data)
    manifest = contents.pop("manifest-sha256.txt").decode()
    assert contents == FILES
    folder = zips.folder_of(open_dataset, ANONYMOUS)
    assert manifest.splitlines() == [
        f"{hashlib.sha256(FILES[name]).hexdigest()}  {folder}/{name}" for name in sorted(FILES)
    ]
    assert folder in response["Content-Disposition"]


def test_the_manifest_is_checked_by_sha256sum(client: Client, open_dataset: Dataset, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(body_of(client.get(url_of(open_dataset))))) as archive:
        archive.extractall(tmp_path / "here")
    subprocess.run(["sha256sum", "--check", "--strict", "manifest-sha256.txt"], cwd=tmp_path / "here", check=True)


def test_the_same_bytes_come_every_time_and_continue_anywhere(client: Client, open_dataset: Dataset) -> None:
    first = client.get(url_of(open_dataset))
    whole = body_of(first)
    again = client.get(url_of(open_dataset))
    assert (body_of(again), again["ETag"]) == (whole, first["ETag"])
    for start in (1, 100, 4100, len(whole) - 1):
        part = client.get(url_of(open_dataset), headers={"range": f"bytes={start}-", "if-range": first["ETag"]})
        assert part.status_code == 206
        assert body_of(part) == whole[start:]


def test_an_archive_that_changed_meanwhile_is_sent_anew(
    client: Client, open_dataset: Dataset, storage: Storage
) -> None:
    old = client.head(url_of(open_dataset))["ETag"]
    factories.add_file(open_dataset, storage, "new.txt", b"new")
    response = client.get(url_of(open_dataset), headers={"range": "bytes=10-", "if-range": old})
    assert response.status_code == 200
    assert contents_of(body_of(response))["new.txt"] == b"new"


def test_without_checksums_the_archive_is_complete_but_not_resumable(client: Client, storage: Storage) -> None:
    dataset = factories.make_dataset(is_open=True, storage=storage, files=FILES, has_checksums=False)
    response = client.get(url_of(dataset), headers={"range": "bytes=10-"})
    data = body_of(response)
    assert (response.status_code, response["Accept-Ranges"]) == (200, "none")
    assert "ETag" not in response
    assert response["Content-Length"] == str(len(data))
    contents = data_of(data)
    assert hashlib.sha256(FILES["images/a b.tif"]).hexdigest() in contents.pop("manifest-sha256.txt").decode()
    assert contents == FILES


def test_chosen_files_come_as_a_zip_of_their_own(client: Client, open_dataset: Dataset) -> None:
    response = client.get(url_of(open_dataset), {"file": ["empty.dat", "notes/Größe.txt"]})
    contents = data_of(body_of(response))
    assert set(contents) == {"empty.dat", "notes/Größe.txt", "manifest-sha256.txt"}
    assert client.get(url_of(open_dataset), {"file": ["empty.dat", "no such file"]}).status_code == 404


def test_head_tells_the_exact_length(client: Client, open_dataset: Dataset) -> None:
    head = client.head(url_of(open_dataset))
    assert head["Content-Length"] == str(len(body_of(client.get(url_of(open_dataset)))))


def test_one_missing_file_refuses_the_whole_archive_and_is_named(client: Client, open_dataset: Dataset) -> None:
    file = open_dataset.files.select_related("storage").get(name="empty.dat")
    (Path(file.storage.location) / file.path).unlink()
    response = client.get(url_of(open_dataset))
    assert response.status_code == 409
    assert "empty.dat is missing" in response.content.decode()
    assert str(file.storage.location) not in response.content.decode()


def test_all_broken_files_of_a_big_folder_are_found_before_the_first_byte(client: Client, storage: Storage) -> None:
    files = {f"{number:03}.dat": b"x" * number for number in range(120)}
    dataset = factories.make_dataset(is_open=True, storage=storage, files=files)
    folder = Path(storage.location) / str(dataset.uid)
    assert data_of(body_of(client.get(url_of(dataset)))).keys() == {*files, "manifest-sha256.txt"}
    (folder / "007.dat").unlink()
    (folder / "100.dat").write_bytes(b"short")
    page = client.get(url_of(dataset)).content.decode()
    assert "007.dat is missing" in page
    assert "100.dat has 5 bytes and was registered with 100" in page


def test_a_stranger_gets_no_archive_of_closed_data(client: Client, closed_dataset: Dataset, pi: User) -> None:
    assert client.get(url_of(closed_dataset)).status_code == 403
    client.force_login(pi)
    response = client.get(url_of(closed_dataset))
    assert "private" in response["Cache-Control"]
    assert contents_of(body_of(response))["empty.dat"] == b""


@pytest.mark.django_db
def test_an_empty_dataset_has_nothing_to_download(client: Client) -> None:
    dataset = factories.make_dataset(is_open=True)
    assert client.get(url_of(dataset)).status_code == 404


def test_an_investigation_comes_without_what_is_closed_and_says_so(client: Client, storage: Storage) -> None:
    investigation = factories.make_investigation()
    past = investigation.started_at
    factories.make_dataset(investigation, storage=storage, files={"a": b"open"}, embargo_until=past)
    factories.make_dataset(investigation, storage=storage, files={"b": b"closed"}, title="Still closed")
    contents = contents_of(body_of(client.get(reverse("investigation-zip", args=[investigation.uid]))))
    assert contents["a"] == b"open"
    assert "b" not in contents
    assert "Still closed" in contents["NOT-INCLUDED.txt"].decode()


def test_too_many_archives_in_a_minute_are_refused(client: Client, open_dataset: Dataset) -> None:
    answers = [client.head(url_of(open_dataset)).status_code for _ in range(61)]
    assert set(answers[:60]) == {200}
    assert answers[60] == 429


@pytest.fixture
def gunicorn_url(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """The site as it is run, by gunicorn in a process of its own on the database of the tests."""
    if connection.vendor != "sqlite":
        pytest.skip("is run on SQLite, whose file the second process opens")
    port = services.free_port()
    variables = {
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
    }
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"]
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(command, env=os.environ | variables, stdout=log, stderr=log)
    try:
        services.wait_until(lambda: services.answers(port), server, "gunicorn")
        yield f"127.0.0.1:{port}"
    finally:
        services.stop(server)


def fetch(netloc: str, path: str) -> tuple[int, int, bytes]:
    """Status, announced length, and what arrived before the connection ended."""
    with closing(http.client.HTTPConnection(netloc, timeout=20)) as client:
        client.request("GET", path)
        response = client.getresponse()
        try:
            data = response.read()
        except http.client.IncompleteRead as short:
            data = short.partial
        return response.status, int(response.headers["Content-Length"]), data


def logged_downloads(netloc: str) -> int:
    """How many rows the log has, once the one worker has finished what it was doing."""
    fetch(netloc, "/healthz")
    return Download.objects.count()


def test_a_whole_archive_arrives_and_rotten_content_breaks_the_connection_off(
    gunicorn_url: str, storage: Storage
) -> None:
    """Same size, same time, other bytes: only the checksum shows it, while the bytes are on their way."""
    dataset = factories.make_dataset(is_open=True, storage=storage, files={"a": b"a" * 600_000, "b": b"b" * 600_000})
    status, announced, data = fetch(gunicorn_url, url_of(dataset))
    assert (status, len(data)) == (200, announced)
    assert contents_of(data)["b"] == b"b" * 600_000
    assert logged_downloads(gunicorn_url) == 1

    place = Path(storage.location) / str(dataset.uid) / "b"
    moment = place.stat().st_mtime_ns
    place.write_bytes(b"b" * 599_999 + b"x")
    os.utime(place, ns=(moment, moment))
    status, announced, data = fetch(gunicorn_url, url_of(dataset))
    assert status == 200
    assert len(data) < announced
    assert logged_downloads(gunicorn_url) == 1


@pytest.mark.django_db
def test_an_investigation_with_too_many_datasets_for_one_archive_is_refused(client: Client) -> None:
    first = factories.make_dataset(is_open=True)
    copies = (Dataset(**{name: getattr(first, name) for name in COPIED}) for _ in range(zips.MOST_DATASETS))
    Dataset.objects.bulk_create(copies)
    response = client.get(reverse("investigation-zip", args=[first.investigation.uid]))
    assert response.status_code == 422
    assert "at most 10,000 datasets" in response.content.decode()
