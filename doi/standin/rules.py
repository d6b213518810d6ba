"""What DataCite makes of a request to change a name: merging, states, and what it refuses. Pure functions.

A `Record` is changed by making another. Nothing is stored, sent or counted here.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from doi.standin.kernel import kernel_problems

TRANSITIONS = {
    ("draft", "publish"): "findable",
    ("registered", "publish"): "findable",
    ("draft", "register"): "registered",
    ("findable", "hide"): "registered",
    ("registered", "show"): "findable",
}
# What is not here (state, created, counts, prefix, ...) may be sent and is ignored.
WRITABLE = (
    *("identifiers", "creators", "titles", "publisher", "container", "publicationYear", "subjects", "contributors"),
    *("dates", "language", "types", "relatedIdentifiers", "relatedItems", "sizes", "formats", "version", "rightsList"),
    *("descriptions", "geoLocations", "fundingReferences", "xml", "url", "contentUrl", "schemaVersion", "source"),
    "reason",
)
LISTS_OF_OBJECTS = {
    "titles": "Title",
    "creators": "Creator",
    "contributors": "Contributor",
    "dates": "Date",
    "subjects": "Subject",
    "descriptions": "Description",
    "rightsList": "Rights",
    "identifiers": "Identifier",
    "relatedIdentifiers": "Related identifier",
    "relatedItems": "Related item",
    "fundingReferences": "Funding reference",
    "geoLocations": "Geolocation",
}
OBJECTS = {"types": "Types", "container": "Container"}
CONTRIBUTOR_TYPES = frozenset(
    "ContactPerson DataCollector DataCurator DataManager Distributor Editor HostingInstitution Other Producer "
    "ProjectLeader ProjectManager ProjectMember RegistrationAgency RegistrationAuthority RelatedPerson ResearchGroup "
    "RightsHolder Researcher Sponsor Supervisor Translator WorkPackageLeader".split()
)
LONGEST_RIGHTS = 2000
_DOI = re.compile(r"10\.\d{4,5}/[-._;()/:*~$=a-zA-Z0-9]+")
_URL = re.compile(r"(ftp|http|https)://\S+")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_OLD_KERNEL = re.compile(r"https?://(?:schema\.)?datacite\.org/(?:schema|meta)/kernel-(?:2|3)[\d.]*")
_DESCRIBING = ("creators", "titles", "publisher", "publicationYear", "types")


@dataclass(frozen=True)
class Repository:
    """An account: which prefixes it may use, and the domains that its URLs are restricted to, if any."""

    user: str
    password: str
    prefixes: tuple[str, ...]
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A name. `metadata` holds writable attributes only; times are ISO 8601 texts in UTC.

    `reads_left`: how many more reads find it not yet registered with the handle system.
    """

    doi: str
    owner: str
    state: str = "draft"
    metadata: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    updated: str = ""
    registered: str | None = None
    reads_left: int = 0
    version: int = 0


def changed(record: Record, sent: dict[str, Any], repository: Repository) -> tuple[Record, dict[str, str]]:
    """The record after a request with these attributes, and the problems by attribute, of which one refuses it.

    An event that is unknown, or impossible in the record's state, is ignored.
    """
    event = sent.get("event")
    state = TRANSITIONS.get((record.state, event), record.state) if isinstance(event, str) else record.state
    after = replace(record, state=state, metadata=merged(record.metadata, sent), version=record.version + 1)
    return after, find_problems(after, repository)


def merged(metadata: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Only what is sent changes; null and empty values clear."""
    result = dict(metadata)
    for name in WRITABLE:
        value = _value_of(name, sent)
        if value is not _ABSENT:
            result.pop(name, None)
            if value not in (None, "", [], {}):
                result[name] = value
    return result


def find_problems(record: Record, repository: Repository, *, is_checked_as_public: bool = False) -> dict[str, str]:
    """Messages by attribute; the first message of an attribute counts."""
    is_public = record.state != "draft"
    problems: dict[str, str] = {}
    for found in (
        _name_problems(record),
        _url_problems(record, repository, is_public=is_public),
        _shape_problems(record.metadata),
    ):
        for attribute, message in found:
            problems.setdefault(attribute, message)
    if not problems and (is_public or is_checked_as_public):
        for attribute, message in _metadata_problems(record):
            problems.setdefault(attribute, message)
    return problems


def alternate_identifiers(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """`identifiers` under their other name."""
    return [
        {"alternateIdentifierType": item.get("identifierType"), "alternateIdentifier": item.get("identifier")}
        for item in metadata.get("identifiers", [])
    ]


_ABSENT = object()


def _value_of(name: str, sent: dict[str, Any]) -> Any:
    if name == "identifiers" and not sent.get("identifiers") and isinstance(sent.get("alternateIdentifiers"), list):
        return [_identifier_of(alternate) for alternate in sent["alternateIdentifiers"]]
    value = sent.get(name, _ABSENT)
    if name == "publisher" and isinstance(value, str) and value:
        return {"name": value}
    if name == "publicationYear" and isinstance(value, str) and value.isdecimal():
        return int(value)
    if name in LISTS_OF_OBJECTS and isinstance(value, dict) and value:
        return [value]
    return value


def _identifier_of(alternate: Any) -> Any:
    if not isinstance(alternate, dict):
        return alternate
    return {
        "identifier": alternate.get("alternateIdentifier"),
        "identifierType": alternate.get("alternateIdentifierType"),
    }


def _name_problems(record: Record) -> Iterator[tuple[str, str]]:
    if not _DOI.fullmatch(record.doi):
        yield "doi", "Is invalid"


def _url_problems(record: Record, repository: Repository, *, is_public: bool) -> Iterator[tuple[str, str]]:
    url = record.metadata.get("url")
    if url is None:
        if is_public:
            yield "url", "Can't be blank"
    elif not isinstance(url, str) or not _URL.match(url):
        yield "url", "URL is not valid"
    elif is_public and repository.domains and not _is_in_domains(url, repository.domains):
        yield "url", f"URL {url} is not allowed by repository {repository.user.lower()} domain settings."


def _is_in_domains(url: str, domains: tuple[str, ...]) -> bool:
    host = urlsplit(url).hostname or ""
    return any(host == domain or (domain.startswith("*.") and host.endswith(domain[1:])) for domain in domains)


def _shape_problems(attributes: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, thing in LISTS_OF_OBJECTS.items():
        values = attributes.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, dict):
                shown = value if name == "dates" else f"'{value}'"
                yield name, f"{thing} {shown} should be an object instead of a string."
            else:
                yield from _member_problems(name, value)
    for name, thing in OBJECTS.items():
        if name in attributes and not isinstance(attributes[name], dict):
            yield name, f"{thing} '{attributes[name]}' should be an object instead of a string."
    language = attributes.get("language")
    if language is not None and not _LANGUAGE.fullmatch(str(language)):
        yield "language", f"Language {language} is in an invalid format."


def _member_problems(name: str, member: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if name == "contributors" and member.get("contributorType") not in CONTRIBUTOR_TYPES:
        yield name, f"Contributor type {member.get('contributorType') or ''} is not supported in schema 4."
    if name == "rightsList" and len(str(member.get("rights") or "")) > LONGEST_RIGHTS:
        yield name, f"Rights should not have a length of more than {LONGEST_RIGHTS} characters."
    if name == "identifiers" and member.get("identifierType") == "DOI":
        yield name, "IdentifierType DOI not supported in identifiers property. Use id or related identifier."


def _metadata_problems(record: Record) -> Iterator[tuple[str, str]]:
    if old := _old_kernel(record.metadata):
        yield "xml", f"DOI {record.doi}: Schema {old} is no longer supported"
        return
    if not any(name in record.metadata for name in _DESCRIBING):
        yield "metadata", "Is invalid"
        return
    attributes = {"url": "http://example.org"} | record.metadata
    attributes |= {"doi": record.doi, "alternateIdentifiers": alternate_identifiers(record.metadata)}
    for attribute, message in kernel_problems(attributes):
        yield attribute, f"DOI {record.doi}: {message} at line 4, column 0"


def _old_kernel(attributes: dict[str, Any]) -> str | None:
    try:
        xml = b64decode(str(attributes.get("xml", ""))).decode("utf-8", errors="replace")
    except ValueError:
        xml = ""
    found = _OLD_KERNEL.search(f"{attributes.get('schemaVersion', '')} {xml}")
    return found.group() if found else None
