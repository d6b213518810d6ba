"""Metadata read out of the files of a dataset after its registration: by a task, outside transactions, safe to repeat.

Reading happens in the sandbox of `catalogue/extraction/`; here its findings become rows. What a person wrote, and what the
registrant gave, is never overwritten.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalogue import changes
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.derived import PREVIEW_PIXELS, keep_pictures
from catalogue.entries import ParameterEntry
from catalogue.errors import NotAllowed, Unavailable
from catalogue.extraction.model import Extraction, Limits, Note, RawParameter
from catalogue.extraction.sandbox import extract_in_sandbox
from catalogue.extraction.sniffing import EXTENSIONS
from catalogue.models import Datafile, Dataset, Parameter, Technique
from catalogue.models.datasets import ExtractionState, FileRole, Source
from catalogue.services.parameters import LONGEST_NAME, LONGEST_UNIT, insert_parameters, parameter_row
from catalogue.services.registration import add_technique_counts
from catalogue.services.storages import open_storage
from catalogue.storages import Storage
from catalogue.storages.errors import StorageError, StorageUnavailable
from catalogue.vocabularies.techniques import TECHNIQUE_KEYS
from catalogue.watching.groups import sidecars

LIMITS = Limits(thumbnail_pixels=PREVIEW_PIXELS)
MOST_FILES_READ = 4
MOST_FILES_LISTED = 500
MOST_VALUES = 5000
FAILURES = frozenset(
    {"extraction-timeout", "extraction-memory", "extraction-crashed", "extraction-failed", "file-unreadable"}
)
TECHNIQUE_ALIASES = {"TXM": "X-RAY-MICROSCOPY"}


class StorageFile:
    """A file of a remote storage, as the readers want it. `companions` are the paths that may be read beside it."""

    def __init__(self, storage: Storage, path: str, companions: frozenset[str]) -> None:
        self._storage = storage
        self._path = path
        self._companions = companions
        self.failure: StorageError | None = None

    @property
    def name(self) -> str:
        return PurePosixPath(self._path).name

    @property
    def size(self) -> int:
        try:
            return self._storage.stat(self._path).size or 0
        except StorageError as error:
            self.failure = error
            raise OSError(str(error)) from error

    def open(self) -> BinaryIO:
        try:
            return self._storage.open_seekable(self._path)
        except StorageError as error:
            self.failure = error
            raise OSError(str(error)) from error

    def sibling(self, name: str) -> "StorageFile | None":
        path = str(PurePosixPath(self._path).with_name(name)) if "/" not in name else ""
        return StorageFile(self._storage, path, self._companions) if path in self._companions else None


def extract_dataset(*, actor: Principal, uid: UUID) -> None:
    """Read the metadata of a dataset out of its most telling files and write them beside what is known.

    Raises Unavailable when a storage does not answer: the dataset stays as it is, waiting.
    """
    if not actor.sees_everything:
        raise NotAllowed("Metadata are read by the site itself.")
    dataset = Dataset.objects.select_related("instrument__facility").filter(uid=uid).first()
    if dataset is None:
        return
    files, note = _telling_files(dataset)
    findings = [(file, read_metadata(file)) for file in files]
    picture = next((found.thumbnail for _, found in findings if found.thumbnail), None)
    keep_pictures(dataset.uid, picture)
    _write(actor, dataset, findings, has_thumbnail=picture is not None, extra=note)


def _telling_files(dataset: Dataset) -> tuple[list[Datafile], list[Note]]:
    """One file of each kind, those that hold most metadata first, and a note when they stand for many others."""
    rows = list(dataset.files.select_related("storage").order_by("role", "name")[:MOST_FILES_LISTED])
    data = [row for row in rows if row.role == FileRole.DATA] or rows
    texts = sidecars(row.path for row in data)
    pictures = [row for row in data if row.path not in texts] or data
    first_of_kind: dict[str, Datafile] = {}
    for row in pictures:
        first_of_kind.setdefault(PurePosixPath(row.path).suffix.lower(), row)
    chosen = sorted(first_of_kind.values(), key=_rank)[:MOST_FILES_READ]
    if len(pictures) <= len(chosen):
        return chosen, []
    names = ", ".join(row.name for row in chosen)
    message = f"The dataset has {dataset.file_count} files; its metadata are those of {names}."
    return chosen, [Note("one-of-many", message)]


def _rank(file: Datafile) -> tuple[int, str]:
    family = EXTENSIONS.get(PurePosixPath(file.path).suffix.lower())
    return (0 if family == "hdf5" else 1 if family else 2, file.name)


def read_metadata(file: Datafile) -> Extraction:
    """What one file says of itself, read in the sandbox. Raises Unavailable when its storage does not answer."""
    storage = open_storage(file.storage)
    try:
        local = storage.local_path(file.path)
        if local is not None:
            return extract_in_sandbox(local, LIMITS)
        paths = Datafile.objects.filter(dataset=file.dataset_id, storage=file.storage_id).values_list("path", flat=True)
        remote = StorageFile(storage, file.path, frozenset(paths[:MOST_FILES_LISTED]))
        storage.stat(file.path)
        found = extract_in_sandbox(remote, LIMITS)
        if isinstance(remote.failure, StorageUnavailable):
            raise remote.failure
        return found
    except StorageUnavailable as error:
        raise Unavailable(f"{file.storage.name} does not answer: {error}") from None
    except StorageError as error:
        note = Note("file-unreadable", f"The file {file.name} could not be read: {type(error).__name__}.")
        return Extraction("unknown", "", "", notes=(note,))


def _write(
    actor: Principal,
    dataset: Dataset,
    findings: Sequence[tuple[Datafile, Extraction]],
    *,
    has_thumbnail: bool,
    extra: Sequence[Note],
) -> None:
    zone = _zone(dataset)
    found = [extraction for _, extraction in findings]
    values: dict[str, Any] = {
        "extraction_state": _state(found),
        "extraction_notes": _notes([*(note for one in found for note in one.notes), *extra]),
        "format_label": next((one.format_label for one in found if one.family != "unknown"), "")[:100],
        "has_thumbnail": has_thumbnail,
    }
    acquired_at = next((one.acquired_at for one in found if one.acquired_at), None)
    if dataset.acquired_at is None and acquired_at is not None:
        values["acquired_at"] = _with_zone(acquired_at, zone)
    if dataset.sample_id is None and (sample := _known_sample(dataset, found)):
        values["sample_id"] = sample
    with transaction.atomic():
        changed = Dataset.objects.filter(pk=dataset.pk).update(
            **values, version=F("version") + 1, updated_at=timezone.now()
        )
        if not changed:
            return
        count = _write_parameters(dataset, found, zone)
        _add_techniques(dataset, found)
        for file, extraction in findings:
            Datafile.objects.filter(pk=file.pk, media_type="").update(media_type=extraction.media_type[:100])
        after = {"state": str(values["extraction_state"]), "parameters": count, "format": values["format_label"]}
        write_audit(actor=actor, action="extract-metadata", record=dataset, after=after)
        changes.datasets_changed([dataset])


def _state(found: Sequence[Extraction]) -> ExtractionState:
    has_failed = any(note.code in FAILURES for one in found for note in one.notes)
    is_empty = not any(one.parameters for one in found)
    return ExtractionState.FAILED if has_failed and is_empty else ExtractionState.DONE


def _notes(notes: Iterable[Note]) -> list[dict[str, str]]:
    return [{"code": note.code, "message": note.message} for note in dict.fromkeys(notes)]


def _zone(dataset: Dataset) -> ZoneInfo:
    try:
        return ZoneInfo(dataset.instrument.facility.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _with_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """Instruments write their local time without a zone."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _known_sample(dataset: Dataset, found: Sequence[Extraction]) -> int | None:
    """A sample of the investigation that the file names. None is made from what an instrument wrote."""
    hints = [one.sample_hint for one in found if one.sample_hint]
    samples = dataset.investigation.samples.filter(name__iexact=hints[0]) if hints else ()
    return next((sample.pk for sample in samples), None)


def _write_parameters(dataset: Dataset, found: Sequence[Extraction], zone: ZoneInfo) -> int:
    """Replace what an earlier reading found; the registrant's own value of a name stays and the file's goes beside it."""
    rows = Parameter.objects.filter(dataset=dataset, source=Source.INSTRUMENT).values_list("group", "name", "pk")
    known = {(group, name): pk for group, name, pk in rows}
    is_first = not dataset.format_label
    entries: dict[tuple[str, str], ParameterEntry] = {}
    for one in found:
        for raw in one.parameters:
            entry = _entry(raw, zone)
            beside = (one.family, entry.name)
            is_given = (entry.group, entry.name) in known if is_first else beside in known
            if not entry.group and is_given:
                entry = dataclasses.replace(entry, group=one.family)
            entries.setdefault((entry.group, entry.name), entry)
    entries = dict(list(entries.items())[:MOST_VALUES])
    if is_first:
        entries = {key: entry for key, entry in entries.items() if key not in known}
    replaced = [pk for key, pk in known.items() if key in entries]
    for start in range(0, len(replaced), 500):
        Parameter.objects.filter(pk__in=replaced[start : start + 500]).delete()
    insert_parameters(parameter_row(dataset.pk, entry) for entry in entries.values())
    return len(entries)


def _entry(raw: RawParameter, zone: ZoneInfo) -> ParameterEntry:
    value = _with_zone(raw.value, zone) if isinstance(raw.value, datetime) else raw.value
    return ParameterEntry(
        name=raw.name[:LONGEST_NAME],
        value=value,
        unit=(raw.unit or "")[:LONGEST_UNIT],
        group=raw.group[:LONGEST_NAME],
        source=Source.INSTRUMENT,
        is_personal=raw.is_personal,
    )


def _add_techniques(dataset: Dataset, found: Sequence[Extraction]) -> None:
    keys = {TECHNIQUE_ALIASES.get(key, key.upper()) for one in found for key in one.techniques}
    iris = [TECHNIQUE_KEYS[key] for key in keys if key in TECHNIQUE_KEYS]
    new = set(Technique.objects.filter(iri__in=iris).exclude(datasets=dataset).values_list("pk", flat=True))
    dataset.techniques.add(*new)
    add_technique_counts(dict.fromkeys(new, 1))
