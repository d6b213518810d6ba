"""Publication: a citable thing in DataCite's terms, from which landing page, DOI metadata and citations are all made.

`PublicationText` is the part that people write; `Publication` adds what the system knows. Frozen values without a
database; what is wrong with a text says `catalogue/publication_checks.py`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, NoReturn, TypeVar

from catalogue.errors import InvalidInput
from catalogue.identifiers import normalise_orcid, normalise_ror
from catalogue.record import LicenceRef
from catalogue.vocabularies.licences import DEFAULT_LICENCE

AccessRights = Literal["open", "embargoed", "metadata only"]
Value = TypeVar("Value")

DOI_RESOLVER = "https://doi.org/"
PANET = "PaNET"
PANET_ADDRESS = "http://purl.org/pan-science/PaNET/"
_DOI_PREFIX = re.compile(r"^(?:https?://)?(?:dx\.)?doi\.org/|^doi:\s*", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Creator:
    """A person (`family_name`, `given_name`) or, with `name_type` "Organizational", an organisation (`name`).

    `ror` is the organisation's own, `affiliation_ror` that of a person's affiliation; `orcid` without the address.
    """

    name_type: str = "Personal"
    family_name: str = ""
    given_name: str = ""
    name: str = ""
    orcid: str = ""
    ror: str = ""
    affiliation: str = ""
    affiliation_ror: str = ""

    @property
    def is_organisation(self) -> bool:
        return self.name_type == "Organizational"

    @property
    def display_name(self) -> str:
        """As people say it: "Ada Lovelace"."""
        return self.name if self.is_organisation else f"{self.given_name} {self.family_name}".strip()

    @property
    def inverted_name(self) -> str:
        """As DataCite and catalogues sort it: "Lovelace, Ada"."""
        return self.name if self.is_organisation else ", ".join(filter(None, (self.family_name, self.given_name)))


# Who came by a share link that hides people is told that there are authors, not who.
ANONYMOUS_CREATOR = Creator(name_type="Organizational", name="Anonymous")


@dataclass(frozen=True)
class Contributor(Creator):
    """`role` is a contributorType of DataCite, such as "DataCollector"."""

    role: str = ""


@dataclass(frozen=True)
class Funding:
    """`funder_id_type` is a funderIdentifierType of DataCite: "ROR", "Crossref Funder ID", "ISNI", "GRID" or "Other"."""

    funder_name: str = ""
    funder_id: str = ""
    funder_id_type: str = ""
    award_number: str = ""
    award_title: str = ""
    award_uri: str = ""


@dataclass(frozen=True)
class Subject:
    """A free keyword, or a term of a vocabulary: `scheme` "PaNET", its `scheme_uri`, and the term's own `value_uri`."""

    term: str = ""
    scheme: str = ""
    scheme_uri: str = ""
    value_uri: str = ""


@dataclass(frozen=True)
class RelatedIdentifier:
    """A link to another thing, in DataCite's lists: this publication `relation_type` that one. DOIs without resolver."""

    identifier: str = ""
    identifier_type: str = "DOI"
    relation_type: str = ""
    resource_type_general: str = ""


@dataclass(frozen=True)
class PublicationDate:
    """`value` in W3CDTF, or a range `2026-01-31/2026-02-02`; `date_type` a dateType of DataCite."""

    date_type: str
    value: str
    information: str = ""


@dataclass(frozen=True)
class PublicationText:
    """What people write about a publication. An unfinished one is a value too: see `publication_checks.find_problems`."""

    title: str = ""
    abstract: str = ""
    creators: tuple[Creator, ...] = ()
    contributors: tuple[Contributor, ...] = ()
    fundings: tuple[Funding, ...] = ()
    subjects: tuple[Subject, ...] = ()
    related: tuple[RelatedIdentifier, ...] = ()
    language: str = "en"
    licence_id: str = DEFAULT_LICENCE

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, every field stated: what `from_json` reads."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: object) -> "PublicationText":
        """Read what `to_json` wrote, or what a form sends: missing fields are empty, identifiers come into one form.

        Raises InvalidInput, with the path of the field ("creators.0.orcid"), for a field that does not exist, a value
        of the wrong shape, and characters that no database can keep.
        """
        return _read(cls, data, "")


@dataclass(frozen=True)
class Publication:
    """All that is made public of a citable thing.

    `related` is the whole list: the authors' own (`text.related`) and what the system adds. `size_bytes` and
    `file_count` are those of the data, whether or not they are open. `alternate_identifiers` are (type, value).
    """

    doi: str
    url: str
    text: PublicationText
    licence: LicenceRef
    resource_type_general: str
    resource_type: str
    publisher_name: str
    publication_year: int
    publisher_ror: str = ""
    access_rights: AccessRights = "metadata only"
    dates: tuple[PublicationDate, ...] = ()
    version: str = ""
    size_bytes: int = 0
    file_count: int = 0
    formats: tuple[str, ...] = ()
    alternate_identifiers: tuple[tuple[str, str], ...] = ()
    related: tuple[RelatedIdentifier, ...] = ()

    @property
    def doi_url(self) -> str:
        """The address that resolves the DOI; empty without one."""
        return doi_url(self.doi)


def doi_url(doi: str) -> str:
    """The address that resolves a DOI; empty where there is none."""
    return f"{DOI_RESOLVER}{doi}" if doi else ""


def term_subject(label: str, iri: str) -> Subject:
    """A technique as a subject of DataCite: a PaNET term says so, others are named by their address alone."""
    is_panet = iri.startswith(PANET_ADDRESS)
    return Subject(
        term=label,
        scheme=PANET if is_panet else "",
        scheme_uri=PANET_ADDRESS if is_panet else "",
        value_uri=iri,
    )


def normalise_doi(text: str) -> str:
    """A DOI without resolver and in lower case, as DataCite keeps it; other text only loses its outer spaces."""
    return _DOI_PREFIX.sub("", text.strip()).lower()


_PARTS: dict[str, type] = {
    "creators": Creator,
    "contributors": Contributor,
    "fundings": Funding,
    "subjects": Subject,
    "related": RelatedIdentifier,
}
_MULTILINE = {"abstract"}


def _read(kind: type[Value], data: object, path: str) -> Value:
    """One value of a class above from its JSON; `path` is where it stands, "" for the whole."""
    if not isinstance(data, Mapping):
        _refuse(path or "text", "Here an object with named fields is expected.")
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for unknown in sorted(str(name) for name in data if name not in names):
        _refuse(_join(path, unknown), f"There is no field “{unknown[:60]}”.")
    is_whole = kind is PublicationText
    values = {
        name: _read_parts(_PARTS[name], value, name) if is_whole and name in _PARTS else _read_text(name, value, path)
        for name, value in data.items()
    }
    return _in_one_form(kind(**values))


def _read_parts(kind: type[Value], data: object, path: str) -> tuple[Value, ...]:
    if not isinstance(data, list | tuple):
        _refuse(path, "Here a list is expected.")
    return tuple(_read(kind, item, f"{path}.{index}") for index, item in enumerate(data))


def _read_text(name: str, value: object, path: str) -> str:
    if not isinstance(value, str):
        _refuse(_join(path, name), "Here text is expected.")
    if _UNSTORABLE.search(value):
        _refuse(_join(path, name), "This text contains characters that cannot be kept.")
    return value.replace("\r\n", "\n").strip() if name in _MULTILINE else value.strip()


def _in_one_form(value: Value) -> Value:
    """The value with its identifiers in the form that is kept; what is no identifier stays as it was written."""
    if isinstance(value, Creator):
        return replace(
            value,
            orcid=_tried(normalise_orcid, value.orcid),
            ror=_tried(normalise_ror, value.ror),
            affiliation_ror=_tried(normalise_ror, value.affiliation_ror),
        )
    if isinstance(value, Funding) and value.funder_id_type == "ROR":
        return replace(value, funder_id=_tried(normalise_ror, value.funder_id))
    if isinstance(value, Funding) and value.funder_id_type == "Crossref Funder ID" and value.funder_id:
        return replace(value, funder_id=DOI_RESOLVER + normalise_doi(value.funder_id))
    if isinstance(value, RelatedIdentifier) and value.identifier_type == "DOI":
        return replace(value, identifier=normalise_doi(value.identifier))
    return value


def _tried(normalise: Callable[[str], str], text: str) -> str:
    try:
        return normalise(text)
    except ValueError:
        return text


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _refuse(path: str, message: str) -> NoReturn:
    raise InvalidInput("The description of the publication cannot be read.", fields={path: [message]})
