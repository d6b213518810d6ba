"""Every example of the page for harvesters does what the page says, copied as it stands, against a site that runs."""

import html
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from catalogue.access import principal_of
from catalogue.models import Dataset
from catalogue.services.tokens import create_token
from portal.harvest_help import NO_DATASET, PATIENT, PYTHON, SECTIONS, Command, rate_in_words
from search.engines import engine
from tests import factories
from tests.search.archive import built

EXAMPLES = [*(example for section in SECTIONS for example in section.examples), PATIENT]
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")


@pytest.fixture
def dataset(transactional_db, live_server, settings, tmp_path: Path) -> Dataset:
    """An open dataset of nanowires with a file, in the index, on a site that is the live server."""
    settings.SITE_URL = live_server.url
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()
    folder = tmp_path / "storage"
    folder.mkdir()
    storage = factories.make_storage(folder)
    made = factories.make_dataset(is_open=True, storage=storage, files={"scan.txt": b"1 2 3"}, title="Nanowires")
    cache.clear()
    built(engine())
    return made


def run(example: Command, dataset: Dataset, folder: Path, token: str) -> str:
    """What the example prints; curl fails where the answer is a refusal."""
    (folder / ".curlrc").write_text("fail\nsilent\nshow-error\n")
    text = example.written(str(dataset.uid))
    command = [sys.executable, "-c", text] if example.language == PYTHON else ["bash", "-e", "-c", text]
    environment = os.environ | {"HOME": str(folder), "TOKEN": token}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout


@needs_curl
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_works_as_it_stands(example: Command, dataset: Dataset, tmp_path: Path):
    if example.language == PYTHON:
        pytest.importorskip("sickle", reason="sickle is not installed")
    user = factories.make_user()
    _, token = create_token(
        actor=principal_of(user), owner=user, name="own", scopes={"read"}, lifetime=timedelta(days=1)
    )
    folder = tmp_path / "here"
    folder.mkdir()
    output = run(example, dataset, folder, token)
    assert example.shows.replace("UID", str(dataset.uid)) in output
    written = [path for path in folder.iterdir() if path.name != ".curlrc"]
    assert output or written
    for archive in folder.glob("*.zip"):
        names = zipfile.ZipFile(archive).namelist()
        assert any(name.endswith("scan.txt") for name in names)
        assert any(name.endswith("ro-crate-metadata.json") for name in names)


@pytest.mark.django_db
def test_the_page_shows_the_examples_for_the_newest_open_dataset(client: Client):
    dataset = factories.make_dataset(is_open=True)
    factories.make_dataset()
    page = html.unescape(client.get("/help/harvest").content.decode())
    assert all(example.written(str(dataset.uid)) in page for example in EXAMPLES)
    assert "120 a minute" in page or "no limit" in page


@pytest.mark.django_db
def test_an_empty_archive_has_the_page_too(client: Client):
    page = client.get("/help/harvest").content.decode()
    assert NO_DATASET in page and "once a dataset is open" in page


@pytest.mark.django_db
def test_the_page_is_linked_from_every_page_and_from_the_helps(client: Client):
    for path in ("/", "/about", "/help/search"):
        assert 'href="/help/harvest"' in client.get(path).content.decode(), path
    about = re.sub(r"<footer.*", "", client.get("/about").content.decode(), flags=re.DOTALL)
    assert 'href="/help/harvest"' in about


@pytest.mark.parametrize(
    ("rate", "words"), [("120/m", "120 a minute"), ("3000/min", "3,000 a minute"), ("", "no limit")]
)
def test_rates_are_told_in_words(rate: str, words: str):
    assert rate_in_words(rate) == words
