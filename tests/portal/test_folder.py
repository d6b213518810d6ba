"""The files of a folder become datasets: grouped, dated, once."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from catalogue import access
from catalogue.access import SYSTEM, Principal
from catalogue.extraction import sandbox
from catalogue.models import Datafile, Dataset, Facility, Instrument, Investigation
from catalogue.services.declarations import declare_facility
from portal.accounts.demo_accounts import PI, ensure_demo_accounts
from portal.folder import register_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _one_sandbox():
    yield
    sandbox.close()


@pytest.fixture
def actor() -> Principal:
    from django.core.management import call_command

    call_command("load_vocabulary", verbosity=0)
    return ensure_demo_accounts()


@pytest.fixture
def facility(actor: Principal) -> Facility:
    return declare_facility(actor=SYSTEM, short_name="local", name="Files of this machine")


def register(actor: Principal, facility: Facility, folder: Path) -> int:
    return register_folder(actor=actor, facility=facility, folder=folder, team=(PI,), say=lambda text: None)


def picture(path: Path, *, modified: datetime | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (32, 32), 99).save(path)
    if modified:
        os.utime(path, (modified.timestamp(),) * 2)
    return path


def test_each_file_is_a_dataset_and_each_top_folder_an_investigation(actor, facility, tmp_path):
    for name in ("a/one.png", "a/deep/er/two.png", "b/one.png", "loose.png"):
        picture(tmp_path / name)
    assert register(actor, facility, tmp_path) == 4
    visits = set(Dataset.objects.values_list("investigation__visit_id", "files__path"))
    assert visits == {
        ("a", "a/one.png"),
        ("a", "a/deep/er/two.png"),
        ("b", "b/one.png"),
        (tmp_path.name[:80], "loose.png"),
    }


def test_a_text_beside_a_picture_of_the_same_name_belongs_to_it(actor, facility, tmp_path):
    picture(tmp_path / "s/image.png")
    (tmp_path / "s/image.txt").write_text("$CM_FORMAT JEOL\n")
    picture(tmp_path / "s/other.png")
    (tmp_path / "s/other-png.hdr").write_text("[MAIN]\nDevice=X\n")
    (tmp_path / "s/alone.txt").write_text("notes")
    assert register(actor, facility, tmp_path) == 3
    files = {tuple(sorted(d.files.values_list("name", "role"))) for d in Dataset.objects.all()}
    assert files == {
        (("image.png", "data"), ("image.txt", "metadata")),
        (("other-png.hdr", "metadata"), ("other.png", "data")),
        (("alone.txt", "data"),),
    }


def test_a_text_that_comes_after_its_picture_joins_it_and_the_picture_is_read_again(actor, facility, tmp_path):
    picture(tmp_path / "s/image.png")
    assert register(actor, facility, tmp_path) == 1
    Dataset.objects.update(extraction_state="done")
    (tmp_path / "s/image.txt").write_text("$CM_FORMAT JEOL\n")
    assert register(actor, facility, tmp_path) == 0
    dataset = Dataset.objects.get()
    assert set(dataset.files.values_list("name", "role")) == {("image.png", "data"), ("image.txt", "metadata")}
    assert (dataset.file_count, dataset.extraction_state) == (2, "pending")


def test_folders_whose_names_differ_by_a_space_are_two_investigations(actor, facility, tmp_path):
    for name in ("day 1", "day-1", "über"):
        picture(tmp_path / name / "one.png")
    assert register(actor, facility, tmp_path) == 3
    assert Investigation.objects.count() == 3


def test_registering_again_takes_the_new_files_only(actor, facility, tmp_path):
    picture(tmp_path / "a/one.png")
    assert register(actor, facility, tmp_path) == 1
    assert register(actor, facility, tmp_path) == 0
    picture(tmp_path / "a/two.png")
    assert register(actor, facility, tmp_path) == 1
    assert Datafile.objects.count() == Dataset.objects.count() == 2


def test_hidden_files_and_links_are_left_alone(actor, facility, tmp_path):
    folder = tmp_path / "data"
    picture(folder / ".trash/one.png")
    picture(folder / "a/.hidden.png")
    (folder / "a/link.png").symlink_to(picture(tmp_path / "outside.png"))
    assert register(actor, facility, folder) == 0


def test_old_files_are_open_and_recent_ones_under_embargo(actor, facility, tmp_path):
    now = timezone.now()
    picture(tmp_path / "old/one.png", modified=now - timedelta(days=5 * 365))
    picture(tmp_path / "new/one.png", modified=now - timedelta(days=30))
    register(actor, facility, tmp_path)
    is_open = {visit.visit_id: access.is_open(visit, now=now) for visit in Investigation.objects.all()}
    assert is_open == {"old": True, "new": False}


def test_a_recent_file_in_an_old_folder_is_not_open_with_it(actor, facility, tmp_path):
    now = timezone.now()
    picture(tmp_path / "old/one.png", modified=now - timedelta(days=5 * 365))
    register(actor, facility, tmp_path)
    picture(tmp_path / "old/two.png", modified=now - timedelta(days=1))
    register(actor, facility, tmp_path)
    recent = Dataset.objects.select_related("investigation").get(files__path="old/two.png")
    assert not access.is_open(recent, now=now)
    assert Investigation.objects.count() == 2


def test_the_date_in_a_file_counts_and_that_of_a_copy_does_not(actor, facility, shared_samples):
    register(actor, facility, shared_samples)
    image = Dataset.objects.select_related("investigation").get(files__path="sem-jeol/image000.tif")
    assert image.acquired_at is not None and image.acquired_at < datetime(2024, 1, 1, tzinfo=UTC)
    assert access.is_open(image, now=timezone.now())


def test_a_maker_whose_name_is_part_of_the_model_is_named_once(actor, facility, shared_samples):
    register(actor, facility, shared_samples)
    names = set(Instrument.objects.values_list("name", flat=True))
    assert any(name.startswith("TESCAN") for name in names)
    assert not any(name.casefold().count("tescan") > 1 for name in names)


def test_every_shared_sample_becomes_a_dataset(actor, facility, shared_samples):
    register(actor, facility, shared_samples)
    expected = {str(path.relative_to(shared_samples)) for path in shared_samples.rglob("*") if path.is_file()}
    assert set(Datafile.objects.values_list("path", flat=True)) == expected
    assert "GlassyCarbon_Bob" in set(Dataset.objects.values_list("title", flat=True)), "titles come from the files"
