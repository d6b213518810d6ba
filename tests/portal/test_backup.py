"""The drill: a site is backed up, lost, and restored row by row, on the same database and on the other one."""

import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from catalogue import secrets
from catalogue.derived import Picture, picture_path
from catalogue.models import AuditEntry, Dataset, Parameter, Storage
from portal.backup import LEFT_OUT, BackupRefused, read_backup, write_backup
from tests.factories import make_dataset, make_grant, make_investigation, make_sample, make_storage, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(tmp_path: Path, settings) -> Dataset:
    """A site with something of every kind of value: moments, numbers at their limits, JSON, relations, a picture."""
    settings.DERIVED_DIR = tmp_path / "derived"
    call_command("load_vocabulary", verbosity=0)
    storage = make_storage(tmp_path, secret=secrets.encrypt("storage password"))
    user = make_user("ädä", email="a@example.org")
    investigation = make_investigation(pi=user, started_at=datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC))
    dataset = make_dataset(
        investigation,
        storage=storage,
        files={"a ü.tif": b"1234", "empty.txt": b""},
        sample=make_sample(investigation),
        extraction_notes=[{"code": "a", "message": "“quoted”\n\u2028"}],
    )
    make_dataset(investigation).derived_from.add(dataset)
    make_grant(user, dataset=dataset)
    for value in (1e-300, -0.1, 1.7976931348623157e308):
        Parameter.objects.create(dataset=dataset, name=f"v{value}", kind="number", text=str(value), value=value)
    AuditEntry.objects.create(
        at=datetime(1999, 1, 1, tzinfo=UTC), actor_label="x", action="a", object_type="t", object_id="1"
    )
    picture_path(dataset.uid, Picture.THUMBNAIL).parent.mkdir(parents=True)
    picture_path(dataset.uid, Picture.THUMBNAIL).write_bytes(b"picture")
    return dataset


def rows() -> dict[str, list[tuple]]:
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in LEFT_OUT
    }


@pytest.mark.both_databases
def test_a_restored_site_is_the_same_row_by_row(site: Dataset, tmp_path: Path, settings):
    before, archive = rows(), tmp_path / "site.zip"
    write_backup(archive)
    call_command("flush", interactive=False, verbosity=0)
    settings.DERIVED_DIR = tmp_path / "elsewhere"
    read_backup(archive)
    assert rows() == before
    assert picture_path(site.uid, Picture.THUMBNAIL).read_bytes() == b"picture"
    make_dataset(site.investigation)  # new rows get keys that are not taken


def test_the_archive_is_for_its_owner_only_and_holds_no_secret_in_the_clear(site: Dataset, tmp_path: Path):
    archive = tmp_path / "site.zip"
    write_backup(archive)
    assert archive.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(archive) as members:
        text = b"".join(members.read(name) for name in members.namelist())
    assert b"storage password" not in text
    assert django_settings.SECRET_KEY.encode() not in text
    assert django_settings.FAIRCAT_SECRET_KEYS[0].encode() not in text
    assert secrets.decrypt(Storage.objects.get(location=str(tmp_path)).secret) == "storage password"


def test_a_database_that_holds_anything_is_left_as_it_is(site: Dataset, tmp_path: Path):
    archive, before = tmp_path / "site.zip", rows()
    write_backup(archive)
    with pytest.raises(BackupRefused, match="not empty"):
        read_backup(archive)
    assert rows() == before


def test_an_existing_file_is_never_overwritten(tmp_path: Path):
    archive = tmp_path / "site.zip"
    archive.write_text("precious")
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(archive))
    assert archive.read_text() == "precious"


def rewrite(archive: Path, change) -> Path:
    """A copy of the archive whose members went through `change`, a function of a dictionary of names and bytes."""
    with zipfile.ZipFile(archive) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    copy = archive.with_name("changed.zip")
    with zipfile.ZipFile(copy, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return copy


def change_a_value(members: dict[str, bytes]) -> None:
    members["tables/catalogue.dataset.jsonl"] = members["tables/catalogue.dataset.jsonl"].replace(
        b"Dataset", b"dataset"
    )


def drop_a_table(members: dict[str, bytes]) -> None:
    del members["tables/catalogue.dataset.jsonl"]


def add_a_file_outside(members: dict[str, bytes]) -> None:
    _declare(members, "derived/../../escaped.webp", b"x")


def add_an_unknown_table(members: dict[str, bytes]) -> None:
    _declare(members, "tables/auth.unknown.jsonl", b"")


def _declare(members: dict[str, bytes], name: str, content: bytes) -> None:
    import hashlib

    manifest = json.loads(members["manifest.json"])
    manifest["members"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    members["manifest.json"] = json.dumps(manifest).encode()
    members[name] = content


def take_another_schema(members: dict[str, bytes]) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["schema"].append("catalogue.9999_future")
    members["manifest.json"] = json.dumps(manifest).encode()


def lose_the_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


@pytest.mark.parametrize(
    "change",
    [change_a_value, drop_a_table, add_a_file_outside, add_an_unknown_table, take_another_schema, lose_the_manifest],
)
def test_a_damaged_or_foreign_archive_changes_nothing(site: Dataset, tmp_path: Path, change):
    archive = tmp_path / "site.zip"
    write_backup(archive)
    changed = rewrite(archive, change)
    call_command("flush", interactive=False, verbosity=0)
    before = rows()
    with pytest.raises(BackupRefused):
        read_backup(changed)
    assert rows() == before
    assert not list(tmp_path.glob("**/escaped.webp"))


def test_a_truncated_archive_is_refused(site: Dataset, tmp_path: Path):
    archive = tmp_path / "site.zip"
    write_backup(archive)
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(archive))


def test_sqlite_and_postgresql_exchange_their_archives(site: Dataset, tmp_path: Path, postgres_url: str):
    """From the test's database to PostgreSQL and out again: each table's lines are the same bytes."""
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    write_backup(first)
    environment = os.environ | {
        "DATABASE_URL": postgres_url,
        "FAIRCAT_DATA_DIR": str(tmp_path / "other-site"),
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
    }
    for command in (["migrate", "-v0"], ["restore", str(first)], ["backup", str(second)]):
        subprocess.run(
            [sys.executable, "manage.py", *command, "--skip-checks"],
            env=environment,
            cwd=django_settings.BASE_DIR,
            check=True,
            capture_output=True,
        )
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        for name in set(one.namelist()) - {"manifest.json"}:
            assert one.read(name) == other.read(name), name
