"""Files appear, grow, change, move and vanish in a folder: what becomes of them in the catalogue."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from catalogue.access import SYSTEM, principal_of
from catalogue.entries import DatasetEntry, FileEntry
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import AuditEntry, Datafile, Dataset, OutboxEntry, ScanRun, WatchedFile, WatchRule
from catalogue.models.datasets import Fixity
from catalogue.models.storages import WatchedState
from catalogue.secrets import encrypt
from catalogue.services.registration import register_dataset
from catalogue.services.watch_rules import accept_rename, declare_watch_rule
from catalogue.services.watching import scan_rule, scan_rules
from tests import factories, servers
from tests.catalogue.ingestion.conftest import PATTERN, Beamline, deliver

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
WEEK = timedelta(days=7)


def test_a_file_is_registered_once_it_has_stopped_growing(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif", b"half")
    assert beamline.scan().registered == 0
    beamline.write("visit-a/steel_001.tif", b"half and half")
    assert beamline.scan(after=timedelta(seconds=70)).registered == 0
    assert beamline.scan(after=timedelta(seconds=140)).registered == 1
    file = Datafile.objects.get()
    assert (file.size, file.path, file.name) == (13, "visit-a/steel_001.tif", "steel_001.tif")
    assert file.dataset.investigation == beamline.investigation
    assert file.dataset.sample is not None and file.dataset.sample.name == "steel"
    assert file.dataset.registered_by == beamline.account


def test_an_old_file_is_registered_at_the_first_scan(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif", modified_at=timezone.now() - WEEK)
    assert beamline.scan().registered == 1


def test_a_scan_of_unchanged_files_writes_nothing(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.settle()
    before = list(WatchedFile.objects.values())
    run = beamline.scan(after=timedelta(hours=1))
    assert (run.seen, run.registered, run.changed, run.missing, run.refused, run.error) == (1, 0, 0, 0, 0, "")
    assert list(WatchedFile.objects.values()) == before
    assert Dataset.objects.count() == 1


def test_files_of_one_group_become_one_dataset_when_the_last_of_them_has_settled(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.write("visit-a/steel_001.txt")
    beamline.scan()
    beamline.write("visit-a/steel_001.txt", b"longer by now")
    assert beamline.scan(after=timedelta(seconds=70)).registered == 0
    assert beamline.scan(after=timedelta(seconds=140)).registered == 2
    roles = dict(Dataset.objects.get().files.values_list("name", "role"))
    assert roles == {"steel_001.tif": "data", "steel_001.txt": "metadata"}


def test_a_file_that_comes_later_joins_the_dataset_of_its_group(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif", b"12345")
    beamline.settle()
    beamline.write("visit-a/steel_001.txt", b"123")
    beamline.settle()
    dataset = Dataset.objects.get()
    assert (dataset.file_count, dataset.size) == (2, 8)
    assert set(dataset.files.values_list("name", flat=True)) == {"steel_001.tif", "steel_001.txt"}


def test_the_title_tells_technique_instrument_and_local_date_but_no_file_name(beamline: Beamline) -> None:
    beamline.instrument.facility.time_zone = "Asia/Tokyo"
    beamline.instrument.facility.save()
    modified_at = timezone.now().replace(year=2026, month=3, day=1, hour=20)
    beamline.write("visit-a/secret-alloy_001.tif", modified_at=modified_at)
    beamline.scan()
    title = Dataset.objects.get().title
    assert title == f"Measurement at {beamline.instrument.name}, 2026-03-02"


def test_a_visit_that_nobody_knows_is_refused_with_what_to_do_and_taken_in_once_it_exists(beamline: Beamline) -> None:
    beamline.write("visit-new/steel_001.tif")
    assert beamline.settle().refused == 1
    watched = beamline.watched("visit-new/steel_001.tif")
    assert watched.state == WatchedState.REFUSED
    assert "no investigation with the visit id visit-new" in watched.reason
    assert "Register the investigation" in watched.reason
    factories.make_investigation(instrument=beamline.instrument, visit_id="visit-new")
    assert beamline.scan(after=timedelta(minutes=3)).registered == 1
    watched.refresh_from_db()
    assert (watched.state, watched.reason) == (WatchedState.REGISTERED, "")


def test_a_visit_of_another_instrument_is_refused(beamline: Beamline) -> None:
    other = factories.make_instrument(facility=beamline.instrument.facility)
    factories.make_investigation(instrument=other, visit_id="visit-b")
    beamline.write("visit-b/steel_001.tif")
    beamline.settle()
    assert "took place at" in beamline.watched("visit-b/steel_001.tif").reason
    assert not Dataset.objects.exists()


def test_a_visit_of_the_same_name_at_another_facility_is_not_taken(beamline: Beamline) -> None:
    factories.make_investigation(visit_id="visit-elsewhere")
    beamline.write("visit-elsewhere/steel_001.tif")
    assert beamline.settle().refused == 1


def test_changed_content_is_shown_and_the_registration_stays(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif", b"original")
    beamline.settle()
    deliver()
    registered = Datafile.objects.values("size", "sha256", "modified_at").get()
    beamline.write("visit-a/steel_001.tif", b"replaced by something", modified_at=timezone.now() + timedelta(minutes=5))
    assert beamline.scan(after=timedelta(minutes=6)).changed == 1
    watched = beamline.watched("visit-a/steel_001.tif")
    assert watched.state == WatchedState.CHANGED
    assert "8 bytes" in watched.reason and "21" in watched.reason
    deliver()
    file = Datafile.objects.get()
    assert file.fixity == Fixity.CHANGED
    assert Datafile.objects.values("size", "sha256", "modified_at").get() == registered
    assert AuditEntry.objects.filter(action="check-file", after__fixity="changed").count() == 1


def test_a_file_that_was_only_touched_is_found_intact_again(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.settle()
    deliver()
    beamline.write("visit-a/steel_001.tif", modified_at=timezone.now() + timedelta(minutes=5))
    assert beamline.scan(after=timedelta(minutes=6)).changed == 1
    deliver()
    assert Datafile.objects.get().fixity == Fixity.INTACT
    assert beamline.watched("visit-a/steel_001.tif").state == WatchedState.REGISTERED


def test_a_deleted_file_is_missing_and_its_return_is_noticed(beamline: Beamline) -> None:
    place = beamline.write("visit-a/steel_001.tif")
    beamline.write("visit-a/steel_002.tif")
    beamline.settle()
    deliver()
    content, times = place.read_bytes(), place.stat()
    place.unlink()
    assert beamline.scan(after=timedelta(minutes=3)).missing == 1
    deliver()
    assert beamline.watched("visit-a/steel_001.tif").state == WatchedState.MISSING
    assert Datafile.objects.get(path="visit-a/steel_001.tif").fixity == Fixity.MISSING
    assert Dataset.objects.count() == 2
    place.write_bytes(content)
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    beamline.scan(after=timedelta(minutes=4))
    deliver()
    assert beamline.watched("visit-a/steel_001.tif").state == WatchedState.REGISTERED
    assert Datafile.objects.get(path="visit-a/steel_001.tif").fixity == Fixity.INTACT


def test_a_file_that_vanishes_before_its_registration_is_forgotten(beamline: Beamline) -> None:
    place = beamline.write("visit-a/steel_001.tif")
    beamline.write("visit-a/steel_002.tif")
    beamline.scan()
    place.unlink()
    assert beamline.scan().missing == 0
    assert WatchedFile.objects.count() == 1


def test_an_empty_folder_where_files_were_proves_nothing(beamline: Beamline) -> None:
    place = beamline.write("visit-a/steel_001.tif")
    beamline.settle()
    place.unlink()
    run = beamline.scan(after=timedelta(minutes=3))
    assert run.missing == 0
    assert "Is the storage mounted?" in run.error
    assert beamline.watched("visit-a/steel_001.tif").state == WatchedState.REGISTERED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_files_of_a_folder_that_cannot_be_read_are_not_taken_for_deleted(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.write("visit-b/steel_001.tif")
    beamline.settle()
    (beamline.folder / "visit-a").chmod(0)
    try:
        run = beamline.scan(after=timedelta(minutes=3))
    finally:
        (beamline.folder / "visit-a").chmod(0o755)
    assert run.missing == 0 and run.error


def test_a_storage_that_is_not_there_ends_the_scan_with_its_reason(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.settle()
    beamline.folder.rename(beamline.folder.with_name("unplugged"))
    run = beamline.scan(after=timedelta(minutes=3))
    assert "is it mounted?" in run.error
    assert run.ended_at is not None
    assert beamline.watched("visit-a/steel_001.tif").state == WatchedState.REGISTERED


def test_a_renamed_file_is_noted_and_not_registered_again(beamline: Beamline) -> None:
    place = beamline.write("visit-a/steel_001.tif", b"some content")
    beamline.settle()
    deliver()
    place.rename(beamline.folder / "visit-a/steel_900.tif")
    run = beamline.scan(after=timedelta(minutes=3))
    assert (run.registered, run.changed) == (0, 1)
    new, old = beamline.watched("visit-a/steel_900.tif"), beamline.watched("visit-a/steel_001.tif")
    assert (new.state, old.state) == (WatchedState.RENAMED, WatchedState.MISSING)
    assert "steel_001.tif" in new.reason and "steel_900.tif" in old.reason
    beamline.scan(after=WEEK)
    assert Dataset.objects.count() == 1
    assert Datafile.objects.get().path == "visit-a/steel_001.tif"


def test_a_curator_accepts_a_rename_and_the_file_is_intact_at_its_new_place(beamline: Beamline) -> None:
    place = beamline.write("visit-a/steel_001.tif", b"some content")
    beamline.settle()
    deliver()
    place.rename(beamline.folder / "visit-a/steel_900.tif")
    beamline.scan(after=timedelta(minutes=3))
    deliver()
    assert Datafile.objects.get().fixity == Fixity.MISSING
    watched = beamline.watched("visit-a/steel_900.tif")
    with pytest.raises(NotAllowed):
        accept_rename(actor=principal_of(beamline.account), watched_file_id=watched.pk)
    accept_rename(actor=principal_of(factories.make_curator()), watched_file_id=watched.pk)
    deliver()
    file = Datafile.objects.get()
    assert (file.path, file.name, file.fixity) == ("visit-a/steel_900.tif", "steel_001.tif", Fixity.INTACT)
    assert AuditEntry.objects.get(action="accept-rename").after == {"path": "visit-a/steel_900.tif"}
    run = beamline.scan(after=WEEK)
    assert (run.registered, run.changed, run.missing) == (0, 0, 0)


def test_curators_find_renames_and_scans_with_problems_on_their_page(beamline: Beamline, client: Client) -> None:
    place = beamline.write("visit-a/steel_001.tif", b"some content")
    beamline.settle()
    place.rename(beamline.folder / "visit-a/steel_900.tif")
    beamline.scan(after=timedelta(minutes=3))
    client.force_login(factories.make_curator(), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/curate").content.decode()
    accept = f"/curate/renames/{beamline.watched('visit-a/steel_900.tif').pk}/accept"
    assert "Accept the new place" in page and accept in page
    assert client.post(accept).status_code == 302
    assert Datafile.objects.get().path == "visit-a/steel_900.tif"
    assert accept not in client.get("/curate").content.decode()
    beamline.folder.rename(beamline.folder.with_name("unplugged"))
    beamline.scan(after=timedelta(minutes=5))
    assert "is it mounted?" in client.get("/curate").content.decode()


def test_a_rename_that_was_undone_cannot_be_accepted(beamline: Beamline) -> None:
    place = beamline.write("visit-a/steel_001.tif", b"some content")
    beamline.settle()
    moved = place.rename(beamline.folder / "visit-a/steel_900.tif")
    beamline.scan(after=timedelta(minutes=3))
    watched = beamline.watched("visit-a/steel_900.tif")
    moved.rename(place)
    beamline.scan(after=timedelta(minutes=4))
    assert beamline.watched("visit-a/steel_001.tif").state == WatchedState.REGISTERED
    assert not WatchedFile.objects.filter(pk=watched.pk).exists()


def test_two_candidates_for_a_rename_are_told_apart_by_name_or_not_at_all(beamline: Beamline) -> None:
    same = timezone.now()
    for name in ("a_001.tif", "b_002.tif"):
        beamline.write(f"visit-a/{name}", b"frame", modified_at=same)
    beamline.settle()
    (beamline.folder / "visit-a/a_001.tif").rename(beamline.folder / "visit-a/c_003.tif")
    (beamline.folder / "visit-a/b_002.tif").rename(beamline.folder / "visit-a/d_004.tif")
    run = beamline.scan(after=timedelta(minutes=3))
    assert (run.missing, run.changed) == (2, 0)


def test_a_file_that_somebody_registered_by_hand_is_not_registered_again(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif", b"12345")
    file = FileEntry(storage=beamline.storage.name, path="visit-a/steel_001.tif", size=5)
    entry = DatasetEntry(investigation="visit-a", title="By hand", files=(file,))
    dataset = register_dataset(actor=principal_of(beamline.account), entry=entry)
    beamline.settle()
    assert list(Dataset.objects.all()) == [dataset]
    watched = beamline.watched("visit-a/steel_001.tif")
    assert watched.state == WatchedState.REGISTERED
    assert watched.datafile is not None and watched.datafile.dataset == dataset


def test_files_that_no_rule_concerns_are_left_alone(beamline: Beamline) -> None:
    beamline.write("visit-a/thumbs.db", modified_at=timezone.now() - WEEK)
    beamline.write("readme.txt", modified_at=timezone.now() - WEEK)
    assert beamline.scan().seen == 0
    assert not WatchedFile.objects.exists()


def test_a_symbolic_link_out_of_the_storage_is_not_registered(beamline: Beamline, tmp_path: Path) -> None:
    (tmp_path / "secret.tif").write_bytes(b"secret")
    (beamline.folder / "visit-a").mkdir()
    (beamline.folder / "visit-a/steel_001.tif").symlink_to(tmp_path / "secret.tif")
    assert beamline.settle().seen == 0


def test_a_narrowed_rule_does_not_take_its_old_files_for_missing(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.write("visit-a/steel_002.dat")
    beamline.settle()
    WatchRule.objects.filter(pk=beamline.rule.pk).update(pattern=PATTERN.replace(r"\w+", "tif"))
    assert beamline.scan(after=timedelta(minutes=3)).missing == 0


def test_a_pattern_that_takes_for_ever_ends_the_scan_with_a_reason(beamline: Beamline) -> None:
    WatchRule.objects.filter(pk=beamline.rule.pk).update(pattern=r"(?P<visit>(?:a|aa)+)(?P<sample>x?)(?P<number>[0-9])")
    beamline.write("a" * 60 + "!", modified_at=timezone.now() - WEEK)
    run = beamline.scan()
    assert "takes too long" in run.error
    assert not Dataset.objects.exists()


def test_a_storage_without_times_is_watched_by_size_and_etag(
    beamline: Beamline, make_rule: Callable[..., WatchRule]
) -> None:
    with servers.webdav_server(beamline.folder) as url:
        remote = factories.make_storage(
            beamline.folder,
            kind="webdav",
            location=url,
            username=servers.USERNAME,
            instrument=beamline.instrument,
            is_private_network_allowed=True,
        )
        remote.secret = encrypt(servers.PASSWORD)
        remote.save()
        beamline.rule.delete()
        beamline.rule = make_rule(remote, beamline.instrument, beamline.account)
        beamline.write("visit-a/steel_001.tif", b"over the network")
        beamline.settle()
        deliver()
        file = Datafile.objects.get()
        assert (file.size, file.fixity) == (16, Fixity.INTACT)
        beamline.write("visit-a/steel_001.tif", b"another content.", modified_at=timezone.now() + timedelta(minutes=5))
        assert beamline.scan(after=timedelta(minutes=6)).changed == 1
        deliver()
        assert Datafile.objects.get().fixity == Fixity.CHANGED


def test_one_broken_rule_stops_no_other(
    beamline: Beamline, make_rule: Callable[..., WatchRule], tmp_path: Path
) -> None:
    gone = factories.make_storage(tmp_path / "gone", instrument=beamline.instrument)
    make_rule(gone, beamline.instrument, beamline.account)
    WatchRule.objects.filter(pk=beamline.rule.pk).update(settle_seconds=0)
    beamline.write("visit-a/steel_001.tif")
    runs = scan_rules(actor=SYSTEM)
    assert sorted(bool(run.error) for run in runs) == [False, True]
    assert Dataset.objects.count() == 1


def test_a_rule_that_another_process_scans_by_is_left_to_it_until_that_process_must_be_dead(beamline: Beamline) -> None:
    run = ScanRun.objects.create(rule=beamline.rule, started_at=timezone.now())
    assert scan_rules(actor=SYSTEM) == []
    run.started_at = timezone.now() - timedelta(minutes=16)
    run.save()
    assert len(scan_rules(actor=SYSTEM)) == 1
    run.refresh_from_db()
    assert "The process ended" in run.error


def test_a_stop_ends_the_scan_and_the_next_one_goes_on(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif", modified_at=timezone.now() - WEEK)
    run = scan_rule(actor=SYSTEM, rule=beamline.rule, should_stop=lambda: True)
    assert "stopped" in run.error and run.ended_at is not None
    assert beamline.scan().registered == 1


def test_only_the_site_and_curators_start_scans(beamline: Beamline) -> None:
    with pytest.raises(NotAllowed):
        scan_rule(actor=principal_of(beamline.account), rule=beamline.rule)


def test_registration_asks_for_extraction_and_checksums(beamline: Beamline) -> None:
    beamline.write("visit-a/steel_001.tif")
    beamline.settle()
    uid = str(Dataset.objects.get().uid)
    assert set(OutboxEntry.objects.values_list("topic", "key")) == {("extract", uid), ("checksum", uid)}
    deliver()
    assert not OutboxEntry.objects.exists()


VALID = {
    "pattern": PATTERN,
    "visit_template": "{visit}",
    "group_template": "{visit}/{number}",
    "title_template": "{sample} at {instrument}",
}


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("pattern", "(unclosed", "no regular expression"),
        ("pattern", r"(?P<name>\w+)", "name with a meaning of its own"),
        ("visit_template", "{proposal}", "{proposal} is unknown"),
        ("visit_template", "", "needs a template"),
        ("group_template", "{visit.__class__}", "A brace is left over"),
        ("group_template", "everything", "one dataset"),
        ("title_template", "{stem}", "{stem} is unknown"),
        ("title_template", "{path}", "{path} is unknown"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_in_words(beamline: Beamline, field: str, text: str, expected: str) -> None:
    administrator = principal_of(factories.make_user(is_superuser=True))
    with pytest.raises(InvalidInput) as refusal:
        declare_watch_rule(
            actor=administrator,
            storage=beamline.storage,
            instrument=beamline.instrument,
            name="other",
            acts_as=beamline.account,
            **(VALID | {field: text}),
        )
    assert expected in refusal.value.fields["pattern"][0]


def test_a_rule_is_declared_by_an_administrator_once(beamline: Beamline) -> None:
    administrator = principal_of(factories.make_user(is_superuser=True))
    common = {
        "storage": beamline.storage,
        "instrument": beamline.instrument,
        "name": "other",
        "acts_as": beamline.account,
    }
    rule = declare_watch_rule(actor=administrator, **common, **VALID)
    assert AuditEntry.objects.filter(action="create", object_id=str(rule.pk)).exists()
    with pytest.raises(Conflict):
        declare_watch_rule(actor=administrator, **common, **VALID)
    with pytest.raises(NotAllowed):
        declare_watch_rule(actor=principal_of(factories.make_curator()), **common, **VALID)


def test_a_rule_does_not_act_as_somebody_else(beamline: Beamline) -> None:
    administrator = principal_of(factories.make_user(is_superuser=True))
    with pytest.raises(InvalidInput) as refusal:
        declare_watch_rule(
            actor=administrator,
            storage=beamline.storage,
            instrument=beamline.instrument,
            name="other",
            acts_as=factories.make_user(),
            **VALID,
        )
    assert "acts_as" in refusal.value.fields
