"""What a registrant says of investigations, samples and datasets: plain frozen values, the input of the registration services.

The API, the watcher, the forms and the demo all make these; none of them writes a model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

ParameterInput = str | int | float | bool | Sequence[str | int | float] | datetime | date


@dataclass(frozen=True, kw_only=True)
class PersonEntry:
    """Found by ORCID, else by name within the team that is changed; made when absent. Role: pi, local_contact, member."""

    family_name: str
    given_name: str = ""
    orcid: str = ""
    affiliation: str = ""
    affiliation_ror: str = ""
    role: str = "member"


@dataclass(frozen=True, kw_only=True)
class RelationEntry:
    """A DataCite relation, for example IsSupplementTo a DOI."""

    relation_type: str
    identifier: str
    identifier_type: str = "DOI"
    resource_type: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class InvestigationEntry:
    """One session at `instrument` (short name or uid). `visit_id` is unique within the facility."""

    instrument: str
    visit_id: str
    title: str
    started_at: datetime
    ended_at: datetime | None = None
    abstract: str = ""
    proposal: str = ""
    proposal_title: str = ""
    investigation_type: str = ""
    licence: str = ""
    team: tuple[PersonEntry, ...] = ()
    relations: tuple[RelationEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SampleEntry:
    name: str
    formula: str = ""
    description: str = ""
    sample_type: str = ""


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """A file by its storage (name or uid) and path there. `name`, its path within the dataset, defaults to the last part."""

    storage: str
    path: str
    name: str = ""
    size: int | None = None
    modified_at: datetime | None = None
    sha256: str = ""
    media_type: str = ""
    role: str = "data"


@dataclass(frozen=True, kw_only=True)
class ParameterEntry:
    """One value with its unit as given; `source` is instrument, person or ai."""

    name: str
    value: ParameterInput
    unit: str = ""
    group: str = ""
    source: str = "instrument"
    is_personal: bool = False


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """A dataset of `investigation` (uid or visit id). Techniques by IRI; `sample` by name, made when absent.

    `registration_key`, unique for the instrument, makes a repeated registration answer with the dataset that exists.
    `is_to_be_extracted` asks for the metadata to be read out of the files by a task.
    """

    investigation: str
    title: str
    kind: str = "raw"
    description: str = ""
    acquired_at: datetime | None = None
    techniques: tuple[str, ...] = ()
    sample: str = ""
    licence: str = ""
    derived_from: tuple[UUID, ...] = ()
    registration_key: str = ""
    files: tuple[FileEntry, ...] = ()
    parameters: tuple[ParameterEntry, ...] = ()
    relations: tuple[RelationEntry, ...] = ()
    is_to_be_extracted: bool = True


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one entry: status is registered, exists or refused; `index` is its place in the request."""

    index: int
    status: str
    uid: UUID | None = None
    version: int = 0
    code: str = ""
    message: str = ""
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
