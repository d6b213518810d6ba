"""Descriptions of records with every field filled, for tests of forms that are pure functions. No assertion belongs here."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from catalogue.access import Level
from catalogue.interop.description import Description, Site
from catalogue.interop.publications import publication_of
from catalogue.publication import Creator, PublicationText, RelatedIdentifier, Subject
from catalogue.record import (
    Access,
    CollectionRecord,
    DatasetRecord,
    DatasetRef,
    FacilityRef,
    FileRef,
    InstrumentRecord,
    InstrumentRef,
    InvestigationRecord,
    InvestigationRef,
    LicenceRef,
    MemberRef,
    ParameterValue,
    PersonRef,
    RelationRef,
    SampleRef,
    TermRef,
)

SITE = Site("https://faircat.example", "Faircat of the Example Light Source", "data@faircat.example")
OPENED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
OPENS = datetime(2029, 3, 1, tzinfo=UTC)
MEASURED = datetime(2026, 1, 31, 10, 15, 30, tzinfo=UTC)
CHANGED = datetime(2026, 4, 2, 8, 0, tzinfo=UTC)
CC_BY = LicenceRef(
    "CC-BY-4.0", "Creative Commons Attribution 4.0 International", "https://creativecommons.org/licenses/by/4.0/"
)
FACILITY = FacilityRef(
    uid=UUID(int=1),
    name="Example Light Source",
    short_name="ELS",
    ror="https://ror.org/02550n020",
    url="https://els.example",
    time_zone="Europe/Rome",
)
INSTRUMENT = InstrumentRef(
    uid=UUID(int=2),
    name="SEM One",
    short_name="sem-one",
    pid="https://hdl.handle.net/21.T11998/0000-001A-3905-1",
    manufacturer="Zeiss",
    model="Sigma",
    facility=FACILITY,
)
PEOPLE = (
    PersonRef(
        name="Ana María García-Márquez",
        given_name="Ana María",
        family_name="García-Márquez",
        orcid="0000-0002-1825-0097",
        is_orcid_verified=True,
        affiliation="Example Institute",
        affiliation_ror="https://ror.org/02feahw73",
        role="principal investigator",
    ),
    PersonRef("明 李", "明", "李", "", False, "University of Elsewhere", "", "local contact"),
)
INVESTIGATION = InvestigationRef(UUID(int=3), "Grain boundaries", "20260123-1")
TECHNIQUES = (
    TermRef("http://purl.org/pan-science/PaNET/PaNET01188", "small angle x-ray scattering"),
    TermRef("https://w3id.org/faircat/technique/sem", "scanning electron microscopy"),
)


def access(*, is_open: bool = True, withdrawn: str = "") -> Access:
    if withdrawn:
        return Access(Level.TOMBSTONE, False, OPENED, withdrawn)
    return Access(Level.FULL, True, OPENED) if is_open else Access(Level.SUMMARY, False, OPENS)


def number(name: str, value: float, unit: str) -> ParameterValue:
    return ParameterValue("", name, "number", str(value), unit, value, value, unit, None, (), "instrument")


def a_file(name: str, size: int = 1024, media_type: str = "image/tiff") -> FileRef:
    return FileRef(name, size, media_type, "data", "ab" * 32, MEASURED, "ok")


def dataset_record(**changes: Any) -> DatasetRecord:
    """A processed dataset that is open, with `changes` to its fields."""
    values: dict[str, Any] = {
        "uid": UUID(int=10),
        "version": 4,
        "access": access(),
        "title": "Nanowires & “wires”, <grown>",
        "description": "First lines.\n\nAnd more of it.",
        "kind": "processed",
        "people": PEOPLE,
        "investigation": INVESTIGATION,
        "facility": FACILITY,
        "instrument": INSTRUMENT,
        "techniques": TECHNIQUES,
        "licence": CC_BY,
        "acquired_at": MEASURED,
        "registered_at": CHANGED,
        "updated_at": CHANGED,
        "file_count": 3,
        "size": 3072,
        "download_count": 7,
        "doi": "10.5072/faircat.2026.7",
        "proposal": "20260123",
        "sample": SampleRef(UUID(int=4), "Sample A", "Ti6Al4V", "", ""),
        "format_label": "TIFF",
        "parameters": (number("voltage", 5000.0, "V"), number("pixel_size", 1.5e-9, "m")),
        "derived_from": (DatasetRef(UUID(int=11), "Raw data", "raw"), DatasetRef(UUID(int=12), "More", "raw")),
        "derivatives": (DatasetRef(UUID(int=13), "Segmented", "processed"),),
        "relations": (RelationRef("IsSupplementTo", "10.1234/paper.2026", "DOI", "JournalArticle", "A paper"),),
    }
    return DatasetRecord(**(values | changes))


def closed_dataset(**changes: Any) -> DatasetRecord:
    """As a stranger sees it under embargo: the summary."""
    hidden: dict[str, Any] = {"sample": None, "format_label": "", "parameters": (), "derived_from": ()}
    return dataset_record(
        **(hidden | {"access": access(is_open=False), "derivatives": (), "relations": (), "doi": ""} | changes)
    )


def investigation_record(**changes: Any) -> InvestigationRecord:
    values: dict[str, Any] = {
        "uid": UUID(int=3),
        "version": 2,
        "access": access(),
        "title": "Grain boundaries",
        "abstract": "Why they matter.",
        "visit_id": "20260123-1",
        "proposal": "20260123",
        "investigation_type": "",
        "people": PEOPLE,
        "facility": FACILITY,
        "instrument": INSTRUMENT,
        "licence": CC_BY,
        "techniques": TECHNIQUES,
        "started_at": MEASURED,
        "ended_at": datetime(2026, 2, 2, 18, 0, tzinfo=UTC),
        "dataset_count": 2,
        "file_count": 5,
        "size": 9000,
        "created_at": MEASURED,
        "updated_at": CHANGED,
        "doi": "10.5072/faircat.2026.3",
    }
    return InvestigationRecord(**(values | changes))


def instrument_record(**changes: Any) -> InstrumentRecord:
    values: dict[str, Any] = {
        **vars(INSTRUMENT),
        "instrument_type": "Scanning electron microscope",
        "description": "A field-emission microscope.",
        "url": "https://els.example/instruments/sem-one",
        "measured_variables": ("secondary electrons", "backscattered electrons"),
        "techniques": TECHNIQUES,
        "commissioned_on": date(2019, 5, 1),
        "decommissioned_on": None,
        "updated_at": CHANGED,
    }
    return InstrumentRecord(**(values | changes))


def collection_record(**changes: Any) -> CollectionRecord:
    text = PublicationText(
        title="All of the nanowires",
        abstract="What the paper shows.",
        creators=(
            Creator(family_name="García-Márquez", given_name="Ana María", orcid="0000-0002-1825-0097"),
            Creator(name_type="Organizational", name="Strain & Stress Consortium", ror="https://ror.org/05gzmn429"),
        ),
        subjects=(
            Subject("small angle x-ray scattering", "PaNET", "", "http://purl.org/pan-science/PaNET/PaNET01188"),
            Subject("titanium"),
        ),
        related=(RelatedIdentifier("10.5072/faircat.2025.1", "DOI", "IsNewVersionOf", "Collection"),),
    )
    values: dict[str, Any] = {
        "uid": UUID(int=20),
        "version": 3,
        "number": 2,
        "state": "published",
        "title": text.title,
        "text": text,
        "licence": CC_BY,
        "doi": "10.5072/faircat.2026.20",
        "concept_uid": UUID(int=21),
        "concept_doi": "10.5072/faircat.2026.19",
        "home": None,
        "member_count": 2,
        "dataset_count": 2,
        "file_count": 5,
        "size": 9000,
        "created_at": MEASURED,
        "updated_at": CHANGED,
        "published_at": OPENED,
    }
    return CollectionRecord(**(values | changes))


def a_member(place: int) -> MemberRef:
    uid = UUID(int=100 + place)
    return MemberRef("dataset", uid, f"Dataset {place}", f"/datasets/{uid}", "", "", 1, 2, 20, access())


def describe(record: DatasetRecord | InvestigationRecord | CollectionRecord, **changes: Any) -> Description:
    """The description of a record; an open dataset comes with three files, others with two members."""
    description = Description(site=SITE, record=record, publication=publication_of(record, site=SITE))
    if isinstance(record, DatasetRecord):
        files = (a_file("a b.tif"), a_file("data/ü#1.h5", media_type="application/x-hdf5"), a_file("notes.txt", 7, ""))
        is_open = record.access.is_open
        return replace(description, **({"files": files if is_open else ()} | changes))
    members = (a_member(1), a_member(2))
    return replace(description, **({"members": members, "member_count": 2} | changes))
