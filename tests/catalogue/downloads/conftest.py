"""An open and a closed dataset, with files in a folder of this machine."""

from pathlib import Path

import pytest
from django.http.response import HttpResponseBase

from catalogue.models import Dataset, Storage, User
from tests import factories

FILES = {"images/a b.tif": b"tiff" * 1000, "notes/Größe.txt": "größer".encode(), "empty.dat": b""}


def body_of(response: HttpResponseBase) -> bytes:
    """The bytes of an answer, read to the end as a server does."""
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.fixture
def storage(db: None, tmp_path: Path) -> Storage:
    folder = tmp_path / "storage"
    folder.mkdir()
    return factories.make_storage(folder)


@pytest.fixture
def pi(db: None) -> User:
    return factories.make_user("pi")


@pytest.fixture
def open_dataset(storage: Storage) -> Dataset:
    return factories.make_dataset(is_open=True, storage=storage, files=FILES, title="An open dataset")


@pytest.fixture
def closed_dataset(storage: Storage, pi: User) -> Dataset:
    investigation = factories.make_investigation(pi=pi)
    return factories.make_dataset(investigation, storage=storage, files=FILES, title="A closed dataset")
