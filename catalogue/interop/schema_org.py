"""schema.org JSON-LD of a record: what search engines read in its page, and the form `.jsonld`. Pure.

A Dataset with Google's required and recommended properties (developers.google.com/search/docs/appearance/structured-data/dataset)
and the Bioschemas Dataset profile 1.0. What is citable of it is written in `schema_org_publication.py`. Its size is bounded,
however many files, members or values a record has; what the bounds leave out is in the archive and the list of files.
"""

from typing import Any

from catalogue.downloads.limits import is_one_archive
from catalogue.downloads.lists import file_url
from catalogue.interop.description import Description, Site
from catalogue.interop.schema_org_publication import citable_properties, term, without_empty
from catalogue.interop.unit_codes import unit_code
from catalogue.record import (
    CollectionRecord,
    DatasetRecord,
    FileRef,
    InvestigationRecord,
    MemberRef,
    ParameterValue,
)

CONTEXT = "https://schema.org/"
DATASET_PROFILE = "https://bioschemas.org/profiles/Dataset/1.0-RELEASE"
CATALOG_PROFILE = "https://bioschemas.org/profiles/DataCatalog/0.3-RELEASE-2019_07_01"
CONFORMS_TO = "http://purl.org/dc/terms/conformsTo"
MOST_VARIABLES = 100
MOST_FILES = 100
MOST_PARTS = 100
ZIP = "application/zip"
_CONDITIONS = {
    "open": "The data are open to everyone.",
    "embargoed": "Some of the data are under embargo.",
    "metadata only": "The data were withdrawn.",
}


def json_ld(description: Description) -> dict[str, Any]:
    """A record as its reader may see it; where data are not open to everyone nothing names a place to get them from."""
    record, publication = description.record, description.publication
    cited = citable_properties(publication, _context_of(record))
    parts = [_part(member, description.site) for member in description.members[:MOST_PARTS]]
    properties = {
        CONFORMS_TO: {"@id": DATASET_PROFILE, "@type": "CreativeWork"},
        "sameAs": publication.doi_url,
        "creator": [] if _hides_people(record) else cited.get("creator"),
        "keywords": list(dict.fromkeys([*cited.get("keywords", ()), *_keywords(record)])),
        "isAccessibleForFree": publication.access_rights == "open",
        "conditionsOfAccess": _conditions(description),
        "dateModified": record.updated_at.isoformat(),
        "includedInDataCatalog": catalog_reference(description.site),
        "distribution": _distributions(description),
        "hasPart": parts or cited.get("hasPart"),
    }
    return without_empty({"@context": CONTEXT} | cited | properties | _of_kind(record))


def catalog_document(site: Site) -> dict[str, Any]:
    """The whole catalogue, on the home page: a schema.org DataCatalog, Bioschemas profile 0.3."""
    search = {"@type": "EntryPoint", "urlTemplate": f"{site.url}/search?q={{search_term_string}}"}
    return {
        "@context": CONTEXT,
        **catalog_reference(site),
        CONFORMS_TO: {"@id": CATALOG_PROFILE, "@type": "CreativeWork"},
        "description": f"{site.name}: research data that were made with instruments, and what is known about them.",
        "keywords": ["research data", "instruments", "measurements"],
        "provider": {"@type": "Organization", "name": site.name, "url": f"{site.url}/", "email": site.email},
        "potentialAction": {
            "@type": "SearchAction",
            "target": search,
            "query-input": "required name=search_term_string",
        },
    }


def catalog_reference(site: Site) -> dict[str, str]:
    return {"@type": "DataCatalog", "@id": f"{site.url}/", "name": site.name, "url": f"{site.url}/"}


def _context_of(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> str:
    """What a search engine should know where people wrote little: by what it was measured, and where."""
    if isinstance(record, CollectionRecord):
        return ""
    place = f"measured at {record.instrument.name}, {record.facility.name}."
    if isinstance(record, InvestigationRecord):
        return f"Data of the investigation {record.visit_id}, {place}"
    techniques = ", ".join(technique.label for technique in record.techniques) or "measurement"
    return f"{record.kind.capitalize()} data ({techniques}) {place}"


def _keywords(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> list[str]:
    """Plain words, of which Bioschemas wants at least one."""
    if isinstance(record, CollectionRecord):
        return ["research data"]
    names = [record.instrument.name, record.facility.name]
    if isinstance(record, InvestigationRecord):
        return [*names, record.visit_id, *(sample.name for sample in record.samples)]
    words = [*names, record.format_label, record.sample.name if record.sample else "", f"{record.kind} data"]
    return [word for word in words if word]


def _hides_people(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> bool:
    """Whether the team is secret, so that not even the facility stands in its place."""
    return not isinstance(record, CollectionRecord) and record.access.hides_people


def _conditions(description: Description) -> str:
    record = description.record
    if isinstance(record, CollectionRecord):
        return _CONDITIONS[description.publication.access_rights]
    return record.access.text


def _of_kind(record: DatasetRecord | InvestigationRecord | CollectionRecord) -> dict[str, Any]:
    """What only one kind of record has."""
    if isinstance(record, CollectionRecord):
        return {}
    place = {"@type": "Place", "name": record.facility.name, "url": record.facility.url}
    if isinstance(record, InvestigationRecord):
        return {
            "alternateName": record.visit_id,
            "version": str(record.version),
            "spatialCoverage": without_empty(place),
        }
    return {
        "version": str(record.version),
        "spatialCoverage": without_empty(place),
        "dateCreated": record.acquired_at.isoformat() if record.acquired_at else None,
        "encodingFormat": record.format_label,
        "measurementTechnique": [term(technique.label, technique.iri) for technique in record.techniques],
        "variableMeasured": _variables(record),
    }


def _variables(record: DatasetRecord) -> list[dict[str, Any]]:
    """The numbers among the values, in SI where their unit is known; what a person corrected stands for what was read."""
    numbers = (value for value in record.parameters if value.value is not None and not value.group)
    return [_variable(value) for value in [one for one in numbers if not one.is_corrected][:MOST_VARIABLES]]


def _variable(value: ParameterValue) -> dict[str, Any]:
    is_si = value.value_si is not None
    return without_empty(
        {
            "@type": "PropertyValue",
            "name": value.name,
            "value": value.value_si if is_si else value.value,
            "unitText": value.unit_si if is_si else value.unit,
            "unitCode": unit_code(value.unit_si) if is_si else None,
        }
    )


def _distributions(description: Description) -> list[dict[str, Any]]:
    """Where anybody gets the data: one archive of everything, and few files one by one or a list of many."""
    record = description.record
    if description.publication.access_rights != "open" or not record.file_count:
        return []
    found = []
    if archive := archive_url(description):
        found.append({"@type": "DataDownload", "name": "All files", "encodingFormat": ZIP, "contentUrl": archive})
    if isinstance(record, DatasetRecord) and record.file_count > MOST_FILES:
        address = f"{description.url}/files.sha256"
        name = "All files by name, with their checksums"
        found.append({"@type": "DataDownload", "name": name, "encodingFormat": "text/plain", "contentUrl": address})
    elif isinstance(record, DatasetRecord):
        found += [_file(description.url, file) for file in description.files]
    return found


def archive_url(description: Description) -> str:
    """Where everybody gets everything in one archive; empty where that is nowhere."""
    record = description.record
    is_draft = isinstance(record, CollectionRecord) and record.published_at is None
    if description.publication.access_rights != "open" or is_draft:
        return ""
    datasets = 1 if isinstance(record, DatasetRecord) else record.dataset_count
    if not is_one_archive(file_count=record.file_count, dataset_count=datasets):
        return ""
    if isinstance(record, CollectionRecord):
        return f"{description.site.url}/collections/{record.uid}/download.zip"
    return f"{description.url}/download.zip"


def _file(record_url: str, file: FileRef) -> dict[str, Any]:
    return without_empty(
        {
            "@type": "DataDownload",
            "name": file.name,
            "encodingFormat": file.media_type,
            "contentUrl": file_url(record_url, file.name),
            "contentSize": f"{file.size} B" if file.size is not None else None,
            "sha256": file.sha256,
        }
    )


def _part(member: MemberRef, site: Site) -> dict[str, str]:
    """A CreativeWork, since Google takes a nested Dataset for one that is described here in full."""
    address = site.url + member.path
    identifier = f"https://doi.org/{member.doi}" if member.doi else address
    return {"@type": "CreativeWork", "@id": identifier, "name": member.title, "url": address}
