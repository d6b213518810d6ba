"""Registers the files of a folder of this machine, for `make run DATA=/some/folder`: a first look at one's own data.

Each file becomes a dataset, with the text that its instrument wrote beside it; each folder at the top one investigation.
An institute declares storages and watch rules instead. The folder is read, never written.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.text import slugify

from catalogue import access
from catalogue.access import Principal
from catalogue.entries import DatasetEntry, FileEntry, InvestigationEntry, PersonEntry
from catalogue.errors import DomainError
from catalogue.extraction import Extraction, LocalFile
from catalogue.extraction.sandbox import extract_in_sandbox
from catalogue.models import Datafile, Dataset, Facility, Instrument, Investigation, Storage
from catalogue.services.dataset_changes import add_files
from catalogue.services.declarations import declare_instrument
from catalogue.services.investigations import create_investigation
from catalogue.services.registration import register_datasets
from catalogue.services.storages import check_storage, declare_storage, open_storage
from catalogue.storages import Entry

SIDECAR_SUFFIXES = {".txt", ".hdr"}
BATCH = 200
OLDEST_PLAUSIBLE = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class FoundDataset:
    """The files that become one dataset, the main one first, and what the main one says of itself."""

    files: tuple[Entry, ...]
    extraction: Extraction
    acquired_at: datetime | None

    @property
    def path(self) -> str:
        return self.files[0].path

    def title(self, *, is_open: bool) -> str:
        """What the file says, else its name. Titles are public under embargo, file names are not: closed data get neither."""
        if is_open:
            return (self.extraction.title_hint or PurePosixPath(self.path).name)[:500]
        label = self.extraction.format_label or "Dataset"
        return f"{label}, {self.acquired_at:%-d %B %Y}" if self.acquired_at else label


def register_folder(
    *, actor: Principal, facility: Facility, folder: Path, team: tuple[PersonEntry, ...], say: Callable[[str], object]
) -> int:
    """Register what is new in `folder` and return the number of new datasets; `say` is told of progress and refusals."""
    storage = folder_storage(actor, f"Folder {folder.name}"[:100], folder)
    known = set(Datafile.objects.filter(storage=storage).values_list("path", flat=True))
    new = {entry.path: entry for entry in open_storage(storage).walk() if entry.path not in known}
    _add_late_sidecars(actor, storage, new, known, say)
    groups = sorted(_groups(new), key=lambda files: _top(files[0].path, folder))
    registered = 0
    for top, members in groupby(groups, key=lambda files: _top(files[0].path, folder)):
        found = [_read(folder, files, facility) for files in members]
        say(f"{top}: registering {len(found)} datasets")
        investigation = _investigation_for(actor, facility, top, found, team)
        registered += _register(actor, storage, investigation, found, say)
    return registered


def folder_storage(
    actor: Principal, name: str, folder: Path, instrument: Instrument | None = None, member_folder: str = ""
) -> Storage:
    """The storage of that name, declared for `folder` when it is new. Nobody's uploads are ever written to it."""
    storage = Storage.objects.filter(name=name).first() or declare_storage(
        actor=actor,
        name=name,
        kind="posix",
        location=str(folder),
        instrument=instrument,
        member_folder=member_folder,
    )
    return check_storage(actor=actor, row=storage)


def _top(path: str, folder: Path) -> str:
    parts = PurePosixPath(path).parts
    return parts[0] if len(parts) > 1 else folder.name


def _add_late_sidecars(
    actor: Principal, storage: Storage, new: dict[str, Entry], known: set[str], say: Callable[[str], object]
) -> None:
    """What came after the file that it describes is added to that one's dataset, which is then read again.

    It is taken out of `new`.
    """
    for path, main in _sidecars([*new, *known]).items():
        if path in known or main not in known:
            continue
        entry = new.pop(path)
        uid = Dataset.objects.values_list("uid", flat=True).get(files__storage=storage, files__path=main)
        try:
            add_files(actor=actor, uid=uid, files=[_file_entry(storage, entry, 1)])
        except DomainError as error:
            say(f"{path} was not added: {error.message}")


def _groups(files: dict[str, Entry]) -> Iterator[tuple[Entry, ...]]:
    """Files by what becomes one dataset: a side-car with the file that it describes."""
    new = {path: entry for path, entry in files.items() if not _is_hidden(path)}
    sidecars = _sidecars(new)
    for path, entry in sorted(new.items()):
        if path not in sidecars:
            yield (entry, *(new[beside] for beside, main in sidecars.items() if main == path))


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def _sidecars(paths: Iterable[str]) -> dict[str, str]:
    """The path of each side-car with that of the file beside it: a.txt to a.tif, b-tif.hdr to b.tif."""
    mains = {}
    for path in sorted(paths, reverse=True):
        file = PurePosixPath(path)
        if file.suffix.lower() not in SIDECAR_SUFFIXES:
            mains[str(file.with_suffix(""))] = path
            mains[f"{file.with_suffix('')}-{file.suffix[1:].lower()}"] = path
    candidates = (path for path in sorted(paths) if PurePosixPath(path).suffix.lower() in SIDECAR_SUFFIXES)
    return {path: mains[stem] for path in candidates if (stem := str(PurePosixPath(path).with_suffix(""))) in mains}


def _read(folder: Path, files: tuple[Entry, ...], facility: Facility) -> FoundDataset:
    extraction = extract_in_sandbox(LocalFile(folder / files[0].path))
    return FoundDataset(files, extraction, _plausible(extraction.acquired_at, facility))


def _plausible(moment: datetime | None, facility: Facility) -> datetime | None:
    """The date of acquisition in UTC; None for the clocks of instruments that were never set, or set wrongly."""
    if moment is None:
        return None
    with suppress(OverflowError):
        aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(facility.time_zone))
        utc = aware.astimezone(UTC)
        return utc if OLDEST_PLAUSIBLE < utc <= timezone.now() else None
    return None


def _investigation_for(
    actor: Principal, facility: Facility, top: str, found: Sequence[FoundDataset], team: tuple[PersonEntry, ...]
) -> Investigation:
    """The investigation of a folder. Files newer than its end begin another: they must not open with the old ones.

    Copies and clones have the date of the copy: it counts only where no file says when it was acquired.
    """
    acquired = [dataset.acquired_at for dataset in found if dataset.acquired_at]
    moments = acquired or [dataset.files[0].modified_at or timezone.now() for dataset in found]
    first, last = min(moments), max(moments)
    instrument = _instrument_for(actor, facility, found)
    same_folder = Investigation.objects.filter(facility=facility, abstract=_abstract(top))
    if existing := same_folder.filter(instrument=instrument, ended_at__gte=last).order_by("ended_at").first():
        return existing
    entry = InvestigationEntry(
        instrument=instrument.short_name,
        visit_id=_visit_id(facility, top, last),
        title=top.replace("_", " ").replace("-", " ")[:500],
        abstract=_abstract(top),
        started_at=first,
        ended_at=last,
        team=team,
    )
    return create_investigation(actor=actor, entry=entry)


def _visit_id(facility: Facility, top: str, last: datetime) -> str:
    """The folder's name as a visit id, with the day of its newest file, then a digest, where another took the name."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", top)[:80].strip("._-") or "folder"
    digest = hashlib.sha256(f"{top} {last}".encode()).hexdigest()[:8]
    candidates = (name, f"{name}-{last:%Y-%m-%d}", f"{name}-{digest}")
    taken = set(
        Investigation.objects.filter(facility=facility, visit_id__in=candidates).values_list("visit_id", flat=True)
    )
    return next((candidate for candidate in candidates if candidate not in taken), candidates[-1])


def _abstract(top: str) -> str:
    return f"The files of the folder {top}."


def _instrument_for(actor: Principal, facility: Facility, found: Sequence[FoundDataset]) -> Instrument:
    """The instrument that all files of a folder name; one that stands for several where they differ or do not say."""
    models = {(dataset.extraction.manufacturer or "", dataset.extraction.instrument_model or "") for dataset in found}
    models.discard(("", ""))
    manufacturer, model = models.pop() if len(models) == 1 else ("", "")
    named_twice = model.casefold().startswith(manufacturer.casefold())
    name = " ".join((model if named_twice else f"{manufacturer} {model}").split()) or "Several instruments"
    return declare_instrument(
        actor=actor,
        facility=facility,
        short_name=slugify(name)[:60] or "instrument",
        name=name[:200],
        manufacturer=manufacturer[:200],
        model=model[:200],
    )


def _register(
    actor: Principal,
    storage: Storage,
    investigation: Investigation,
    found: Sequence[FoundDataset],
    say: Callable[[str], object],
) -> int:
    registered = 0
    for start in range(0, len(found), BATCH):
        part = found[start : start + BATCH]
        entries = [_entry(storage, investigation, dataset) for dataset in part]
        for dataset, outcome in zip(part, register_datasets(actor=actor, entries=entries), strict=True):
            registered += outcome.status == "registered"
            if outcome.status == "refused":
                say(f"{dataset.path} was not registered: {outcome.message}")
    return registered


def _entry(storage: Storage, investigation: Investigation, dataset: FoundDataset) -> DatasetEntry:
    return DatasetEntry(
        investigation=str(investigation.uid),
        title=dataset.title(is_open=access.is_open(investigation, now=timezone.now())),
        acquired_at=dataset.acquired_at,
        files=tuple(_file_entry(storage, entry, index) for index, entry in enumerate(dataset.files)),
    )


def _file_entry(storage: Storage, entry: Entry, index: int) -> FileEntry:
    role = "metadata" if index else "data"
    return FileEntry(storage=storage.name, path=entry.path, size=entry.size, modified_at=entry.modified_at, role=role)
