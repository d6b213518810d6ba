"""JSON-LD in schema.org's terms: what search engines ask for, judged by Google's and ESIP's shapes and read by extruct."""

import json
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import extruct
import pytest
from hypothesis import given
from pyshacl import validate
from rdflib import RDF, Graph, Namespace

from catalogue.interop.schema_org import CATALOG_PROFILE, DATASET_PROFILE, MOST_FILES, MOST_PARTS, json_ld
from catalogue.models import Technique
from catalogue.publication import Creator, Funding, PublicationText
from tests import factories
from tests.access.world import make_world
from tests.catalogue.interop.schemas import FOLDER, needs_schemas
from tests.described import (
    a_file,
    a_member,
    access,
    closed_dataset,
    collection_record,
    dataset_record,
    describe,
    investigation_record,
    number,
)
from tests.publications import publications

# rdflib's own parser of JSON-LD uses what rdflib deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
SDO = Namespace("http://schema.org/")
SH = Namespace("http://www.w3.org/ns/shacl#")
RECORDS = {
    "an open dataset": dataset_record(),
    "a closed dataset": closed_dataset(),
    "a dataset of nobody": dataset_record(
        people=(), techniques=(), description="", title="A", acquired_at=None, doi=""
    ),
    "an investigation": investigation_record(),
    "a closed investigation": investigation_record(access=access(is_open=False), abstract="", ended_at=None, doi=""),
    "a collection": collection_record(),
}
# What is recommended to a dataset that has it, and cannot be made up for one that has not.
NOT_EVERYBODY_HAS = {SDO.alternateName, SDO.citation, SDO.sameAs, SDO.temporalCoverage, SDO.variableMeasured}


def read_by_extruct(response) -> list[dict]:
    return extruct.extract(response.content.decode(), syntaxes=["json-ld"])["json-ld"]


def graph_of(document: dict) -> Graph:
    """The triples, as the shapes name them; schema.org's own context is not fetched."""
    text = json.dumps(document | {"@context": {"@vocab": str(SDO)}})
    return Graph().parse(data=text, format="json-ld")


def complaints(document: dict, shapes: str) -> set:
    """The properties that the shapes find fault with."""
    _, report, _ = validate(graph_of(document), shacl_graph=Graph().parse(FOLDER / "shacl" / shapes), advanced=False)
    violations = report.subjects(SH.resultSeverity, SH.Violation)
    return {report.value(one, SH.resultPath) or report.value(one, SH.resultMessage) for one in violations}


@needs_schemas
@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_google_and_esip_find_nothing_wrong(record):
    document = json_ld(describe(record))
    assert complaints(document, "googleRequired.ttl") == set()
    assert complaints(document, "soso_common_v1.2.3.ttl") == set()
    assert complaints(document, "googleRecommended.ttl") <= NOT_EVERYBODY_HAS | (
        {SDO.spatialCoverage} if record is RECORDS["a collection"] else set()
    )


@needs_schemas
def test_an_open_dataset_with_everything_has_all_that_google_recommends():
    assert complaints(json_ld(describe(dataset_record())), "googleRecommended.ttl") == {SDO.alternateName}
    assert complaints({"@type": "Dataset", "name": "x"}, "googleRequired.ttl") == {SDO.url, SDO.description}


def test_an_open_dataset_is_as_written_down_here():
    document = json_ld(describe(dataset_record(parameters=(number("voltage", 5000.0, "V"), number("yield", 2.0, "x")))))
    page = "https://faircat.example/datasets/00000000-0000-0000-0000-00000000000a"
    assert document.pop("distribution") == [
        {"@type": "DataDownload", "name": "All files", "encodingFormat": "application/zip", "contentUrl": f"{page}/download.zip"},
        {"@type": "DataDownload", "name": "a b.tif", "encodingFormat": "image/tiff", "contentUrl": f"{page}/files/a%20b.tif",
         "contentSize": "1024 B", "sha256": "ab" * 32},
        {"@type": "DataDownload", "name": "data/ü#1.h5", "encodingFormat": "application/x-hdf5",
         "contentUrl": f"{page}/files/data/%C3%BC%231.h5", "contentSize": "1024 B", "sha256": "ab" * 32},
        {"@type": "DataDownload", "name": "notes.txt", "contentUrl": f"{page}/files/notes.txt", "contentSize": "7 B",
         "sha256": "ab" * 32},
    ]  # fmt: skip
    assert (
        document["@id"]
        == document["sameAs"]
        == document["identifier"]["url"]
        == "https://doi.org/10.5072/faircat.2026.7"
    )
    assert document["url"] == page
    assert document["http://purl.org/dc/terms/conformsTo"]["@id"] == DATASET_PROFILE
    assert (document["isAccessibleForFree"], document["conditionsOfAccess"]) == (True, "Open since 1 March 2026")
    assert document["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert document["variableMeasured"] == [
        {"@type": "PropertyValue", "name": "voltage", "value": 5000.0, "unitText": "V", "unitCode": "VLT"},
        {"@type": "PropertyValue", "name": "yield", "value": 2.0, "unitText": "x"},
    ]
    panet, own = document["measurementTechnique"]
    assert panet["@id"] == "http://purl.org/pan-science/PaNET/PaNET01188"
    assert panet["inDefinedTermSet"] == "http://purl.org/pan-science/PaNET/"
    assert (own["name"], "inDefinedTermSet" in own) == ("scanning electron microscopy", False)
    assert document["citation"] == ["https://doi.org/10.1234/paper.2026"]
    assert document["isBasedOn"] == [f"https://faircat.example/datasets/{UUID(int=place)}" for place in (11, 12)]
    assert document["isPartOf"] == [f"https://faircat.example/investigations/{UUID(int=3)}"]
    assert document["creator"][0]["@id"] == "https://orcid.org/0000-0002-1825-0097"
    assert {"SEM One", "Example Light Source", "TIFF", "titanium"} & set(document["keywords"]) == {
        "SEM One",
        "Example Light Source",
        "TIFF",
    }


def test_where_data_are_closed_nothing_names_a_place_to_get_them_from():
    for record in (closed_dataset(), investigation_record(access=access(is_open=False))):
        document = json_ld(describe(record))
        assert document["isAccessibleForFree"] is False
        assert document["conditionsOfAccess"] == "Open from 1 March 2029"
        assert "distribution" not in document and "download" not in json.dumps(document)
        assert "variableMeasured" not in document


def test_funders_come_with_their_grants():
    text = PublicationText(
        title="Funded", fundings=(Funding(funder_name="Radium Fund", award_number="R-1"), Funding("Radium Fund"))
    )
    document = json_ld(describe(collection_record(text=text)))
    assert document["funder"] == [{"@type": "Organization", "name": "Radium Fund"}]
    assert document["funding"][0]["identifier"] == "R-1"


def test_a_collection_names_its_members_by_their_own_dois():
    members = (a_member(1), replace(a_member(2), doi="10.5072/part"))
    document = json_ld(describe(collection_record(), members=members))
    assert [one["@id"] for one in document["hasPart"]] == [
        f"https://faircat.example/datasets/{UUID(int=101)}",
        "https://doi.org/10.5072/part",
    ]
    assert document["distribution"][0]["contentUrl"].endswith(f"/collections/{UUID(int=20)}/download.zip")


def test_a_dataset_with_100_000_files_is_as_small_as_one_with_a_thousand():
    files = tuple(a_file(f"frame-{number:06}.tif") for number in range(1000))
    document = json_ld(describe(dataset_record(file_count=100_000), files=files))
    (listed,) = document["distribution"]
    assert listed["contentUrl"].endswith("/files.sha256")
    few = json_ld(describe(dataset_record(file_count=MOST_FILES), files=files[:MOST_FILES]))
    assert len(few["distribution"]) == MOST_FILES + 1


def test_however_much_there_is_the_document_stays_small():
    authors = tuple(Creator(family_name=f"Author {number}", given_name="A.") for number in range(10_000))
    text = PublicationText(title="A", creators=authors)
    members = tuple(a_member(place) for place in range(1000))
    document = json_ld(describe(collection_record(text=text), members=members))
    assert len(document["hasPart"]) == MOST_PARTS
    assert len(json.dumps(document)) < 200_000
    values = tuple(number(f"value {place}", float(place), "V") for place in range(2000))
    assert len(json.dumps(json_ld(describe(dataset_record(parameters=values))))) < 30_000


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "\x00\x08 control", "مواد نانوية \u202e", "a & b < c"]
)
def test_whatever_people_write_stays_a_value(text, client, db):
    dataset = factories.make_dataset(is_open=True, title=text.replace("\x00", ""), description=text.replace("\x00", ""))
    (found,) = read_by_extruct(client.get(f"/datasets/{dataset.uid}"))
    assert found["name"] == dataset.title


def test_a_short_text_is_followed_by_where_it_was_measured():
    document = json_ld(describe(dataset_record(description="", title="Wire")))
    assert document["description"].startswith("Wire. Processed data (small angle x-ray scattering, ")
    long = json_ld(describe(dataset_record(description="x" * 9000)))
    assert len(long["description"]) == 5000


@pytest.mark.django_db
def test_the_page_of_an_open_dataset_is_read_by_extruct(client, tmp_path):
    world = make_world(tmp_path)
    Technique.objects.update(iri="http://purl.org/pan-science/PaNET/PaNET01188")
    dataset = world.datasets["open"]
    page = client.get(f"/datasets/{dataset.uid}")
    (found,) = read_by_extruct(page)
    assert found["name"] == dataset.title
    assert found["measurementTechnique"][0]["inDefinedTermSet"] == "http://purl.org/pan-science/PaNET/"
    assert found["variableMeasured"][0]["unitCode"] == "VLT"
    assert client.get(urlsplit(found["distribution"][1]["contentUrl"]).path).status_code == 200
    assert found == client.get(f"/datasets/{dataset.uid}.jsonld").json()


@pytest.mark.django_db
def test_the_pages_of_investigations_and_collections_are_read_by_extruct(client, tmp_path):
    world = make_world(tmp_path)
    uid = world.investigations["closed"].uid
    for path in (f"/investigations/{uid}", f"/doi/{world.published.doi}", "/doi/10.5072/session-closed"):
        (found,) = read_by_extruct(client.get(path))
        assert "Dataset" in found["@type"] and found["isAccessibleForFree"] is False
    assert (
        extruct.extract(
            client.get(f"/datasets/{world.datasets['withdrawn'].uid}").content.decode(), syntaxes=["json-ld"]
        )["json-ld"]
        == []
    )


def test_the_home_page_is_a_data_catalogue(client, db):
    (found,) = read_by_extruct(client.get("/"))
    assert (None, RDF.type, SDO.DataCatalog) in graph_of(found)
    assert found["potentialAction"]["target"]["urlTemplate"].endswith("/search?q={search_term_string}")
    assert found["http://purl.org/dc/terms/conformsTo"]["@id"] == CATALOG_PROFILE
    assert {"description", "keywords", "name", "provider", "url"} <= set(found)


@given(publications)
def test_whatever_is_published_can_be_written(publication):
    document = json_ld(replace(describe(collection_record()), publication=publication))
    assert json.loads(json.dumps(document)) == document
    assert 0 < len(document["description"]) <= 5000
