"""What may be sent to the API: one table of fields for each kind of entry, with an example that a test sends."""

import math
from datetime import UTC, datetime, time
from typing import Any

from django.utils.dateparse import parse_datetime

from catalogue.api.parsing import (
    COUNT,
    FLAG,
    LARGEST_INTEGER,
    MOMENT,
    UID,
    Kind,
    Problems,
    Shape,
    Unreadable,
    choice,
    collect,
    list_of,
    nullable,
    parse_day,
    shape_of,
    text,
)
from catalogue.entries import (
    DatasetEntry,
    FileEntry,
    InvestigationEntry,
    ParameterEntry,
    PersonEntry,
    RelationEntry,
    SampleEntry,
)
from catalogue.errors import InvalidInput
from catalogue.services.registration import MOST_ENTRIES

MOST_LIST_ITEMS = 1000
# What Python makes of 1e999; no database keeps it in JSON.
INFINITE = (math.inf, -math.inf)


def _read_value(value: Any) -> Any:
    kind = type(value)
    if kind in (str, float, bool):
        return value
    if kind is int:
        if abs(value) > LARGEST_INTEGER:
            raise Unreadable("This whole number is too large; send it as text.")
        return value
    if kind is not list or len(value) > MOST_LIST_ITEMS:
        raise Unreadable(f"Must be a text, a number, true or false, or a list of at most {MOST_LIST_ITEMS} of these.")
    if any(type(item) not in (str, int, float) or item in INFINITE for item in value):
        raise Unreadable("A list holds texts and finite numbers only.")
    return tuple(value)


VALUE = Kind(
    _read_value,
    {
        "description": "A text, a number, true or false, or a flat list. A date is a text together with kind: date.",
        "oneOf": [
            {"type": "string"},
            {"type": "number"},
            {"type": "boolean"},
            {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "number"}]}, "maxItems": 1000},
        ],
    },
)


def _make_parameter(*, kind: str = "", **values: Any) -> ParameterEntry:
    if kind == "date":
        values["value"] = _date_value(values["value"])
    return ParameterEntry(**values)


def _date_value(value: Any) -> datetime:
    """A date, or a time with its zone; a date alone is its first moment in UTC."""
    try:
        if isinstance(value, str) and (day := parse_day(value)):
            return datetime.combine(day, time.min, UTC)
        if isinstance(value, str) and (moment := parse_datetime(value)) and moment.tzinfo:
            return moment
    except ValueError:
        pass
    raise Unreadable({"value": ["Must be a date such as 2026-05-03, or a time with its zone."]})


FILE_EXAMPLE = {
    "storage": "sem-disk",
    "path": "2026/visit-1/grain_0001.tif",
    "size": 1048576,
    "modified_at": "2026-05-03T10:00:00Z",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "image/tiff",
}
PARAMETER_EXAMPLE = {"name": "accelerating_voltage", "value": 15, "unit": "kV"}
RELATION_EXAMPLE = {"relation_type": "IsSupplementTo", "identifier": "10.1000/182", "identifier_type": "DOI"}
PERSON_EXAMPLE = {"family_name": "Curie", "given_name": "Marie", "orcid": "0000-0002-1825-0097", "role": "pi"}
SAMPLE_EXAMPLE = {"formula": "Fe3O4", "description": "Drop-cast on silicon", "sample_type": "nanoparticles"}

PERSON = shape_of(
    PersonEntry,
    "PersonEntry",
    {
        "family_name": text(150, is_required=True),
        "given_name": text(150),
        "orcid": text(60, description="ORCID iD; its check digit is verified"),
        "affiliation": text(300),
        "affiliation_ror": text(60, description="ROR identifier of the affiliation"),
        "role": choice("pi", "local_contact", "member", default="member"),
    },
    PERSON_EXAMPLE,
)
RELATION = shape_of(
    RelationEntry,
    "RelationEntry",
    {
        "relation_type": text(40, is_required=True, description="A DataCite relation type"),
        "identifier": text(500, is_required=True),
        "identifier_type": text(20, default="DOI"),
        "resource_type": text(40),
        "title": text(500),
    },
    RELATION_EXAMPLE,
)
FILE = shape_of(
    FileEntry,
    "FileEntry",
    {
        "storage": text(100, is_required=True, description="Name or uid of the storage"),
        "path": text(1000, is_required=True, description="Where the file lies in the storage"),
        "name": text(1000, description="Its path within the dataset; by default the last part of `path`"),
        "size": nullable(COUNT),
        "modified_at": nullable(MOMENT),
        "sha256": text(64, description="64 hexadecimal digits; computed later when left out"),
        "media_type": text(100),
        "role": choice("data", "metadata", "auxiliary", default="data"),
    },
    FILE_EXAMPLE,
)
_PARAMETER_MEMBERS = {
    "name": text(200, is_required=True, description="A standard name where there is one, with an empty group"),
    "value": VALUE,
    "unit": text(60, description="As the instrument gave it; the SI form is added"),
    "group": text(200, description="The vendor's group; empty for standard names"),
    "kind": choice("date", description="Only to say that the text in `value` is a date"),
}
PARAMETER = Shape(
    "ParameterEntry",
    _make_parameter,
    _PARAMETER_MEMBERS
    | {
        "source": choice("instrument", "person", default="instrument"),
        "is_personal": Kind(FLAG.read, FLAG.schema | {"description": "Kept from public metadata, as a name of a user"}),
    },
    PARAMETER_EXAMPLE,
    frozenset({"name", "value"}),
)
CORRECTION = Shape(
    "CorrectionEntry",
    lambda **values: _make_parameter(**values, source="person"),
    _PARAMETER_MEMBERS,
    PARAMETER_EXAMPLE | {"value": 14.5},
    frozenset({"name", "value"}),
)
INVESTIGATION_MEMBERS = {
    "title": text(500, is_required=True),
    "abstract": text(description="Public under embargo too"),
    "investigation_type": text(100),
    "started_at": MOMENT,
    "ended_at": nullable(MOMENT),
    "licence": text(80, description="SPDX id; by default the facility's"),
    "team": list_of(PERSON.kind, 500),
    "relations": list_of(RELATION.kind, 500),
}
INVESTIGATION = shape_of(
    InvestigationEntry,
    "InvestigationEntry",
    {
        "instrument": text(60, is_required=True, description="Short name or uid"),
        "visit_id": text(100, is_required=True, description="Unique within the facility"),
        "proposal": text(60),
        "proposal_title": text(500),
    }
    | INVESTIGATION_MEMBERS,
    {
        "instrument": "microscope-1",
        "visit_id": "visit-2026-17",
        "title": "Grain growth in magnetite",
        "abstract": "Images of grains after annealing.",
        "proposal": "20260117",
        "started_at": "2026-05-03T08:00:00+02:00",
        "ended_at": "2026-05-04T18:00:00+02:00",
        "licence": "CC-BY-4.0",
        "team": [PERSON_EXAMPLE],
    },
)
INVESTIGATION_CHANGES = Shape(
    "InvestigationChanges", dict, INVESTIGATION_MEMBERS, {"title": "Grain growth in magnetite films"}
)
SAMPLE = Shape(
    "SampleEntry",
    dict,
    {"formula": text(200), "description": text(), "sample_type": text(100)},
    SAMPLE_EXAMPLE,
)
DATASET_MEMBERS = {
    "title": text(500, is_required=True, description="Public under embargo too: leave file names out of it"),
    "description": text(description="Public under embargo too"),
    "kind": choice("raw", "processed", default="raw"),
    "acquired_at": nullable(MOMENT),
    "techniques": list_of(text(200, is_required=True, description="IRI of a technique, see /api/v1/techniques"), 50),
    "sample": text(200, description="Name of a sample of the investigation; made when absent"),
    "licence": text(80, description="SPDX id; by default the investigation's"),
    "derived_from": list_of(UID, 1000),
    "relations": list_of(RELATION.kind, 500),
}
DATASET = shape_of(
    DatasetEntry,
    "DatasetEntry",
    {"investigation": text(100, is_required=True, description="Uid or visit id")}
    | DATASET_MEMBERS
    | {
        "registration_key": text(
            300, description="Your own name of the dataset: the same key is never registered twice"
        ),
        "files": list_of(FILE.kind, 100_000),
        "parameters": list_of(PARAMETER.kind, 5000),
        "is_to_be_extracted": Kind(
            FLAG.read, FLAG.schema | {"default": True, "description": "Read the metadata out of the files, by a task"}
        ),
    },
    {
        "investigation": "visit-2026-17",
        "title": "Grains after annealing at 900 K",
        "acquired_at": "2026-05-03T10:00:00+02:00",
        "sample": "film 3",
        "registration_key": "visit-2026-17/grain_0001",
        "files": [FILE_EXAMPLE],
        "parameters": [PARAMETER_EXAMPLE],
    },
)
DATASET_CHANGES = Shape("DatasetChanges", dict, DATASET_MEMBERS, {"title": "Grains after annealing at 900 K for 2 h"})
FILES = Shape(
    "FilesEntry",
    dict,
    {"files": list_of(FILE.kind, 100_000)},
    {"files": [FILE_EXAMPLE | {"path": "2026/visit-1/grain_0002.tif"}]},
    frozenset({"files"}),
)
PARAMETERS = Shape(
    "ParametersEntry",
    dict,
    {"parameters": list_of(PARAMETER.kind, 5000)},
    {"parameters": [PARAMETER_EXAMPLE]},
    frozenset({"parameters"}),
)
ANYTHING = Kind(lambda value: value, {"$ref": f"#/components/schemas/{DATASET.name}"})
BULK = Shape(
    "BulkEntry",
    dict,
    {
        "datasets": Kind(
            list_of(ANYTHING, MOST_ENTRIES).read, {"type": "array", "items": ANYTHING.schema, "maxItems": MOST_ENTRIES}
        ),
        "all_or_nothing": Kind(FLAG.read, FLAG.schema | {"default": False}),
    },
    {"datasets": [DATASET.example], "all_or_nothing": False},
    frozenset({"datasets"}),
)
RELEASE = Shape(
    "ReleaseEntry",
    dict,
    {
        "confirm": text(100, is_required=True, description="The visit id of the investigation: this cannot be undone"),
        "datasets": list_of(UID, 10_000),
    },
    {"confirm": "visit-2026-17"},
    frozenset({"confirm"}),
)
EXTENSION = Shape(
    "ExtensionEntry",
    dict,
    {"until": MOMENT, "reason": text(2000, is_required=True, description="Read by the curators")},
    {"until": "2031-05-04T18:00:00+02:00", "reason": "The thesis that uses the data is not handed in."},
    frozenset({"until", "reason"}),
)
OWN_EMBARGO = Shape(
    "OwnEmbargoEntry", dict, {"until": MOMENT}, {"until": "2027-05-04T18:00:00+02:00"}, frozenset({"until"})
)
SHAPES = (
    PERSON,
    RELATION,
    FILE,
    PARAMETER,
    CORRECTION,
    INVESTIGATION,
    INVESTIGATION_CHANGES,
    SAMPLE,
    DATASET,
    DATASET_CHANGES,
    FILES,
    PARAMETERS,
    BULK,
    RELEASE,
    EXTENSION,
    OWN_EMBARGO,
)


# A dataset of a bulk request that could be read, or what is wrong with it.
Reading = DatasetEntry | Problems


def read_each(documents: tuple[Any, ...]) -> list[Reading]:
    """The datasets of a bulk request, each read by itself: an entry, or what is wrong with it by its place there."""
    readings: list[Reading] = []
    for document in documents:
        try:
            readings.append(DATASET.read(document))
        except Unreadable as error:
            readings.append({path or "body": messages for path, messages in error.problems.items()})
    return readings


def all_problems(readings: list[Reading]) -> Problems:
    """The problems of all entries together, by their place in the request."""
    problems: Problems = {}
    for place, reading in enumerate(readings):
        if isinstance(reading, dict):
            collect(problems, f"datasets.{place}", reading)
    return problems


def sample_entry(name: str, values: dict[str, str]) -> SampleEntry:
    if not 0 < len(name) <= 200:
        raise InvalidInput("A sample's name has 1 to 200 characters.", fields={"name": ["1 to 200 characters."]})
    return SampleEntry(name=name, **values)
