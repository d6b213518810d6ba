"""DCAT-AP of datasets, sessions and collections: valid by the official shapes, the same graph in three syntaxes, true to the record."""

from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import DCTERMS, Graph, Namespace, URIRef
from rdflib.compare import isomorphic

from catalogue.interop import dcat
from catalogue.publication import PublicationText
from tests.described import (
    access,
    closed_dataset,
    collection_record,
    dataset_record,
    describe,
    investigation_record,
)

# rdflib's own parser of JSON-LD uses what rdflib deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
SHAPES = Path(__file__).parents[4] / "shared" / "conformance-schemas" / "shacl"
SH = Namespace("http://www.w3.org/ns/shacl#")
EMPTY = PublicationText(title="", abstract="")
RECORDS = {
    "an open dataset": dataset_record(),
    "a raw dataset": dataset_record(kind="raw", derived_from=()),
    "a closed dataset": closed_dataset(),
    "a withdrawn dataset": dataset_record(access=access(withdrawn="Made by mistake."), description=""),
    "a dataset of nobody": dataset_record(people=(), techniques=(), description="", acquired_at=None, doi=""),
    "an investigation": investigation_record(),
    "a closed investigation": investigation_record(access=access(is_open=False), ended_at=None, doi=""),
    "a collection": collection_record(),
    "a withdrawn collection": collection_record(withdrawal_reason="The samples were confused.", text=EMPTY),
}
SYNTAXES = {"turtle": dcat.turtle, "json-ld": dcat.json_ld, "xml": dcat.rdf_xml}


@pytest.fixture(scope="session")
def dcat_ap() -> Graph:
    """What DCAT-AP 3.0.1 demands, the classes of what properties point to included."""
    if not SHAPES.is_dir():
        pytest.skip("the shapes of DCAT-AP are not on this machine")
    shapes = Graph()
    for name in ("dcatap301_shapes.ttl", "dcatap301_range.ttl"):
        shapes.parse(SHAPES / name)
    return shapes


@pytest.fixture(scope="session")
def dcat_ap_recommended() -> Graph:
    if not SHAPES.is_dir():
        pytest.skip("the shapes of DCAT-AP are not on this machine")
    return Graph().parse(SHAPES / "dcatap301_shapes_recommended.ttl")


def graph_of(record, **changes) -> tuple[Graph, URIRef]:
    description = describe(record, **changes)
    return Graph().parse(dcat.turtle(description), format="turtle"), URIRef(description.url)


def missing_paths(data: Graph, shapes: Graph) -> set[str]:
    _, results, _ = validate(data, shacl_graph=shapes, allow_warnings=True)
    return {str(path).rsplit("/", 1)[-1] for path in results.objects(None, SH.resultPath)}


@pytest.mark.parametrize("name", RECORDS)
def test_every_kind_of_record_conforms_to_dcat_ap(name, dcat_ap):
    graph, _ = graph_of(RECORDS[name])
    conforms, _, report = validate(graph, shacl_graph=dcat_ap)
    assert conforms, report


def test_the_shapes_find_what_is_missing(dcat_ap):
    graph, node = graph_of(dataset_record())
    graph.remove((node, DCTERMS.title, None))
    assert not validate(graph, shacl_graph=dcat_ap)[0]


def test_what_the_profile_recommends_and_we_do_not_say_is_known(dcat_ap_recommended):
    """Places: a laboratory is not where a measurement is about. Types of agents and licences: not in the records."""
    graph, _ = graph_of(dataset_record())
    assert missing_paths(graph, dcat_ap_recommended) == {"spatial", "type", "availability", "description", "format"}


@pytest.mark.parametrize("name", RECORDS)
def test_three_syntaxes_say_the_same(name):
    description = describe(RECORDS[name])
    said = dcat.graph_of(description)
    for syntax, write in SYNTAXES.items():
        assert isomorphic(Graph().parse(write(description), format=syntax), said), syntax


def test_the_same_record_gives_the_same_bytes():
    for write in SYNTAXES.values():
        assert write(describe(dataset_record())) == write(describe(dataset_record()))
