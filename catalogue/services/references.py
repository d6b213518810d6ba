"""What the entries of one registration refer to, looked up for all of them at once: a constant number of queries a request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.entries import DatasetEntry
from catalogue.models import Datafile, Dataset, Investigation, Licence, Sample, Storage, Technique
from catalogue.storages.errors import StoragePathRefused
from catalogue.storages.paths import clean_path

CHUNK = 500
Value = TypeVar("Value")


@dataclass
class References:
    """Rows by the names that the entries use; what is not in a dictionary does not exist or may not be used."""

    investigations: dict[str, Investigation] = field(default_factory=dict)
    allowed_investigations: set[int] = field(default_factory=set)
    storages: dict[str, Storage] = field(default_factory=dict)
    techniques: dict[str, int] = field(default_factory=dict)
    licences: set[str] = field(default_factory=set)
    samples: dict[tuple[int, str], int] = field(default_factory=dict)
    sources: dict[UUID, int] = field(default_factory=dict)
    existing_by_key: dict[tuple[int, str], Dataset] = field(default_factory=dict)
    taken_paths: set[tuple[int, str]] = field(default_factory=set)

    def investigation_of(self, entry: DatasetEntry) -> Investigation | None:
        return self.investigations.get(entry.investigation)


def load_references(entries: Sequence[DatasetEntry], actor: Principal) -> References:
    found = References()
    _load_investigations(found, {entry.investigation for entry in entries}, actor)
    _load_storages(found, {file.storage for entry in entries for file in entry.files}, actor)
    iris = {iri for entry in entries for iri in entry.techniques}
    found.techniques = dict(Technique.objects.filter(iri__in=iris).values_list("iri", "pk")) if iris else {}
    licences = {entry.licence for entry in entries if entry.licence}
    found.licences = set(Licence.objects.filter(pk__in=licences).values_list("pk", flat=True)) if licences else set()
    _load_sources(found, {uid for entry in entries for uid in entry.derived_from}, actor)
    load_samples(found, entries)
    # Paths before keys: of a registration that commits in between, the dataset is found and not a path that is taken.
    load_taken_paths(found, entries)
    _load_existing(found, entries)
    return found


def _load_investigations(found: References, names: set[str], actor: Principal) -> None:
    """By uid anywhere, by visit id within the facilities where the actor may register."""
    uids = {name: UUID(name) for name in names if _is_uuid(name)}
    visits = names - set(uids)
    rows = Investigation.objects.select_related("instrument", "facility").filter(
        Q(uid__in=uids.values()) | Q(visit_id__in=visits), state="active"
    )
    decided: dict[str, Investigation] = {}
    for row in rows:
        is_allowed = access.may_register_in(row, actor)
        for name in (str(row.uid), row.visit_id):
            if name in visits and not is_allowed:
                continue
            decided[name] = row
        if is_allowed:
            found.allowed_investigations.add(row.pk)
    keys = {name: str(uids.get(name, name)) for name in names}
    found.investigations = {name: decided[key] for name, key in keys.items() if key in decided}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _load_storages(found: References, names: set[str], actor: Principal) -> None:
    uids = [UUID(name) for name in names if _is_uuid(name)]
    for storage in Storage.objects.filter(Q(name__in=names) | Q(uid__in=uids), is_active=True):
        if may_use(storage, actor):
            found.storages[storage.name] = found.storages[str(storage.uid)] = storage


def may_use(storage: Storage, actor: Principal) -> bool:
    """Own storages; those of administrators for curators, for the instrument that writes there, and, confined, for members."""
    if storage.owner_id is not None:
        return storage.owner_id == actor.user_id
    if actor.is_curator or actor.is_administrator:
        return True
    if actor.instrument_id is not None:
        return storage.instrument_id == actor.instrument_id
    return bool(storage.member_folder) and storage.instrument_id is not None


def path_problem(storage: Storage, path: str, investigation: Investigation, actor: Principal) -> str:
    """Why `actor` may not register `path` in `investigation`, or an empty text.

    A storage that belongs to an instrument holds that instrument's data only; team members stay in their own folder.
    """
    try:
        clean_path(path)
    except StoragePathRefused as error:
        return str(error)
    if storage.owner_id is None and storage.instrument_id not in (None, investigation.instrument_id):
        return f"The storage {storage.name} belongs to another instrument."
    if storage.owner_id is not None or actor.is_curator or actor.is_administrator or actor.instrument_id is not None:
        return ""
    folder = member_folder(storage, investigation)
    if not path.startswith(folder + "/"):
        return f"Your investigation may register files below {folder}/ of the storage {storage.name} only."
    return ""


def member_folder(storage: Storage, investigation: Investigation) -> str:
    """The folder that team members are confined to, from the storage's template."""
    proposal = investigation.proposal.number if investigation.proposal else "no-proposal"
    values = {
        "visit_id": investigation.visit_id,
        "proposal": proposal,
        "instrument": investigation.instrument.short_name,
    }
    folder = storage.member_folder
    for name, value in values.items():
        folder = folder.replace("{" + name + "}", value)
    return clean_path(folder)


def _load_sources(found: References, uids: set[UUID], actor: Principal) -> None:
    """What a dataset derives from is readable by the registrant, or was measured by the instrument that registers."""
    if uids:
        usable = access.full_datasets(actor, now=timezone.now())
        if actor.instrument_id is not None:
            usable = usable | Dataset.objects.filter(investigation__instrument=actor.instrument_id)
        found.sources = dict(usable.filter(uid__in=uids).values_list("uid", "pk"))


def _load_existing(found: References, entries: Sequence[DatasetEntry]) -> None:
    keys: dict[int, set[str]] = {}
    for entry in entries:
        investigation = found.investigation_of(entry)
        if entry.registration_key and investigation:
            keys.setdefault(investigation.instrument_id, set()).add(entry.registration_key)
    for instrument_id, wanted in keys.items():
        for chunk in chunks(sorted(wanted)):
            for row in Dataset.objects.filter(instrument=instrument_id, registration_key__in=chunk):
                found.existing_by_key[instrument_id, row.registration_key or ""] = row


def load_samples(found: References, entries: Sequence[DatasetEntry]) -> None:
    wanted = {
        (investigation.pk, entry.sample)
        for entry in entries
        if entry.sample and (investigation := found.investigation_of(entry))
    }
    if wanted:
        rows = Sample.objects.filter(investigation__in={pk for pk, _ in wanted}, name__in={name for _, name in wanted})
        found.samples = {(pk, name): sample for sample, pk, name in rows.values_list("pk", "investigation_id", "name")}


def load_taken_paths(found: References, entries: Sequence[DatasetEntry]) -> None:
    paths: dict[int, set[str]] = {}
    for entry in entries:
        for file in entry.files:
            if storage := found.storages.get(file.storage):
                paths.setdefault(storage.pk, set()).add(file.path)
    for storage_id, wanted in paths.items():
        for chunk in chunks(sorted(wanted)):
            rows = Datafile.objects.filter(storage=storage_id, path__in=chunk).values_list("path", flat=True)
            found.taken_paths.update((storage_id, path) for path in rows)


def chunks(values: Sequence[Value]) -> Iterable[Sequence[Value]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
