"""Registering datasets over HTTP: one by one, in bulk, and once for each Idempotency-Key."""

import json
from types import SimpleNamespace

import pytest

from catalogue.models import AuditEntry, Datafile, Dataset, IdempotencyKey, OutboxEntry, Parameter
from tests.catalogue.api.conftest import Api, dataset_body

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_an_instrument_registers_a_dataset_with_files_and_parameters(lab: SimpleNamespace, machine: Api) -> None:
    body = dataset_body(techniques=[lab.technique.iri], sample="film 3")
    answer = machine.post("datasets", body)
    assert answer.status_code == 201
    dataset = Dataset.objects.get()
    assert answer.json() == {
        "uid": str(dataset.uid),
        "version": 1,
        "status": "registered",
        "url": f"/api/v1/datasets/{dataset.uid}",
    }
    assert answer["Location"] == f"/api/v1/datasets/{dataset.uid}"
    assert answer["ETag"] == '"1"'
    assert dataset.sample.name == "film 3"
    assert Datafile.objects.get().name == "grain.tif"
    parameter = Parameter.objects.get()
    assert (parameter.value, parameter.unit, parameter.value_si, parameter.unit_si) == (15, "kV", 15000, "V")
    lab.investigation.refresh_from_db()
    assert (lab.investigation.dataset_count, lab.investigation.file_count, lab.investigation.size) == (1, 1, 1000)
    assert set(OutboxEntry.objects.values_list("topic", flat=True)) == {"extract", "checksum"}
    assert AuditEntry.objects.filter(action="create", object_id=str(dataset.uid)).exists()


def test_a_known_registration_key_answers_with_the_dataset_that_exists(machine: Api, lab: SimpleNamespace) -> None:
    first = machine.post("datasets", dataset_body())
    again = machine.post("datasets", dataset_body())
    assert (again.status_code, again.json()["status"]) == (200, "exists")
    assert again.json()["uid"] == first.json()["uid"]
    assert Dataset.objects.count() == 1


def test_a_bulk_registers_what_is_right_and_says_of_the_rest_where_it_is_wrong(
    machine: Api, lab: SimpleNamespace
) -> None:
    wrong_path = dataset_body(2, files=[{"storage": "sem-disk", "path": "../secret"}])
    wrong_shape = dataset_body(3, files=[{"storage": "sem-disk", "path": "visit-2026-17/3", "sise": 3}])
    answer = machine.post("datasets/bulk", {"datasets": [dataset_body(1), wrong_path, wrong_shape, dataset_body(1)]})
    document = answer.json()
    assert answer.status_code == 200
    assert (document["registered"], document["existing"], document["refused"]) == (1, 1, 2)
    first, second, third, fourth = document["results"]
    assert first["status"] == "registered"
    assert list(second["fields"]) == ["datasets.1.files.0"]
    assert "did you mean size?" in third["fields"]["datasets.2.files.0.sise"][0]
    assert fourth["uid"] == first["uid"]
    assert Dataset.objects.count() == 1


def test_all_or_nothing_registers_nothing_when_one_is_refused(machine: Api, lab: SimpleNamespace) -> None:
    bad = dataset_body(2, files=[{"storage": "nowhere", "path": "a"}])
    answer = machine.post("datasets/bulk", {"datasets": [dataset_body(1), bad], "all_or_nothing": True})
    assert answer.status_code == 422
    assert answer.json()["code"] == "all-or-nothing"
    assert list(answer.json()["fields"]) == ["datasets.1.files.0"]
    assert answer["Content-Type"] == "application/problem+json"
    assert not Dataset.objects.exists()


def test_all_or_nothing_registers_nothing_when_one_cannot_be_read(machine: Api, lab: SimpleNamespace) -> None:
    bad = dataset_body(2, title=7)
    answer = machine.post("datasets/bulk", {"datasets": [dataset_body(1), bad], "all_or_nothing": True})
    assert answer.status_code == 422
    assert answer.json()["fields"] == {"datasets.1.title": ["Must be a text."]}
    assert not Dataset.objects.exists()


def test_more_than_a_thousand_are_refused_at_once(machine: Api, lab: SimpleNamespace) -> None:
    answer = machine.post("datasets/bulk", {"datasets": [{}] * 1001})
    assert answer.status_code == 422
    assert "1000" in answer.json()["fields"]["datasets"][0]


def test_a_bulk_costs_the_same_number_of_queries_for_any_number(
    machine: Api, lab: SimpleNamespace, django_assert_max_num_queries: object
) -> None:
    counts = []
    for start, many in ((0, 2), (10, 30)):
        with django_assert_max_num_queries(60) as queries:
            body = {"datasets": [dataset_body(start + number) for number in range(many)]}
            assert machine.post("datasets/bulk", body).json()["registered"] == many
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_stranger_a_visitor_and_a_reading_token_register_nothing(
    visitor: Api, stranger: Api, lab: SimpleNamespace
) -> None:
    from tests.catalogue.api.conftest import api_of

    assert visitor.post("datasets", dataset_body()).status_code == 401
    assert visitor.post("datasets", dataset_body())["WWW-Authenticate"] == 'Bearer realm="api"'
    assert stranger.post("datasets", dataset_body()).json()["code"] == "not-allowed"
    assert api_of(lab.pi, "read").post("datasets", dataset_body()).status_code == 403
    assert not Dataset.objects.exists()


def test_a_wrong_token_is_refused_also_for_reading(lab: SimpleNamespace) -> None:
    answer = Api("fct_wrong").get("datasets")
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication-failed")


def test_the_same_key_and_body_get_the_same_answer_and_nothing_happens_twice(
    machine: Api, lab: SimpleNamespace
) -> None:
    body = dataset_body(registration_key="")
    first = machine.post("datasets", body, Idempotency_Key="k1")
    again = machine.post("datasets", body, Idempotency_Key="k1")
    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Dataset.objects.count() == 1


def test_the_same_key_with_another_body_or_address_is_a_conflict(machine: Api, lab: SimpleNamespace) -> None:
    machine.post("datasets", dataset_body(1), Idempotency_Key="k1")
    other = machine.post("datasets", dataset_body(2), Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")
    bulk = machine.post("datasets/bulk", {"datasets": [dataset_body(2)]}, Idempotency_Key="k1")
    assert bulk.status_code == 409
    assert Dataset.objects.count() == 1


def test_two_accounts_may_use_the_same_key(machine: Api, pi: Api, lab: SimpleNamespace) -> None:
    assert machine.post("datasets", dataset_body(1), Idempotency_Key="k1").status_code == 201
    assert pi.post("datasets", dataset_body(2), Idempotency_Key="k1").status_code == 201


def test_a_refused_request_leaves_its_key_free(machine: Api, lab: SimpleNamespace) -> None:
    assert machine.post("datasets", dataset_body(title=" "), Idempotency_Key="k1").status_code == 422
    assert machine.post("datasets", dataset_body(), Idempotency_Key="k1").status_code == 201


def test_a_request_whose_first_one_is_at_work_is_asked_to_wait(machine: Api, lab: SimpleNamespace) -> None:
    body = dataset_body()
    machine.post("datasets", body, Idempotency_Key="k1")
    IdempotencyKey.objects.update(status=None, answer=None)
    answer = machine.post("datasets", body, Idempotency_Key="k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-in-work")
    assert int(answer["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "body",
    [
        b"[",
        b"nonsense",
        b'{"title": NaN}',
        b"[" * 100_000,
        b'{"title": "\\ud800"}',
        b'{"title": "\\u0000"}',
        b"\xff",
        '{"title": "\\u0000"}'.encode("utf-16"),
    ],
)
def test_a_body_that_is_no_storable_json_is_refused_in_words(machine: Api, body: bytes) -> None:
    answer = machine("POST", "datasets", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "malformed"


def test_a_list_with_a_number_beyond_all_bounds_is_refused(machine: Api, lab: SimpleNamespace) -> None:
    body = json.dumps(dataset_body(parameters=[{"name": "energies", "value": [1, 2]}])).replace("[1, 2]", "[1, 1e999]")
    answer = machine("POST", "datasets", body.encode())
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["parameters.0.value"])


def test_a_body_that_is_not_announced_as_json_is_refused(machine: Api) -> None:
    answer = machine.client.generic("POST", "/api/v1/datasets", b"{}", "text/plain")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_a_body_that_is_too_large_is_refused(machine: Api, settings: object) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = machine.post("datasets", {"title": "x" * 2000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_values_of_all_kinds_are_kept(machine: Api, lab: SimpleNamespace) -> None:
    values = [
        {"name": "text", "value": "secondary electrons"},
        {"name": "flag", "value": True},
        {"name": "list", "value": [1, 2.5, "three"]},
        {"name": "day", "value": "2026-05-03", "kind": "date"},
        {"name": "moment", "value": "2026-05-03T10:00:00+02:00", "kind": "date"},
        {"name": "whole", "value": 7, "group": "vendor"},
    ]
    assert machine.post("datasets", dataset_body(parameters=values)).status_code == 201
    kinds = dict(Parameter.objects.values_list("name", "kind"))
    assert kinds == {
        "text": "text",
        "flag": "text",
        "list": "list",
        "day": "date",
        "moment": "date",
        "whole": "number",
    }


def test_each_wrong_value_is_named_by_its_place(machine: Api, lab: SimpleNamespace) -> None:
    body = dataset_body(
        parameters=[{"name": "a", "value": {}}, {"value": 1}, {"name": "d", "value": "soon", "kind": "date"}],
        derived_from=["no uid"],
        acquired_at="2026-05-03T10:00:00",
        is_to_be_extracted="yes",
        nonsense=1,
    )
    fields = machine.post("datasets", body).json()["fields"]
    assert set(fields) == {
        "parameters.0.value",
        "parameters.1.name",
        "parameters.2.value",
        "derived_from.0",
        "acquired_at",
        "is_to_be_extracted",
        "nonsense",
    }


def test_a_problem_document_has_the_one_shape(machine: Api, lab: SimpleNamespace) -> None:
    document = json.loads(machine.post("datasets", {}).content)
    assert set(document) == {"type", "title", "status", "code", "detail", "request_id", "fields"}
    assert document["type"] == "/api/errors#invalid"
    assert set(document["fields"]) == {"investigation", "title"}
