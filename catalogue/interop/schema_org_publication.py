"""What is citable of a record in schema.org's terms: identifier, names, dates, licence, funding and related works.

A part of `schema_org.json_ld`, which adds the data. The terms are those of DataCite's crosswalk to schema.org. Pure.
"""

from collections.abc import Iterable
from typing import Any

from catalogue.identifier_forms import address_of
from catalogue.interop.citation import publication_citation
from catalogue.publication import PANET, Creator, Funding, Publication, RelatedIdentifier, Subject, term_subject

MOST_PEOPLE = 1000
MOST_RELATED = 100
SHORTEST_DESCRIPTION = 50
LONGEST_DESCRIPTION = 5000
# Works to be cited beside the data.
_CITED = {"IsSupplementTo", "IsDescribedBy", "IsDocumentedBy", "IsPublishedIn", "Cites", "References"}
_PROPERTIES = {
    "HasPart": "hasPart",
    "IsPartOf": "isPartOf",
    "IsDerivedFrom": "isBasedOn",
    "IsNewVersionOf": "isBasedOn",
    "IsVersionOf": "isVariantOf",
}


def citable_properties(publication: Publication, context: str) -> dict[str, Any]:
    """`context` is a sentence that follows a description which is too short for search engines.

    Without a DOI the page is the identifier. Subjects with an address are terms under `about`, PaNET's techniques.
    """
    text, kind = publication.text, publication.resource_type_general
    subjects = [subject for subject in text.subjects if subject.value_uri]
    techniques = [_defined(subject) for subject in subjects if subject.scheme == PANET]
    publisher = {"@type": "Organization", "@id": publication.publisher_ror, "name": publication.publisher_name}
    document = {
        "@type": ["Dataset", kind] if kind == "Collection" else "Dataset",
        "@id": publication.doi_url or publication.url,
        "url": publication.url,
        "identifier": _identifier(publication),
        "additionalType": publication.resource_type,
        "name": text.title,
        "description": _description(publication, context),
        "creator": [_agent(creator) for creator in text.creators[:MOST_PEOPLE]],
        "contributor": [_contribution(one, one.role) for one in text.contributors[:MOST_PEOPLE]],
        "publisher": without_empty(publisher),
        "license": publication.licence.url or f"https://spdx.org/licenses/{publication.licence.spdx_id}",
        "creditText": publication_citation(publication),
        "version": publication.version,
        "inLanguage": text.language,
        "keywords": [subject.term for subject in text.subjects],
        "about": [_defined(subject) for subject in subjects if subject.scheme != PANET],
        "measurementTechnique": techniques,
        "funding": [_grant(funding) for funding in text.fundings],
        "funder": _funders(text.fundings),
        "encodingFormat": list(publication.formats),
        "size": f"{publication.size_bytes} bytes" if publication.size_bytes else "",
    }
    return without_empty(document | _dates(publication) | _related(publication.related))


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """The document without properties that have no value: an empty property is an error to validators."""
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}


def term(label: str, iri: str) -> dict[str, Any]:
    """A technique as a DefinedTerm with its address."""
    return _defined(term_subject(label, iri))


def _defined(subject: Subject) -> dict[str, Any]:
    return without_empty(
        {
            "@type": "DefinedTerm",
            "@id": subject.value_uri,
            "name": subject.term,
            "url": subject.value_uri,
            "inDefinedTermSet": subject.scheme_uri,
        }
    )


def _identifier(publication: Publication) -> dict[str, str] | str:
    """A DOI as Google and ESIP's science-on-schema.org want it; without one the UUID as a URN.

    It has no `@id`: that address is the dataset, and the two would become one thing.
    """
    if not publication.doi:
        uuid = dict(publication.alternate_identifiers).get("UUID")
        return f"urn:uuid:{uuid}" if uuid else publication.url
    return {
        "@type": "PropertyValue",
        "propertyID": "https://registry.identifiers.org/registry/doi",
        "value": f"doi:{publication.doi}",
        "url": publication.doi_url,
    }


def _description(publication: Publication, context: str) -> str:
    """Google asks for 50 to 5000 characters."""
    kind = publication.resource_type or publication.resource_type_general
    sentences = [
        context or f"{kind}, published by {publication.publisher_name}.",
        f"More about it is at {publication.url}",
    ]
    text = publication.text.abstract or publication.text.title
    while len(text) < SHORTEST_DESCRIPTION and sentences:
        text = f"{text.rstrip('.')}. {sentences.pop(0)}"
    return text[:LONGEST_DESCRIPTION]


def _agent(creator: Creator) -> dict[str, Any]:
    if creator.is_organisation:
        return without_empty({"@type": "Organization", "@id": creator.ror, "name": creator.name})
    affiliation = {"@type": "Organization", "@id": creator.affiliation_ror, "name": creator.affiliation}
    return without_empty(
        {
            "@type": "Person",
            "@id": f"https://orcid.org/{creator.orcid}" if creator.orcid else None,
            "name": creator.display_name,
            "givenName": creator.given_name,
            "familyName": creator.family_name,
            "affiliation": without_empty(affiliation) if creator.affiliation else None,
        }
    )


def _contribution(person: Creator, role: str) -> dict[str, Any]:
    return {"@type": "Role", "roleName": role, "contributor": _agent(person)}


def _grant(funding: Funding) -> dict[str, Any]:
    return without_empty(
        {
            "@type": "Grant",
            "identifier": funding.award_number,
            "name": funding.award_title,
            "url": funding.award_uri,
            "funder": _funder(funding),
        }
    )


def _funders(fundings: Iterable[Funding]) -> list[dict[str, Any]]:
    by_name = {funding.funder_name: _funder(funding) for funding in fundings if funding.funder_name}
    return list(by_name.values())


def _funder(funding: Funding) -> dict[str, Any]:
    return without_empty({"@type": "Organization", "@id": funding.funder_id, "name": funding.funder_name})


def _dates(publication: Publication) -> dict[str, str]:
    by_type = {date.date_type: date.value for date in publication.dates}
    published = by_type.get("Issued") or by_type.get("Available") or str(publication.publication_year)
    return without_empty({"datePublished": published, "temporalCoverage": by_type.get("Collected", "")})


def _related(related: Iterable[RelatedIdentifier]) -> dict[str, list[str]]:
    """Other things by their addresses: parts, wholes, sources, and the papers to cite."""
    found: dict[str, list[str]] = {}
    for one in related:
        name = "citation" if one.relation_type in _CITED else _PROPERTIES.get(one.relation_type, "")
        address = address_of(one.identifier_type, one.identifier)
        if name and address and len(found.setdefault(name, [])) < MOST_RELATED:
            found[name].append(address)
    return found
