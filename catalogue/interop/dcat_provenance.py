"""Where data come from, in the terms of W3C PROV: what was done, with which instrument, by whom, from which data. Pure.

Source: https://www.w3.org/TR/prov-o/. What its reader may not see is not in the record and so not here.
"""

import math
from collections.abc import Iterable, Sequence

from rdflib import PROV, RDF, RDFS, SDO, Graph, Literal, URIRef
from rdflib.term import Node

from catalogue.interop.dcat_terms import add, iri, moment, text
from catalogue.interop.description import Description
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord, ParameterValue

MOST_PARAMETERS = 30


def add_provenance(graph: Graph, node: URIRef, description: Description, people: Iterable[Node]) -> None:
    """How the data of a dataset, or of a whole session, were made; who put a collection together is told by its creators."""
    record = description.record
    graph.add((node, RDF.type, PROV.Entity))
    if isinstance(record, CollectionRecord):
        return
    agents = list(people)
    measurement = _add_measurement(graph, record, description, agents)
    if isinstance(record, InvestigationRecord) or record.kind == "raw":
        graph.add((node, PROV.wasGeneratedBy, measurement))
    else:
        processing = _add_activity(graph, f"{description.url}#processing", f"Processing of {record.title}", agents)
        graph.add((processing, PROV.wasInformedBy, measurement))
        for source in record.derived_from:
            graph.add((processing, PROV.used, iri(f"{description.site.url}/datasets/{source.uid}")))
        graph.add((node, PROV.wasGeneratedBy, processing))
    if isinstance(record, DatasetRecord):
        add(graph, node, (PROV.generatedAtTime, moment(record.acquired_at)))


def _add_measurement(
    graph: Graph, record: DatasetRecord | InvestigationRecord, description: Description, agents: Sequence[Node]
) -> URIRef:
    used = record.instrument
    label = f"Measurement at {used.name}, {record.facility.name}"
    measurement = _add_activity(graph, f"{description.url}#measurement", label, agents)
    instrument = iri(used.pid or f"{description.site.url}/instruments/{used.uid}")
    add(graph, instrument, (RDF.type, PROV.Entity), (RDFS.label, text(used.name)))
    graph.add((measurement, PROV.used, instrument))
    if isinstance(record, InvestigationRecord):
        add(
            graph,
            measurement,
            (PROV.startedAtTime, moment(record.started_at)),
            (PROV.endedAtTime, moment(record.ended_at)),
        )
    elif record.sample:
        sample = iri(f"{description.site.url}/samples/{record.sample.uid}")
        add(graph, sample, (RDF.type, PROV.Entity), (RDFS.label, text(record.sample.name)))
        graph.add((measurement, PROV.used, sample))
    return measurement


def _add_activity(graph: Graph, address: str, label: str, agents: Iterable[Node]) -> URIRef:
    activity = iri(address)
    add(graph, activity, (RDF.type, PROV.Activity), (RDFS.label, text(label)))
    for agent in agents:
        graph.add((activity, PROV.wasAssociatedWith, agent))
    return activity


def add_parameters(graph: Graph, node: URIRef, description: Description) -> None:
    """The numbers of a dataset as schema.org says them, where they are few: long tables are in the forms made for them."""
    record = description.record
    if not isinstance(record, DatasetRecord):
        return
    numbers = [(one, _number(one)) for one in record.parameters if not (one.group or one.is_corrected)]
    known = [(one, value) for one, value in numbers if value is not None]
    for place, (one, value) in enumerate(known if len(known) <= MOST_PARAMETERS else (), start=1):
        parameter = iri(f"{description.url}#parameter-{place}")
        add(
            graph,
            parameter,
            (RDF.type, SDO.PropertyValue),
            (SDO.name, text(one.name)),
            (SDO.value, Literal(value)),
            (SDO.unitText, text(one.unit if one.value_si is None else one.unit_si)),
        )
        graph.add((node, SDO.variableMeasured, parameter))


def _number(one: ParameterValue) -> float | None:
    """In SI where that is known; None for a text, and for what is no number in every syntax."""
    value = one.value if one.value_si is None else one.value_si
    return float(value) if value is not None and math.isfinite(value) else None
