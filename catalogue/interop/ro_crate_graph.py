"""The entities of an RO-Crate: people, organisations, licences, instruments, terms, values, each once under its @id. Pure.

Source: RO-Crate 1.2, https://w3id.org/ro/crate/1.2, "Contextual Entities" and "Provenance of entities".
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from catalogue.interop.description import Site
from catalogue.publication import Creator, Funding
from catalogue.record import DatasetRecord, FileRef, InstrumentRef, LicenceRef, ParameterValue, SampleRef

CONTEXT = "https://w3id.org/ro/crate/1.2/context"
PROFILE = "https://w3id.org/ro/crate/1.2"
METADATA_NAME = "ro-crate-metadata.json"
UNKNOWN_TYPE = "application/octet-stream"
_URI_CHARACTERS = ":/?#[]@!$&'()*+,;=%~"
_PLAIN = re.compile(rf"[\w.{re.escape(_URI_CHARACTERS)}-]*", re.ASCII)
_NOT_IN_PATHS = re.compile(r"[^\w.~!$&'()*+,;=@/-]")
_SOURCES = {
    "instrument": "Read from the files of the instrument.",
    "person": "Stated by a person.",
    "ai": "Stated by a model.",
}

Entity = dict[str, Any]
Reference = dict[str, str]


class Graph:
    """Entities by @id, in the order in which they were added; what is added again is only referred to."""

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}

    def add(self, identifier: str, kind: str, properties: Mapping[str, Any]) -> Reference:
        """An entity with those of `properties` that have a value. `identifier` is a URI or begins with "#"."""
        if not _PLAIN.fullmatch(identifier):
            identifier = quote(identifier, safe=_URI_CHARACTERS)
        if identifier not in self._entities:
            self._entities[identifier] = entity(identifier, kind, properties)
        return {"@id": identifier}

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._entities.values())


def entity(identifier: str, kind: str, properties: Mapping[str, Any]) -> Entity:
    """A JSON-LD object without empty properties; a list of one value is that value, as compacted JSON-LD has it."""
    found: Entity = {"@id": identifier, "@type": kind}
    for name, value in properties.items():
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        if one not in (None, "", []):
            found[name] = one
    return found


def descriptor(root: str) -> Entity:
    """The entity that says which other one is the root; the name of the file is its @id in detached crates too."""
    return entity(
        METADATA_NAME,
        "CreativeWork",
        {"about": {"@id": root}, "conformsTo": {"@id": PROFILE}, "name": "RO-Crate Metadata"},
    )


def file_entity(identifier: str, file: FileRef) -> Entity:
    """A file under its URL or its path; `contentSize` is in bytes. Written out, since a crate may have thousands."""
    found: Entity = {
        "@id": identifier,
        "@type": "File",
        "name": file.name,
        "encodingFormat": file.media_type or UNKNOWN_TYPE,
    }
    if file.size is not None:
        found["contentSize"] = str(file.size)
    if file.sha256:
        found["sha256"] = file.sha256
    if file.modified_at:
        found["dateModified"] = file.modified_at.isoformat()
    return found


def path_iri(path: str) -> str:
    """A path within a crate as its @id: letters of all scripts stay, what an IRI cannot hold is percent-encoded."""
    return _NOT_IN_PATHS.sub(lambda found: quote(found[0], safe=""), path)


def add_agent(graph: Graph, agent: Creator) -> Reference:
    """A person by ORCID iD, an organisation by ROR; those without get a name within the crate."""
    if agent.is_organisation:
        return add_organisation(graph, agent.name, agent.ror)
    affiliation = add_organisation(graph, agent.affiliation, agent.affiliation_ror) if agent.affiliation else None
    identifier = (
        f"https://orcid.org/{agent.orcid}"
        if agent.orcid
        else _local("person", f"{agent.inverted_name}\n{agent.affiliation}")
    )
    return graph.add(
        identifier,
        "Person",
        {
            "name": agent.display_name,
            "givenName": agent.given_name,
            "familyName": agent.family_name,
            "affiliation": affiliation,
        },
    )


def add_organisation(graph: Graph, name: str, address: str) -> Reference:
    """`address` is its ROR or another page of its own; without one it gets a name within the crate."""
    return graph.add(address or _local("organisation", name), "Organization", {"name": name, "url": address})


def add_publisher(graph: Graph, name: str, ror: str, site: Site) -> Reference:
    """With the address to which questions are sent. The catalogue itself is known by its own page."""
    address = ror or (site.url if name == site.name else "")
    contact = None
    if site.email:
        contact = graph.add(f"mailto:{site.email}", "ContactPoint", {"name": site.name, "email": site.email})
    properties = {"name": name, "url": address, "contactPoint": contact}
    return graph.add(address or _local("organisation", name), "Organization", properties)


def add_funding(graph: Graph, funding: Funding) -> tuple[Reference | None, Reference | None]:
    """The funder and the grant, None for what is not stated."""
    address = funding.funder_id if funding.funder_id.startswith("http") else ""
    funder = add_organisation(graph, funding.funder_name, address) if funding.funder_name else None
    title = funding.award_title or funding.award_number
    if not title:
        return funder, None
    grant = graph.add(
        funding.award_uri or _local("grant", f"{funding}"),
        "Grant",
        {"name": title, "identifier": funding.award_number, "funder": funder},
    )
    return funder, grant


def add_licence(graph: Graph, licence: LicenceRef) -> Reference:
    address = licence.url or f"https://spdx.org/licenses/{licence.spdx_id}"
    return graph.add(
        address,
        "CreativeWork",
        {"name": licence.name, "description": f"The licence {licence.name} ({licence.spdx_id})."},
    )


def add_identifier(graph: Graph, doi: str, uid: str) -> Reference:
    """The DOI, or the id of the catalogue where there is none."""
    if not doi:
        return graph.add(f"urn:uuid:{uid}", "PropertyValue", {"name": "UUID", "value": f"urn:uuid:{uid}"})
    address = f"https://doi.org/{doi}"
    registry = "https://registry.identifiers.org/registry/doi"
    properties = {"name": "DOI", "propertyID": registry, "value": f"doi:{doi}", "url": address}
    return graph.add(address, "PropertyValue", properties)


def add_instrument(graph: Graph, instrument: InstrumentRef, site: Site) -> Reference:
    return graph.add(
        f"{site.url}/instruments/{instrument.uid}",
        "IndividualProduct",
        {
            "name": instrument.name,
            "description": f"Instrument of {instrument.facility.name}.",
            "identifier": instrument.pid,
            "manufacturer": add_organisation(graph, instrument.manufacturer, "") if instrument.manufacturer else None,
            "model": instrument.model,
        },
    )


def add_techniques(graph: Graph, record: DatasetRecord) -> list[Reference]:
    return [
        graph.add(term.iri, "DefinedTerm", {"name": term.label, "termCode": term.iri.rpartition("/")[2]})
        for term in record.techniques
    ]


def add_sample(graph: Graph, sample: SampleRef, site: Site) -> Reference:
    about = ". ".join(filter(None, (sample.sample_type, sample.formula, sample.description)))
    return graph.add(f"{site.url}/samples/{sample.uid}", "Thing", {"name": sample.name, "description": about})


def add_parameter(graph: Graph, identifier: str, parameter: ParameterValue) -> Reference:
    """A value as given, with its unit. One that a person corrected says so: the correction is a value of its own."""
    stated = _SOURCES.get(parameter.source, "")
    return graph.add(
        identifier,
        "PropertyValue",
        {
            "name": f"{parameter.group}/{parameter.name}" if parameter.group else parameter.name,
            "value": _value(parameter),
            "unitText": parameter.unit,
            "description": f"{stated} Corrected by a person." if parameter.is_corrected else stated,
        },
    )


def _value(parameter: ParameterValue) -> Any:
    """A number, text, date in ISO 8601, or list of them; no number is written that JSON cannot hold."""
    if parameter.value is not None and math.isfinite(parameter.value):
        return parameter.value
    if isinstance(parameter.date, datetime):
        return parameter.date.isoformat()
    return [_item(one) for one in parameter.items] or parameter.text


def _item(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else str(value)


def _local(kind: str, text: str) -> str:
    """An @id within the crate, the same for the same thing."""
    return f"#{kind}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}"
