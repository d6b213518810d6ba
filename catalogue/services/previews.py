"""What a file says, read before anything is registered, for the person who is registering it. Nothing is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

from catalogue.access import Principal
from catalogue.entries import ParameterEntry
from catalogue.errors import NotFound
from catalogue.extraction.model import Extraction, Note, RawParameter
from catalogue.extraction.sandbox import extract_in_sandbox
from catalogue.masking import parameter_values
from catalogue.models import Investigation, Parameter, Storage
from catalogue.models.datasets import Source
from catalogue.record import ParameterValue
from catalogue.services.extraction import StorageFile
from catalogue.services.parameters import COLUMNS, parameter_row
from catalogue.services.references import may_use, path_problem
from catalogue.services.storages import open_storage
from catalogue.storages.errors import StorageError


@dataclass(frozen=True)
class Findings:
    """The values, without personal data, and what could not be read."""

    values: tuple[ParameterValue, ...]
    notes: tuple[Note, ...]


def preview_file(*, principal: Principal, investigation: Investigation, storage_uid: str, path: str) -> Findings:
    """Read one file that `principal` may register in `investigation`. A file that cannot be read gives a note."""
    storage = Storage.objects.filter(uid=UUID(storage_uid), is_active=True).first()
    if storage is None or not may_use(storage, principal) or path_problem(storage, path, investigation, principal):
        raise NotFound("There is no such file that you may register.")
    try:
        found = _read(storage, path)
    except StorageError as error:
        return Findings((), (Note("file-unreadable", f"The file could not be read now: {error}"),))
    return Findings(values_of(_entry(raw) for raw in found.parameters), tuple(found.notes))


def values_of(entries: Iterable[ParameterEntry]) -> tuple[ParameterValue, ...]:
    """What readers would be told of these values if they were registered, without personal data."""
    return parameter_values(Parameter(**dict(zip(COLUMNS, parameter_row(0, entry), strict=True))) for entry in entries)


def _read(storage: Storage, path: str) -> Extraction:
    connected = open_storage(storage)
    local = connected.local_path(path)
    if local is not None:
        return extract_in_sandbox(local)
    folder = str(PurePosixPath(path).parent)
    beside = connected.list_page("" if folder == "." else folder, None, 200).entries
    return extract_in_sandbox(StorageFile(connected, path, frozenset(entry.path for entry in beside)))


def _entry(raw: RawParameter) -> ParameterEntry:
    return ParameterEntry(
        name=raw.name,
        value=raw.value,
        unit=raw.unit or "",
        group=raw.group,
        source=Source.INSTRUMENT.value,
        is_personal=raw.is_personal,
    )
