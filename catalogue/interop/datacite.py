"""DataCite metadata of a publication: the attributes that its REST API takes, from which the XML is made too.

Sources: DataCite Metadata Schema 4.6 (https://schema.datacite.org/meta/kernel-4.6/) and the REST API's own names for its
properties. Sending, states and events are the business of the application `doi`.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalogue.identifiers import orcid_url
from catalogue.interop.xml_text import without_illegal
from catalogue.publication import Contributor, Creator, Funding, Publication, RelatedIdentifier, Subject

SCHEMA_VERSION = "http://datacite.org/schema/kernel-4"
# COAR Access Rights vocabulary, https://vocabularies.coar-repositories.org/access_rights/
ACCESS_RIGHTS = {
    "open": ("open access", "http://purl.org/coar/access_right/c_abf2"),
    "embargoed": ("embargoed access", "http://purl.org/coar/access_right/c_f1cf"),
    "metadata only": ("metadata only access", "http://purl.org/coar/access_right/c_14cb"),
}


def attributes_of(publication: Publication) -> dict[str, Any]:
    """`data.attributes` of a request to DataCite, without `event`.

    Every property is stated, an empty one as `[]` or None: DataCite merges, and would keep what is left out.
    """
    text = publication.text
    return {
        "doi": without_illegal(publication.doi),
        "url": without_illegal(publication.url),
        "schemaVersion": SCHEMA_VERSION,
        "types": _entry(
            {"resourceTypeGeneral": publication.resource_type_general, "resourceType": publication.resource_type}
        ),
        "titles": [_entry({"title": text.title, "lang": text.language})],
        "creators": [_creator(creator) for creator in text.creators],
        "publisher": _publisher(publication),
        "publicationYear": publication.publication_year,
        "subjects": [_subject(subject) for subject in text.subjects],
        "contributors": [_contributor(contributor) for contributor in _contributors(publication)],
        "dates": [
            _entry({"date": date.value, "dateType": date.date_type, "dateInformation": date.information})
            for date in publication.dates
        ],
        "language": without_illegal(text.language) or None,
        "alternateIdentifiers": [
            _entry({"alternateIdentifier": value, "alternateIdentifierType": kind})
            for kind, value in publication.alternate_identifiers
        ],
        "relatedIdentifiers": [_related(related) for related in dict.fromkeys(publication.related)],
        "sizes": sizes_of(publication),
        "formats": [without_illegal(name) for name in publication.formats],
        "version": without_illegal(publication.version) or None,
        "rightsList": _rights(publication),
        "descriptions": [_entry({"description": text.abstract, "descriptionType": "Abstract", "lang": text.language})]
        if text.abstract
        else [],
        "fundingReferences": [_funding(funding) for funding in text.fundings],
    }


def document_of(publication: Publication) -> dict[str, Any]:
    """The attributes as a document to hand out (DataCite JSON): what is empty is left out, the DOI too where there is none."""
    return _entry(attributes_of(publication))


def payload_hash(attributes: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the attributes as canonical JSON: the same whatever the order of the keys."""
    canonical = json.dumps(attributes, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _creator(creator: Creator) -> dict[str, Any]:
    return _entry(
        {
            "name": creator.inverted_name,
            "nameType": creator.name_type,
            "givenName": "" if creator.is_organisation else creator.given_name,
            "familyName": "" if creator.is_organisation else creator.family_name,
            "nameIdentifiers": _name_identifiers(creator),
            "affiliation": [_affiliation(creator)] if creator.affiliation or creator.affiliation_ror else [],
        }
    )


def _name_identifiers(creator: Creator) -> list[dict[str, str]]:
    identifiers = []
    if creator.orcid:
        identifiers.append(_name_identifier(_orcid_address(creator.orcid), "ORCID", "https://orcid.org"))
    if creator.ror:
        identifiers.append(_name_identifier(creator.ror, "ROR", "https://ror.org"))
    return identifiers


@lru_cache(maxsize=10_000)
def _orcid_address(orcid: str) -> str:
    """What is no ORCID iD goes as it is, for the check of the whole to tell."""
    try:
        return orcid_url(orcid)
    except ValueError:
        return orcid


def _name_identifier(identifier: str, scheme: str, scheme_uri: str) -> dict[str, str]:
    return _entry({"nameIdentifier": identifier, "nameIdentifierScheme": scheme, "schemeUri": scheme_uri})


def _affiliation(creator: Creator) -> dict[str, str]:
    if not creator.affiliation_ror:
        return _entry({"name": creator.affiliation})
    return _entry(
        {
            "name": creator.affiliation,
            "affiliationIdentifier": creator.affiliation_ror,
            "affiliationIdentifierScheme": "ROR",
            "schemeUri": "https://ror.org",
        }
    )


def _contributors(publication: Publication) -> tuple[Contributor, ...]:
    """The people's own, then the house that holds the data, unless they name one."""
    named = publication.text.contributors
    if any(contributor.role == "HostingInstitution" for contributor in named):
        return named
    host = Contributor(
        name_type="Organizational",
        name=publication.publisher_name,
        ror=publication.publisher_ror,
        role="HostingInstitution",
    )
    return (*named, host)


def _contributor(contributor: Contributor) -> dict[str, Any]:
    return _creator(contributor) | _entry({"contributorType": contributor.role})


def _publisher(publication: Publication) -> dict[str, str]:
    if not publication.publisher_ror:
        return _entry({"name": publication.publisher_name})
    return _entry(
        {
            "name": publication.publisher_name,
            "publisherIdentifier": publication.publisher_ror,
            "publisherIdentifierScheme": "ROR",
            "schemeUri": "https://ror.org",
        }
    )


def _subject(subject: Subject) -> dict[str, str]:
    return _entry(
        {
            "subject": subject.term,
            "subjectScheme": subject.scheme,
            "schemeUri": subject.scheme_uri,
            "valueUri": subject.value_uri,
        }
    )


def _related(related: RelatedIdentifier) -> dict[str, str]:
    return _entry(
        {
            "relatedIdentifier": related.identifier,
            "relatedIdentifierType": related.identifier_type,
            "relationType": related.relation_type,
            "resourceTypeGeneral": related.resource_type_general,
        }
    )


def sizes_of(publication: Publication) -> list[str]:
    """The size of the data in words, as DataCite and Dublin Core have it."""
    sizes = [f"{publication.size_bytes} bytes"] if publication.size_bytes else []
    count = publication.file_count
    return sizes + ([f"{count} {'file' if count == 1 else 'files'}"] if count else [])


def _rights(publication: Publication) -> list[dict[str, str]]:
    licence = publication.licence
    access, access_uri = ACCESS_RIGHTS[publication.access_rights]
    return [
        _entry(
            {
                "rights": licence.name,
                "rightsUri": licence.url,
                "rightsIdentifier": licence.spdx_id,
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
        ),
        {
            "rights": access,
            "rightsUri": access_uri,
            "rightsIdentifier": access_uri.rpartition("/")[2],
            "rightsIdentifierScheme": "COAR Access Rights",
            "schemeUri": "http://purl.org/coar/access_right/",
        },
    ]


def _funding(funding: Funding) -> dict[str, str]:
    return _entry(
        {
            "funderName": funding.funder_name,
            "funderIdentifier": funding.funder_id,
            "funderIdentifierType": funding.funder_id_type if funding.funder_id else "",
            "schemeUri": "https://ror.org" if funding.funder_id and funding.funder_id_type == "ROR" else "",
            "awardNumber": funding.award_number,
            "awardTitle": funding.award_title,
            "awardUri": funding.award_uri,
        }
    )


def _entry(values: Mapping[str, Any]) -> dict[str, Any]:
    """What has a value, in characters that XML can hold, so that JSON and XML say the same."""
    return {
        name: without_illegal(value) if isinstance(value, str) and not value.isprintable() else value
        for name, value in values.items()
        if value
    }
