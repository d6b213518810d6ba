"""DataCite's kernel 4 applied to a whole payload: what would be refused is told here first, at the field it came from.

The rules themselves are in `doi/kernel_rules.py`. Pure: no database and no network. geoLocations, relatedItems and
container, which the catalogue does not write, are not looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from doi import kernel_rules as rules
from doi.kernel_rules import Entry, Found


@dataclass(frozen=True)
class Problem:
    """One refusal. `source`: DataCite's attribute, as its 422 names it ("creators", "publication_year"); `message`: for
    people; `field`: the path in `PublicationText` ("creators.0.orcid"), empty when the site has to put it right.
    """

    source: str
    message: str
    field: str = ""


def find_problems(attributes: object) -> list[Problem]:
    """What DataCite would refuse when this is published (`attributes` as of `datacite.attributes_of`); empty when nothing."""
    if not isinstance(attributes, Mapping):
        return [Problem("metadata", "There is no metadata.")]
    found = list(_of_values(attributes))
    for name, rule in _LISTS.items():
        found += _of_list(name, rule, attributes.get(name))
    return found


def map_refusal(errors: object) -> list[Problem]:
    """The `errors` of a 422 of DataCite, each with the field to show it at; what has another shape gives no problem."""
    entries = errors if isinstance(errors, list) else []
    return [
        Problem(str(error.get("source") or "metadata"), str(error["title"]), _field_of(str(error.get("source"))))
        for error in entries
        if isinstance(error, Mapping) and error.get("title")
    ]


def _field_of(source: str) -> str:
    fields = {value.source: value.field for value in _VALUES} | {rule.source: rule.field for rule in _LISTS.values()}
    fields |= {element: rule.field for rule in _LISTS.values() for element in rule.elements}
    return fields.get(source, "")


def _of_values(attributes: Entry) -> Iterator[Problem]:
    for rule in _VALUES:
        yield from (Problem(rule.source, message, rule.field) for message in rule.check(attributes.get(rule.name)))


def _of_list(name: str, rule: "_ListRule", entries: object) -> Iterator[Problem]:
    if not entries and rule.missing:
        yield Problem(rule.source, rule.missing, rule.field)
    if entries is None:
        return
    if not isinstance(entries, list):
        yield Problem(rule.source, f"{name} should be a list.", rule.field)
        return
    for index, entry in enumerate(entries):
        path = f"{rule.field}.{index}" if rule.is_list_in_form else rule.field
        for key, message in _of_entry(rule, entry):
            yield Problem(rule.source, message, f"{path}.{key}" if key and rule.is_list_in_form else path)


def _of_entry(rule: "_ListRule", entry: object) -> Found:
    if rule.check is None:
        yield from (("", message) for message in rules.text_problems(entry))
    elif not isinstance(entry, Mapping):
        yield "", f"{rule.noun} '{str(entry)[:60]}' should be an object instead of a string."
    elif shape := list(rules.shape_problems(entry)):
        yield from (("", message) for message in shape)
    else:
        yield from rule.check(entry)


@dataclass(frozen=True)
class _ValueRule:
    """How a single property of DataCite's is checked, and the field of the form that it comes from, if any."""

    name: str
    source: str
    check: Callable[[object], Iterator[str]]
    field: str = ""


@dataclass(frozen=True)
class _ListRule:
    """How the entries of a list of DataCite's are checked (`check` None: plain texts), and the form's field.

    `is_list_in_form`: the field is a list too, in the same order. `elements`: what a refusal may name instead of `source`.
    """

    source: str
    noun: str
    check: Callable[[Entry], Found] | None
    field: str = ""
    is_list_in_form: bool = False
    elements: tuple[str, ...] = ()
    missing: str = ""


_VALUES = (
    _ValueRule("doi", "doi", rules.doi_problems),
    _ValueRule("url", "url", rules.url_problems),
    _ValueRule("schemaVersion", "schema_version", rules.schema_version_problems),
    _ValueRule("publicationYear", "publication_year", rules.year_problems),
    _ValueRule("types", "types", rules.types_problems),
    _ValueRule("publisher", "publisher", rules.publisher_problems),
    _ValueRule("language", "language", rules.language_problems, "language"),
    _ValueRule("version", "version_info", rules.text_problems),
)
_LISTS = {
    "titles": _ListRule(
        "titles", "Title", rules.title_problems, "title", elements=("title",), missing="Please give a title."
    ),
    "creators": _ListRule(
        "creators",
        "Creator",
        rules.creator_problems,
        "creators",
        is_list_in_form=True,
        elements=("creator", "creatorName", "givenName", "familyName", "nameIdentifier", "affiliation"),
        missing="Please name at least one author.",
    ),
    "contributors": _ListRule(
        "contributors",
        "Contributor",
        rules.contributor_problems,
        "contributors",
        is_list_in_form=True,
        elements=("contributor", "contributorName"),
    ),
    "subjects": _ListRule(
        "subjects", "Subject", rules.subject_problems, "subjects", is_list_in_form=True, elements=("subject",)
    ),
    "relatedIdentifiers": _ListRule(
        "related_identifiers",
        "Related identifier",
        rules.related_problems,
        "related",
        is_list_in_form=True,
        elements=("relatedIdentifier",),
    ),
    "fundingReferences": _ListRule(
        "funding_references",
        "Funding reference",
        rules.funding_problems,
        "fundings",
        is_list_in_form=True,
        elements=("fundingReference", "funderName", "funderIdentifier", "awardNumber", "awardTitle"),
    ),
    "rightsList": _ListRule("rights_list", "Rights", rules.rights_problems, "licence_id", elements=("rights",)),
    "descriptions": _ListRule(
        "descriptions", "Description", rules.description_problems, "abstract", elements=("description",)
    ),
    "alternateIdentifiers": _ListRule("identifiers", "Identifier", rules.alternate_problems),
    "dates": _ListRule("dates", "Date", rules.date_problems),
    "sizes": _ListRule("sizes", "Size", None),
    "formats": _ListRule("formats", "Format", None),
}
