"""How the PaNOSC search API answers: shapes, units, dates, scores, errors, and how often it asks the database."""

import json
import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.models import Dataset
from catalogue.services.panosc_context import ACCOUNT
from search.engines import engine
from tests import factories
from tests.search.archive import built
from tests.search.panosc.asking import ask, listed, titles
from tests.search.panosc.test_agreement import WHOLE
from tests.search.panosc.world import add_number, make_archive

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def archive(tmp_path):
    return make_archive(tmp_path)


def with_parameter(where: dict, **scope) -> dict:
    return {"include": [{"relation": "parameters", "scope": {"where": where, **scope}}]}


def test_a_dataset_has_the_properties_of_the_specification(archive):
    first = listed("Datasets", filter={"limit": 1})[0]
    dataset = archive.datasets[0]
    assert first == {
        "pid": str(dataset.uid),
        "title": "Scan of steel",
        "isPublic": True,
        "creationDate": "2020-05-05T10:00:00.123Z",
        "size": 0,
        "instrumentId": str(dataset.instrument.uid),
        "score": 0,
    }


def test_an_absent_property_is_left_out(archive):
    document = next(one for one in listed("Documents") if one["title"] == "Nickel at 4 K")
    assert {"summary", "doi"}.isdisjoint(document)
    assert document["pid"] == str(archive.investigations[1].uid)
    assert document["type"] == "proposal"
    assert document["startDate"] == "2020-05-06T15:01:02.341Z"


def test_relations_come_only_when_they_are_included_and_empty_when_there_is_none(archive):
    found = listed("Datasets", filter={"include": ["files"], "limit": 1})[0]
    assert found["files"] == []
    assert {"techniques", "parameters", "documents"}.isdisjoint(found)


@pytest.mark.parametrize(
    "asked, unit, shown",
    [
        ({"lt": 5}, "K", 4.2),
        ({"lt": -268}, "celsius", -268.95),
        ({"lt": -450}, "fahrenheit", -452.11),
        ({"lte": 4200}, "mK", 4200),
    ],
)
def test_temperatures_are_compared_and_shown_in_the_unit_that_was_asked_for(archive, asked, unit, shown):
    found = listed("Datasets", filter=with_parameter({"name": "temperature", "value": asked, "unit": unit}))
    assert [one["title"] for one in found] == ["Scan of steel"]
    (parameter,) = found[0]["parameters"]
    assert (parameter["value"], parameter["unit"]) == (pytest.approx(shown, abs=1e-9), unit)


@pytest.mark.parametrize(
    "unit, value", [("Å", 2), ("\u212b", 2), ("A\u030a", 2), ("angstrom", 2), ("nm", 0.2), ("m", 2e-10), ("pm", 200)]
)
def test_every_way_to_write_an_angstrom_is_understood(archive, unit, value):
    found = listed("Datasets", filter=with_parameter({"name": "incident_wavelength", "value": value, "unit": unit}))
    assert [one["pid"] for one in found] == [str(archive.datasets[1].uid)]
    assert found[0]["parameters"][0]["value"] == pytest.approx(value)


@pytest.mark.parametrize(
    "value, many",
    [
        (12500, 4), ({"eq": 12500}, 4), ({"neq": 12500}, 0), ({"gt": 12499}, 4), ({"gte": 12500}, 4), ({"lt": 12500}, 0),
        ({"lte": 12500}, 4), ({"between": [12499, 12501]}, 4), ({"inq": [1, 12500]}, 4), ({"nin": [12500]}, 0),
        ({"gt": 12000, "lt": 12400}, 0),
    ],
)  # fmt: skip
def test_every_comparison_works_on_quantities(archive, value, many):
    assert (
        len(listed("Datasets", filter=with_parameter({"name": "photon_energy", "value": value, "unit": "eV"}))) == many
    )


def test_a_unit_of_another_dimension_finds_nothing_and_an_unknown_one_is_compared_as_text(archive):
    assert listed("Datasets", filter=with_parameter({"name": "photon_energy", "value": {"gt": 0}, "unit": "K"})) == []
    strange = {"name": "strange", "value": {"gt": 5}, "unit": "furlongs per yoghurt"}
    assert len(listed("Datasets", filter=with_parameter(strange))) == 2


def test_a_file_is_listed_with_its_size_and_counted(archive):
    dataset = archive.datasets[2]
    files = listed(f"Datasets/{dataset.uid}/files")
    assert [(one["name"], one["size"], one["datasetId"]) for one in files] == [
        ("file_0.hdf", 1, str(dataset.uid)),
        ("file_1.hdf", 2, str(dataset.uid)),
    ]
    assert all(re.fullmatch(r"[0-9A-Za-z_.~-]+", one["id"]) for one in files)
    assert ask(f"datasets/{dataset.uid}/FILES/count", where={"size": {"gt": 1}}) == (200, {"count": 1})
    assert [one["name"] for one in listed(f"Datasets/{dataset.uid}/files", filter={"limit": 1, "skip": 1})] == [
        "file_1.hdf"
    ]
    assert listed(f"Datasets/{dataset.uid}/files", filter={"where": {"text": "_1"}, "fields": ["name"]}) == [
        {"name": "file_1.hdf"}
    ]


@pytest.mark.parametrize(
    "form", ["Documents/10.5072%2Fsession-0", "Documents/10.5072/session-0", "documents/10.5072%2FSESSION-0"]
)
def test_pids_with_slashes_are_taken_in_either_form(archive, form):
    assert ask(form)[1]["title"] == "Copper under load"


def test_a_document_is_found_by_its_uid_too_after_it_got_a_doi(archive):
    assert ask(f"Documents/{archive.investigations[0].uid}")[1]["pid"] == "10.5072/session-0"


def test_a_single_object_shows_only_the_related_things_that_were_asked_for(archive):
    scope = {"relation": "datasets", "scope": {"where": {"title": "Scan of steel"}, "include": ["samples"]}}
    document = ask("Documents/10.5072/session-0", filter={"include": [scope]})[1]
    assert [one["title"] for one in document["datasets"]] == ["Scan of steel"]
    assert document["datasets"][0]["samples"][0]["name"] == "solid copper 0"


def test_a_limit_counts_for_all_tables_that_a_relation_leads_to(archive):
    def documents(**scope: int) -> list[list[str]]:
        include = [{"relation": "documents", "scope": scope}]
        return [[one["pid"] for one in item["documents"]] for item in listed("Datasets", filter={"include": include})]

    whole = documents()
    assert max(map(len, whole)) > 1
    assert documents(limit=1) == [pids[:1] for pids in whole]
    assert documents(skip=1) == [pids[1:] for pids in whole]


@pytest.mark.parametrize("model", WHOLE)
def test_what_is_ours_is_answered_alike_before_and_after_an_import(archive, model):
    before = listed(f"{model}s", filter={"include": WHOLE[model]})
    factories.make_user(ACCOUNT)
    assert listed(f"{model}s", filter={"include": WHOLE[model]}) == before


def test_people_come_with_their_roles_and_affiliations(archive):
    includes = {"relation": "members", "scope": {"include": ["person", "affiliation"]}}
    members = ask("Documents/10.5072/session-0", filter={"include": [includes]})[1]["members"]
    assert [one["role"] for one in members] == ["principal investigator", "member"]
    assert members[1]["person"]["fullName"] == "Ada Öberg"
    assert members[1]["affiliation"]["name"] == "Lund University"
    assert "affiliation" not in members[0]


@pytest.mark.parametrize("address", ["", "api", "api/Samples", "api/Datasetss", "api/Techniques/count", "x/y"])
def test_what_is_no_route_is_a_404_in_loopbacks_shape(archive, address):
    response = Client().get(f"/panosc/{address}")
    if not address:
        assert set(response.json()) == {"started", "uptime", "api_version", "facility", "default_limit"}
        return
    assert response.status_code == 404
    assert response.json()["error"]["statusCode"] == 404


def test_an_unknown_pid_names_the_model_and_the_pid(archive):
    status, answer = ask("Instruments/nothing")
    assert status == 404
    error = answer["error"]
    assert (error["statusCode"], error["code"]) == (404, "MODEL_NOT_FOUND")
    assert "Instrument" in error["message"] and "nothing" in error["message"]


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(archive, verb):
    response = getattr(Client(), verb)("/panosc/api/Datasets", data="{}", content_type="application/json")
    assert response.status_code == 405
    assert response.json()["error"]["statusCode"] == 405


def test_any_page_of_the_web_may_ask(archive):
    response = Client().options("/panosc/api/Datasets", headers={"Origin": "https://example.org"})
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "access_token" in response["Access-Control-Allow-Headers"]
    got = Client().get("/panosc/api/Datasets")
    assert got["Content-Type"] == "application/json; charset=utf-8"
    assert got["Access-Control-Allow-Origin"] == "*"


def test_the_query_is_the_same_as_an_argument_and_in_the_filter(archive, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()
    built(engine())
    by_argument, by_filter = listed("Datasets", query="steel"), listed("Datasets", filter={"query": "steel"})
    assert by_argument == by_filter
    assert [one["score"] for one in by_argument] == sorted((one["score"] for one in by_argument), reverse=True)
    narrowed = {"query": "steel", "where": {"creationDate": {"gt": "2020-05-06"}}}
    assert len(listed("Datasets", filter=narrowed)) == len(by_argument) - 1
    assert titles("Documents", query="copper load")[0] == "Copper under load"
    assert titles("Instruments", query="loki") == ["LoKI"]


def asked_for(url: str, headers: dict[str, str] | None = None) -> int:
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        assert Client().get(url, headers=headers or {}).status_code == 200
    return len(queries)


@pytest.mark.parametrize("model", WHOLE)
def test_a_page_of_any_size_with_everything_takes_twelve_queries_at_most(archive, model):
    includes = [*WHOLE[model], {"relation": "datasets"}] if model == "Instrument" else WHOLE[model]
    url = f"/panosc/api/{model}s?filter={json.dumps({'include': includes})}"
    few = asked_for(url)
    session = archive.investigations[0]
    for number in range(30):
        dataset = factories.make_dataset(session, title=f"more {number}")
        dataset.techniques.set(archive.techniques.values())
        add_number(dataset, "temperature", number, "K")
    assert Dataset.objects.count() > 40
    assert asked_for(url) == few <= 12


def test_the_most_that_can_be_asked_takes_twelve_queries(archive, settings, tmp_path):
    wide = [
        {"relation": "datasets", "scope": {"include": ["documents", "instrument", "techniques", "files", "samples"]}},
        {"relation": "datasets", "scope": {"include": [
            {"relation": "parameters", "scope": {"where": {"name": "temperature"}}},
            {"relation": "techniques", "scope": {"where": {"name": "x-ray probe"}}},
        ]}},
    ]  # fmt: skip
    for more in ({}, {"skip": 1}, {"order": "title"}):
        filter = {"include": wide, **more}
        assert asked_for(f"/panosc/api/Documents?filter={json.dumps(filter)}") <= 12
