"""schema.org JSON-LD of a record: Dataset with Google's required and recommended properties (schema.org/Dataset)."""

from typing import Any

from catalogue.publication import doi_url
from catalogue.record import DatasetRecord, FacilityRef, InvestigationRecord, ParameterValue, PersonRef

MOST_VARIABLES = 100
SHORTEST_DESCRIPTION = 50
LONGEST_DESCRIPTION = 5000


def dataset_document(record: DatasetRecord, *, site_url: str, site_name: str) -> dict[str, Any]:
    """A dataset as its reader may see it; distributions are named only when the data are open to everyone."""
    url = site_url + record.path
    document = _common(record, url, site_url, site_name) | {
        "name": record.title,
        "description": _description(record),
        "measurementTechnique": [
            {"@type": "DefinedTerm", "@id": term.iri, "name": term.label, "url": term.iri} for term in record.techniques
        ],
        "variableMeasured": [_variable(value) for value in _numbers(record)],
        "isPartOf": {
            "@type": "Dataset",
            "@id": f"{site_url}/investigations/{record.investigation.uid}",
            "name": record.investigation.title,
            "description": f"Investigation {record.investigation.visit_id} at {record.facility.name}: its datasets.",
        },
        "datePublished": record.access.opens_at.date().isoformat(),
        "dateCreated": record.acquired_at.isoformat() if record.acquired_at else None,
        "isBasedOn": [f"{site_url}/datasets/{source.uid}" for source in record.derived_from],
        "contentSize": f"{record.size} B",
    }
    if record.access.is_open and record.file_count:
        document["distribution"] = [
            {"@type": "DataDownload", "encodingFormat": "application/zip", "contentUrl": f"{url}/download.zip"}
        ]
    return without_empty(document)


def investigation_document(record: InvestigationRecord, *, site_url: str, site_name: str) -> dict[str, Any]:
    """An investigation as a schema.org Dataset that its datasets are part of."""
    url = site_url + record.path
    end = record.ended_at.date().isoformat() if record.ended_at else ".."
    abstract = record.abstract or f"Data of the investigation {record.visit_id} at {record.instrument.name}."
    return without_empty(
        _common(record, url, site_url, site_name)
        | {
            "name": record.title,
            "description": _padded(abstract, f"Measured at {record.instrument.name}, {record.facility.name}."),
            "temporalCoverage": f"{record.started_at.date().isoformat()}/{end}",
            "datePublished": record.access.opens_at.date().isoformat(),
        }
    )


def catalog_document(*, site_url: str, site_name: str) -> dict[str, Any]:
    """The whole catalogue as a schema.org DataCatalog."""
    return {
        "@context": "https://schema.org/",
        "@type": "DataCatalog",
        "@id": f"{site_url}/",
        "name": site_name,
        "url": f"{site_url}/",
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": f"{site_url}/search?q={{search_term_string}}"},
            "query-input": "required name=search_term_string",
        },
    }


def _common(record: DatasetRecord | InvestigationRecord, url: str, site_url: str, site_name: str) -> dict[str, Any]:
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": url,
        "url": url,
        "identifier": [doi_url(record.doi), f"urn:uuid:{record.uid}"] if record.doi else f"urn:uuid:{record.uid}",
        "creator": [_person(person) for person in record.people],
        "publisher": _organisation(record.facility),
        "license": record.licence.url or f"https://spdx.org/licenses/{record.licence.spdx_id}",
        "isAccessibleForFree": True,
        "conditionsOfAccess": record.access.text,
        "dateModified": record.updated_at.isoformat(),
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "@id": f"{site_url}/",
            "name": site_name,
            "url": f"{site_url}/",
        },
    }


def _description(record: DatasetRecord) -> str:
    techniques = ", ".join(term.label for term in record.techniques) or "measurement"
    context = (
        f"{record.kind.capitalize()} data ({techniques}) measured at {record.instrument.name}, {record.facility.name}."
    )
    return _padded(record.description or record.title, context)


def _padded(text: str, context: str) -> str:
    """Google asks for 50 to 5000 characters: a short text is followed by where it was measured."""
    whole = text if len(text) >= SHORTEST_DESCRIPTION else f"{text.rstrip('.')}. {context}"
    return whole[:LONGEST_DESCRIPTION]


def _person(person: PersonRef) -> dict[str, Any]:
    affiliation = {"@type": "Organization", "@id": person.affiliation_ror, "name": person.affiliation}
    return without_empty(
        {
            "@type": "Person",
            "@id": f"https://orcid.org/{person.orcid}" if person.orcid else None,
            "name": person.name,
            "givenName": person.given_name,
            "familyName": person.family_name,
            "affiliation": without_empty(affiliation) if person.affiliation else None,
        }
    )


def _organisation(facility: FacilityRef) -> dict[str, Any]:
    return without_empty({"@type": "Organization", "@id": facility.ror, "name": facility.name, "url": facility.url})


def _numbers(record: DatasetRecord) -> list[ParameterValue]:
    return [value for value in record.parameters if value.value is not None and not value.group][:MOST_VARIABLES]


def _variable(value: ParameterValue) -> dict[str, Any]:
    return without_empty(
        {
            "@type": "PropertyValue",
            "name": value.name,
            "value": value.value_si if value.value_si is not None else value.value,
            "unitText": value.unit_si or value.unit,
        }
    )


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """The document without properties that have no value: an empty property is an error to validators."""
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}
