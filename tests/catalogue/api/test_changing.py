"""Changing over HTTP: investigations, samples, datasets, files and parameters, never over somebody else's change."""

from types import SimpleNamespace

import pytest

from catalogue.models import AuditEntry, Datafile, Dataset, Investigation, Parameter, Sample
from tests import factories
from tests.catalogue.api.conftest import Api, dataset_body

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def dataset(machine: Api, lab: SimpleNamespace) -> Dataset:
    machine.post("datasets", dataset_body())
    return Dataset.objects.get()


def investigation_body(**changes: object) -> dict[str, object]:
    body = {
        "instrument": "microscope-1",
        "visit_id": "visit-2026-18",
        "title": "Grain growth",
        "started_at": "2026-05-03T08:00:00+02:00",
        "team": [{"family_name": "Curie", "given_name": "Marie", "orcid": "0000-0002-1825-0097", "role": "pi"}],
    }
    return body | changes


def test_an_instrument_registers_an_investigation_with_its_team(machine: Api, lab: SimpleNamespace) -> None:
    answer = machine.post("investigations", investigation_body())
    assert answer.status_code == 201
    investigation = Investigation.objects.get(visit_id="visit-2026-18")
    assert answer["Location"] == f"/api/v1/investigations/{investigation.uid}"
    assert investigation.facility == lab.instrument.facility
    record = machine.get(f"investigations/{investigation.uid}").json()
    assert record["people"][0]["orcid"] == "0000-0002-1825-0097"
    assert record["people"][0]["is_orcid_verified"] is False


def test_a_visit_is_registered_once(machine: Api, lab: SimpleNamespace) -> None:
    machine.post("investigations", investigation_body())
    again = machine.post("investigations", investigation_body())
    assert (again.status_code, again.json()["code"]) == (409, "already-registered")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"visit_id": "../up"}, "visit_id"),
        ({"instrument": "none"}, "instrument"),
        ({"ended_at": "2020-01-01T00:00:00Z"}, "ended_at"),
        ({"licence": "my own"}, "licence"),
        ({"team": [{"family_name": "A", "orcid": "0000-0002-1825-0098"}]}, "team"),
        ({"team": [{"given_name": "A"}]}, "team.0.family_name"),
        ({"relations": [{"relation_type": "Likes", "identifier": "10.1/2"}]}, "relations"),
    ],
)
def test_an_investigation_that_cannot_be_is_refused_by_field(
    machine: Api, lab: SimpleNamespace, changes: dict, field: str
) -> None:
    answer = machine.post("investigations", investigation_body(**changes))
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]
    assert Investigation.objects.count() == 1


def test_team_members_register_no_investigation(pi: Api, lab: SimpleNamespace) -> None:
    assert pi.post("investigations", investigation_body()).status_code == 403


def test_a_change_without_if_match_is_refused_with_help(pi: Api, lab: SimpleNamespace) -> None:
    answer = pi("PATCH", f"investigations/{lab.investigation.uid}", {"title": "New"})
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")
    assert "If-Match" in answer.json()["detail"]


def test_a_change_is_written_only_over_the_version_that_was_read(pi: Api, lab: SimpleNamespace) -> None:
    path = f"investigations/{lab.investigation.uid}"
    tag = pi.get(path)["ETag"]
    first = pi("PATCH", path, {"title": "First"}, If_Match=tag)
    second = pi("PATCH", path, {"title": "Second"}, If_Match=tag)
    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (412, "stale-version")
    assert pi.get(path).json()["title"] == "First"
    assert pi("PATCH", path, {"title": "Third"}, If_Match=first["ETag"]).status_code == 200
    entry = AuditEntry.objects.filter(action="update").order_by("id")[0]
    assert entry.after["title"] == "First"


@pytest.mark.parametrize("tag", ["*", '""', '"x"', '"1", "2"', "1", '"1.zz"'])
def test_an_if_match_that_names_no_one_version_is_stale(pi: Api, lab: SimpleNamespace, tag: str) -> None:
    answer = pi("PATCH", f"investigations/{lab.investigation.uid}", {"title": "New"}, If_Match=tag)
    assert answer.status_code == 412


def test_a_stranger_changes_nothing_and_learns_nothing(stranger: Api, dataset: Dataset, settings: object) -> None:
    paths = (f"datasets/{dataset.uid}", f"investigations/{dataset.investigation.uid}")
    for path in paths:
        assert stranger("PATCH", path, {"title": "Mine"}, If_Match='"1"').status_code == 403
    factories.set_embargo_metadata("none")
    for path in paths:
        assert stranger("PATCH", path, {"title": "Mine"}, If_Match='"1"').status_code == 404
    assert stranger.post(f"datasets/{dataset.uid}/files", {"files": []}).status_code == 422
    files = {"files": [{"storage": "sem-disk", "path": "visit-2026-17/x"}]}
    assert stranger.post(f"datasets/{dataset.uid}/files", files).status_code == 404
    assert stranger.post(f"datasets/{dataset.uid}/corrections", {"name": "a", "value": 1}).status_code == 404
    dataset.refresh_from_db()
    assert (dataset.title, dataset.version) == ("Grains 1", 1)


def test_what_is_said_of_a_dataset_changes_and_is_audited(pi: Api, lab: SimpleNamespace, dataset: Dataset) -> None:
    path = f"datasets/{dataset.uid}"
    changes = {
        "title": "Better title",
        "kind": "processed",
        "sample": "film 9",
        "techniques": [lab.technique.iri],
        "acquired_at": "2026-05-03T10:00:00+02:00",
        "relations": [{"relation_type": "IsSupplementTo", "identifier": "10.1000/182"}],
    }
    answer = pi("PATCH", path, changes, If_Match=pi.get(path)["ETag"])
    assert answer.json()["version"] == 2
    record = pi.get(path).json()
    assert (record["title"], record["kind"], record["sample"]["name"]) == ("Better title", "processed", "film 9")
    assert record["acquired_at"] == "2026-05-03T08:00:00Z"
    assert record["relations"][0]["identifier"] == "10.1000/182"
    lab.technique.refresh_from_db()
    assert lab.technique.dataset_count == 1
    entry = AuditEntry.objects.get(action="update")
    assert (entry.before["title"], entry.after["title"]) == ("Grains 1", "Better title")
    assert "description" not in entry.after
    answer = pi("PATCH", path, {"techniques": []}, If_Match=answer["ETag"])
    assert answer.status_code == 200
    lab.technique.refresh_from_db()
    assert lab.technique.dataset_count == 0


def test_a_dataset_never_derives_from_itself_not_even_by_way_of_another(pi: Api, dataset: Dataset) -> None:
    child = factories.make_dataset(dataset.investigation)
    child.derived_from.add(dataset)
    path = f"datasets/{dataset.uid}"
    for uid in (dataset.uid, child.uid):
        answer = pi("PATCH", path, {"derived_from": [str(uid)]}, If_Match='"1"')
        assert list(answer.json()["fields"]) == ["derived_from"]
    other = factories.make_dataset(dataset.investigation)
    assert pi("PATCH", path, {"derived_from": [str(other.uid)]}, If_Match='"1"').status_code == 200


def test_a_withdrawn_dataset_is_changed_no_more(curator: Api, dataset: Dataset) -> None:
    Dataset.objects.update(state="withdrawn", withdrawal_reason="By mistake.")
    answer = curator("PATCH", f"datasets/{dataset.uid}", {"title": "New"}, If_Match='"1"')
    assert (answer.status_code, answer.json()["code"]) == (409, "withdrawn")


def test_added_files_are_counted(machine: Api, lab: SimpleNamespace, dataset: Dataset) -> None:
    files = [{"storage": "sem-disk", "path": f"visit-2026-17/more/{number}.tif", "size": 10} for number in range(3)]
    answer = machine.post(f"datasets/{dataset.uid}/files", {"files": files}, Idempotency_Key="f1")
    assert answer.status_code == 201
    machine.post(f"datasets/{dataset.uid}/files", {"files": files}, Idempotency_Key="f1")
    dataset.refresh_from_db()
    lab.investigation.refresh_from_db()
    assert (dataset.file_count, dataset.size, dataset.version) == (4, 1030, 2)
    assert (lab.investigation.file_count, lab.investigation.size) == (4, 1030)
    assert Datafile.objects.count() == 4


@pytest.mark.parametrize(
    ("file", "status", "place"),
    [
        ({"storage": "sem-disk", "path": "visit-2026-17/1/grain.tif"}, 409, "files.0"),
        ({"storage": "sem-disk", "path": "visit-2026-17/9/grain.tif"}, 409, "files.0"),
        ({"storage": "sem-disk", "path": "/etc/passwd"}, 422, "files.0"),
        ({"storage": "other-disk", "path": "a.tif"}, 422, "files.0"),
        ({"storage": "sem-disk", "path": "visit-2026-17/b.tif", "sha256": "abc"}, 422, "files.0"),
    ],
)
def test_a_file_that_cannot_be_added_is_named(
    machine: Api, dataset: Dataset, file: dict, status: int, place: str
) -> None:
    factories.make_storage("/nowhere", name="other-disk", instrument=factories.make_instrument())
    answer = machine.post(f"datasets/{dataset.uid}/files", {"files": [file]})
    assert answer.status_code == status
    assert list(answer.json()["fields"]) == [place]
    assert Datafile.objects.count() == 1


def test_team_members_stay_in_the_folder_of_their_visit(pi: Api, dataset: Dataset) -> None:
    outside = {"files": [{"storage": "sem-disk", "path": "visit-2026-99/theirs.tif"}]}
    inside = {"files": [{"storage": "sem-disk", "path": "visit-2026-17/mine.tif"}]}
    assert pi.post(f"datasets/{dataset.uid}/files", outside).status_code == 422
    assert pi.post(f"datasets/{dataset.uid}/files", inside).status_code == 201


def test_the_instrument_states_its_values_anew_and_a_correction_stays(pi: Api, machine: Api, dataset: Dataset) -> None:
    path = f"datasets/{dataset.uid}"
    correction = pi.post(f"{path}/corrections", {"name": "acceleration_voltage", "value": 14, "unit": "kV"})
    assert (correction.status_code, correction.json()["source"]) == (201, "person")
    body = {"parameters": [{"name": "acceleration_voltage", "value": 16, "unit": "kV"}]}
    answer = machine("PUT", f"{path}/parameters", body, If_Match=correction["ETag"])
    assert answer.status_code == 200
    values = {(row["source"], row["value"], row["is_corrected"]) for row in pi.get(path).json()["parameters"]}
    assert values == {("instrument", 16, True), ("person", 14, False)}
    assert machine("PUT", f"{path}/parameters", body, If_Match=correction["ETag"]).status_code == 412
    assert machine("PUT", f"{path}/parameters", body).status_code == 428


def test_people_correct_and_never_overwrite_what_the_instrument_said(pi: Api, machine: Api, dataset: Dataset) -> None:
    path = f"datasets/{dataset.uid}"
    body = {"parameters": [{"name": "acceleration_voltage", "value": 16, "unit": "kV"}]}
    answer = pi("PUT", f"{path}/parameters", body, If_Match='"1"')
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert machine.post(f"{path}/corrections", {"name": "a", "value": 1}).status_code == 403
    assert Parameter.objects.get().value == 15


def test_a_person_who_registered_a_dataset_speaks_for_its_instrument(pi: Api, lab: SimpleNamespace) -> None:
    uid = pi.post("datasets", dataset_body()).json()["uid"]
    body = {"parameters": [{"name": "dwell_time", "value": 2, "unit": "us"}]}
    assert pi("PUT", f"datasets/{uid}/parameters", body, If_Match='"1"').status_code == 200
    assert Parameter.objects.get().name == "dwell_time"


def test_a_sample_is_made_and_then_changed_by_version(pi: Api, lab: SimpleNamespace) -> None:
    path = f"investigations/{lab.investigation.uid}/samples/film%203%2Fa"
    first = pi("PUT", path, {"formula": "Fe3O4"})
    assert first.status_code == 201
    assert pi("PUT", path, {"formula": "FeO"}).status_code == 428
    assert pi("PUT", path, {"formula": "FeO"}, If_Match='"9"').status_code == 412
    second = pi("PUT", path, {"formula": "FeO"}, If_Match=first["ETag"])
    assert (second.status_code, second["ETag"]) == (200, '"2"')
    sample = Sample.objects.get()
    assert (sample.name, sample.formula) == ("film 3/a", "FeO")
    assert pi.get(f"samples/{sample.uid}").json()["investigation"]["visit_id"] == "visit-2026-17"
    names = [row["name"] for row in pi.get(f"investigations/{lab.investigation.uid}/samples").json()["results"]]
    assert names == ["film 3/a"]


def test_an_instrument_changes_no_team(machine: Api, lab: SimpleNamespace) -> None:
    path = f"investigations/{lab.investigation.uid}"
    assert machine("PATCH", path, {"team": []}, If_Match='"1"').status_code == 403
    assert machine("PATCH", path, {"abstract": "Known now."}, If_Match='"1"').status_code == 200
    assert lab.investigation.team.count() == 1


def test_a_session_may_write_only_with_its_csrf_token(lab: SimpleNamespace, dataset: Dataset) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(lab.pi)
    url = f"/api/v1/datasets/{dataset.uid}"
    answer = client.generic("PATCH", url, b'{"title": "New"}', "application/json", headers={"If-Match": '"1"'})
    assert answer.status_code == 403
    client.cookies["csrftoken"] = "a" * 32
    headers = {"If-Match": '"1"', "X-CSRFToken": "a" * 32}
    answer = client.generic("PATCH", url, b'{"title": "New"}', "application/json", headers=headers)
    assert answer.status_code == 200
