"""RO-Crate 1.2 of a record: the detached crate, whose files lie at their addresses. Pure.

Source: https://w3id.org/ro/crate/1.2. What an archive carries is made of the same parts in `ro_crate_archive.py`.
"""

from typing import Any

from catalogue.downloads.limits import is_one_archive
from catalogue.downloads.lists import file_url
from catalogue.identifier_forms import address_of
from catalogue.interop.citation import publication_citation
from catalogue.interop.description import Description, Site
from catalogue.interop.ro_crate_graph import (
    CONTEXT,
    Entity,
    Graph,
    Reference,
    add_agent,
    add_funding,
    add_identifier,
    add_instrument,
    add_licence,
    add_parameter,
    add_publisher,
    add_sample,
    add_techniques,
    descriptor,
    entity,
    file_entity,
)
from catalogue.publication import Publication
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord, MemberRef

MOST_PARAMETERS = 200
MOST_CITED = 100
# Relations to works that are to be read or cited with the data.
CITED = {"IsSupplementTo", "IsDescribedBy", "IsDocumentedBy", "IsPublishedIn", "Cites", "References"}
WITH_A_CRATE = ("dataset", "investigation")


def crate(description: Description) -> dict[str, Any]:
    """The metadata document of a dataset, an investigation or a collection, to be read without any file beside it.

    It names the files of `description` by their addresses, and at most MOST_PARAMETERS values; where there are more the
    description of the root says so. Archives hold all.
    """
    graph, record, site = Graph(), description.record, description.site
    root = description.url
    parts = [*_files(description), *_members(graph, description)]
    properties = record_properties(graph, record, description.publication, site, root, most_parameters=MOST_PARAMETERS)
    properties["description"] += _note(description)
    properties["hasPart"] = [{"@id": part["@id"]} for part in parts]
    if isinstance(record, DatasetRecord) and record.access.is_open and is_one_archive(file_count=record.file_count):
        properties["distribution"] = _download(graph, root)
    return {"@context": CONTEXT, "@graph": [descriptor(root), entity(root, "Dataset", properties), *parts, *graph]}


def record_properties(
    graph: Graph,
    record: DatasetRecord | InvestigationRecord | CollectionRecord,
    publication: Publication,
    site: Site,
    root: str,
    *,
    most_parameters: int,
) -> dict[str, Any]:
    """What a crate says of a record whose entity has the @id `root`; `graph` gets what it refers to."""
    properties = publication_properties(graph, publication, str(record.uid), site)
    properties["dateModified"] = record.updated_at.isoformat()
    if isinstance(record, CollectionRecord):
        return properties
    properties["conditionsOfAccess"] = record.access.text
    if isinstance(record, DatasetRecord):
        properties |= _measurement(graph, record, site, most_parameters)
        properties["mentions"] = _provenance(
            graph, record, site, {"result": {"@id": root}, "agent": properties["creator"]}
        )
    else:
        end = record.ended_at.isoformat() if record.ended_at else ".."
        properties["temporalCoverage"] = f"{record.started_at.isoformat()}/{end}"
        properties["mentions"] = [add_instrument(graph, record.instrument, site)]
    return properties


def publication_properties(graph: Graph, publication: Publication, uid: str, site: Site) -> dict[str, Any]:
    """Name, description, date, licence, and who made, published and paid for it."""
    text = publication.text
    fundings = [add_funding(graph, funding) for funding in text.fundings]
    publisher = add_publisher(graph, publication.publisher_name, publication.publisher_ror, site)
    return {
        "name": text.title or "Untitled",
        "description": text.abstract or f"{publication.resource_type} published by {publication.publisher_name}.",
        "datePublished": _published(publication),
        "license": add_licence(graph, publication.licence),
        "identifier": add_identifier(graph, publication.doi, uid),
        "cite-as": publication.doi_url,
        "url": publication.url,
        "creator": [add_agent(graph, creator) for creator in text.creators],
        "contributor": [add_agent(graph, one) for one in text.contributors],
        "publisher": publisher,
        "funder": [funder for funder, _ in fundings if funder],
        "funding": [grant for _, grant in fundings if grant],
        "keywords": [subject.term for subject in text.subjects if not subject.value_uri],
        "creditText": publication_citation(publication),
        "version": publication.version,
        "citation": _citations(graph, publication),
    }


def _published(publication: Publication) -> str:
    by_type = {date.date_type: date.value for date in publication.dates}
    return by_type.get("Issued") or by_type.get("Available") or str(publication.publication_year)


def _citations(graph: Graph, publication: Publication) -> list[Reference]:
    addresses = (
        address_of(one.identifier_type, one.identifier) for one in publication.related if one.relation_type in CITED
    )
    found = [address for address in addresses if address][:MOST_CITED]
    return [graph.add(address, "CreativeWork", {"name": address, "url": address}) for address in found]


def _measurement(graph: Graph, record: DatasetRecord, site: Site, most_parameters: int) -> dict[str, Any]:
    """When and how a dataset was measured, within which session, and the first of its values."""
    prefix = record.uid.hex[-12:]
    visit = record.investigation
    session = graph.add(f"{site.url}/investigations/{visit.uid}", "CreativeWork", {"name": visit.title})
    return {
        "dateCreated": record.acquired_at.isoformat() if record.acquired_at else "",
        "contentSize": str(record.size),
        "measurementTechnique": add_techniques(graph, record),
        "variableMeasured": [
            add_parameter(graph, f"#value-{prefix}-{number}", value)
            for number, value in enumerate(record.parameters[:most_parameters], start=1)
        ],
        "about": add_sample(graph, record.sample, site) if record.sample else None,
        "isBasedOn": _sources(graph, record, site),
        "isPartOf": session,
    }


def _sources(graph: Graph, record: DatasetRecord, site: Site) -> list[Reference]:
    return [
        graph.add(f"{site.url}/datasets/{one.uid}", "CreativeWork", {"name": one.title}) for one in record.derived_from
    ]


def _provenance(graph: Graph, record: DatasetRecord, site: Site, whose: dict[str, Any]) -> list[Reference]:
    """The measurement of a sample, or the processing of other datasets, which no instrument did; and the instrument."""
    sources = _sources(graph, record, site)
    is_processing = bool(sources) or record.kind == "processed"
    sample = [add_sample(graph, record.sample, site)] if record.sample else []
    instrument = add_instrument(graph, record.instrument, site)
    action: dict[str, Any] = {
        "name": "Processing of data" if is_processing else f"Measurement at {record.instrument.name}",
        "instrument": None if is_processing else instrument,
        "object": sources or sample,
        "endTime": record.acquired_at.isoformat() if record.acquired_at else "",
    }
    return [graph.add(f"#action-{record.uid.hex[-12:]}", "CreateAction", action | whose), instrument]


def _files(description: Description) -> list[Entity]:
    if not isinstance(description.record, DatasetRecord):
        return []
    url = description.url
    return [file_entity(file_url(url, file.name), file) for file in description.files]


def _members(graph: Graph, description: Description) -> list[Entity]:
    return [_member(graph, member, description.site) for member in description.members]


def _member(graph: Graph, member: MemberRef, site: Site) -> Entity:
    """A dataset, investigation or collection within this one, and the address of its own crate."""
    address = site.url + member.path
    own_crate = None
    if member.kind in WITH_A_CRATE:
        kind = {"name": "RO-Crate Metadata", "encodingFormat": "application/ld+json"}
        own_crate = graph.add(f"{address}.crate.json", "CreativeWork", kind)
    is_open = member.access is not None and member.access.is_open
    is_whole = is_one_archive(file_count=member.file_count, dataset_count=member.dataset_count)
    return entity(
        address,
        "Dataset",
        {
            "name": member.title,
            "url": address,
            "identifier": add_identifier(graph, member.doi, str(member.uid)),
            "conditionsOfAccess": member.access.text if member.access else "",
            "contentSize": str(member.size) if member.size else "",
            "subjectOf": own_crate,
            "distribution": _download(graph, address) if is_open and is_whole else None,
        },
    )


def _download(graph: Graph, address: str) -> Reference:
    target = f"{address}/download.zip"
    return graph.add(
        target, "DataDownload", {"name": "All files as ZIP", "encodingFormat": "application/zip", "contentUrl": target}
    )


def _note(description: Description) -> str:
    """What is left out of the document, in words; begins with a space."""
    record, notes = description.record, []
    if isinstance(record, DatasetRecord) and 0 < len(description.files) < record.file_count:
        notes.append(f"the first {len(description.files):,} of {record.file_count:,} files")
    if isinstance(record, DatasetRecord) and len(record.parameters) > MOST_PARAMETERS:
        notes.append(f"the first {MOST_PARAMETERS:,} values")
    if len(description.members) < description.member_count:
        notes.append(f"the first {len(description.members):,} of {description.member_count:,} members")
    return f" (This document lists {' and '.join(notes)}; {description.url} has all.)" if notes else ""
