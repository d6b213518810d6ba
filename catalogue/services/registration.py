"""Registration of datasets: one by one or a thousand at a time, each entry wholly registered or wholly refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from catalogue import changes, outbox
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit_rows
from catalogue.entries import DatasetEntry, FileEntry, Outcome
from catalogue.errors import Conflict, DomainError, InvalidInput, NotAllowed
from catalogue.identifiers import new_uid
from catalogue.models import Datafile, Dataset, Instrument, Investigation, Relation, Sample, Technique
from catalogue.models.datasets import ExtractionState, FileRole, Fixity
from catalogue.services.entry_checks import problems_of
from catalogue.services.followers import follow_raw_data
from catalogue.services.investigations import relation_row
from catalogue.services.parameters import insert_parameters, parameter_row
from catalogue.services.references import References, load_references, load_samples
from catalogue.services.rows import insert_rows
from catalogue.stamps import opening, stamped_open_at

MOST_ENTRIES = 1000
# A registration that meets another one is tried again, with the other's datasets in view.
ATTEMPTS = 3
REFUSALS: dict[str, type[DomainError]] = {
    "not-allowed": NotAllowed,
    "conflict": Conflict,
    "file-registered": Conflict,
    "registration-key-taken": Conflict,
}
FILE_COLUMNS = (
    "dataset_id",
    "storage_id",
    "path",
    "name",
    "size",
    "modified_at",
    "sha256",
    "crc32",
    "media_type",
    "role",
    "fixity",
    "checked_at",
)


@dataclass(frozen=True)
class _Accepted:
    """An entry that passed all checks, with the row that it will become."""

    index: int
    entry: DatasetEntry
    dataset: Dataset


def register_datasets(
    *, actor: Principal, entries: Sequence[DatasetEntry], is_all_or_nothing: bool = False
) -> list[Outcome]:
    """Register up to 1000 datasets and say of each whether it was registered, existed already, or why it was refused.

    With `is_all_or_nothing` one refusal refuses them all. Costs a constant number of queries for any number of entries.
    """
    if not entries or len(entries) > MOST_ENTRIES:
        raise InvalidInput(f"Send 1 to {MOST_ENTRIES} datasets in one request.", fields={"datasets": ["Wrong number."]})
    if actor.is_anonymous or not actor.has_scope("register"):
        raise NotAllowed("Registering needs an account, or a token with the scope register.")
    for _ in range(ATTEMPTS):
        found = load_references(entries, actor)
        outcomes: dict[int, Outcome] = {}
        accepted = _sort_out(entries, found, actor, outcomes)
        if is_all_or_nothing and any(outcome.status == "refused" for outcome in outcomes.values()):
            accepted = _refuse_all(accepted, outcomes)
        if _write(actor, accepted, found, outcomes):
            break
    return [outcomes[index] for index in range(len(entries))]


def register_dataset(*, actor: Principal, entry: DatasetEntry) -> Dataset:
    """Register one dataset, or raise why not; a registration key that is known answers with the dataset that exists."""
    outcome = register_datasets(actor=actor, entries=[entry])[0]
    if outcome.status == "refused":
        raise refusal_of(outcome)
    return Dataset.objects.get(uid=outcome.uid)


def refusal_of(outcome: Outcome) -> DomainError:
    """A refused outcome as the error that says so."""
    kind = REFUSALS.get(outcome.code, InvalidInput)
    return kind(outcome.message, code=outcome.code, fields=outcome.fields)


def _sort_out(
    entries: Sequence[DatasetEntry], found: References, actor: Principal, outcomes: dict[int, Outcome]
) -> list[_Accepted]:
    """Decide each entry; what is accepted takes its key and its paths, so that a second one in the request is refused."""
    accepted = []
    for index, entry in enumerate(entries):
        refusal = problems_of(entry, found, actor)
        if refusal is not None:
            outcomes[index] = refused(index, *refusal)
            continue
        investigation = found.investigations[entry.investigation]
        existing = found.existing_by_key.get((investigation.instrument_id, entry.registration_key))
        if existing is not None:
            outcomes[index] = _existing_outcome(index, existing, investigation)
            continue
        dataset = _new_dataset(entry, investigation, actor)
        accepted.append(_Accepted(index, entry, dataset))
        if entry.registration_key:
            found.existing_by_key[investigation.instrument_id, entry.registration_key] = dataset
        found.taken_paths.update((found.storages[file.storage].pk, file.path) for file in entry.files)
    return accepted


def refused(index: int, code: str, message: str, fields: dict[str, list[str]] | None = None) -> Outcome:
    return Outcome(index=index, status="refused", code=code, message=message, fields=fields or {})


def _existing_outcome(index: int, existing: Dataset, investigation: Investigation) -> Outcome:
    if existing.investigation_id != investigation.pk:
        message = "This registration key names a dataset of another investigation. Use a key of its own."
        return refused(index, "registration-key-taken", message, {"registration_key": [message]})
    return Outcome(index=index, status="exists", uid=existing.uid, version=existing.version)


def _refuse_all(accepted: list[_Accepted], outcomes: dict[int, Outcome]) -> list[_Accepted]:
    message = "Not registered, because another entry of this all-or-nothing request was refused."
    unwritten = {one.dataset.uid for one in accepted}
    for index, outcome in outcomes.items():
        if outcome.uid in unwritten:
            outcomes[index] = refused(index, "others-refused", message)
    for one in accepted:
        outcomes[one.index] = refused(one.index, "others-refused", message)
    return []


def _new_dataset(entry: DatasetEntry, investigation: Investigation, actor: Principal) -> Dataset:
    is_extracted = entry.is_to_be_extracted and bool(entry.files)
    return Dataset(
        uid=new_uid(),
        investigation=investigation,
        instrument_id=investigation.instrument_id,
        kind=entry.kind,
        title=entry.title.strip(),
        description=entry.description,
        acquired_at=entry.acquired_at,
        licence_id=entry.licence or investigation.licence_id,
        registered_by_id=actor.user_id,
        registration_key=entry.registration_key or None,
        extraction_state=ExtractionState.PENDING if is_extracted else ExtractionState.NONE,
        file_count=len(entry.files),
        size=sum(file.size or 0 for file in entry.files),
    )


def _write(actor: Principal, accepted: list[_Accepted], found: References, outcomes: dict[int, Outcome]) -> bool:
    """Write all in one transaction; False when another registrant was faster with a key or a path, which shows at a second look."""
    try:
        with transaction.atomic():
            if accepted:
                _insert(actor, accepted, found)
    except IntegrityError:
        message = "Another registration took the same file or registration key at the same moment. Send it again."
        outcomes.update({one.index: refused(one.index, "conflict", message) for one in accepted})
        return False
    for one in accepted:
        outcomes[one.index] = Outcome(index=one.index, status="registered", uid=one.dataset.uid, version=1)
    return True


def _insert(actor: Principal, accepted: list[_Accepted], found: References) -> None:
    _make_samples(accepted, found)
    datasets = [one.dataset for one in accepted]
    Dataset.objects.bulk_create(datasets)
    changes.datasets_registered(datasets)
    _insert_links(accepted, found)
    derived = [one.dataset.pk for one in accepted if one.entry.derived_from]
    follow_raw_data(actor=actor, dataset_ids=derived, are_new=True)
    insert_rows(Datafile, FILE_COLUMNS, _file_rows(accepted, found))
    insert_parameters(parameter_row(one.dataset.pk, entry) for one in accepted for entry in one.entry.parameters)
    write_audit_rows(
        audit_entry(actor=actor, action="create", record=one.dataset, before={}, after=_summary(one))
        for one in accepted
    )
    _record_intents(accepted)
    _add_to_counts(accepted, found)


def _make_samples(accepted: list[_Accepted], found: References) -> None:
    wanted = {(one.dataset.investigation_id, one.entry.sample) for one in accepted if one.entry.sample}
    missing = wanted - set(found.samples)
    if missing:
        rows = [Sample(investigation_id=key, name=name) for key, name in sorted(missing)]
        Sample.objects.bulk_create(rows, ignore_conflicts=True)
        load_samples(found, [one.entry for one in accepted])
    for one in accepted:
        if one.entry.sample:
            one.dataset.sample_id = found.samples[one.dataset.investigation_id, one.entry.sample]


def _insert_links(accepted: list[_Accepted], found: References) -> None:
    techniques = Dataset.techniques.through
    rows = [(one.dataset.pk, found.techniques[iri]) for one in accepted for iri in dict.fromkeys(one.entry.techniques)]
    if rows:
        insert_rows(techniques, ("dataset_id", "technique_id"), rows)
    sources = [
        (one.dataset.pk, found.sources[uid]) for one in accepted for uid in dict.fromkeys(one.entry.derived_from)
    ]
    if sources:
        insert_rows(Dataset.derived_from.through, ("from_dataset_id", "to_dataset_id"), sources)
    relations = [relation_row(entry, dataset=one.dataset) for one in accepted for entry in one.entry.relations]
    if relations:
        Relation.objects.bulk_create(relations)


def _file_rows(accepted: list[_Accepted], found: References) -> list[tuple]:
    return [
        file_row(one.dataset.pk, found.storages[file.storage].pk, file) for one in accepted for file in one.entry.files
    ]


def file_row(dataset_id: int, storage_id: int, file: FileEntry) -> tuple:
    """The row of one file, in the order of FILE_COLUMNS; a checksum that the registrant gave is still to be verified."""
    return (
        dataset_id,
        storage_id,
        file.path,
        file_name(file),
        file.size,
        file.modified_at,
        file.sha256.lower(),
        None,
        file.media_type,
        file.role or FileRole.DATA.value,
        Fixity.UNKNOWN.value,
        None,
    )


def file_name(file: FileEntry) -> str:
    return file.name or file.path.rsplit("/", 1)[-1]


def _add_to_counts(accepted: list[_Accepted], found: References) -> None:
    """Keep the counts, one UPDATE for each row that changes.

    Last of all, so that other registrants wait for these rows as briefly as can be, and always in the same order, so that no
    two can deadlock.
    """
    investigations: dict[int, list[Dataset]] = {}
    instruments: dict[int, int] = {}
    techniques: dict[int, int] = {}
    now = timezone.now()
    for one in accepted:
        dataset = one.dataset
        investigations.setdefault(dataset.investigation_id, []).append(dataset)
        instruments[dataset.instrument_id] = instruments.get(dataset.instrument_id, 0) + 1
        for iri in set(one.entry.techniques):
            techniques[found.techniques[iri]] = techniques.get(found.techniques[iri], 0) + 1
    for key, datasets in sorted(investigations.items()):
        first, last = min(one.pk for one in datasets), max(one.pk for one in datasets)
        Investigation.objects.filter(pk=key).update(
            dataset_count=F("dataset_count") + len(datasets),
            file_count=F("file_count") + sum(one.file_count for one in datasets),
            size=F("size") + sum(one.size for one in datasets),
            first_dataset_key=Least(Coalesce("first_dataset_key", first), first),
            last_dataset_key=Greatest(Coalesce("last_dataset_key", last), last),
            stamped_at=now,
            stamped_open_at=stamped_open_at(opening(), now),
        )
    for key, count in sorted(instruments.items()):
        Instrument.objects.filter(pk=key).update(dataset_count=F("dataset_count") + count)
    add_technique_counts(techniques)


def add_technique_counts(counts: dict[int, int]) -> None:
    for key, count in sorted(counts.items()):
        Technique.objects.filter(pk=key).update(dataset_count=F("dataset_count") + count)


def _record_intents(accepted: list[_Accepted]) -> None:
    to_extract = [str(one.dataset.uid) for one in accepted if one.dataset.extraction_state == ExtractionState.PENDING]
    with_files = [str(one.dataset.uid) for one in accepted if one.entry.files]
    if to_extract:
        outbox.record_intents("extract", to_extract)
    if with_files:
        outbox.record_intents("checksum", with_files)


def _summary(one: _Accepted) -> dict[str, Any]:
    dataset = one.dataset
    return {
        "title": dataset.title,
        "investigation": one.entry.investigation,
        "files": dataset.file_count,
        "size": dataset.size,
        "parameters": len(one.entry.parameters),
    }
