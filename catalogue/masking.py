"""From rows to PublicRecords: the place where values are masked for the level at which their reader sees them.

Rows come in with what they refer to already fetched; nothing here runs a query of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from catalogue import access
from catalogue.access import Level
from catalogue.models import (
    Datafile,
    Dataset,
    Facility,
    Instrument,
    Investigation,
    Licence,
    Parameter,
    Sample,
    TeamMember,
)
from catalogue.models.datasets import Source
from catalogue.record import (
    Access,
    AnnotationRef,
    DatasetRecord,
    DatasetRef,
    FacilityRef,
    FileRef,
    InstrumentRecord,
    InstrumentRef,
    InvestigationRecord,
    InvestigationRef,
    LicenceRef,
    ParameterValue,
    PersonRef,
    RelationRef,
    SampleRecord,
    SampleRef,
    TermRef,
)

Row = TypeVar("Row")
Made = TypeVar("Made")


def access_of(record: Dataset | Investigation, level: Level, *, now: datetime) -> Access:
    reason = ""
    if access.is_withdrawn(record):
        whole = record.investigation if isinstance(record, Dataset) else record
        reason = record.withdrawal_reason or whole.withdrawal_reason
    return Access(
        level=level,
        is_open=access.is_open(record, now=now),
        opens_at=access.opens_at(record),
        withdrawal_reason=reason,
    )


def people_of(team: Iterable[TeamMember]) -> tuple[PersonRef, ...]:
    return tuple(_person_ref(member) for member in team)


def _person_ref(member: TeamMember) -> PersonRef:
    person = member.person
    affiliation = person.affiliation
    return PersonRef(
        name=str(person),
        given_name=person.given_name,
        family_name=person.family_name,
        orcid=person.orcid or "",
        is_orcid_verified=person.orcid_verified_at is not None,
        affiliation=affiliation.name if affiliation else "",
        affiliation_ror=(affiliation.ror or "") if affiliation else "",
        role=member.get_role_display(),
    )


def facility_ref(facility: Facility) -> FacilityRef:
    return FacilityRef(
        uid=facility.uid,
        name=facility.name,
        short_name=facility.short_name,
        ror=facility.ror,
        url=facility.url,
        time_zone=facility.time_zone,
    )


def instrument_ref(instrument: Instrument) -> InstrumentRef:
    return InstrumentRef(
        uid=instrument.uid,
        name=instrument.name,
        short_name=instrument.short_name,
        pid=instrument.pid,
        manufacturer=instrument.manufacturer,
        model=instrument.model,
        facility=facility_ref(instrument.facility),
    )


def instrument_record(instrument: Instrument) -> InstrumentRecord:
    """The record of an instrument that `selectors.get_instrument` found: without its serial number."""
    return InstrumentRecord(
        **vars(instrument_ref(instrument)),
        instrument_type=instrument.instrument_type,
        description=instrument.description,
        url=instrument.url,
        measured_variables=tuple(str(variable) for variable in instrument.measured_variables),
        techniques=tuple(TermRef(**row) for row in instrument.technique_terms),
        commissioned_on=instrument.commissioned_on,
        decommissioned_on=instrument.decommissioned_on,
        updated_at=instrument.updated_at,
    )


def sample_ref(sample: Sample) -> SampleRef:
    return SampleRef(
        uid=sample.uid,
        name=sample.name,
        formula=sample.formula,
        description=sample.description,
        sample_type=sample.sample_type,
    )


def sample_record(sample: Sample) -> SampleRecord:
    """The record of a sample that its reader may see; its investigation comes fetched."""
    investigation = sample.investigation
    return SampleRecord(
        **vars(sample_ref(sample)),
        version=sample.version,
        investigation=_investigation_ref(investigation),
    )


def _investigation_ref(investigation: Investigation) -> InvestigationRef:
    return InvestigationRef(investigation.uid, investigation.title, investigation.visit_id, investigation.doi or "")


def _relation_refs(relations: Iterable[Mapping[str, Any]]) -> tuple[RelationRef, ...]:
    return tuple(RelationRef(**row) for row in relations)


def _annotation_refs(annotations: Iterable[Mapping[str, Any]]) -> tuple[AnnotationRef, ...]:
    return tuple(
        AnnotationRef(row["kind"], row["label"], row["best"], is_verified=row["verified"] is not None)
        for row in annotations
    )


def file_refs(files: Iterable[Datafile]) -> tuple[FileRef, ...]:
    return tuple(
        FileRef(
            name=row.name,
            size=row.size,
            media_type=row.media_type,
            role=row.role,
            sha256=row.sha256,
            modified_at=row.modified_at,
            fixity=row.fixity,
        )
        for row in files
    )


def parameter_values(parameters: Iterable[Parameter]) -> tuple[ParameterValue, ...]:
    """Values for readers: personal data are left out; a value that a person corrected is marked, both rows stay."""
    rows = [row for row in parameters if not row.is_personal]
    if not rows:
        return ()
    corrected = {(row.group, row.name) for row in rows if row.source == Source.PERSON}
    return tuple(
        ParameterValue(
            group=row.group,
            name=row.name,
            kind=row.kind,
            text=row.text,
            unit=row.unit,
            value=row.value,
            value_si=row.value_si,
            unit_si=row.unit_si,
            date=row.date,
            items=tuple(row.items or ()),
            source=row.source,
            is_corrected=row.source != Source.PERSON and (row.group, row.name) in corrected,
        )
        for row in rows
    )


def _term_refs(rows: Iterable[Mapping[str, str]]) -> tuple[TermRef, ...]:
    return tuple(TermRef(**row) for row in rows)


def _dataset_refs(datasets: Iterable[Mapping[str, Any]]) -> tuple[DatasetRef, ...]:
    return tuple(DatasetRef(UUID(row["uid"]), row["title"], row["kind"]) for row in datasets)


class References:
    """What the records of one page name in common, made once for each row of it: people, instruments, licences and so on.

    For a page that is read and written out; a row that changes meanwhile would be told of as it was.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, int], tuple[Any, Any]] = {}

    def of(self, make: Callable[[Row], Made], row: Row) -> Made:
        # The row is kept beside what was made of it, so that no other row can have its address.
        found = self._made.get((make, id(row)))
        if found is None:
            found = self._made[make, id(row)] = (make(row), row)
        return found[0]


def _team_of(investigation: Investigation) -> tuple[PersonRef, ...]:
    return people_of(investigation.team.all())


def _licence_ref(licence: Licence) -> LicenceRef:
    return LicenceRef(licence.spdx_id, licence.name, licence.url)


def dataset_record(
    dataset: Dataset,
    level: Level,
    *,
    now: datetime,
    shared: References | None = None,
    parameters: Sequence[Parameter] = (),
    derived_from: Sequence[Mapping[str, Any]] = (),
    derivatives: Sequence[Mapping[str, Any]] = (),
    relations: Sequence[Mapping[str, Any]] = (),
) -> DatasetRecord:
    """The record of `dataset` for somebody who sees it at `level`.

    `dataset` comes from `catalogue/selectors.py` with investigation (team, proposal), instrument (facility), sample, licence,
    `technique_terms`, `annotation_rows` and `own_doi` fetched; `derived_from` and `derivatives` are those that the same person may know of.
    `shared` is that of the page which the record is part of.
    """
    refs = shared or References()
    investigation, instrument = dataset.investigation, dataset.instrument
    is_tombstone = level == Level.TOMBSTONE
    shows_metadata = level in (Level.FULL, Level.METADATA)
    is_full = level == Level.FULL
    return DatasetRecord(
        uid=dataset.uid,
        version=dataset.version,
        access=access_of(dataset, level, now=now),
        title=dataset.title,
        description="" if is_tombstone else dataset.description,
        kind=dataset.kind,
        people=refs.of(_team_of, investigation),
        investigation=refs.of(_investigation_ref, investigation),
        doi=dataset.own_doi or "",
        proposal=investigation.proposal.number if investigation.proposal else "",
        facility=refs.of(facility_ref, instrument.facility),
        instrument=refs.of(instrument_ref, instrument),
        techniques=() if is_tombstone else refs.of(_term_refs, dataset.technique_terms),
        licence=refs.of(_licence_ref, dataset.licence),
        acquired_at=dataset.acquired_at,
        registered_at=dataset.created_at,
        updated_at=dataset.updated_at,
        file_count=dataset.file_count,
        size=dataset.size,
        download_count=dataset.download_count,
        sample=refs.of(sample_ref, dataset.sample) if dataset.sample and shows_metadata else None,
        format_label=dataset.format_label if shows_metadata else "",
        has_thumbnail=dataset.has_thumbnail and is_full,
        extraction_state=dataset.extraction_state if is_full else "",
        notes=tuple(dataset.extraction_notes) if is_full else (),
        parameters=parameter_values(parameters) if shows_metadata else (),
        derived_from=_dataset_refs(derived_from) if shows_metadata else (),
        derivatives=_dataset_refs(derivatives) if shows_metadata else (),
        relations=_relation_refs(relations) if shows_metadata else (),
        annotations=_annotation_refs(dataset.annotation_rows) if is_full else (),
    )


def hides_counts(investigation: Investigation, level: Level) -> bool:
    """Where the site hides closed records, a summary is seen for the sake of one open dataset: counts tell of the others."""
    return level == Level.SUMMARY and access.public_level(investigation) == Level.NOTHING


def investigation_record(
    investigation: Investigation,
    level: Level,
    *,
    now: datetime,
    samples: Sequence[Sample] = (),
    relations: Sequence[Mapping[str, Any]] = (),
) -> InvestigationRecord:
    """The record of `investigation` for somebody who sees it at `level`; the team, proposal and licence come fetched."""
    has_no_counts = hides_counts(investigation, level)
    is_tombstone = level == Level.TOMBSTONE
    shows_metadata = level in (Level.FULL, Level.METADATA)
    return InvestigationRecord(
        uid=investigation.uid,
        version=investigation.version,
        access=access_of(investigation, level, now=now),
        title=investigation.title,
        abstract="" if is_tombstone else investigation.abstract,
        visit_id=investigation.visit_id,
        proposal=investigation.proposal.number if investigation.proposal else "",
        investigation_type=investigation.investigation_type,
        people=_team_of(investigation),
        facility=facility_ref(investigation.facility),
        instrument=instrument_ref(investigation.instrument),
        licence=_licence_ref(investigation.licence),
        started_at=investigation.started_at,
        ended_at=investigation.ended_at,
        dataset_count=0 if has_no_counts else investigation.dataset_count,
        file_count=0 if has_no_counts else investigation.file_count,
        size=0 if has_no_counts else investigation.size,
        created_at=investigation.created_at,
        updated_at=investigation.updated_at,
        doi=investigation.doi or "",
        techniques=() if is_tombstone else tuple(TermRef(**row) for row in investigation.technique_terms),
        samples=tuple(sample_ref(sample) for sample in samples) if shows_metadata else (),
        relations=_relation_refs(relations) if shows_metadata else (),
    )
