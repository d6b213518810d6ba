"""The same downloads from WebDAV and S3, on real servers of this machine."""

import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from catalogue import secrets
from catalogue.models import Datafile, Dataset, Storage
from catalogue.services.storages import close_storages, open_storage
from tests import factories, servers
from tests.catalogue.downloads.conftest import body_of
from tests.catalogue.downloads.test_zips import contents_of

MANY = {f"frames/{number:03}.dat": bytes([number]) * 1000 for number in range(51)} | {"notes/Größe.txt": b"text"}


@pytest.fixture(params=["webdav", "s3"])
def remote_storage(request: pytest.FixtureRequest, db: None, tmp_path: Path) -> Iterator[Storage]:
    declared = {"kind": request.param, "is_private_network_allowed": True, "username": servers.USERNAME}
    declared["secret"] = secrets.encrypt(servers.PASSWORD)
    if request.param == "webdav":
        with servers.webdav_server(tmp_path) as url:
            yield factories.make_storage(tmp_path, location=url, **declared)
            close_storages()
    else:
        with servers.s3_server() as endpoint:
            location = f"s3://{servers.BUCKET}/data"
            yield factories.make_storage(tmp_path, location=location, endpoint=endpoint, **declared)
            close_storages()


@pytest.fixture
def remote_dataset(remote_storage: Storage) -> Dataset:
    dataset = factories.make_dataset(is_open=True)
    storage = open_storage(remote_storage)
    for name, content in MANY.items():
        entry = storage.put(name, io.BytesIO(content), len(content))
        Datafile.objects.create(
            dataset=dataset,
            storage=remote_storage,
            path=name,
            name=name,
            size=len(content),
            modified_at=entry.modified_at,
            sha256=hashlib.sha256(content).hexdigest(),
            crc32=zlib.crc32(content),
        )
    return dataset


def test_files_ranges_and_archives_come_from_remote_storages(client: Client, remote_dataset: Dataset) -> None:
    url = f"/datasets/{remote_dataset.uid}"
    assert body_of(client.get(f"{url}/files/notes/Größe.txt")) == b"text"
    part = client.get(f"{url}/files/frames/007.dat", headers={"range": "bytes=990-"})
    assert (part.status_code, body_of(part)) == (206, bytes([7]) * 10)
    whole = body_of(client.get(f"{url}/download.zip"))
    contents = contents_of(whole)
    assert {name: contents[name] for name in MANY} == MANY
    rest = client.get(f"{url}/download.zip", headers={"range": f"bytes={len(whole) // 2}-"})
    assert body_of(rest) == whole[len(whole) // 2 :]


def test_a_changed_remote_file_refuses_the_archive(
    client: Client, remote_dataset: Dataset, remote_storage: Storage
) -> None:
    open_storage(remote_storage).put("frames/030.dat", io.BytesIO(b"new"), 3, overwrite=True)
    page = client.get(f"/datasets/{remote_dataset.uid}/download.zip").content.decode()
    assert "frames/030.dat has 3 bytes and was registered with 1000" in page
