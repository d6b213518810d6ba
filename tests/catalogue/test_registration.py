"""The registration service: everything that is refused and why, counts that stay true, races and repeated requests."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.access import Principal, principal_of
from catalogue.entries import DatasetEntry, FileEntry, ParameterEntry, RelationEntry
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import Datafile, Dataset, IdempotencyKey, Parameter, Sample, Storage, Technique
from catalogue.services.idempotency import LEASE, Answer, StillAtWork, answer_once
from catalogue.services.references import load_references
from catalogue.services.registration import register_dataset, register_datasets
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def lab(tmp_path: Path) -> SimpleNamespace:
    instrument = factories.make_instrument()
    storage = factories.make_storage(tmp_path, name="disk", instrument=instrument)
    investigation = factories.make_investigation(instrument=instrument, visit_id="visit-1")
    account = factories.make_instrument_account(instrument)
    return SimpleNamespace(
        instrument=instrument,
        storage=storage,
        investigation=investigation,
        machine=principal_of(account, scopes=frozenset({"register"})),
    )


def entry_of(number: int = 1, **changes: object) -> DatasetEntry:
    files = (FileEntry(storage="disk", path=f"{number}/image.tif", size=100),)
    entry = DatasetEntry(investigation="visit-1", title=f"Image {number}", files=files)
    return replace(entry, **changes)


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"investigation": "visit-2"}, "not-allowed", "investigation"),
        ({"title": " "}, "invalid", "title"),
        ({"title": "x" * 501}, "invalid", "title"),
        ({"title": "a\x00b"}, "invalid", "title"),
        ({"kind": "nice"}, "invalid", "kind"),
        ({"registration_key": "k" * 301}, "invalid", "registration_key"),
        ({"acquired_at": datetime(2026, 5, 3)}, "invalid", "acquired_at"),
        ({"sample": "s" * 201}, "invalid", "sample"),
        ({"techniques": ("https://example.org/none",)}, "invalid", "techniques.0"),
        ({"licence": "Mine-1.0"}, "invalid", "licence"),
        ({"relations": (RelationEntry(relation_type="Likes", identifier="a"),)}, "invalid", "relations"),
        ({"relations": (RelationEntry(relation_type="Cites", identifier="a"),) * 2}, "invalid", "relations"),
        ({"files": (FileEntry(storage="none", path="a"),)}, "invalid", "files.0"),
        ({"files": (FileEntry(storage="disk", path="../a"),)}, "invalid", "files.0"),
        ({"files": (FileEntry(storage="disk", path="a", name="../b"),)}, "invalid", "files.0"),
        ({"files": (FileEntry(storage="disk", path="a" * 1001),)}, "invalid", "files.0"),
        ({"files": (FileEntry(storage="disk", path="a", sha256="12"),)}, "invalid", "files.0"),
        ({"files": (FileEntry(storage="disk", path="a", role="nice"),)}, "invalid", "files.0"),
        ({"files": (FileEntry(storage="disk", path="a", size=-1),)}, "invalid", "files.0"),
        (
            {"files": (FileEntry(storage="disk", path="a/x"), FileEntry(storage="disk", path="b/x"))},
            "invalid",
            "files.1",
        ),
        ({"parameters": (ParameterEntry(name="", value=1),)}, "invalid", "parameters.0"),
        ({"parameters": (ParameterEntry(name="a", value=1),) * 2}, "invalid", "parameters.1"),
        ({"parameters": (ParameterEntry(name="a", value=1, source="rumour"),)}, "invalid", "parameters.0"),
        ({"parameters": (ParameterEntry(name="a", value="x" * 20_001),)}, "invalid", "parameters.0"),
        ({"parameters": (ParameterEntry(name="a", value=[1] * 1001),)}, "invalid", "parameters.0"),
    ],
)
def test_an_entry_is_refused_by_the_place_that_is_wrong(
    lab: SimpleNamespace, changes: dict, code: str, place: str
) -> None:
    outcome = register_datasets(actor=lab.machine, entries=[entry_of(**changes)])[0]
    assert (outcome.status, outcome.code, list(outcome.fields)) == ("refused", code, [place])
    assert not Dataset.objects.exists()


def test_the_wrong_number_of_entries_and_the_wrong_scope_are_refused(lab: SimpleNamespace) -> None:
    for entries in ([], [entry_of()] * 1001):
        with pytest.raises(InvalidInput):
            register_datasets(actor=lab.machine, entries=entries)
    for actor in (Principal(), replace(lab.machine, scopes=frozenset({"read"}))):
        with pytest.raises(NotAllowed):
            register_datasets(actor=actor, entries=[entry_of()])


def test_another_instrument_a_stranger_and_another_facility_register_nothing(lab: SimpleNamespace) -> None:
    other = factories.make_instrument()
    factories.make_investigation(instrument=other, visit_id="visit-9")
    for actor in (principal_of(factories.make_instrument_account(other)), principal_of(factories.make_user())):
        outcome = register_datasets(actor=actor, entries=[entry_of()])[0]
        assert outcome.code == "not-allowed"
    uid = str(lab.investigation.uid)
    assert register_datasets(actor=lab.machine, entries=[entry_of(investigation=uid)])[0].status == "registered"


def test_the_storage_of_another_instrument_is_not_used(lab: SimpleNamespace) -> None:
    Storage.objects.update(instrument=factories.make_instrument())
    outcome = register_datasets(actor=lab.machine, entries=[entry_of()])[0]
    assert list(outcome.fields) == ["files.0"]
    curator = principal_of(factories.make_curator())
    assert register_datasets(actor=curator, entries=[entry_of()])[0].status == "refused"


def test_a_file_belongs_to_one_dataset(lab: SimpleNamespace) -> None:
    register_dataset(actor=lab.machine, entry=entry_of(1))
    with pytest.raises(Conflict) as refusal:
        register_dataset(actor=lab.machine, entry=entry_of(1, title="Again"))
    assert refusal.value.code == "file-registered"
    outcomes = register_datasets(actor=lab.machine, entries=[entry_of(2), entry_of(2)])
    assert [outcome.status for outcome in outcomes] == ["registered", "refused"]


def test_a_registration_key_is_the_instruments_own(lab: SimpleNamespace) -> None:
    first = register_dataset(actor=lab.machine, entry=entry_of(1, registration_key="k"))
    again = register_datasets(actor=lab.machine, entries=[entry_of(1, registration_key="k")])[0]
    assert (again.status, again.uid) == ("exists", first.uid)
    factories.make_investigation(instrument=lab.instrument, visit_id="visit-2")
    moved = register_datasets(actor=lab.machine, entries=[entry_of(3, registration_key="k", investigation="visit-2")])[
        0
    ]
    assert moved.code == "registration-key-taken"
    other = factories.make_investigation(visit_id="visit-1")
    actor = principal_of(factories.make_instrument_account(other.instrument))
    assert register_datasets(actor=actor, entries=[entry_of(registration_key="k", files=())])[0].status == "registered"


def test_counts_samples_and_techniques_follow(lab: SimpleNamespace) -> None:
    technique = Technique.objects.create(iri="https://example.org/sem", label="SEM", source="ours")
    entries = [entry_of(number, sample="film", techniques=(technique.iri,) * 2) for number in range(5)]
    register_datasets(actor=lab.machine, entries=entries)
    for row in (lab.investigation, lab.instrument, technique):
        row.refresh_from_db()
        assert row.dataset_count == 5
    assert (lab.investigation.file_count, lab.investigation.size) == (5, 500)
    assert Sample.objects.get().datasets.count() == 5


def test_all_or_nothing_leaves_no_answer_that_leads_to_nothing(lab: SimpleNamespace) -> None:
    entries = [entry_of(1, registration_key="k"), entry_of(1, registration_key="k"), entry_of(2, title="")]
    outcomes = register_datasets(actor=lab.machine, entries=entries, is_all_or_nothing=True)
    assert [outcome.code for outcome in outcomes] == ["others-refused", "others-refused", "invalid"]
    assert not Dataset.objects.exists()
    assert not Sample.objects.exists()


def test_a_dataset_derives_only_from_what_its_registrant_may_read(lab: SimpleNamespace) -> None:
    open_one = factories.make_dataset(is_open=True)
    closed_one = factories.make_dataset()
    outcomes = register_datasets(
        actor=lab.machine,
        entries=[entry_of(1, derived_from=(open_one.uid,)), entry_of(2, derived_from=(closed_one.uid,))],
    )
    assert [outcome.status for outcome in outcomes] == ["registered", "refused"]
    assert Dataset.objects.get(uid=outcomes[0].uid).derived_from.get() == open_one


def test_an_instrument_derives_results_from_its_own_closed_data(lab):
    raw = register_dataset(actor=lab.machine, entry=entry_of(1))
    result = register_dataset(actor=lab.machine, entry=entry_of(2, kind="processed", derived_from=(raw.uid,)))
    assert Dataset.objects.get(uid=result.uid).derived_from.get().uid == raw.uid


def test_every_kind_of_value_is_kept_as_given_and_in_si(lab: SimpleNamespace) -> None:
    moment = datetime(2026, 5, 3, 10, tzinfo=UTC)
    values = {
        "whole": (7, "kV", "number"),
        "text": ("7", "kV", "text"),
        "flag": (True, "", "text"),
        "endless": (float("inf"), "", "text"),
        "moment": (moment, "", "date"),
        "list": ([1, "two"], "nm", "list"),
    }
    parameters = tuple(ParameterEntry(name=name, value=value, unit=unit) for name, (value, unit, _) in values.items())
    register_dataset(actor=lab.machine, entry=entry_of(parameters=parameters))
    rows = {row.name: row for row in Parameter.objects.all()}
    assert {name: row.kind for name, row in rows.items()} == {name: kind for name, (_, _, kind) in values.items()}
    assert (rows["whole"].text, rows["whole"].unit, rows["whole"].value_si) == ("7", "kV", 7000)
    assert rows["moment"].date == moment
    assert rows["list"].items == [1, "two"]
    assert rows["flag"].text == "true"


def test_dates_and_checksums_of_files_come_back_as_given(lab: SimpleNamespace) -> None:
    modified_at = datetime(2026, 5, 3, 10, 0, 0, 123456, tzinfo=UTC)
    file = FileEntry(
        storage="disk", path="a/ä b.tif", modified_at=modified_at, sha256="AB" * 32, media_type="image/tiff"
    )
    register_dataset(actor=lab.machine, entry=entry_of(files=(file,)))
    row = Datafile.objects.get()
    assert (row.path, row.name, row.modified_at, row.sha256) == ("a/ä b.tif", "ä b.tif", modified_at, "ab" * 32)
    assert row.size is None


@pytest.mark.django_db(transaction=True)
def test_of_two_who_register_the_same_at_once_one_makes_it_and_the_other_finds_it(lab: SimpleNamespace) -> None:
    entries = [entry_of(number, registration_key=f"k{number}", sample="film") for number in range(20)]
    outcomes: dict[int, list[str]] = {}
    gate = threading.Barrier(2)

    def register(place: int) -> None:
        gate.wait()
        found = register_datasets(actor=lab.machine, entries=entries)
        outcomes[place] = [f"{outcome.status}{outcome.code}" for outcome in found]
        connection.close()

    threads = [threading.Thread(target=register, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes[0] + outcomes[1]) == ["exists"] * 20 + ["registered"] * 20
    assert (Dataset.objects.count(), Datafile.objects.count(), Sample.objects.count()) == (20, 20, 1)
    lab.investigation.refresh_from_db()
    assert lab.investigation.dataset_count == 20


@pytest.mark.django_db(transaction=True)
def test_what_another_registers_between_any_two_lookups_exists(lab: SimpleNamespace) -> None:
    with CaptureQueriesContext(connection) as lookups:
        load_references([entry_of(registration_key="k", sample="film")], lab.machine)
    assert len(lookups) > 4
    for place in range(1, len(lookups) + 1):
        entry = entry_of(place, registration_key=f"k{place}", sample="film")
        seconds = SecondRegistrant(lambda entry=entry: register_dataset(actor=lab.machine, entry=entry), before=place)
        with connection.execute_wrapper(seconds):
            outcome = register_datasets(actor=lab.machine, entries=[entry])[0]
        assert seconds.is_done
        assert (outcome.status, outcome.message) == ("exists", "")


class SecondRegistrant:
    """Does its work in a thread of its own just before the query of that number."""

    def __init__(self, work: Callable[[], object], *, before: int) -> None:
        self.work, self.left, self.is_done = work, before, False

    def __call__(self, execute: Callable, *call: object) -> object:
        self.left -= 1
        if self.left == 0:
            thread = threading.Thread(target=self._run)
            thread.start()
            thread.join()
        return execute(*call)

    def _run(self) -> None:
        self.work()
        connection.close()
        self.is_done = True


class Crash(BaseException):
    """The end of a process, as far as a transaction can tell."""


def once(lab: SimpleNamespace, work: object, fingerprint: str = "f") -> Answer:
    return answer_once(actor=lab.machine, key="k", fingerprint=fingerprint, work=work)


def registering(lab: SimpleNamespace, *, ends_in: type[BaseException] | None = None) -> object:
    def work() -> Answer:
        dataset = register_dataset(actor=lab.machine, entry=entry_of())
        if ends_in:
            raise ends_in
        return Answer(201, str(dataset.uid), {"ETag": '"1"'})

    return work


def test_effect_and_answer_are_kept_together_or_not_at_all(lab: SimpleNamespace) -> None:
    with pytest.raises(Crash):
        once(lab, registering(lab, ends_in=Crash))
    assert not Dataset.objects.exists()
    first = once(lab, registering(lab))
    again = once(lab, registering(lab))
    assert (again.content, again.status) == (first.content, 201)
    assert again.headers == {"ETag": '"1"', "Idempotency-Replayed": "true"}
    assert Dataset.objects.count() == 1


def test_the_claim_of_a_request_that_died_is_taken_over_after_a_while(
    lab: SimpleNamespace, time_machine: object
) -> None:
    IdempotencyKey.objects.create(user_id=lab.machine.user_id, key="k", fingerprint="f")
    with pytest.raises(StillAtWork):
        once(lab, registering(lab))
    time_machine.move_to(timezone.now() + LEASE + timedelta(seconds=1))
    assert once(lab, registering(lab)).status == 201


def test_a_request_that_was_taken_over_has_no_effect_of_its_own(lab: SimpleNamespace) -> None:
    def work_that_is_overtaken() -> Answer:
        register_dataset(actor=lab.machine, entry=entry_of())
        IdempotencyKey.objects.update(created_at=timezone.now() + timedelta(seconds=1))
        return Answer(201, "late")

    with pytest.raises(StillAtWork):
        once(lab, work_that_is_overtaken)
    assert not Dataset.objects.exists()
