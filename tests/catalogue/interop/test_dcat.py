"""DCAT-AP of datasets, sessions and collections: valid by the official shapes, the same graph in three syntaxes, true to the record."""

import contextlib
import json
import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from pyshacl import validate
from rdflib import DCTERMS, FOAF, PROV, RDF, SDO, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import XSD

from catalogue.access import ANONYMOUS
from catalogue.descriptions import describe_dataset, describe_investigation
from catalogue.errors import NotFound
from catalogue.interop import dcat
from catalogue.interop.dcat_terms import ACCESS_RIGHTS, ADMS, DATASET_STATUS, DCAT, SPDX, VCARD
from catalogue.interop.description import FEW_FILES
from catalogue.publication import Creator, PublicationText, RelatedIdentifier, Subject
from catalogue.record import DatasetRef
from tests.access.world import make_world
from tests.described import (
    SITE,
    TECHNIQUES,
    a_file,
    access,
    closed_dataset,
    collection_record,
    dataset_record,
    describe,
    investigation_record,
    number,
)
from tests.factories import set_embargo_metadata
from tests.publications import publications

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


def test_a_closed_dataset_in_turtle_is_as_written_down_here():
    """The record itself, as its file begins; who and what it names follow."""
    record = closed_dataset(kind="raw", people=(), techniques=TECHNIQUES[:1], proposal="", acquired_at=None)
    begin = dcat.turtle(describe(record)).decode().split("\n\n")[1]
    page = f"{SITE.url}/datasets/{record.uid}"
    authority = "http://publications.europa.eu/resource/authority"
    assert begin.split("\n    ") == [
        f"<{page}> a dcat:Dataset, foaf:Document, prov:Entity ;",
        'dct:title "Nanowires & “wires”, <grown>" ;',
        'dct:description "First lines.\\n\\nAnd more of it." ;',
        f'dct:identifier "{page}", "urn:uuid:{record.uid}" ;',
        'dct:bibliographicCitation "Example Light Source (2029): Nanowires & “wires”, <grown>. Example Light Source.'
        f' Dataset. {page}" ;',
        f"dcat:landingPage <{page}> ;",
        "dct:creator <https://ror.org/02550n020> ;",
        "dct:publisher <https://ror.org/02550n020> ;",
        f"dcat:contactPoint <{SITE.url}/#contact> ;",
        f"dct:accessRights <{authority}/access-right/RESTRICTED> ;",
        "dct:license <https://creativecommons.org/licenses/by/4.0/> ;",
        'dct:available "2029-03-01T00:00:00+00:00"^^xsd:dateTime ;',
        'dct:modified "2026-04-02T08:00:00+00:00"^^xsd:dateTime ;',
        'dcat:keyword "small angle x-ray scattering" ;',
        f"dcat:theme <{authority}/data-theme/TECH>, <http://purl.org/pan-science/PaNET/PaNET01188> ;",
        f"dct:isPartOf <{SITE.url}/investigations/{record.investigation.uid}> ;",
        f"prov:wasGeneratedBy <{page}#measurement> .",
    ]


def test_the_same_record_gives_the_same_bytes():
    for write in SYNTAXES.values():
        assert write(describe(dataset_record())) == write(describe(dataset_record()))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("an open dataset", "PUBLIC"),
        ("a closed dataset", "RESTRICTED"),
        ("a withdrawn dataset", "NON_PUBLIC"),
        ("a collection", "PUBLIC"),
        ("a withdrawn collection", "NON_PUBLIC"),
    ],
)
def test_access_rights_are_a_term_of_the_authority_table_and_only_open_data_have_distributions(name, right):
    graph, node = graph_of(RECORDS[name])
    assert graph.value(node, DCTERMS.accessRights) == ACCESS_RIGHTS[right]
    assert bool(list(graph.objects(node, DCAT.distribution))) == (right == "PUBLIC")


def test_a_draft_of_a_collection_is_not_called_public():
    graph, node = graph_of(collection_record(published_at=None, state="draft", doi=""))
    assert graph.value(node, DCTERMS.accessRights) == ACCESS_RIGHTS.NON_PUBLIC
    assert not list(graph.objects(node, DCAT.distribution))


def test_files_of_closed_data_are_not_told_even_to_the_team_that_reads_them():
    graph, node = graph_of(closed_dataset(), files=(a_file("secret.tif"),))
    assert b"secret" not in dcat.turtle(describe(closed_dataset(), files=(a_file("secret.tif"),)))
    assert not list(graph.objects(None, DCAT.downloadURL))


def test_closed_data_say_from_when_they_are_available_and_not_that_they_were_issued():
    graph, node = graph_of(closed_dataset())
    assert str(graph.value(node, DCTERMS.available)) == "2029-03-01T00:00:00+00:00"
    assert graph.value(node, DCTERMS.issued) is None


def test_a_withdrawn_dataset_has_that_status_and_the_reason():
    graph, node = graph_of(RECORDS["a withdrawn dataset"])
    assert graph.value(node, ADMS.status) == DATASET_STATUS.WITHDRAWN
    assert str(graph.value(node, DCTERMS.description)) == "Withdrawn: Made by mistake."


def test_a_dataset_is_told_by_its_doi_licence_people_and_terms():
    graph, node = graph_of(dataset_record())
    assert Literal("https://doi.org/10.5072/faircat.2026.7") in set(graph.objects(node, DCTERMS.identifier))
    assert graph.value(node, DCTERMS.license) == URIRef("https://creativecommons.org/licenses/by/4.0/")
    assert graph.value(node, DCTERMS.publisher) == URIRef("https://ror.org/02550n020")
    ana = URIRef("https://orcid.org/0000-0002-1825-0097")
    assert ana in set(graph.objects(node, DCTERMS.creator))
    assert str(graph.value(ana, FOAF.name)) == "Ana María García-Márquez"
    assert URIRef("http://purl.org/pan-science/PaNET/PaNET01188") in set(graph.objects(node, DCAT.theme))
    period = graph.value(node, DCTERMS.temporal)
    assert graph.value(period, DCAT.startDate) == Literal("2026-01-31", datatype=XSD.date)
    assert graph.value(node, DCTERMS.isPartOf) == URIRef(f"{SITE.url}/investigations/{investigation_record().uid}")
    mail = graph.value(graph.value(node, DCAT.contactPoint), VCARD.hasEmail)
    assert mail == URIRef("mailto:data@faircat.example")


def test_a_file_has_its_size_checksum_media_type_and_address():
    graph, node = graph_of(dataset_record())
    file = URIRef(f"{node}/files/data/%C3%BC%231.h5")
    assert (node, DCAT.distribution, file) in graph
    assert graph.value(file, DCAT.downloadURL) == file
    assert graph.value(file, DCAT.byteSize) == Literal(1024, datatype=XSD.nonNegativeInteger)
    checksum = graph.value(file, SPDX.checksum)
    assert graph.value(checksum, SPDX.algorithm) == SPDX.checksumAlgorithm_sha256
    assert str(graph.value(checksum, SPDX.checksumValue)) == "ab" * 32
    image = graph.value(URIRef(f"{node}/files/a%20b.tif"), DCAT.mediaType)
    assert image == URIRef("https://www.iana.org/assignments/media-types/image/tiff")


def test_many_files_are_one_archive_and_the_first_few():
    many = dataset_record(file_count=5_000)
    graph, node = graph_of(many, files=tuple(a_file(f"{place}.tif") for place in range(1000)))
    archive = URIRef(f"{node}/download.zip")
    assert len(list(graph.objects(node, DCAT.distribution))) == FEW_FILES + 1
    assert str(graph.value(archive, DCTERMS.description)) == "5,000 files. 10 of them are named one by one."
    assert graph.value(archive, FOAF.page) == URIRef(f"{node}/files.sha256")


def test_more_files_than_an_archive_holds_are_downloaded_by_a_list():
    graph, node = graph_of(dataset_record(file_count=100_000))
    everything = URIRef(f"{node}/files.aria2.txt")
    assert everything in set(graph.objects(node, DCAT.distribution))
    assert "aria2c" in str(graph.value(everything, DCTERMS.description))
    assert (None, DCAT.downloadURL, URIRef(f"{node}/download.zip")) not in graph


def test_a_session_and_a_collection_have_parts_and_one_archive():
    for record, folder in ((investigation_record(), "investigations"), (collection_record(), "collections")):
        graph, node = graph_of(record)
        assert len(list(graph.objects(node, DCTERMS.hasPart))) == 2
        archives = list(graph.objects(node, DCAT.distribution))
        assert archives == [URIRef(f"{SITE.url}/{folder}/{record.uid}/download.zip")]


def test_a_version_of_a_collection_names_its_number_the_one_before_and_the_concept():
    graph, node = graph_of(collection_record())
    assert str(graph.value(node, DCAT.version)) == "2"
    assert str(graph.value(node, ADMS.versionNotes)) == "Version 2 of all that 10.5072/faircat.2026.19 names."
    assert graph.value(node, DCAT.previousVersion) == URIRef("https://doi.org/10.5072/faircat.2025.1")
    assert graph.value(node, DCAT.isVersionOf) == URIRef("https://doi.org/10.5072/faircat.2026.19")


def test_derived_data_say_from_what_how_with_which_instrument_and_by_whom_in_terms_of_prov():
    record = dataset_record(derived_from=(DatasetRef(investigation_record().uid, "Raw", "raw"),))
    graph, node = graph_of(record)
    source = URIRef(f"{SITE.url}/datasets/{investigation_record().uid}")
    processing = graph.value(node, PROV.wasGeneratedBy)
    assert (node, PROV.wasDerivedFrom, source) in graph
    assert (processing, RDF.type, PROV.Activity) in graph
    assert (processing, PROV.used, source) in graph
    measurement = graph.value(processing, PROV.wasInformedBy)
    instrument = URIRef(record.instrument.pid)
    assert (measurement, PROV.used, instrument) in graph
    assert (instrument, RDF.type, PROV.Entity) in graph
    agents = set(graph.objects(processing, PROV.wasAssociatedWith))
    assert agents == set(graph.objects(node, DCTERMS.creator))
    assert all((agent, RDF.type, PROV.Agent) in graph for agent in agents)
    derivative = URIRef(f"{SITE.url}/datasets/{record.derivatives[0].uid}")
    assert (derivative, PROV.wasDerivedFrom, node) in graph


def test_raw_data_were_generated_by_a_measurement_and_a_session_took_its_time():
    graph, node = graph_of(dataset_record(kind="raw", derived_from=()))
    measurement = graph.value(node, PROV.wasGeneratedBy)
    assert (measurement, PROV.used, URIRef(f"{SITE.url}/samples/{dataset_record().sample.uid}")) in graph
    assert str(graph.value(node, PROV.generatedAtTime)) == "2026-01-31T10:15:30+00:00"
    graph, node = graph_of(investigation_record())
    session = graph.value(node, PROV.wasGeneratedBy)
    assert str(graph.value(session, PROV.endedAtTime)) == "2026-02-02T18:00:00+00:00"


def test_parameters_are_told_with_units_where_they_are_few():
    few = (number("voltage", 5000.0, "V"), number("broken", math.nan, "m"), number("endless", math.inf, "m"))
    graph, node = graph_of(dataset_record(parameters=few))
    (voltage,) = graph.objects(node, SDO.variableMeasured)
    assert (float(graph.value(voltage, SDO.value)), str(graph.value(voltage, SDO.unitText))) == (5000.0, "V")
    many = tuple(number(f"value_{place}", 1.0, "m") for place in range(31))
    graph, node = graph_of(dataset_record(parameters=many))
    assert not list(graph.objects(node, SDO.variableMeasured))


HOSTILE = '\x00\x0b\x1b]]> " \'\'\' """ \\u0041 \\ <b>&amp; \r\n\u202eטקסט\u2028 \ufffe @en ^^<x> . #\t'


def test_hostile_characters_break_no_syntax(dcat_ap):
    record = dataset_record(
        title=HOSTILE,
        description=HOSTILE,
        parameters=(number(HOSTILE, 1.0, HOSTILE),),
        relations=(),
        instrument=replace(dataset_record().instrument, pid='https://x.example/"> <y> \n.{}|^`ü', name=HOSTILE),
        licence=replace(dataset_record().licence, url="https://x.example/a b<c>\\", name=HOSTILE),
    )
    description = describe(record, files=(a_file(HOSTILE, media_type=HOSTILE), a_file("../<x>?#%.tif")))
    said = dcat.graph_of(description)
    for syntax, write in SYNTAXES.items():
        assert isomorphic(Graph().parse(write(description), format=syntax), said), syntax
    assert validate(Graph().parse(dcat.turtle(description)), shacl_graph=dcat_ap)[0]
    for node in said.all_nodes():
        assert isinstance(node, Literal) or str(node).isascii()
        assert isinstance(node, Literal) or not set(str(node)) & set('<>"{}|\\^` \n')


def test_links_to_no_address_are_left_out():
    text = PublicationText(
        title="Links",
        creators=(Creator(family_name="A"),),
        related=(RelatedIdentifier("javascript:alert(1)", "URL", "References"),),
        subjects=(Subject("term", "", "", "javascript:alert(1)"), Subject("other", "", "", "not an address")),
        language='en"^^<x>',
    )
    assert b"javascript" not in dcat.turtle(describe(collection_record(text=text)))
    graph, node = graph_of(collection_record(text=text))
    assert graph.value(node, DCTERMS.title) == Literal("Links")


@settings(max_examples=40)
@given(publication=publications, name=st.text(max_size=30))
def test_whatever_people_write_is_the_same_graph_in_every_syntax(publication, name):
    record = collection_record(text=publication.text, title=publication.text.title)
    description = replace(describe(record), publication=publication, site=replace(SITE, name=name or "x"))
    said = dcat.graph_of(description)
    for syntax, write in SYNTAXES.items():
        assert isomorphic(Graph().parse(write(description), format=syntax), said), syntax


def test_ten_thousand_authors_are_cited_and_the_first_hundred_described():
    crowd = tuple(Creator(family_name=f"Author {place}") for place in range(10_000))
    text = replace(collection_record().text, creators=crowd)
    graph, node = graph_of(collection_record(text=text))
    assert len(list(graph.objects(node, DCTERMS.creator))) == dcat.MOST_PEOPLE


def test_json_ld_brings_its_context_and_needs_no_network():
    document = json.loads(dcat.json_ld(describe(dataset_record())))
    assert document["@context"]["dcat"] == "http://www.w3.org/ns/dcat#"
    assert any(item.get("@id", "").endswith(str(dataset_record().uid)) for item in document["@graph"])


@pytest.mark.django_db
@pytest.mark.parametrize("policy", ["summary", "none"])
def test_the_graphs_of_closed_and_withdrawn_records_hold_no_hidden_value(tmp_path, policy):
    world, now = make_world(tmp_path), timezone.now()
    set_embargo_metadata(policy)
    described = []
    for state in ("closed", "withdrawn"):
        with contextlib.suppress(NotFound):
            described.append(describe_dataset(world.datasets[state].uid, ANONYMOUS, now=now))
        with contextlib.suppress(NotFound):
            described.append(describe_investigation(world.investigations[state].uid, ANONYMOUS, now=now))
    assert bool(described) == (policy == "summary")
    written = [write(one).decode().lower() for one in described for write in SYNTAXES.values()]
    assert not [place for place, word in world.canaries.items() for text in written if word.lower() in text]


@pytest.mark.django_db
def test_what_was_closed_is_told_once_it_opens_by_the_clock(tmp_path):
    world = make_world(tmp_path)
    later = timezone.now() + timedelta(days=366)
    description = describe_dataset(world.datasets["closed"].uid, ANONYMOUS, now=later)
    assert world.canaries["file name of the closed dataset"] in dcat.turtle(description).decode()
