import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from catalogue.access import ANONYMOUS, principal_of
from catalogue.downloads.commands import commands_for
from catalogue.downloads.lists import ListedFile, aria2_lines, rclone_lines, sha256_lines
from catalogue.models import Dataset, Storage, User
from catalogue.selectors import get_dataset_record
from catalogue.services.tokens import create_token
from tests import factories
from tests.catalogue.downloads.conftest import FILES, body_of

LISTED = [
    ListedFile("a b.tif", "https://x.org/a%20b.tif", "ab" * 32),
    ListedFile('say "hi", you.txt', "https://x.org/hi", ""),
]


def test_the_formats_of_the_lists() -> None:
    assert "".join(sha256_lines(LISTED)) == f'{"ab" * 32}  a b.tif\n# not-computed-yet  say "hi", you.txt\n'
    assert "".join(aria2_lines(LISTED)) == (
        f"https://x.org/a%20b.tif\n  out=a b.tif\n  checksum=sha-256={'ab' * 32}\n"
        'https://x.org/hi\n  out=say "hi", you.txt\n'
    )
    assert "".join(rclone_lines(LISTED)) == 'https://x.org/a%20b.tif,a b.tif\nhttps://x.org/hi,"say ""hi"", you.txt"\n'


@pytest.mark.parametrize("ending", ["files.sha256", "files.aria2.txt", "files.rclone.txt"])
def test_lists_name_every_file_to_those_who_may_have_them(
    client: Client, open_dataset: Dataset, closed_dataset: Dataset, pi: User, ending: str
) -> None:
    response = client.get(f"/datasets/{open_dataset.uid}/{ending}")
    assert response["Content-Type"].startswith("text/plain")
    text = body_of(response).decode()
    assert all(name in text for name in FILES)
    assert client.get(f"/datasets/{closed_dataset.uid}/{ending}").status_code == 403
    client.force_login(pi)
    response = client.get(f"/datasets/{closed_dataset.uid}/{ending}")
    assert "private" in response["Cache-Control"]
    assert body_of(response).count(b"\n") >= len(FILES)


def test_the_addresses_in_a_list_lead_to_the_files(client: Client, open_dataset: Dataset, settings: Settings) -> None:
    settings.SITE_URL = ""
    lines = body_of(client.get(f"/datasets/{open_dataset.uid}/files.rclone.txt")).decode().splitlines()
    for line in lines:
        url, _, name = line.partition(",")
        assert body_of(client.get(url)) == FILES[name]


def command(dataset: Dataset, name: str, site_url: str, user: User | None = None) -> str:
    record = get_dataset_record(dataset.uid, principal_of(user) if user else ANONYMOUS)
    return {each.name: each.text for each in commands_for(record, site_url=site_url)}[name]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["curl", "wget", "Python"])
def test_the_commands_of_the_page_fetch_and_verify_everything(
    live_server: LiveServer, storage: Storage, pi: User, tmp_path: Path, name: str
) -> None:
    if name != "Python" and not (shutil.which(name) and shutil.which("unzip")):
        pytest.skip(f"{name} or unzip is not on this machine")
    dataset = factories.make_dataset(factories.make_investigation(pi=pi), storage=storage, files=FILES)
    factories.add_file(dataset, storage, "not yet summed.dat", b"123", has_checksums=False)
    _, token = create_token(actor=principal_of(pi), owner=pi, name="t", scopes=["read"], lifetime=timedelta(days=1))
    text = command(dataset, name, live_server.url, pi)
    program = [sys.executable, "-c", text] if name == "Python" else ["sh", "-ec", text]
    here = tmp_path / "here"
    here.mkdir()
    subprocess.run(program, cwd=here, env=os.environ | {"FAIRCAT_TOKEN": token}, check=True, capture_output=True)
    found = {path.name: path.read_bytes() for path in here.rglob("*.*") if path.is_file()}
    for file_name, content in FILES.items():
        assert found[Path(file_name).name] == content
    assert found["not yet summed.dat"] == b"123"


@pytest.mark.django_db(transaction=True)
def test_the_python_script_notices_what_did_not_arrive_intact(
    live_server: LiveServer, open_dataset: Dataset, tmp_path: Path
) -> None:
    open_dataset.files.filter(name="empty.dat").update(sha256="00" * 32)
    text = command(open_dataset, "Python", live_server.url)
    ended = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "empty.dat did not arrive intact" in ended.stderr


def test_no_command_for_open_data_asks_for_a_token(open_dataset: Dataset) -> None:
    record = get_dataset_record(open_dataset.uid, ANONYMOUS)
    assert not any("FAIRCAT_TOKEN" in each.text for each in commands_for(record, site_url="https://x.org"))
