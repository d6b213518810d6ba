"""Datasets of a PaNOSC database with their samples, techniques, parameters and files, registered in the usual way.

Registration knows one instrument for each investigation, and files that can be read; what is measured elsewhere, and files
that only another server has, are written here behind it, with the counts that follow.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from catalogue.audit import audit_entry, write_audit_rows
from catalogue.changes import datasets_changed
from catalogue.entries import DatasetEntry, FileEntry, ParameterEntry
from catalogue.interop.panosc_checks import doi_of, file_name
from catalogue.interop.panosc_database import Row
from catalogue.models import Datafile, Dataset, Instrument, Investigation, Storage
from catalogue.models.storages import StorageKind
from catalogue.services.panosc_context import STATED_BY, Import, refusal, same_as
from catalogue.services.panosc_identifiers import keep_files, keep_parameters, keep_techniques
from catalogue.services.panosc_samples import make_samples
from catalogue.services.references import chunks
from catalogue.services.registration import FILE_COLUMNS, MOST_ENTRIES, file_row, register_datasets
from catalogue.services.rows import insert_rows

STORAGE = "Files of a PaNOSC server"


def import_datasets(current: Import) -> None:
    """Those that are new; `current.datasets` then holds all of them."""
    current.datasets = _existing(current)
    new = iter([pid for pid in current.database.of("Dataset") if pid not in current.datasets])
    parts = _Parts(current)
    while portion := list(islice(new, MOST_ENTRIES)):
        _import_portion(current, parts, portion)


def _existing(current: Import) -> dict[str, Dataset]:
    instruments = [one.pk for one in current.instruments.values()]
    found = {}
    for chunk in chunks(list(current.database.of("Dataset"))):
        rows = Dataset.objects.filter(instrument__in=instruments, registration_key__in=chunk)
        found.update({one.registration_key or "": one for one in rows.select_related("instrument__facility")})
    return found


class _Parts:
    """What belongs to each dataset of the file."""

    def __init__(self, current: Import) -> None:
        database = current.database
        self.samples = database.linked("DatasetSample")
        self.techniques = database.linked("DatasetTechnique")
        self.documents = database.linked("DocumentDataset")
        self.files = database.belonging("File", "datasetId")
        self.parameters = database.belonging("Parameter", "datasetId")
        self.stated = database.belonging("Parameter", "documentId")
        self._rows = database.of("Document")

    def parameters_of(self, pid: str) -> Iterator[tuple[str, ParameterEntry]]:
        """Its own and those that its documents state, with their ids."""
        for key, row in self.parameters.get(pid, ()):
            yield key, _parameter(row)
        for document in self.documents.get(pid, ()):
            name = doi_of(document, self._rows[document].get("doi", "")) or document
            for key, row in self.stated.get(document, ()):
                yield key, _parameter(row, STATED_BY + name)


def _import_portion(current: Import, parts: _Parts, pids: Sequence[str]) -> None:
    samples = make_samples(current, {pid: parts.samples.get(pid, ()) for pid in pids})
    entries = [_entry(current, parts, pid, samples.get(pid, "")) for pid in pids]
    outcomes = register_datasets(actor=current.actor, entries=entries, is_all_or_nothing=True)
    problems = [
        f"Dataset {pid}: {' '.join([outcome.message, *(text for texts in outcome.fields.values() for text in texts)])}"
        for pid, outcome in zip(pids, outcomes, strict=True)
        if outcome.status == "refused" and outcome.code != "others-refused"
    ]
    if problems:
        raise refusal(problems)
    by_uid: dict[UUID | None, str] = {outcome.uid: pid for pid, outcome in zip(pids, outcomes, strict=True)}
    made = {
        by_uid[one.uid]: one for one in Dataset.objects.filter(uid__in=list(by_uid)).select_related("investigation")
    }
    _move_to_instruments(current, made)
    _insert_files(current, parts, made)
    keep_techniques(made, parts.techniques, current.techniques)
    keep_files(made, parts.files)
    keep_parameters(made, {pid: parts.parameters_of(pid) for pid in made})
    _tell(current, made)
    current.datasets |= made
    current.done.datasets += len(made)


def _entry(current: Import, parts: _Parts, pid: str, sample: str) -> DatasetEntry:
    row = current.database.of("Dataset")[pid]
    return DatasetEntry(
        investigation=str(current.investigations[pid].uid),
        title=row["title"],
        acquired_at=row["creationDate"],
        techniques=tuple(dict.fromkeys(current.techniques[key].technique.iri for key in parts.techniques.get(pid, ()))),
        sample=sample,
        registration_key=pid,
        parameters=tuple(entry for _, entry in parts.parameters_of(pid)),
        relations=(same_as(pid),),
        is_to_be_extracted=False,
    )


def _parameter(row: Row, group: str = "") -> ParameterEntry:
    return ParameterEntry(name=row["name"], value=row["value"], unit=row.get("unit", ""), group=group)


def _move_to_instruments(current: Import, made: dict[str, Dataset]) -> None:
    """Where the data of one proposal were measured at several instruments of its facility."""
    moved: dict[int, list[Dataset]] = {}
    for pid, dataset in made.items():
        dataset.instrument = current.instruments[current.database.of("Dataset")[pid]["instrumentId"]]
        if dataset.instrument_id != dataset.investigation.instrument_id:
            moved.setdefault(dataset.instrument_id, []).append(dataset)
    for key, datasets in moved.items():
        Dataset.objects.filter(pk__in=[one.pk for one in datasets]).update(instrument_id=key)
        Instrument.objects.filter(pk=key).update(dataset_count=F("dataset_count") + len(datasets))
        for one in datasets:
            left = Instrument.objects.filter(pk=one.investigation.instrument_id)
            left.update(dataset_count=F("dataset_count") - 1)


def _insert_files(current: Import, parts: _Parts, made: dict[str, Dataset]) -> None:
    """Names and sizes only: their bytes are where they were, so that no storage here is asked for them."""
    if not any(parts.files.get(pid) for pid in made):
        return
    storage = _storage()
    insert_rows(Datafile, FILE_COLUMNS, _file_rows(parts, made, storage))
    for pid, dataset in made.items():
        files = parts.files.get(pid, ())
        if files:
            size = sum(row.get("size", 0) for _, row in files)
            Dataset.objects.filter(pk=dataset.pk).update(file_count=len(files), size=size)
            Investigation.objects.filter(pk=dataset.investigation_id).update(
                file_count=F("file_count") + len(files), size=F("size") + size
            )
            current.done.files += len(files)


def _file_rows(parts: _Parts, made: dict[str, Dataset], storage: Storage) -> Iterator[tuple[Any, ...]]:
    for pid, dataset in made.items():
        for _, row in parts.files.get(pid, ()):
            name = file_name(row)
            entry = FileEntry(storage=storage.name, path=f"{dataset.uid}/{name}", name=name, size=row.get("size"))
            yield file_row(dataset.pk, storage.pk, entry)


def _storage() -> Storage:
    """One that is not in use: nothing is looked for in it, and nothing can be downloaded from it."""
    location = str(settings.DATA_DIR / "panosc")
    values = {"kind": StorageKind.POSIX, "location": location, "is_active": False}
    return Storage.objects.get_or_create(name=STORAGE, defaults=values)[0]


def _tell(current: Import, made: dict[str, Dataset]) -> None:
    write_audit_rows(
        audit_entry(
            actor=current.actor,
            action="import",
            record=dataset,
            before={},
            after={"pid": pid, "instrument": dataset.instrument.short_name},
        )
        for pid, dataset in made.items()
    )
    datasets_changed(made.values())
