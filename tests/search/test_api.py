"""/api/v1/search: the page's questions for programs."""

import json

import pytest

from tests.search.conftest import SECRET


def get(client, **parameters) -> dict:
    response = client.get("/api/v1/search", parameters)
    assert response.status_code == 200, response.content
    return response.json()


def post(client, document) -> dict:
    response = client.post("/api/v1/search", json.dumps(document), content_type="application/json")
    assert response.status_code == 200, response.content
    return response.json()


def test_an_answer_has_the_question_as_understood_total_facets_and_records(client, laboratory):
    answer = get(client, q="nanowire", kind="raw", nonsense="1")
    assert answer["total"] == 2 and answer["is_total_exact"]
    assert answer["query"]["filters"] == {"kind": ["raw"]}
    assert {"value": "fem", "label": "Field emission microscope", "count": 2} in answer["facets"]["instrument"]
    assert {one["uid"] for one in answer["hits"]} == {str(laboratory.wires.uid), str(laboratory.forest.uid)}


def test_the_query_of_an_answer_asks_the_same_again(client, laboratory):
    asked = {"q": "nanowire", "p.accelerating_voltage": "4..20 kV", "element": ["Zn", "O"], "from": "2022-01-01"}
    first = get(client, **asked)
    again = post(client, first["query"])
    assert again == first and first["total"] == 2


def test_histograms_come_with_their_edges(client, laboratory):
    histogram = get(client, histogram="accelerating_voltage|kV")["histograms"]["accelerating_voltage"]
    assert histogram["unit"] == "kV" and histogram["edges"][0] <= 5 and histogram["edges"][-1] >= 10
    assert sum(histogram["counts"]) == 2


def test_pages_follow_each_other_to_the_end_by_link_and_by_cursor(client, laboratory):
    first = get(client, size=3)
    second = client.get(first["next"]).json()
    assert len(first["hits"]) == 3 and len(second["hits"]) == 1 and second["next"] is None
    assert second["facets"] == {}
    assert post(client, first["query"] | {"cursor": first["cursor"]})["hits"] == second["hits"]


def test_what_is_not_understood_is_left_out_with_a_note(client, laboratory):
    answer = post(client, {"text": "nanowire", "colour": "blue", "filters": {"kind": 5}})
    assert answer["total"] == 2
    assert len([note for note in answer["notes"] if "not understood" in note]) == 2


@pytest.mark.parametrize("body", ["{", "[1", '{"text": NaN}'])
def test_what_is_no_json_is_refused_with_a_reason(client, laboratory, body):
    response = client.post("/api/v1/search", body, content_type="application/json")
    assert response.status_code == 422 and response.json()["code"] == "malformed"


def test_strangers_get_nothing_of_what_is_closed_and_its_team_does(signed_in, client, laboratory):
    assert get(signed_in, q=SECRET)["total"] == 1
    client.logout()
    assert get(client, q=SECRET)["total"] == 0
    assert SECRET not in json.dumps(get(client))
    assert SECRET not in json.dumps(get(client, histogram="accelerating_voltage")["facets"])


def test_without_an_index_the_database_answers_with_a_note(client, db, build_index):
    answer = get(client, q="wires", element="Zn")
    assert answer["total"] == 0 and answer["facets"] == {}
    assert "The search index is not there yet." in answer["notes"]


def test_questions_by_post_count_as_reads(client, laboratory, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {
        "DEFAULT_THROTTLE_RATES": {"anonymous-read": "2/min", "read": "9/min", "write": "9/min"}
    }
    asked = [client.post("/api/v1/search", "{}", content_type="application/json").status_code for _ in range(3)]
    assert asked == [200, 200, 429]
