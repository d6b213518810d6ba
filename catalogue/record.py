"""PublicRecord: the only form in which a dataset or an investigation leaves the house, already masked for who asks.

Pages, the API and every export are built from these frozen values, never from a model. A field that its reader may not see is
empty here, so that no template and no serializer can leak it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from catalogue.access import Level

if TYPE_CHECKING:
    from catalogue.publication import PublicationText


@dataclass(frozen=True)
class Access:
    """What the asker sees (`level`), whether everyone does (`is_open`), and since or from when (`opens_at`, UTC).

    With `hides_people` the asker came by a share link that keeps secret whose data these are.
    """

    level: Level
    is_open: bool
    opens_at: datetime
    withdrawal_reason: str = ""
    hides_people: bool = False

    @property
    def is_full(self) -> bool:
        return self.level == Level.FULL

    @property
    def shows_metadata(self) -> bool:
        return self.level in (Level.FULL, Level.METADATA)

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.withdrawal_reason)

    @property
    def text(self) -> str:
        day = f"{self.opens_at.day} {self.opens_at:%B %Y}"
        if self.is_withdrawn:
            return "Withdrawn"
        return f"Open since {day}" if self.is_open else f"Open from {day}"


@dataclass(frozen=True)
class PersonRef:
    name: str
    given_name: str
    family_name: str
    orcid: str
    is_orcid_verified: bool
    affiliation: str
    affiliation_ror: str
    role: str


@dataclass(frozen=True)
class TermRef:
    """A technique: IRI and label."""

    iri: str
    label: str


@dataclass(frozen=True)
class FacilityRef:
    uid: UUID
    name: str
    short_name: str
    ror: str
    url: str
    time_zone: str


@dataclass(frozen=True)
class InstrumentRef:
    uid: UUID
    name: str
    short_name: str
    pid: str
    manufacturer: str
    model: str
    facility: FacilityRef


@dataclass(frozen=True)
class InstrumentRecord(InstrumentRef):
    """An instrument, which is public. Its serial number is kept from readers and so is no field of it."""

    instrument_type: str
    description: str
    url: str
    measured_variables: tuple[str, ...]
    techniques: tuple[TermRef, ...]
    commissioned_on: date | None
    decommissioned_on: date | None
    updated_at: datetime

    @property
    def path(self) -> str:
        return f"/instruments/{self.uid}"


@dataclass(frozen=True)
class SampleRef:
    uid: UUID
    name: str
    formula: str
    description: str
    sample_type: str


@dataclass(frozen=True)
class LicenceRef:
    spdx_id: str
    name: str
    url: str


@dataclass(frozen=True)
class InvestigationRef:
    uid: UUID
    title: str
    visit_id: str
    doi: str = ""


@dataclass(frozen=True)
class DatasetRef:
    uid: UUID
    title: str
    kind: str


@dataclass(frozen=True)
class SampleRecord(SampleRef):
    """A sample with the investigation that it belongs to."""

    version: int
    investigation: InvestigationRef


@dataclass(frozen=True)
class ParameterValue:
    """One metadata value. `value`/`unit` as given; `value_si`/`unit_si` normalised; `text` is the value as written."""

    group: str
    name: str
    kind: str
    text: str
    unit: str
    value: float | None
    value_si: float | None
    unit_si: str
    date: datetime | None
    items: tuple
    source: str
    is_corrected: bool = False


@dataclass(frozen=True)
class AnnotationRef:
    """What models or people say that images of a dataset show; `confidence` is the highest of a model (0 to 1), or None.

    `kind` names the question that the label answers, such as "category".
    """

    kind: str
    label: str
    confidence: float | None
    is_verified: bool


@dataclass(frozen=True)
class FileRef:
    """One file as readers see it: `name` is its path within the dataset, `size` in bytes or None until measured."""

    name: str
    size: int | None
    media_type: str
    role: str
    sha256: str
    modified_at: datetime | None
    fixity: str


@dataclass(frozen=True)
class LabelledImage:
    """An image and the category that it is said to show, by a person or with `confidence` (0 to 1) by a model.

    `path` is its place in the archive of its dataset or collection, `address` where it is downloaded alone, without the site.
    `split` is "train", "validation", "test" or empty.
    """

    path: str
    address: str
    media_type: str
    sha256: str
    label: str
    confidence: float | None
    is_verified: bool
    split: str = ""


@dataclass(frozen=True)
class RelationRef:
    relation_type: str
    identifier: str
    identifier_type: str
    resource_type: str
    title: str


@dataclass(frozen=True)
class DatasetRecord:
    """A dataset as `access.level` permits. Under a summary `parameters`, `sample`, `notes`, `derived_from` and files are empty.

    `annotations` tell of the files and are as closed as these; what a person verified comes first, then the surest.
    `doi` is the dataset's own: that of a published collection which holds nothing else.
    """

    uid: UUID
    version: int
    access: Access
    title: str
    description: str
    kind: str
    people: tuple[PersonRef, ...]
    investigation: InvestigationRef
    facility: FacilityRef
    instrument: InstrumentRef
    techniques: tuple[TermRef, ...]
    licence: LicenceRef
    acquired_at: datetime | None
    registered_at: datetime
    updated_at: datetime
    file_count: int
    size: int
    download_count: int
    doi: str = ""
    proposal: str = ""
    sample: SampleRef | None = None
    format_label: str = ""
    has_thumbnail: bool = False
    extraction_state: str = ""
    notes: tuple[dict, ...] = ()
    parameters: tuple[ParameterValue, ...] = ()
    derived_from: tuple[DatasetRef, ...] = ()
    derivatives: tuple[DatasetRef, ...] = ()
    relations: tuple[RelationRef, ...] = ()
    annotations: tuple[AnnotationRef, ...] = ()

    @property
    def path(self) -> str:
        return f"/datasets/{self.uid}"

    @property
    def thumbnail_url(self) -> str:
        return f"{self.path}/thumbnail.webp" if self.has_thumbnail else ""

    @property
    def preview_url(self) -> str:
        return f"{self.path}/preview.webp" if self.has_thumbnail else ""


@dataclass(frozen=True)
class InvestigationRecord:
    """An investigation as `access.level` permits; `techniques` are those of its instrument."""

    uid: UUID
    version: int
    access: Access
    title: str
    abstract: str
    visit_id: str
    proposal: str
    investigation_type: str
    people: tuple[PersonRef, ...]
    facility: FacilityRef
    instrument: InstrumentRef
    licence: LicenceRef
    started_at: datetime
    ended_at: datetime | None
    dataset_count: int
    file_count: int
    size: int
    created_at: datetime
    updated_at: datetime
    doi: str = ""
    techniques: tuple[TermRef, ...] = ()
    samples: tuple[SampleRef, ...] = ()
    relations: tuple[RelationRef, ...] = field(default=())

    @property
    def path(self) -> str:
        return f"/investigations/{self.uid}"


@dataclass(frozen=True)
class MemberRef:
    """One member of a collection as its reader may know it. `kind` is "dataset", "investigation" or "collection".

    `access` is None for a collection, which is public. `size` is in bytes.
    """

    kind: str
    uid: UUID
    title: str
    path: str
    role: str
    doi: str
    dataset_count: int
    file_count: int
    size: int
    access: Access | None = None

    @property
    def key(self) -> str:
        """Names the member within its collection, in forms and cursors."""
        return f"{self.kind}-{self.uid}"


@dataclass(frozen=True)
class CollectionRef:
    """One version of a collection, or the concept of all of them where `number` is 0."""

    uid: UUID
    number: int
    doi: str
    title: str
    state: str
    published_at: datetime | None


@dataclass(frozen=True)
class CollectionRecord:
    """One version of a collection: public once it is published, with what people wrote about it in `text`.

    `doi` is empty until DataCite made it findable. Counts and `size` (bytes) are of all that it holds, each dataset once.
    `holds_closed_data` is None where it was not asked for; `facility` publishes it, None where that is the site itself.
    Under `withdrawal_reason` it is a tombstone: what it was and how it is cited stay, its members are not listed.
    """

    uid: UUID
    version: int
    number: int
    state: str
    title: str
    text: "PublicationText"
    licence: LicenceRef
    doi: str
    concept_uid: UUID
    concept_doi: str
    home: InvestigationRef | None
    member_count: int
    dataset_count: int
    file_count: int
    size: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    withdrawal_reason: str = ""
    holds_closed_data: bool | None = None
    facility: FacilityRef | None = None

    @property
    def path(self) -> str:
        """Its landing page, or while it has no DOI its page in the wizard."""
        return f"/doi/{self.doi}" if self.doi else f"/doi/drafts/{self.uid}"

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.withdrawal_reason)
