"""DataCite XML, kernel 4, of a publication: its DataCite attributes written as elements, so that the two always agree.

Source: https://schema.datacite.org/meta/kernel-4.6/metadata.xsd. Nothing is checked here: see `doi/kernel.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from catalogue.interop.datacite import SCHEMA_VERSION, attributes_of
from catalogue.publication import Publication

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LOCATION = f"{SCHEMA_VERSION} https://schema.datacite.org/meta/kernel-4/metadata.xsd"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
Entry = Mapping[str, Any]


def xml_of(publication: Publication) -> bytes:
    """The publication as a `resource` document, UTF-8 with declaration."""
    return xml_of_attributes(attributes_of(publication))


def xml_of_attributes(attributes: Entry) -> bytes:
    """The document of attributes as `attributes_of` makes them; a missing property makes no element.

    Raises ValueError, TypeError or AttributeError for attributes of another shape.
    """
    root = etree.Element(_named("resource"), nsmap={None: SCHEMA_VERSION, "xsi": _XSI})
    root.set(f"{{{_XSI}}}schemaLocation", _LOCATION)
    _add_required(root, attributes)
    _add_optional(root, attributes)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add_required(root: etree._Element, attributes: Entry) -> None:
    _add(root, "identifier", attributes.get("doi"), identifierType="DOI")
    _add_people(root, "creator", attributes.get("creators"))
    titles = _add_list(root, "titles", attributes.get("titles"))
    for parent, title in titles:
        _add(parent, "title", title.get("title") or "", titleType=title.get("titleType"), lang=title.get("lang"))
    publisher = attributes.get("publisher") or {}
    if isinstance(publisher, str):
        publisher = {"name": publisher}
    _add(
        root,
        "publisher",
        publisher.get("name"),
        publisherIdentifier=publisher.get("publisherIdentifier"),
        publisherIdentifierScheme=publisher.get("publisherIdentifierScheme"),
        schemeURI=publisher.get("schemeUri"),
    )
    year = attributes.get("publicationYear")
    _add(root, "publicationYear", None if year is None else str(year))
    types = attributes.get("types") or {}
    _add(root, "resourceType", types.get("resourceType") or "", resourceTypeGeneral=types.get("resourceTypeGeneral"))


def _add_optional(root: etree._Element, attributes: Entry) -> None:
    _add_subjects(root, attributes.get("subjects"))
    _add_people(root, "contributor", attributes.get("contributors"))
    for parent, date in _add_list(root, "dates", attributes.get("dates")):
        information = date.get("dateInformation")
        _add(parent, "date", date.get("date") or "", dateType=date.get("dateType"), dateInformation=information)
    _add(root, "language", attributes.get("language"))
    for parent, other in _add_list(root, "alternateIdentifiers", attributes.get("alternateIdentifiers")):
        kind = other.get("alternateIdentifierType")
        _add(parent, "alternateIdentifier", other.get("alternateIdentifier") or "", alternateIdentifierType=kind)
    _add_related(root, attributes.get("relatedIdentifiers"))
    for name, single in (("sizes", "size"), ("formats", "format")):
        for parent, value in _add_list(root, name, attributes.get(name)):
            _add(parent, single, value)
    _add(root, "version", attributes.get("version"))
    _add_rights(root, attributes.get("rightsList"))
    for parent, text in _add_list(root, "descriptions", attributes.get("descriptions")):
        kind = text.get("descriptionType")
        _add(parent, "description", text.get("description") or "", descriptionType=kind, lang=text.get("lang"))
    _add_fundings(root, attributes.get("fundingReferences"))


def _add_people(root: etree._Element, kind: str, people: Iterable[Entry] | None) -> None:
    for parent, person in _add_list(root, f"{kind}s", people):
        element = _add(parent, kind, "", contributorType=person.get("contributorType"))
        _add(element, f"{kind}Name", person.get("name") or "", nameType=person.get("nameType"))
        _add(element, "givenName", person.get("givenName"))
        _add(element, "familyName", person.get("familyName"))
        for identifier in person.get("nameIdentifiers") or ():
            _add(
                element,
                "nameIdentifier",
                identifier.get("nameIdentifier") or "",
                nameIdentifierScheme=identifier.get("nameIdentifierScheme"),
                schemeURI=identifier.get("schemeUri"),
            )
        for affiliation in person.get("affiliation") or ():
            _add(
                element,
                "affiliation",
                affiliation.get("name") or "",
                affiliationIdentifier=affiliation.get("affiliationIdentifier"),
                affiliationIdentifierScheme=affiliation.get("affiliationIdentifierScheme"),
                schemeURI=affiliation.get("schemeUri"),
            )


def _add_subjects(root: etree._Element, subjects: Iterable[Entry] | None) -> None:
    for parent, subject in _add_list(root, "subjects", subjects):
        _add(
            parent,
            "subject",
            subject.get("subject") or "",
            subjectScheme=subject.get("subjectScheme"),
            schemeURI=subject.get("schemeUri"),
            valueURI=subject.get("valueUri"),
            lang=subject.get("lang"),
        )


def _add_related(root: etree._Element, related: Iterable[Entry] | None) -> None:
    for parent, other in _add_list(root, "relatedIdentifiers", related):
        _add(
            parent,
            "relatedIdentifier",
            other.get("relatedIdentifier") or "",
            relatedIdentifierType=other.get("relatedIdentifierType"),
            relationType=other.get("relationType"),
            resourceTypeGeneral=other.get("resourceTypeGeneral"),
        )


def _add_rights(root: etree._Element, rights_list: Iterable[Entry] | None) -> None:
    for parent, rights in _add_list(root, "rightsList", rights_list):
        _add(
            parent,
            "rights",
            rights.get("rights") or "",
            rightsURI=rights.get("rightsUri"),
            rightsIdentifier=rights.get("rightsIdentifier"),
            rightsIdentifierScheme=rights.get("rightsIdentifierScheme"),
            schemeURI=rights.get("schemeUri"),
            lang=rights.get("lang"),
        )


def _add_fundings(root: etree._Element, fundings: Iterable[Entry] | None) -> None:
    for parent, funding in _add_list(root, "fundingReferences", fundings):
        element = _add(parent, "fundingReference", "")
        _add(element, "funderName", funding.get("funderName") or "")
        _add(
            element,
            "funderIdentifier",
            funding.get("funderIdentifier"),
            funderIdentifierType=funding.get("funderIdentifierType"),
            schemeURI=funding.get("schemeUri"),
        )
        _add(element, "awardNumber", funding.get("awardNumber"), awardURI=funding.get("awardUri"))
        _add(element, "awardTitle", funding.get("awardTitle"))


def _add_list(root: etree._Element, name: str, entries: Iterable[Any] | None) -> Iterable[tuple[etree._Element, Any]]:
    """Each entry with the wrapper element that it belongs in; no wrapper where there are none."""
    found = list(entries or ())
    wrapper = etree.SubElement(root, _named(name)) if found else root
    return [(wrapper, entry) for entry in found]


def _add(parent: etree._Element, name: str, text: str | None, **attributes: str | None) -> etree._Element:
    """A child element, unless `text` is None; attributes without a value are left out."""
    if text is None:
        return parent
    element = etree.SubElement(parent, _named(name))
    element.text = text or None
    for key, value in attributes.items():
        if value:
            element.set(_LANG if key == "lang" else key, value)
    return element


def _named(name: str) -> str:
    return f"{{{SCHEMA_VERSION}}}{name}"
