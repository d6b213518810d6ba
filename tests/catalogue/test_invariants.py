"""Each invariant holds on a sound archive, and is seen when it is broken behind the services' backs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from catalogue import outbox
from catalogue.changes import investigation_changed, raise_revisions
from catalogue.derived import Picture, picture_path
from catalogue.invariants import CHECKS, MOST_SHOWN, find_violations
from catalogue.models import (
    Annotation,
    Dataset,
    DatasetRevision,
    Instrument,
    Investigation,
    OutboxEntry,
    Parameter,
    Person,
    Technique,
    TechniqueAncestor,
)
from tests.factories import make_dataset, make_investigation, make_person, make_sample, make_storage, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    """A sound archive of one dataset."""
    storage = make_storage(tmp_path)
    dataset = make_dataset(storage=storage, files={"a.tif": b"12345", "b.tif": b"678"}, has_thumbnail=True)
    picture_path(dataset.uid, Picture.THUMBNAIL).parent.mkdir(parents=True, exist_ok=True)
    picture_path(dataset.uid, Picture.THUMBNAIL).write_bytes(b"picture")
    technique = Technique.objects.create(iri="https://example.org/sem", label="SEM", source="Faircat", dataset_count=1)
    TechniqueAncestor.objects.create(technique=technique, ancestor=technique)
    dataset.techniques.add(technique)
    Investigation.objects.update(dataset_count=1, file_count=2, size=8)
    Instrument.objects.update(dataset_count=1)
    return dataset


def lose_a_file(dataset: Dataset) -> None:
    dataset.files.filter(name="a.tif").delete()


def miscount_an_investigation(dataset: Dataset) -> None:
    Investigation.objects.update(size=7)


def miscount_an_instrument(dataset: Dataset) -> None:
    Instrument.objects.update(dataset_count=5)


def lose_an_ancestor(dataset: Dataset) -> None:
    TechniqueAncestor.objects.all().delete()


def leave_out_the_si_value(dataset: Dataset) -> None:
    Parameter.objects.create(dataset=dataset, name="voltage", kind="number", text="5", value=5, unit="kV")


def annotate_a_foreign_file(dataset: Dataset) -> None:
    other = make_dataset(make_investigation(facility=dataset.investigation.facility, instrument=dataset.instrument))
    Instrument.objects.update(dataset_count=2)
    Investigation.objects.filter(pk=other.investigation_id).update(dataset_count=1)
    file = dataset.files.first()
    Annotation.objects.create(dataset=other, datafile=file, kind="category", label="Tips", source="person")


def lose_a_thumbnail(dataset: Dataset) -> None:
    picture_path(dataset.uid, Picture.THUMBNAIL).unlink()


def leave_a_delivery_lying(dataset: Dataset) -> None:
    outbox.record_intents("extract", ["a"])
    OutboxEntry.objects.update(created_at=timezone.now() - timedelta(days=2))


def forget_an_extraction(dataset: Dataset) -> None:
    Dataset.objects.update(extraction_state="pending", updated_at=timezone.now() - timedelta(hours=1))


def measure_a_foreign_sample(dataset: Dataset) -> None:
    other = make_investigation(facility=dataset.investigation.facility, instrument=dataset.instrument)
    Dataset.objects.update(sample=make_sample(other))


def open_a_result_before_its_raw_data(dataset: Dataset) -> None:
    other = make_investigation(facility=dataset.investigation.facility, instrument=dataset.instrument)
    result = make_dataset(other, kind="processed", embargo_until=timezone.now() + timedelta(days=3))
    result.derived_from.add(dataset)
    Instrument.objects.update(dataset_count=2)
    Investigation.objects.filter(pk=other.pk).update(dataset_count=1)


def release_in_the_future(dataset: Dataset) -> None:
    Dataset.objects.update(released_at=timezone.now() + timedelta(days=1))
    raise_revisions(Dataset.objects.all())


def hold_without_a_request(dataset: Dataset) -> None:
    Investigation.objects.update(held_until=F("embargo_until") + timedelta(days=1))
    investigation_changed(dataset.investigation)


def mistype_an_orcid(dataset: Dataset) -> None:
    Person.objects.filter(pk=make_person(make_user()).pk).update(orcid="0000-0002-1825-0098")


def forget_the_first_dataset(dataset: Dataset) -> None:
    Investigation.objects.update(first_dataset_key=dataset.pk + 1)


BREAKAGES: dict[str, Callable[[Dataset], None]] = {
    "check_file_counts_of_datasets": lose_a_file,
    "check_counts_of_investigations": miscount_an_investigation,
    "check_bounds_of_investigations": forget_the_first_dataset,
    "check_dataset_counts": miscount_an_instrument,
    "check_ancestors_of_techniques": lose_an_ancestor,
    "check_units_in_si": leave_out_the_si_value,
    "check_files_of_annotations": annotate_a_foreign_file,
    "check_thumbnails": lose_a_thumbnail,
    "check_deliveries": leave_a_delivery_lying,
    "check_waiting_extractions": forget_an_extraction,
    "check_facilities_of_datasets": measure_a_foreign_sample,
    "check_followers": open_a_result_before_its_raw_data,
    "check_releases": release_in_the_future,
    "check_holds": hold_without_a_request,
    "check_orcids": mistype_an_orcid,
    "check_revisions": lambda dataset: DatasetRevision.objects.filter(dataset=dataset).delete(),
    "check_stamps": lambda dataset: Investigation.objects.update(stamped_open_at=timezone.now()),
}


def test_a_sound_archive_violates_nothing(dataset: Dataset):
    assert find_violations() == []


def test_every_check_has_a_breakage_here():
    assert set(BREAKAGES) == {check.__name__ for check in CHECKS}


@pytest.mark.parametrize("check", BREAKAGES)
def test_a_broken_rule_is_found_by_its_check_alone(dataset: Dataset, check: str):
    BREAKAGES[check](dataset)
    assert {violation.check for violation in find_violations()} == {check}


def test_a_flood_of_violations_is_cut(dataset: Dataset):
    for _ in range(MOST_SHOWN + 5):
        make_dataset(dataset.investigation, has_thumbnail=True)
    shown = [violation for violation in find_violations() if violation.check == "check_thumbnails"]
    assert len(shown) == MOST_SHOWN


def test_the_command_ends_with_status_1_and_lists_what_is_wrong(dataset: Dataset, capsys):
    call_command("check_invariants")
    assert "hold" in capsys.readouterr().out
    lose_a_thumbnail(dataset)
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants")
    assert ended.value.code == 1
    assert str(dataset.uid) in capsys.readouterr().out
