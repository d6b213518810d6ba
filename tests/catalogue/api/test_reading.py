"""Reading over HTTP: what each reader gets, in pages, found by filters, and not sent twice."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from catalogue.models import Dataset, Technique, TechniqueAncestor
from tests import factories
from tests.catalogue.api.conftest import Api, dataset_body

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def uids(answer: object) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [record["uid"] for record in answer.json()["results"]]


@pytest.fixture
def closed(machine: Api, lab: SimpleNamespace) -> Dataset:
    machine.post("datasets", dataset_body(title="Closed grains", sample="secret film"))
    return Dataset.objects.get()


def test_a_visitor_gets_the_summary_of_a_closed_dataset_and_no_more(visitor: Api, closed: Dataset) -> None:
    record = visitor.get(f"datasets/{closed.uid}").json()
    assert record["title"] == "Closed grains"
    assert record["access"]["level"] == "summary"
    assert (record["parameters"], record["sample"], record["notes"], record["format_label"]) == ([], None, [], "")
    files = visitor.get(f"datasets/{closed.uid}/files")
    assert (files.status_code, files.json()["code"]) == (403, "under-embargo")
    for path in (f"datasets/{closed.uid}", "datasets", f"datasets/{closed.uid}/files"):
        assert b"grain.tif" not in visitor.get(path).content
        assert b"secret film" not in visitor.get(path).content
        assert b"acceleration_voltage" not in visitor.get(path).content


def test_the_team_gets_a_closed_dataset_in_full_and_the_instrument_does_not(
    pi: Api, machine: Api, stranger: Api, curator: Api, closed: Dataset
) -> None:
    levels = {
        name: api.get(f"datasets/{closed.uid}").json()["access"]["level"]
        for name, api in (("pi", pi), ("machine", machine), ("stranger", stranger), ("curator", curator))
    }
    assert levels == {"pi": "full", "machine": "summary", "stranger": "summary", "curator": "full"}
    assert pi.get(f"datasets/{closed.uid}").json()["parameters"][0]["value_si"] == 15000
    assert [file["name"] for file in pi.get(f"datasets/{closed.uid}/files").json()["results"]] == ["grain.tif"]


def test_where_the_site_hides_embargoed_records_they_are_not_found(
    visitor: Api, pi: Api, closed: Dataset, settings: object
) -> None:
    factories.set_embargo_metadata("none")
    assert visitor.get(f"datasets/{closed.uid}").status_code == 404
    assert uids(visitor.get("datasets")) == []
    assert uids(pi.get("datasets")) == [str(closed.uid)]
    answer = visitor.get("datasets/0197a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_pages_show_each_dataset_once_also_while_others_are_registered(visitor: Api) -> None:
    investigation = factories.make_investigation(is_open=True)
    made = [str(factories.make_dataset(investigation).uid) for _ in range(7)]
    first = visitor.get("datasets?limit=3")
    factories.make_dataset(investigation)
    seen = uids(first)
    answer = first
    while link := answer.json()["next"]:
        assert link.startswith("http://testserver/api/v1/datasets?limit=3&cursor=")
        answer = visitor.get(link.removeprefix("http://testserver/api/v1/"))
        seen += uids(answer)
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=7", "cursor"),
        ("cursor=0197a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b", "cursor"),
        ("instument=a", "instument"),
        ("kind=nice", "kind"),
        ("access=all", "access"),
        ("acquired_from=soon", "acquired_from"),
        ("registered_to=2026-13-45", "registered_to"),
        ("sample=film", "sample"),
        ("investigation=visit-1", "investigation"),
        ("q=%00", "q"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_refused(visitor: Api, query: str, field: str) -> None:
    answer = visitor.get(f"datasets?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == [field]


def test_filters_find_what_they_say(visitor: Api, pi: Api, lab: SimpleNamespace) -> None:
    now = timezone.now()
    narrower = Technique.objects.create(iri="https://example.org/EDS", label="EDS", source="ours")
    for technique, ancestor in ((lab.technique, lab.technique), (narrower, narrower), (narrower, lab.technique)):
        TechniqueAncestor.objects.create(technique=technique, ancestor=ancestor)
    other = factories.make_investigation(is_open=True)
    a = factories.make_dataset(lab.investigation, title="Iron grains", acquired_at=now - timedelta(days=10))
    b = factories.make_dataset(other, title="Gold wires", kind="processed", acquired_at=now)
    a.techniques.add(narrower, lab.technique)
    facility = lab.instrument.facility
    expected = {
        "instrument=microscope-1": [a],
        f"instrument={lab.instrument.uid}": [a],
        f"facility={facility.short_name}": [a],
        f"facility={other.facility.uid}": [b],
        f"technique={lab.technique.iri}": [a],
        f"technique={narrower.iri}": [a],
        "technique=https://example.org/none": [],
        f"investigation={lab.investigation.uid}": [a],
        f"investigation={other.uid}": [b],
        "kind=processed": [b],
        "access=open": [b],
        "access=closed": [a],
        "access=mine": [],
        "q=iron": [a],
        "q=iron+wires": [],
        f"acquired_from={(now - timedelta(days=1)).date()}": [b],
        f"acquired_to={(now - timedelta(days=1)).isoformat()}": [a],
        f"acquired_to={now.date()}": [b, a],
        f"registered_to={(now - timedelta(days=1)).date()}": [],
        "kind=raw&access=closed": [a],
        "": [b, a],
    }
    for query, datasets in expected.items():
        assert uids(visitor.get(f"datasets?{query}")) == [str(one.uid) for one in datasets], query
    assert uids(pi.get("datasets?access=mine")) == [str(a.uid)]


def test_no_filter_tells_what_a_summary_hides(visitor: Api, pi: Api, closed: Dataset) -> None:
    query = f"datasets?sample={closed.sample.uid}"
    assert uids(visitor.get(query)) == []
    assert uids(pi.get(query)) == [str(closed.uid)]
    assert visitor.get(f"samples/{closed.sample.uid}").status_code == 404
    assert pi.get(f"samples/{closed.sample.uid}").json()["name"] == "secret film"


@pytest.mark.parametrize("path", ["datasets", "investigations"])
def test_a_list_costs_the_same_number_of_queries_for_any_number_of_rows(
    pi: Api, lab: SimpleNamespace, path: str, django_assert_max_num_queries: object
) -> None:
    counts = []
    for more in (5, 45):
        for _ in range(more):
            investigation = factories.make_investigation(instrument=lab.instrument, pi=lab.pi)
            dataset = factories.make_dataset(investigation)
            dataset.techniques.add(lab.technique)
        with django_assert_max_num_queries(12) as queries:
            assert pi.get(f"{path}?limit=100").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_a_reader_has_is_not_sent_again(visitor: Api) -> None:
    dataset = factories.make_dataset(is_open=True)
    for path in ("datasets", f"datasets/{dataset.uid}", f"investigations/{dataset.investigation.uid}", "instruments"):
        answer = visitor.get(path)
        again = visitor.get(path, If_None_Match=f'"other", {answer["ETag"]}')
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"]), path
        assert answer["Cache-Control"] == again["Cache-Control"] == "public, no-cache"
        assert answer["Vary"] == again["Vary"] == "Authorization, Cookie"


def test_a_member_is_never_served_from_a_shared_cache(pi: Api, closed: Dataset) -> None:
    assert pi.get(f"datasets/{closed.uid}")["Cache-Control"] == "private, no-cache"


def test_the_clock_alone_makes_an_answer_new(visitor: Api, time_machine: object) -> None:
    now = timezone.now()
    investigation = factories.make_investigation(embargo_until=now + timedelta(hours=1))
    dataset = factories.make_dataset(investigation)
    tag = visitor.get(f"datasets/{dataset.uid}")["ETag"]
    time_machine.move_to(now + timedelta(hours=2))
    answer = visitor.get(f"datasets/{dataset.uid}", If_None_Match=tag)
    assert answer.status_code == 200
    assert answer.json()["access"]["level"] == "full"


def test_the_files_of_a_dataset_come_in_pages_by_name(visitor: Api, tmp_path: object) -> None:
    storage = factories.make_storage(tmp_path)
    names = {f"b/{number:02} ä.tif": b"x" for number in range(5)}
    dataset = factories.make_dataset(is_open=True, storage=storage, files=names)
    first = visitor.get(f"datasets/{dataset.uid}/files?limit=3").json()
    second = visitor.get(first["next"].removeprefix("http://testserver/api/v1/")).json()
    assert [file["name"] for file in first["results"] + second["results"]] == sorted(names)
    assert second["next"] is None
    assert "path" not in first["results"][0]


def test_references_are_public(visitor: Api, lab: SimpleNamespace) -> None:
    assert visitor.get("instruments").json()["results"][0]["short_name"] == "microscope-1"
    assert visitor.get(f"instruments/{lab.instrument.uid}").json()["facility"]["name"] == lab.instrument.facility.name
    assert visitor.get("facilities").json()["results"][0]["name"] == lab.instrument.facility.name
    assert [row["spdx_id"] for row in visitor.get("licences").json()["results"]] == ["CC-BY-4.0"]
    assert [row["label"] for row in visitor.get("techniques?q=se").json()["results"]] == ["SEM"]
    assert visitor.get("techniques?q=nothing").json()["results"] == []


def test_a_site_that_hides_closed_records_tells_no_counts_of_techniques(visitor: Api, lab: SimpleNamespace) -> None:
    Technique.objects.create(iri="https://example.org/AFM", label="AFM", source="ours", dataset_count=3)
    counts = [visitor.get("techniques?q=AFM").json()["results"][0]["dataset_count"]]
    factories.set_embargo_metadata("none")
    counts.append(visitor.get("techniques?q=AFM").json()["results"][0]["dataset_count"])
    assert counts == [3, None]


def test_me_says_who_asks_with_which_scopes(visitor: Api, machine: Api, pi: Api) -> None:
    assert visitor.get("me").json()["is_anonymous"] is True
    assert machine.get("me").json()["instrument"]["short_name"] == "microscope-1"
    me = pi.get("me").json()
    assert (me["username"], me["scopes"], me["is_curator"]) == ("pi", ["read", "register"], False)


def test_a_withdrawn_dataset_leaves_a_tombstone_and_no_list_shows_it(visitor: Api) -> None:
    dataset = factories.make_dataset(
        is_open=True, state="withdrawn", withdrawal_reason="Wrong sample.", description="x"
    )
    answer = visitor.get(f"datasets/{dataset.uid}")
    record = answer.json()
    assert (answer.status_code, record["access"]["level"]) == (410, "tombstone")
    assert record["access"]["withdrawal_reason"] == "Wrong sample."
    assert record["description"] == ""
    assert uids(visitor.get("datasets")) == []


def test_a_withdrawn_investigation_is_gone_as_its_datasets_are(visitor: Api) -> None:
    investigation = factories.make_investigation(is_open=True, state="withdrawn", withdrawal_reason="Wrong visit.")
    answer = visitor.get(f"investigations/{investigation.uid}")
    assert (answer.status_code, answer.json()["access"]["level"]) == (410, "tombstone")


def test_a_cursor_that_no_database_can_look_for_is_refused(visitor: Api) -> None:
    answer = visitor.get("licences?cursor=%00")
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["cursor"])


def test_too_many_requests_of_a_visitor_are_put_off(visitor: Api, settings: object) -> None:
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"anonymous-read": "2/day"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    answers = [visitor.get("licences") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "throttled"
    assert 1 <= int(answers[2]["Retry-After"]) <= 86_401
