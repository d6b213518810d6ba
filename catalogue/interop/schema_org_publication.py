"""schema.org JSON-LD of a publication: what landing pages tell search engines. A Dataset, for a whole session a Collection too.

Google's required and recommended properties of schema.org/Dataset, and DataCite's crosswalk to schema.org. Pure.
"""

from collections.abc import Iterable
from typing import Any

from catalogue.identifier_forms import address_of
from catalogue.interop.citation import publication_citation
from catalogue.interop.schema_org import LONGEST_DESCRIPTION, SHORTEST_DESCRIPTION, without_empty
from catalogue.publication import Creator, Funding, Publication, RelatedIdentifier, Subject

MOST_RELATED = 100
# Works to be cited beside the data.
_CITED = {"IsSupplementTo", "IsDescribedBy", "IsDocumentedBy", "IsPublishedIn", "Cites", "References"}
_PROPERTIES = {
    "HasPart": "hasPart",
    "IsPartOf": "isPartOf",
    "IsDerivedFrom": "isBasedOn",
    "IsNewVersionOf": "isBasedOn",
    "IsVersionOf": "isVariantOf",
}
_CONDITIONS = {
    "open": "The data are open to everyone.",
    "embargoed": "The data are under embargo.",
    "metadata only": "The data were withdrawn.",
}


def publication_document(
    publication: Publication, *, site_url: str, site_name: str, download_url: str = "", conditions: str = ""
) -> dict[str, Any]:
    """The document of a publication whose DOI is public. `download_url` is where anybody gets everything, `conditions` say
    in words who gets the data and when."""
    text, kind = publication.text, publication.resource_type_general
    document: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": ["Dataset", kind] if kind == "Collection" else "Dataset",
        "@id": publication.doi_url,
        "url": publication.url,
        "identifier": _identifier(publication),
        "additionalType": publication.resource_type,
        "name": text.title,
        "description": _description(publication),
        "creator": [_agent(creator) for creator in text.creators],
        "contributor": [
            {"@type": "Role", "roleName": one.role, "contributor": _agent(one)} for one in text.contributors
        ],
        "publisher": without_empty(
            {"@type": "Organization", "@id": publication.publisher_ror, "name": publication.publisher_name}
        ),
        "license": publication.licence.url or f"https://spdx.org/licenses/{publication.licence.spdx_id}",
        "isAccessibleForFree": publication.access_rights == "open",
        "conditionsOfAccess": conditions or _CONDITIONS[publication.access_rights],
        "creditText": publication_citation(publication),
        "version": publication.version,
        "inLanguage": text.language,
        "keywords": [_keyword(subject) for subject in text.subjects],
        "funding": [_grant(funding) for funding in text.fundings],
        "encodingFormat": list(publication.formats),
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "@id": f"{site_url}/",
            "name": site_name,
            "url": site_url + "/",
        },
    }
    document |= _dates(publication) | _related(publication.related)
    if publication.size_bytes:
        document["contentSize"] = f"{publication.size_bytes} B"
    if download_url:
        document["distribution"] = [
            {"@type": "DataDownload", "encodingFormat": "application/zip", "contentUrl": download_url}
        ]
    return without_empty(document)


def _identifier(publication: Publication) -> dict[str, str]:
    """A DOI as https://developers.google.com/search/docs/appearance/structured-data/dataset wants it."""
    return {
        "@type": "PropertyValue",
        "@id": publication.doi_url,
        "propertyID": "https://registry.identifiers.org/registry/doi",
        "value": f"doi:{publication.doi}",
        "url": publication.doi_url,
    }


def _description(publication: Publication) -> str:
    """Google asks for 50 to 5000 characters."""
    text = publication.text.abstract or publication.text.title
    if len(text) < SHORTEST_DESCRIPTION:
        text = f"{text.rstrip('.')}. {publication.resource_type}, published by {publication.publisher_name}."
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


def _keyword(subject: Subject) -> dict[str, str] | str:
    if not subject.value_uri:
        return subject.term
    return without_empty(
        {
            "@type": "DefinedTerm",
            "@id": subject.value_uri,
            "name": subject.term,
            "url": subject.value_uri,
            "inDefinedTermSet": subject.scheme_uri,
        }
    )


def _grant(funding: Funding) -> dict[str, Any]:
    funder = {"@type": "Organization", "@id": funding.funder_id, "name": funding.funder_name}
    return without_empty(
        {
            "@type": "Grant",
            "identifier": funding.award_number,
            "name": funding.award_title,
            "url": funding.award_uri,
            "funder": without_empty(funder),
        }
    )


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
