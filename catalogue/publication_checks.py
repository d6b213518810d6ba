"""What is wrong with a PublicationText, told field by field to those who write it. Nothing is changed here.

This looks at the forms of what was typed. Whether DataCite's schema accepts the whole asks `doi/kernel.py`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TypeVar

from catalogue.identifier_forms import form_problem, is_isni, is_web_address
from catalogue.identifiers import normalise_orcid, normalise_ror
from catalogue.publication import Contributor, Creator, Funding, PublicationText, RelatedIdentifier, Subject
from catalogue.vocabularies import datacite_types as datacite
from catalogue.vocabularies.licences import spdx_licences

LONGEST_TITLE = 500
LONGEST_ABSTRACT = 20_000
LONGEST_ENTRY = 500
LONGEST_ADDRESS = 2_000
MOST_CREATORS = 20_000
MOST_OTHER_ENTRIES = 2_000

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-[0-9A-Za-z]{5,8})*", re.ASCII)
_FUNDER_DOI = re.compile(r"https://doi\.org/10\.13039/\d{6,14}", re.ASCII)
_GRID = re.compile(r"grid\.\d{3,6}\.[0-9a-f]{1,2}", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ADDRESS_FIELDS = {"award_uri", "scheme_uri", "value_uri", "identifier"}

Problem = tuple[str, str]
Entry = TypeVar("Entry")


def find_problems(text: PublicationText) -> dict[str, list[str]]:
    """Messages by the path of the field ("title", "creators.0.orcid"); empty when the text can be published."""
    problems: dict[str, list[str]] = {}
    for path, message in _all_problems(text):
        problems.setdefault(path, []).append(message)
    return problems


def _all_problems(text: PublicationText) -> Iterator[Problem]:
    yield from _of_main_fields(text)
    yield from _of_list("creators", text.creators, _of_creator, MOST_CREATORS)
    yield from _of_list("contributors", text.contributors, _of_contributor, MOST_OTHER_ENTRIES)
    yield from _of_list("fundings", text.fundings, _of_funding, MOST_OTHER_ENTRIES)
    yield from _of_list("subjects", text.subjects, _of_subject, MOST_OTHER_ENTRIES)
    yield from _of_list("related", text.related, _of_related, MOST_OTHER_ENTRIES)


def _of_main_fields(text: PublicationText) -> Iterator[Problem]:
    if not text.title.strip():
        yield "title", "Please give a title."
    yield from _of_line("title", text.title, LONGEST_TITLE)
    yield from _of_line("abstract", re.sub(r"[\n\r\t]", " ", text.abstract), LONGEST_ABSTRACT)
    if not text.creators:
        yield "creators", "Please name at least one author."
    if text.language and not _LANGUAGE.fullmatch(text.language):
        yield "language", "Please give the language by its code, such as en, de or pt-BR."
    if text.licence_id not in {licence.spdx_id for licence in spdx_licences()}:
        yield "licence_id", "Please choose a licence of the SPDX list, such as CC-BY-4.0."


def _of_list(
    name: str, entries: tuple[Entry, ...], problems_of: Callable[[Entry], Iterator[Problem]], most: int
) -> Iterator[Problem]:
    if len(entries) > most:
        yield name, f"At most {most:,} entries are possible here."
    for index, entry in enumerate(entries):
        for field, message in _of_lines(entry):
            yield f"{name}.{index}.{field}", message
        for field, message in problems_of(entry):
            yield f"{name}.{index}.{field}", message


def _of_lines(entry: object) -> Iterator[Problem]:
    """Every field of an entry is one line of text, of bounded length."""
    for field in fields(entry):  # type: ignore[arg-type]
        longest = LONGEST_ADDRESS if field.name in _ADDRESS_FIELDS else LONGEST_ENTRY
        yield from _of_line(field.name, getattr(entry, field.name), longest)


def _of_line(path: str, value: str, longest: int) -> Iterator[Problem]:
    if len(value) > longest:
        yield path, f"This is longer than {longest:,} characters."
    if _CONTROL.search(value):
        yield path, "This contains line breaks or invisible control characters; please type it anew."


def _of_creator(creator: Creator) -> Iterator[Problem]:
    if creator.name_type not in datacite.NAME_TYPES:
        yield "name_type", "Please say whether this is a person or an organisation."
    if creator.is_organisation and not creator.name.strip():
        yield "name", "Please give the name of the organisation."
    if not creator.is_organisation and not creator.family_name.strip():
        yield "family_name", "Please give the family name; those with one name only write it here."
    yield from _of_identifier("orcid", creator.orcid, normalise_orcid)
    yield from _of_identifier("ror", creator.ror, normalise_ror)
    yield from _of_identifier("affiliation_ror", creator.affiliation_ror, normalise_ror)
    if creator.affiliation_ror and not creator.affiliation:
        yield "affiliation", "Please give the name of the institution with this ROR id."
    if creator.orcid and creator.is_organisation:
        yield "orcid", "An ORCID iD is for people; organisations have a ROR id."
    if creator.ror and not creator.is_organisation:
        yield "ror", "A ROR id is for organisations; a person's institution has its own field."


def _of_contributor(contributor: Contributor) -> Iterator[Problem]:
    yield from _of_creator(contributor)
    if contributor.role not in datacite.CONTRIBUTOR_TYPES:
        yield "role", "Please choose what this contributor did."


def _of_funding(funding: Funding) -> Iterator[Problem]:
    if not funding.funder_name.strip():
        yield "funder_name", "Please give the name of the funder."
    if funding.funder_id and funding.funder_id_type not in datacite.FUNDER_IDENTIFIER_TYPES:
        yield "funder_id_type", "Please say what kind of identifier this is."
    if funding.funder_id_type and not funding.funder_id:
        yield "funder_id", "Please give the identifier, or leave its kind empty."
    if funding.funder_id and (message := _funder_id_problem(funding)):
        yield "funder_id", message
    if funding.award_uri and not is_web_address(funding.award_uri):
        yield "award_uri", "This is not a web address such as https://cordis.europa.eu/project/id/823852."
    if funding.award_uri and not funding.award_number:
        yield "award_number", "Please give the number of the award with this address."


def _funder_id_problem(funding: Funding) -> str:
    if funding.funder_id_type == "ROR":
        return next((message for _, message in _of_identifier("", funding.funder_id, normalise_ror)), "")
    if funding.funder_id_type == "Crossref Funder ID" and not _FUNDER_DOI.fullmatch(funding.funder_id):
        return "A Crossref funder id looks like https://doi.org/10.13039/501100000780."
    if funding.funder_id_type == "ISNI" and not is_isni(funding.funder_id):
        return "An ISNI has 16 digits (the last may be X): please check for a typing error."
    if funding.funder_id_type == "GRID" and not _GRID.fullmatch(funding.funder_id):
        return "A GRID id looks like grid.5333.6."
    return ""


def _of_subject(subject: Subject) -> Iterator[Problem]:
    if not subject.term.strip():
        yield "term", "Please give the keyword."
    for field in ("scheme_uri", "value_uri"):
        value = getattr(subject, field)
        if value and not is_web_address(value):
            yield field, "This is not a web address."


def _of_related(related: RelatedIdentifier) -> Iterator[Problem]:
    if related.relation_type not in datacite.RELATION_TYPES:
        yield "relation_type", "Please choose how the two are related."
    if related.resource_type_general and related.resource_type_general not in datacite.RESOURCE_TYPES:
        yield "resource_type_general", "Please choose what kind of thing this is."
    if related.identifier_type not in datacite.RELATED_IDENTIFIER_TYPES:
        yield "identifier_type", "Please choose what kind of identifier this is."
    elif not related.identifier:
        yield "identifier", "Please give the identifier."
    elif message := form_problem(related.identifier_type, related.identifier):
        yield "identifier", message


def _of_identifier(path: str, value: str, normalise: Callable[[str], str]) -> Iterator[Problem]:
    if not value:
        return
    try:
        normalise(value)
    except ValueError as error:
        yield path, str(error)
