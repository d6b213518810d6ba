"""Checksums: computed once, verified later, never replaced; what is wrong is told."""

import hashlib
import tracemalloc
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import NotAllowed, Unavailable
from catalogue.models import AuditEntry, Datafile, Dataset, OutboxEntry, Storage
from catalogue.models.datasets import Fixity
from catalogue.services.fixity import check_file, check_oldest_files, checksum_dataset
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    (tmp_path / "storage").mkdir()
    return factories.make_storage(tmp_path / "storage")


def place_of(file: Datafile) -> Path:
    return Path(file.storage.location) / file.path


def test_missing_checksums_are_computed_and_seen_in_the_record_version(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc", "b": b""}, has_checksums=False)
    checksum_dataset(actor=SYSTEM, uid=dataset.uid)
    file = dataset.files.get(name="a")
    assert (file.sha256, file.crc32) == (hashlib.sha256(b"abc").hexdigest(), zlib.crc32(b"abc"))
    assert (file.fixity, file.checked_at is not None) == (Fixity.INTACT, True)
    assert dataset.files.get(name="b").crc32 == 0
    dataset.refresh_from_db()
    assert dataset.version == 2
    assert not AuditEntry.objects.exists()


def test_a_size_that_was_not_given_is_measured_and_counted(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage)
    factories.add_file(dataset, storage, "a", b"12345", has_checksums=False, size=None)
    Dataset.objects.filter(pk=dataset.pk).update(size=0)
    checksum_dataset(actor=SYSTEM, uid=dataset.uid)
    dataset.refresh_from_db()
    assert (dataset.size, dataset.files.get().size) == (5, 5)
    assert type(dataset.investigation).objects.get(pk=dataset.investigation_id).size == 5


def test_a_registrants_checksum_that_is_wrong_is_shown_and_kept(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage)
    factories.add_file(dataset, storage, "a", b"abc", sha256="0" * 64, crc32=None)
    checksum_dataset(actor=SYSTEM, uid=dataset.uid)
    file = dataset.files.get()
    assert (file.fixity, file.sha256) == (Fixity.CHANGED, "0" * 64)
    entry = AuditEntry.objects.get(action="check-file")
    assert entry.before["sha256"] == "0" * 64
    assert entry.after["sha256"] == hashlib.sha256(b"abc").hexdigest()


def test_a_file_that_changed_before_its_first_checksum_gets_none(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"}, has_checksums=False)
    place_of(dataset.files.get()).write_bytes(b"abcdef")
    checksum_dataset(actor=SYSTEM, uid=dataset.uid)
    file = dataset.files.get()
    assert (file.fixity, file.sha256, file.size) == (Fixity.CHANGED, "", 3)


def test_periodic_checks_begin_with_the_oldest_and_find_what_changed_and_vanished(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"a", "b": b"b", "c": b"c"})
    checksum_dataset(actor=SYSTEM, uid=dataset.uid)
    a, b, c = dataset.files.order_by("name")
    Datafile.objects.filter(pk=a.pk).update(checked_at=timezone.now() - timedelta(days=1))
    place_of(b).write_bytes(b"B")
    place_of(a).unlink()
    assert check_oldest_files(actor=SYSTEM) == {}
    with time_machine.travel(timezone.now() + timedelta(days=89, hours=12)):
        assert check_oldest_files(actor=SYSTEM) == {"missing": 1}
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        assert check_oldest_files(actor=SYSTEM) == {"missing": 1, "changed": 1, "intact": 1}
    assert list(dataset.files.order_by("name").values_list("fixity", flat=True)) == ["missing", "changed", "intact"]
    assert AuditEntry.objects.filter(action="check-file").count() == 2


def test_a_file_that_comes_back_is_intact_again_and_the_log_tells_both(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"})
    file = dataset.files.get()
    place_of(file).unlink()
    check_file(actor=SYSTEM, datafile_id=file.pk)
    place_of(file).write_bytes(b"abc")
    check_file(actor=SYSTEM, datafile_id=file.pk)
    states = AuditEntry.objects.filter(action="check-file").order_by("id").values_list("after__fixity", flat=True)
    assert list(states) == ["missing", "intact"]


def test_a_storage_that_is_not_mounted_says_nothing_about_its_files(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"})
    Path(storage.location).rename(Path(storage.location).with_name("unplugged"))
    with pytest.raises(Unavailable):
        check_file(actor=SYSTEM, datafile_id=dataset.files.get().pk)
    Datafile.objects.update(checked_at=timezone.now() - timedelta(days=100))
    assert check_oldest_files(actor=SYSTEM) == {"unavailable": 1}
    assert dataset.files.get().fixity == Fixity.UNKNOWN


def test_an_empty_storage_says_nothing_about_its_files(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"})
    Path(storage.location).rename(Path(storage.location).with_name("unplugged"))
    Path(storage.location).mkdir()
    with pytest.raises(Unavailable, match="mounted"):
        check_file(actor=SYSTEM, datafile_id=dataset.files.get().pk)


def test_a_dead_storage_does_not_hold_up_the_checks_of_another(storage: Storage, tmp_path: Path) -> None:
    factories.make_dataset(storage=factories.make_storage(tmp_path / "storage"), files={"a": b"abc"})
    (tmp_path / "dead").mkdir()
    factories.make_dataset(storage=factories.make_storage(tmp_path / "dead"), files={"a": b"abc"})
    (tmp_path / "dead").rename(tmp_path / "unplugged")
    Datafile.objects.update(checked_at=timezone.now() - timedelta(days=100))
    assert check_oldest_files(actor=SYSTEM) == {"unavailable": 1, "intact": 1}


def test_a_link_that_took_a_files_place_is_not_followed(storage: Storage, tmp_path: Path) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"})
    file = dataset.files.get()
    (tmp_path / "outside").write_bytes(b"abc")
    place_of(file).unlink()
    place_of(file).symlink_to(tmp_path / "outside")
    check_file(actor=SYSTEM, datafile_id=file.pk)
    assert dataset.files.get().fixity == Fixity.UNREADABLE


def test_checks_that_run_out_of_time_leave_an_intent_for_the_rest(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"}, has_checksums=False)
    checksum_dataset(actor=SYSTEM, uid=dataset.uid, most_seconds=0)
    assert dataset.files.get().fixity == Fixity.UNKNOWN
    assert OutboxEntry.objects.filter(topic="checksum", key=str(dataset.uid)).count() == 1


def test_a_large_file_is_checked_in_little_memory(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"})
    file = dataset.files.get()
    with place_of(file).open("r+b") as stream:
        stream.truncate(200_000_000)
    tracemalloc.start()
    try:
        check_file(actor=SYSTEM, datafile_id=file.pk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert dataset.files.get().fixity == Fixity.CHANGED


def test_nobody_but_curators_and_the_site_check_files(storage: Storage) -> None:
    dataset = factories.make_dataset(storage=storage, files={"a": b"abc"})
    with pytest.raises(NotAllowed):
        checksum_dataset(actor=principal_of(factories.make_user()), uid=dataset.uid)
