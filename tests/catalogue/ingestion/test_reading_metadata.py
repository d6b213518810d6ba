"""Metadata read out of registered files by the task: what is written, what is kept, what happens when it cannot be read."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.derived import Picture, picture_path
from catalogue.entries import DatasetEntry, FileEntry, ParameterEntry
from catalogue.errors import NotAllowed, Unavailable
from catalogue.models import AuditEntry, Datafile, Dataset, Parameter, Technique
from catalogue.models.datasets import ExtractionState
from catalogue.secrets import encrypt
from catalogue.selectors import get_dataset_record
from catalogue.services.extraction import extract_dataset
from catalogue.services.parameters import correct_parameter
from catalogue.services.registration import register_dataset
from catalogue.vocabularies.techniques import TECHNIQUE_KEYS
from tests import factories, servers
from tests.catalogue.extraction.making import write_zeiss
from tests.catalogue.ingestion.conftest import Beamline

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def sem() -> Technique:
    return Technique.objects.create(iri=TECHNIQUE_KEYS["SEM"], label="SEM", source="Faircat")


def register(beamline: Beamline, *paths: str, parameters: tuple[ParameterEntry, ...] = ()) -> Dataset:
    files = tuple(FileEntry(storage=beamline.storage.name, path=path) for path in paths)
    entry = DatasetEntry(investigation="visit-a", title="A picture", files=files, parameters=parameters)
    return register_dataset(actor=principal_of(beamline.account), entry=entry)


def extract(dataset: Dataset) -> Dataset:
    extract_dataset(actor=SYSTEM, uid=dataset.uid)
    dataset.refresh_from_db()
    return dataset


def test_a_picture_of_a_microscope_gets_its_metadata_technique_and_thumbnail(
    beamline: Beamline, sem: Technique
) -> None:
    beamline.instrument.facility.time_zone = "Europe/Rome"
    beamline.instrument.facility.save()
    write_zeiss(beamline.folder / "a.tif")
    dataset = extract(register(beamline, "a.tif"))
    assert dataset.extraction_state == ExtractionState.DONE
    assert "Zeiss" in dataset.format_label
    assert dataset.acquired_at == datetime(2019, 7, 18, 11, 5, 59, tzinfo=UTC)
    voltage = dataset.parameters.get(name="accelerating_voltage", group="")
    assert (voltage.value_si, voltage.unit_si, voltage.source) == (15000.0, "V", "instrument")
    assert list(dataset.techniques.all()) == [sem]
    sem.refresh_from_db()
    assert sem.dataset_count == 1
    assert dataset.has_thumbnail
    assert Image.open(BytesIO(picture_path(dataset.uid, Picture.THUMBNAIL).read_bytes())).format == "WEBP"
    assert Datafile.objects.get().media_type == "image/tiff"
    assert dataset.version == 2


def test_personal_data_are_kept_for_the_site_and_left_out_of_the_record(beamline: Beamline) -> None:
    write_zeiss(beamline.folder / "a.tif")
    dataset = extract(register(beamline, "a.tif"))
    assert dataset.parameters.filter(is_personal=True, text__contains="MUELLER").exists()
    record = get_dataset_record(dataset.uid, principal_of(factories.make_curator()))
    assert "MUELLER" not in repr(record.parameters) and "secret project" not in repr(record.parameters)


def test_reading_twice_changes_nothing(beamline: Beamline, sem: Technique) -> None:
    write_zeiss(beamline.folder / "a.tif")
    dataset = extract(register(beamline, "a.tif"))
    columns = ("group", "name", "source", "text", "unit", "value_si")
    before = sorted(dataset.parameters.values_list(*columns), key=repr)
    extract(dataset)
    assert sorted(dataset.parameters.values_list(*columns), key=repr) == before
    sem.refresh_from_db()
    assert sem.dataset_count == 1


def test_what_a_person_corrected_survives_a_reading(beamline: Beamline) -> None:
    write_zeiss(beamline.folder / "a.tif")
    dataset = extract(register(beamline, "a.tif"))
    correction = ParameterEntry(name="accelerating_voltage", value=14.5, unit="kV", source="person")
    correct_parameter(actor=principal_of(factories.make_curator()), dataset=dataset, entry=correction)
    extract(dataset)
    values = dict(dataset.parameters.filter(name="accelerating_voltage", group="").values_list("source", "value_si"))
    assert values == {"instrument": 15000.0, "person": 14500.0}


def test_the_registrants_own_value_stays_and_the_files_value_stands_beside_it(beamline: Beamline) -> None:
    write_zeiss(beamline.folder / "a.tif")
    given = ParameterEntry(name="accelerating_voltage", value=20, unit="kV")
    dataset = register(beamline, "a.tif", parameters=(given, ParameterEntry(name="colour", value="red")))
    for _ in range(2):
        extract(dataset)
        values = dict(dataset.parameters.filter(name="accelerating_voltage").values_list("group", "value_si"))
        assert len(values) == 2
        assert values.pop("") == 20000.0
        assert list(values.values()) == [15000.0]
        assert dataset.parameters.filter(name="colour", text="red").exists()


def test_a_time_that_the_registrant_gave_stays(beamline: Beamline) -> None:
    write_zeiss(beamline.folder / "a.tif")
    dataset = register(beamline, "a.tif")
    given = datetime(2020, 1, 1, tzinfo=UTC)
    Dataset.objects.filter(pk=dataset.pk).update(acquired_at=given)
    assert extract(dataset).acquired_at == given


def test_a_sample_that_the_file_names_is_linked_when_the_investigation_has_it(beamline: Beamline) -> None:
    sample = factories.make_sample(beamline.investigation, name="au on SI 7")
    write_zeiss(beamline.folder / "a.tif")
    assert extract(register(beamline, "a.tif")).sample == sample


def test_a_truncated_file_is_kept_with_a_reason(beamline: Beamline) -> None:
    content = write_zeiss(beamline.folder / "whole.tif").read_bytes()
    beamline.write("a.tif", content[:5000])
    dataset = extract(register(beamline, "a.tif"))
    assert dataset.extraction_notes
    assert all(note["code"] and note["message"] for note in dataset.extraction_notes)
    assert not dataset.has_thumbnail and not picture_path(dataset.uid, Picture.THUMBNAIL).exists()


def test_a_file_that_vanished_is_told_in_a_note(beamline: Beamline) -> None:
    dataset = extract(register(beamline, "gone.tif"))
    assert dataset.extraction_state == ExtractionState.FAILED
    assert dataset.extraction_notes[0]["code"] == "file-unreadable"


def test_a_thumbnail_goes_when_a_later_reading_finds_no_picture(beamline: Beamline) -> None:
    write_zeiss(beamline.folder / "a.tif")
    dataset = extract(register(beamline, "a.tif"))
    beamline.write("a.tif", b"no picture any more")
    assert not extract(dataset).has_thumbnail
    assert not picture_path(dataset.uid, Picture.THUMBNAIL).exists()


def test_of_many_files_one_of_each_kind_is_read_and_the_page_says_so(beamline: Beamline) -> None:
    for number in range(5):
        write_zeiss(beamline.folder / f"{number}.tif", width=64)
    beamline.write("log.csv", b"1,2,3")
    dataset = extract(register(beamline, "log.csv", *(f"{number}.tif" for number in range(5))))
    assert "Zeiss" in dataset.format_label
    note = next(note for note in dataset.extraction_notes if note["code"] == "one-of-many")
    assert "6 files" in note["message"] and "0.tif" in note["message"]


def test_a_storage_that_does_not_answer_leaves_the_dataset_waiting(beamline: Beamline) -> None:
    dataset = register(beamline, "a.tif")
    beamline.folder.rename(beamline.folder.with_name("unplugged"))
    with pytest.raises(Unavailable):
        extract_dataset(actor=SYSTEM, uid=dataset.uid)
    dataset.refresh_from_db()
    assert dataset.extraction_state == ExtractionState.PENDING


def test_a_file_of_a_remote_storage_is_read_over_the_network_with_its_side_car(
    beamline: Beamline, tmp_path: Path, shared_samples: Path
) -> None:
    for name in ("image000.tif", "image000.txt"):
        beamline.write(f"jeol/{name}", (shared_samples / "sem-jeol" / name).read_bytes())
    with servers.webdav_server(beamline.folder) as url:
        remote = factories.make_storage(
            tmp_path,
            kind="webdav",
            location=url,
            username=servers.USERNAME,
            secret=encrypt(servers.PASSWORD),
            instrument=beamline.instrument,
            is_private_network_allowed=True,
        )
        beamline.storage = remote
        dataset = extract(register(beamline, "jeol/image000.tif", "jeol/image000.txt"))
    assert "JEOL" in dataset.format_label
    assert dataset.has_thumbnail
    assert dataset.parameters.filter(name="accelerating_voltage", group="").exists()


def test_a_reading_is_in_the_audit_log(beamline: Beamline) -> None:
    write_zeiss(beamline.folder / "a.tif")
    dataset = extract(register(beamline, "a.tif"))
    entry = AuditEntry.objects.get(action="extract-metadata")
    assert entry.object_id == str(dataset.uid) and entry.actor_label == "system"
    assert entry.after["parameters"] == Parameter.objects.count()


def test_nobody_but_the_site_starts_a_reading(beamline: Beamline) -> None:
    dataset = register(beamline, "a.tif")
    for principal in (ANONYMOUS, principal_of(beamline.account)):
        with pytest.raises(NotAllowed):
            extract_dataset(actor=principal, uid=dataset.uid)
