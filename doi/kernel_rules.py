"""The rules of DataCite's kernel 4 for one value or one entry of a list, each giving messages for people.

Sources: the XSD of DataCite Metadata Schema 4.6 and 4.7 (https://schema.datacite.org/meta/kernel-4/), and its
documentation where that is stricter (dates in W3CDTF, or as a range by RKMS-ISO8601). `doi/kernel.py` applies them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from catalogue.identifier_forms import form_problem, is_web_address
from catalogue.identifiers import normalise_orcid, normalise_ror
from catalogue.interop.datacite import SCHEMA_VERSION
from catalogue.interop.xml_text import NOT_IN_XML
from catalogue.vocabularies import datacite_types as datacite

LONGEST_RIGHTS = 2_000
Entry = Mapping[str, Any]
Found = Iterator[tuple[str, str]]  # where in the entry, in the form's words, and what is wrong

_DOI = re.compile(r"10\.\d{4,5}/[0-9A-Za-z._;()/:*~$=-]+", re.ASCII)
_YEAR = re.compile(r"[1-9]\d{3}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[0-9A-Za-z]{1,8})*", re.ASCII)
_URI_PART = r"""(?:[^\s<>"{}|\\^`%#\[\]]|%[0-9A-Fa-f]{2})"""
_URI = re.compile(rf"[A-Za-z][0-9A-Za-z+.-]*:{_URI_PART}+(?:#{_URI_PART}*)?")
_W3CDTF = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?P<time>T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?",
    re.ASCII,
)


def doi_problems(doi: object) -> Iterator[str]:
    if not isinstance(doi, str) or not _DOI.fullmatch(doi):
        yield "A DOI begins with 10., a number and a slash, and has letters, digits and -._;()/:*~$= only."


def url_problems(url: object) -> Iterator[str]:
    if not isinstance(url, str) or not is_web_address(url):
        yield "The landing page needs a web address."


def schema_version_problems(version: object) -> Iterator[str]:
    if version not in (None, SCHEMA_VERSION):
        yield f"The version of the schema is {SCHEMA_VERSION}."


def year_problems(year: object) -> Iterator[str]:
    is_plain = isinstance(year, int | str) and not isinstance(year, bool)
    if not is_plain or not _YEAR.fullmatch(str(year)):
        yield "The year of publication has four digits."


def types_problems(types: object) -> Iterator[str]:
    if not isinstance(types, Mapping):
        yield "The type of the thing is missing."
        return
    if shape := list(shape_problems(types)):
        yield from shape
    elif types.get("resourceTypeGeneral") not in datacite.RESOURCE_TYPES:
        yield "The general type of the thing is none that DataCite knows."


def publisher_problems(publisher: object) -> Iterator[str]:
    """The publisher is an object, or its name alone."""
    entry = publisher if isinstance(publisher, Mapping) else {"name": publisher}
    if shape := list(shape_problems(entry)):
        yield from shape
        return
    if not _has_text(entry, "name"):
        yield "The publisher has no name."
    yield from (message for _, message in _addresses(entry, {"schemeUri": ""}))
    if entry.get("publisherIdentifierScheme") == "ROR":
        yield from (message for _, message in _identifier("", entry.get("publisherIdentifier"), normalise_ror))


def language_problems(language: object) -> Iterator[str]:
    if language is not None and (not isinstance(language, str) or not _LANGUAGE.fullmatch(language)):
        yield "Please give the language by its code, such as en, de or pt-BR."


def shape_problems(entry: Entry) -> Iterator[str]:
    """Every value is text that XML can hold, or a list of such objects where people have them."""
    for key, value in entry.items():
        if key not in ("nameIdentifiers", "affiliation"):
            yield from text_problems(value)
        elif value is not None and not (isinstance(value, list) and all(isinstance(item, Mapping) for item in value)):
            yield f"{key} should be a list of objects."
        else:
            yield from (message for item in value or () for leaf in item.values() for message in text_problems(leaf))


def text_problems(value: object) -> Iterator[str]:
    if value is not None and not isinstance(value, str):
        yield "Here text is expected."
    elif value and NOT_IN_XML.search(value):
        yield "This contains characters that cannot be sent."


def title_problems(title: Entry) -> Found:
    if not _has_text(title, "title"):
        yield "", "Please give a title."
    if title.get("titleType") and title["titleType"] not in datacite.TITLE_TYPES:
        yield "", "This kind of title is none that DataCite knows."
    yield from _lang(title)


def creator_problems(creator: Entry) -> Found:
    is_organisation = creator.get("nameType") == "Organizational"
    if not _has_text(creator, "name"):
        yield "name" if is_organisation else "family_name", "Please give a name."
    if creator.get("nameType") and creator["nameType"] not in datacite.NAME_TYPES:
        yield "name_type", "Please say whether this is a person or an organisation."
    for identifier in creator.get("nameIdentifiers") or ():
        yield from _name_identifier(identifier)
    for affiliation in creator.get("affiliation") or ():
        yield from _affiliation(affiliation)


def _name_identifier(identifier: Entry) -> Found:
    scheme, value = identifier.get("nameIdentifierScheme"), identifier.get("nameIdentifier")
    field = "ror" if scheme == "ROR" else "orcid"
    if not value or not scheme:
        yield field, "An identifier of a person needs a value and the name of its scheme."
    elif scheme == "ORCID":
        yield from _identifier(field, value, normalise_orcid)
    elif scheme == "ROR":
        yield from _identifier(field, value, normalise_ror)
    yield from _addresses(identifier, {"schemeUri": field})


def _affiliation(affiliation: Entry) -> Found:
    if not _has_text(affiliation, "name"):
        yield "affiliation", "Please give the name of the institution."
    if affiliation.get("affiliationIdentifierScheme") == "ROR":
        yield from _identifier("affiliation_ror", affiliation.get("affiliationIdentifier"), normalise_ror)
    yield from _addresses(affiliation, {"schemeUri": "affiliation"})


def contributor_problems(contributor: Entry) -> Found:
    yield from creator_problems(contributor)
    yield from _listed(contributor, "contributorType", datacite.CONTRIBUTOR_TYPES, "role")


def date_problems(date: Entry) -> Found:
    yield from _listed(date, "dateType", datacite.DATE_TYPES, "")
    if not is_date_or_range(str(date.get("date") or "")):
        yield (
            "",
            "A date is written 2026, 2026-03-01 or 2026-03-01T12:00:00Z, a range with a slash between two of them.",
        )


def is_date_or_range(text: str) -> bool:
    """Whether the text is a date in W3CDTF or two of them with a slash (RKMS-ISO8601), one of which may be missing."""
    begin, slash, end = text.partition("/")
    if not slash:
        return _moment(begin) is not None
    moments = [_moment(part) for part in (begin, end) if part]
    if not moments or None in moments:
        return False
    return len(moments) == 1 or _day(begin)[: len(_day(end))] <= _day(end)[: len(_day(begin))]


def _moment(text: str) -> datetime | None:
    match = _W3CDTF.fullmatch(text)
    if match is None or bool(match["time"]) != bool(match["zone"]):
        return None
    try:
        return datetime.fromisoformat(text if match["day"] else f"{match['year']}-{match['month'] or '01'}-01")
    except ValueError:
        return None


def _day(text: str) -> str:
    return text[:10]


def subject_problems(subject: Entry) -> Found:
    if not _has_text(subject, "subject"):
        yield "term", "Please give the keyword."
    yield from _addresses(subject, {"schemeUri": "scheme_uri", "valueUri": "value_uri", "classificationCode": ""})
    yield from _lang(subject)


def alternate_problems(other: Entry) -> Found:
    if not _has_text(other, "alternateIdentifier") or not other.get("alternateIdentifierType"):
        yield "", "A further identifier needs a value and a type."


def related_problems(related: Entry) -> Found:
    kind = related.get("relatedIdentifierType")
    yield from _listed(related, "relatedIdentifierType", datacite.RELATED_IDENTIFIER_TYPES, "identifier_type")
    yield from _listed(related, "relationType", datacite.RELATION_TYPES, "relation_type")
    if related.get("resourceTypeGeneral"):
        yield from _listed(related, "resourceTypeGeneral", datacite.RESOURCE_TYPES, "resource_type_general")
    if not _has_text(related, "relatedIdentifier"):
        yield "identifier", "Please give the identifier."
    elif kind and (message := form_problem(kind, related["relatedIdentifier"])):
        yield "identifier", message


def rights_problems(rights: Entry) -> Found:
    if len(rights.get("rights") or "") > LONGEST_RIGHTS:
        yield "", f"Rights should not have a length of more than {LONGEST_RIGHTS} characters."
    if not _has_text(rights, "rights") and not rights.get("rightsUri"):
        yield "", "Rights need words or an address."
    yield from _addresses(rights, {"rightsUri": "", "schemeUri": ""})
    yield from _lang(rights)


def description_problems(text: Entry) -> Found:
    if not _has_text(text, "description"):
        yield "", "This description is empty."
    yield from _listed(text, "descriptionType", datacite.DESCRIPTION_TYPES, "")
    yield from _lang(text)


def funding_problems(funding: Entry) -> Found:
    if not _has_text(funding, "funderName"):
        yield "funder_name", "Please give the name of the funder."
    if funding.get("funderIdentifier"):
        yield from _listed(funding, "funderIdentifierType", datacite.FUNDER_IDENTIFIER_TYPES, "funder_id_type")
        if funding.get("funderIdentifierType") == "ROR":
            yield from _identifier("funder_id", funding["funderIdentifier"], normalise_ror)
    yield from _addresses(funding, {"schemeUri": "funder_id", "awardUri": "award_uri"})


def _listed(entry: Entry, key: str, allowed: tuple[str, ...], field: str) -> Found:
    if entry.get(key) not in allowed:
        yield field, f"“{entry.get(key) or ''}” is none of DataCite's values for {key}."


def _lang(entry: Entry) -> Found:
    yield from (("", message) for message in language_problems(entry.get("lang") or None))


def _addresses(entry: Entry, fields: Mapping[str, str]) -> Found:
    for key, field in fields.items():
        if entry.get(key) and not _is_uri(entry[key]):
            yield field, f"“{entry[key]}” is not a web address."


def _is_uri(text: object) -> bool:
    if not isinstance(text, str) or not _URI.fullmatch(text):
        return False
    try:
        return urlsplit(text).port != 0
    except ValueError:
        return False


def _identifier(field: str, value: object, normalise: Callable[[str], str]) -> Found:
    try:
        normalise(value if isinstance(value, str) else "")
    except ValueError as error:
        yield field, str(error)


def _has_text(entry: Entry, key: str) -> bool:
    return bool((entry.get(key) or "").strip())
