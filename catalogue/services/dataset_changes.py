"""Changes of a dataset that is registered: what is said of it, and files that are added. Nothing is ever taken away here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from catalogue import access, outbox
from catalogue.access import Level, Principal
from catalogue.audit import write_audit
from catalogue.entries import DatasetEntry, FileEntry
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import Datafile, Dataset, Investigation, Relation, Sample
from catalogue.models.datasets import ExtractionState
from catalogue.services.entry_checks import problems_of
from catalogue.services.followers import follow_raw_data
from catalogue.services.investigations import relation_row
from catalogue.services.parameters import touch
from catalogue.services.references import References, chunks, load_references
from catalogue.services.registration import FILE_COLUMNS, REFUSALS, add_technique_counts, file_name, file_row
from catalogue.services.rows import insert_rows
from catalogue.stamps import stamp_investigations

PLAIN_FIELDS = ("title", "description", "kind", "acquired_at")
LONGEST_PROVENANCE = 1000


def changeable_dataset(uid: UUID, actor: Principal) -> Dataset:
    """The active dataset that `actor` may change; NotFound where the actor may not even know of it."""
    rows = Dataset.objects.select_related("investigation__instrument", "investigation__proposal", "sample")
    dataset = rows.filter(uid=uid).first()
    if dataset is not None and access.may_register_in(dataset.investigation, actor):
        if access.is_withdrawn(dataset):
            raise Conflict("This dataset was withdrawn and is not changed any more.", code="withdrawn")
        return dataset
    if dataset is None or access.dataset_level(dataset, actor, now=timezone.now()) == Level.NOTHING:
        raise NotFound("There is no such dataset.")
    raise NotAllowed("This account may not change this dataset.")


def update_dataset(*, actor: Principal, uid: UUID, changes: dict[str, Any], expected_version: int | None) -> Dataset:
    """Change some fields of a dataset; `changes` holds values of DatasetEntry by name, files and parameters excepted."""
    dataset = changeable_dataset(uid, actor)
    found = _check(dataset, actor, **changes)
    values = {name: changes[name] for name in PLAIN_FIELDS if name in changes}
    if changes.get("licence"):
        values["licence_id"] = changes["licence"]
    before = _snapshot(dataset)
    with transaction.atomic():
        if "sample" in changes:
            values["sample_id"] = _sample_id(dataset, changes["sample"])
        touch(dataset, expected_version=expected_version, **values)
        _set_links(dataset, found, changes)
        if {"derived_from", "kind"} & set(changes):
            follow_raw_data(actor=actor, dataset_ids=[dataset.pk])
        dataset.refresh_from_db()
        after = _snapshot(dataset)
        changed = [name for name in after if after[name] != before[name]]
        write_audit(
            actor=actor,
            action="update",
            record=dataset,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return dataset


def add_files(
    *,
    actor: Principal,
    uid: UUID,
    files: Sequence[FileEntry],
    is_to_be_extracted: bool = True,
    expected_version: int | None = None,
) -> Dataset:
    """Add files to a dataset and keep the counts; extraction and checksums follow by task."""
    if not files:
        raise InvalidInput("There are no files to add.", fields={"files": ["Required."]})
    dataset = changeable_dataset(uid, actor)
    found = _check(dataset, actor, files=tuple(files))
    _check_names(dataset, files)
    size = sum(file.size or 0 for file in files)
    values: dict[str, Any] = {"file_count": F("file_count") + len(files), "size": F("size") + size}
    if is_to_be_extracted:
        values["extraction_state"] = ExtractionState.PENDING
    try:
        with transaction.atomic():
            touch(dataset, expected_version=expected_version, **values)
            rows = [file_row(dataset.pk, found.storages[file.storage].pk, file) for file in files]
            insert_rows(Datafile, FILE_COLUMNS, rows)
            names = [file_name(file) for file in files[:100]]
            write_audit(
                actor=actor,
                action="add-files",
                record=dataset,
                after={"count": len(files), "size": size, "names": names},
            )
            for topic in ("extract", "checksum") if is_to_be_extracted else ("checksum",):
                outbox.record_intents(topic, [str(dataset.uid)])
            investigation = Investigation.objects.filter(pk=dataset.investigation_id)
            investigation.update(file_count=F("file_count") + len(files), size=F("size") + size)
            stamp_investigations(investigation, timezone.now())
    except IntegrityError as error:
        raise Conflict(
            "Another request added one of these files at the same moment. Read the dataset again."
        ) from error
    dataset.refresh_from_db()
    return dataset


def _check(dataset: Dataset, actor: Principal, **changes: Any) -> References:
    """The references of the changes, after the same checks as at registration."""
    current = DatasetEntry(investigation=str(dataset.investigation.uid), title=dataset.title, kind=dataset.kind)
    entry = replace(current, **changes)
    found = load_references([entry], actor)
    if refusal := problems_of(entry, found, actor):
        code, message, fields = refusal
        message = message.replace("Not registered", "Not changed")
        raise REFUSALS.get(code, InvalidInput)(message, code=code, fields=fields)
    _check_provenance(dataset, set(found.sources.values()))
    return found


def _check_provenance(dataset: Dataset, sources: set[int]) -> None:
    """No dataset derives from itself, also not by way of others. Provenance is short; a longer one is refused."""
    through = Dataset.derived_from.through.objects
    seen: set[int] = set()
    while sources:
        seen |= sources
        if dataset.pk in seen or len(seen) > LONGEST_PROVENANCE:
            message = "A dataset cannot derive from itself, also not by way of others."
            raise InvalidInput(message, fields={"derived_from": [message]})
        rows = through.filter(from_dataset__in=sources).values_list("to_dataset", flat=True)
        sources = set(rows[: LONGEST_PROVENANCE + 1]) - seen


def _check_names(dataset: Dataset, files: Sequence[FileEntry]) -> None:
    places = {file_name(file): place for place, file in enumerate(files)}
    taken: list[str] = []
    for chunk in chunks(sorted(places)):
        taken += dataset.files.filter(name__in=chunk).values_list("name", flat=True)
    if taken:
        fields = {
            f"files.{places[name]}": [f"{name[:100]}: this dataset has a file of this name."] for name in taken[:20]
        }
        raise Conflict("Not added: the dataset has files of these names.", code="file-registered", fields=fields)


def _sample_id(dataset: Dataset, name: str) -> int | None:
    if not name:
        return None
    return Sample.objects.get_or_create(investigation_id=dataset.investigation_id, name=name)[0].pk


def _set_links(dataset: Dataset, found: References, changes: dict[str, Any]) -> None:
    if "techniques" in changes:
        old = set(dataset.techniques.values_list("pk", flat=True))
        new = {found.techniques[iri] for iri in changes["techniques"]}
        dataset.techniques.set(new)
        add_technique_counts(dict.fromkeys(new - old, 1) | dict.fromkeys(old - new, -1))
    if "derived_from" in changes:
        dataset.derived_from.set({found.sources[uid] for uid in changes["derived_from"]})
    if "relations" in changes:
        dataset.relations.all().delete()
        Relation.objects.bulk_create([relation_row(entry, dataset=dataset) for entry in changes["relations"]])


def _snapshot(dataset: Dataset) -> dict[str, Any]:
    return {
        "title": dataset.title,
        "description": dataset.description,
        "kind": dataset.kind,
        "acquired_at": dataset.acquired_at.isoformat() if dataset.acquired_at else None,
        "licence": dataset.licence_id,
        "sample": Sample.objects.filter(pk=dataset.sample_id).values_list("name", flat=True).first(),
        "techniques": sorted(dataset.techniques.values_list("iri", flat=True)),
        "derived_from": sorted(str(uid) for uid in dataset.derived_from.values_list("uid", flat=True)),
        "relations": [[row.relation_type, row.identifier] for row in dataset.relations.order_by("id")],
    }
