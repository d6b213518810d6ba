"""DataCite XML, kernel 4, of a publication: its DataCite attributes written as elements, so that the two always agree.

Sources: https://schema.datacite.org/meta/kernel-4.6/metadata.xsd and, for the envelope of OAI-PMH,
https://schema.datacite.org/oai/oai-1.1/oai.xsd. Nothing is checked here: see `doi/kernel.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree

from catalogue.interop.datacite import SCHEMA_VERSION, attributes_of
from catalogue.interop.xml_text import escaped, quoted
from catalogue.publication import Publication

Entry = Mapping[str, Any]

KERNEL = "4.6"
SCHEMA = "https://schema.datacite.org/meta/kernel-4/metadata.xsd"
OAI_NAMESPACE = "http://schema.datacite.org/oai/oai-1.1/"
OAI_SCHEMA = "http://schema.datacite.org/oai/oai-1.1/oai.xsd"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_RESOURCE = f'<resource xmlns="{SCHEMA_VERSION}" {_XSI} xsi:schemaLocation="{SCHEMA_VERSION} {SCHEMA}">'
_ENVELOPE = f'<oai_datacite xmlns="{OAI_NAMESPACE}" {_XSI} xsi:schemaLocation="{OAI_NAMESPACE} {OAI_SCHEMA}">'

# For each element the keys of the JSON that are attributes in XML, by their names there.
_TITLE = {"titleType": "titleType", "lang": "xml:lang"}
_PUBLISHER = {
    "publisherIdentifier": "publisherIdentifier",
    "publisherIdentifierScheme": "publisherIdentifierScheme",
    "schemeUri": "schemeURI",
}
_NAME_IDENTIFIER = {"nameIdentifierScheme": "nameIdentifierScheme", "schemeUri": "schemeURI"}
_AFFILIATION = {
    "affiliationIdentifier": "affiliationIdentifier",
    "affiliationIdentifierScheme": "affiliationIdentifierScheme",
    "schemeUri": "schemeURI",
}
_SUBJECT = {"subjectScheme": "subjectScheme", "schemeUri": "schemeURI", "valueUri": "valueURI", "lang": "xml:lang"}
_DATE = {"dateType": "dateType", "dateInformation": "dateInformation"}
_ALTERNATE = {"alternateIdentifierType": "alternateIdentifierType"}
_RELATED = {
    "relatedIdentifierType": "relatedIdentifierType",
    "relationType": "relationType",
    "resourceTypeGeneral": "resourceTypeGeneral",
}
_RIGHTS = {
    "rightsUri": "rightsURI",
    "rightsIdentifier": "rightsIdentifier",
    "rightsIdentifierScheme": "rightsIdentifierScheme",
    "schemeUri": "schemeURI",
    "lang": "xml:lang",
}
_DESCRIPTION = {"descriptionType": "descriptionType", "lang": "xml:lang"}
_FUNDER = {"funderIdentifierType": "funderIdentifierType", "schemeUri": "schemeURI"}
_AWARD = {"awardUri": "awardURI"}
_NOTHING: Entry = {}


def xml_of(publication: Publication) -> bytes:
    """The publication as a document, UTF-8 with declaration."""
    return xml_of_attributes(attributes_of(publication))


def element_of(publication: Publication) -> bytes:
    """The element `resource` alone, to stand within another document in UTF-8."""
    return _resource(attributes_of(publication)).encode()


def oai_datacite_of(publication: Publication, *, repository: str) -> bytes:
    """The element `oai_datacite`: the same within the envelope that names the kernel and who registered it.

    `repository` is the symbol of DataCite's for the repository, such as "FACILITY.ARCHIVE".
    """
    return (
        f"{_ENVELOPE}<schemaVersion>{KERNEL}</schemaVersion>"
        f"<datacentreSymbol>{escaped(repository)}</datacentreSymbol>"
        f"<payload>{_resource(attributes_of(publication))}</payload></oai_datacite>"
    ).encode()


def xml_of_attributes(attributes: Entry) -> bytes:
    """The document of attributes as `attributes_of` makes them; a missing property makes no element.

    Raises TypeError or AttributeError for attributes of another shape.
    """
    return f"{_DECLARATION}{_resource(attributes)}\n".encode()


def readable_xml_of(attributes: Entry) -> str:
    """The same indented, for people to look at."""
    root = etree.fromstring(xml_of_attributes(attributes))
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def _resource(attributes: Entry) -> str:
    return f"{_RESOURCE}\n{''.join(_required(attributes))}{''.join(_optional(attributes))}</resource>"


def _required(attributes: Entry) -> Iterator[str]:
    """What has no DOI is named by its page."""
    get = attributes.get
    doi, url, year = get("doi"), get("url"), get("publicationYear")
    if doi or url:
        yield _element("identifier", doi or url, {"type": "DOI" if doi else "URL"}, {"type": "identifierType"})
    yield _people("creator", get("creators"))
    yield _list("titles", "title", get("titles"), "title", _TITLE)
    publisher = get("publisher") or {}
    if isinstance(publisher, str):
        publisher = {"name": publisher}
    yield _element("publisher", publisher.get("name"), publisher, _PUBLISHER)
    yield _element("publicationYear", None if year is None else str(year))
    types = get("types") or {}
    yield _element(
        "resourceType", types.get("resourceType") or "", types, {"resourceTypeGeneral": "resourceTypeGeneral"}
    )


def _optional(attributes: Entry) -> Iterator[str]:
    get = attributes.get
    yield _list("subjects", "subject", get("subjects"), "subject", _SUBJECT)
    yield _people("contributor", get("contributors"))
    yield _list("dates", "date", get("dates"), "date", _DATE)
    yield _element("language", get("language"))
    alternates = get("alternateIdentifiers")
    yield _list("alternateIdentifiers", "alternateIdentifier", alternates, "alternateIdentifier", _ALTERNATE)
    yield _list("relatedIdentifiers", "relatedIdentifier", get("relatedIdentifiers"), "relatedIdentifier", _RELATED)
    for name, single in (("sizes", "size"), ("formats", "format")):
        yield _wrapped(name, (_element(single, value) for value in get(name) or ()))
    yield _element("version", get("version"))
    yield _list("rightsList", "rights", get("rightsList"), "rights", _RIGHTS)
    yield _list("descriptions", "description", get("descriptions"), "description", _DESCRIPTION)
    yield _wrapped("fundingReferences", map(_funding, get("fundingReferences") or ()))


def _people(kind: str, people: Iterable[Entry] | None) -> str:
    return _wrapped(f"{kind}s", (_person(kind, person) for person in people or ()))


def _person(kind: str, person: Entry) -> str:
    role = person.get("contributorType")
    parts = (
        _element(f"{kind}Name", person.get("name") or "", person, {"nameType": "nameType"}),
        _element("givenName", person.get("givenName")),
        _element("familyName", person.get("familyName")),
        *(
            _element("nameIdentifier", one.get("nameIdentifier") or "", one, _NAME_IDENTIFIER)
            for one in person.get("nameIdentifiers") or ()
        ),
        *(_element("affiliation", one.get("name") or "", one, _AFFILIATION) for one in person.get("affiliation") or ()),
    )
    start = f'<{kind} contributorType="{quoted(role)}">' if role else f"<{kind}>"
    return f"{start}\n{''.join(parts)}</{kind}>\n"


def _funding(funding: Entry) -> str:
    parts = (
        _element("funderName", funding.get("funderName") or ""),
        _element("funderIdentifier", funding.get("funderIdentifier"), funding, _FUNDER),
        _element("awardNumber", funding.get("awardNumber"), funding, _AWARD),
        _element("awardTitle", funding.get("awardTitle")),
    )
    return f"<fundingReference>\n{''.join(parts)}</fundingReference>\n"


def _list(wrapper: str, name: str, entries: Iterable[Entry] | None, text: str, names: Mapping[str, str]) -> str:
    """An element for each entry, whose content stands at the key `text`, within their wrapper."""
    return _wrapped(wrapper, (_element(name, entry.get(text) or "", entry, names) for entry in entries or ()))


def _wrapped(name: str, parts: Iterable[str]) -> str:
    """The elements within another one; nothing where there are none."""
    inside = "".join(parts)
    return f"<{name}>\n{inside}</{name}>\n" if inside else ""


def _element(name: str, text: str | None, entry: Entry = _NOTHING, names: Mapping[str, str] = _NOTHING) -> str:
    """One element, unless `text` is None, with those of `names` as attributes that have a value in `entry`."""
    if text is None:
        return ""
    start = name
    for key, name_in_xml in names.items():
        if value := entry.get(key):
            start += f' {name_in_xml}="{quoted(value)}"'
    return f"<{start}>{escaped(text)}</{name}>\n" if text else f"<{start}/>\n"
