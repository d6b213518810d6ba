"""Dublin Core of a publication: the element `oai_dc:dc` that every OAI-PMH repository has to offer.

Sources: http://www.openarchives.org/OAI/2.0/oai_dc.xsd with the fifteen elements of DCMI; terms of access and the end of an
embargo as OpenAIRE's guidelines write them (https://guidelines.openaire.eu, info:eu-repo vocabularies). Pure.
"""

from collections.abc import Iterable, Iterator, Mapping

from catalogue.identifier_forms import address_of
from catalogue.interop.datacite import sizes_of
from catalogue.interop.xml_text import element, elements, shared_elements
from catalogue.publication import DOI_RESOLVER, Publication, RelatedIdentifier

NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
MOST_RELATED = 1000
_START = (
    f'<oai_dc:dc xmlns:oai_dc="{NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    f' xsi:schemaLocation="{NAMESPACE} {SCHEMA}">'
)
_TERMS_OF_ACCESS = {
    "open": "info:eu-repo/semantics/openAccess",
    "embargoed": "info:eu-repo/semantics/embargoedAccess",
    "metadata only": "info:eu-repo/semantics/closedAccess",
}
# Types of DataCite that the DCMI Type Vocabulary has too.
_DCMI_TYPES = {
    "Collection",
    "Dataset",
    "Event",
    "Image",
    "InteractiveResource",
    "PhysicalObject",
    "Service",
    "Software",
}


def dublin_core_xml(publication: Publication) -> bytes:
    """The element, in UTF-8 and without an XML declaration, to stand alone or within an answer of OAI-PMH."""
    text, dates = publication.text, _dates_by_type(publication)
    sources, relations = _addresses(publication.related)
    parts = (
        element("dc:title", text.title),
        shared_elements("dc:creator", *[creator.inverted_name for creator in text.creators]),
        shared_elements("dc:subject", *dict.fromkeys([subject.term for subject in text.subjects])),
        element("dc:description", text.abstract),
        shared_elements("dc:publisher", publication.publisher_name),
        shared_elements("dc:contributor", *dict.fromkeys([one.inverted_name for one in text.contributors])),
        shared_elements("dc:date", *_dates(publication, dates)),
        shared_elements("dc:type", *_types(publication)),
        elements("dc:format", (*publication.formats, *sizes_of(publication))),
        elements("dc:identifier", _identifiers(publication)),
        shared_elements("dc:source", *sources),
        shared_elements("dc:language", text.language),
        shared_elements("dc:relation", *relations),
        shared_elements("dc:coverage", *dates.get("Collected", ())),
        shared_elements("dc:rights", *_rights(publication)),
    )
    return f"{_START}{''.join(parts)}</oai_dc:dc>".encode()


def _dates_by_type(publication: Publication) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for date in publication.dates:
        found.setdefault(date.date_type, []).append(date.value)
    return found


def _dates(publication: Publication, dates: Mapping[str, list[str]]) -> list[str]:
    """When it was or will be published, and the end of its embargo; what is issued although parts are closed has no one end."""
    issued, available = dates.get("Issued", []), dates.get("Available", [])
    first = (issued or available or [str(publication.publication_year)])[:1]
    if publication.access_rights == "embargoed" and not issued:
        return first + [f"info:eu-repo/date/embargoEnd/{day}" for day in available]
    return first


def _types(publication: Publication) -> Iterator[str]:
    if publication.resource_type_general in _DCMI_TYPES:
        yield publication.resource_type_general
    if publication.resource_type != publication.resource_type_general:
        yield publication.resource_type


def _identifiers(publication: Publication) -> Iterator[str]:
    """The DOI by its address first, which harvesters take for the link; then the page and the numbers of the house."""
    yield publication.doi_url
    yield publication.url
    for kind, value in publication.alternate_identifiers:
        yield f"urn:uuid:{value}" if kind == "UUID" else f"{kind} {value}"


def _addresses(related: Iterable[RelatedIdentifier]) -> tuple[dict[str, None], dict[str, None]]:
    """What it was made from, and other things, by an address where they have one, each once; MOST_RELATED of each."""
    sources: dict[str, None] = {}
    others: dict[str, None] = {}
    for one in related:
        found = sources if one.relation_type == "IsDerivedFrom" else others
        if len(found) < MOST_RELATED:
            found[_address(one)] = None
    return sources, others


def _address(one: RelatedIdentifier) -> str:
    if one.identifier_type == "DOI":
        return f"{DOI_RESOLVER}{one.identifier}"
    if one.identifier_type == "URL":
        return one.identifier
    return address_of(one.identifier_type, one.identifier) or f"{one.identifier_type} {one.identifier}"


def _rights(publication: Publication) -> Iterator[str]:
    """Who has access, and what may be done with it: the licence by its address and its name."""
    yield _TERMS_OF_ACCESS[publication.access_rights]
    yield publication.licence.url
    yield publication.licence.name
