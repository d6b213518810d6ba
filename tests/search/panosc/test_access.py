"""Nothing closed is told by the PaNOSC search API: not shown, not matched, not counted, not told apart from what does not exist."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client

from catalogue.access import principal_of
from catalogue.models import Facility
from catalogue.services.tokens import create_token
from search.engines import engine
from tests import factories
from tests.search.archive import built
from tests.search.panosc.asking import ask, titles
from tests.search.panosc.test_agreement import WHOLE
from tests.search.panosc.world import CANARY, make_archive

pytestmark = [pytest.mark.django_db]


@pytest.fixture(params=["summary", "full", "none"])
def archive(request, tmp_path):
    """Under each policy of what strangers may know of closed data."""
    made = make_archive(tmp_path)
    Facility.objects.update(embargo_metadata=request.param)
    return made


def token_of(user, *scopes: str) -> str:
    return create_token(actor=principal_of(user), owner=user, name="t", scopes=scopes, lifetime=timedelta(days=1))[1]


def related(relation: str, where: dict, **scope) -> dict:
    return {"relation": relation, "scope": {**({"where": where} if where else {}), **scope}}


BEGINS = {"like": CANARY}
QUESTIONS = [
    ("Datasets", {"where": {"title": BEGINS}}),
    ("Datasets", {"where": {"title": {"regexp": f"^{CANARY}"}}}),
    ("Datasets", {"where": {"text": CANARY}}),
    ("Datasets", {"include": [related("parameters", {"value": BEGINS})]}),
    ("Datasets", {"include": [related("parameters", {"name": "operator"})]}),
    ("Datasets", {"include": [related("parameters", {"name": "temperature", "value": 94.2, "unit": "K"})]}),
    ("Datasets", {"include": [related("samples", {"name": BEGINS})]}),
    ("Datasets", {"include": [related("files", {"name": BEGINS})]}),
    ("Datasets", {"include": [related("documents", {"title": BEGINS})]}),
    ("Documents", {"where": {"title": BEGINS}}),
    ("Documents", {"where": {"summary": BEGINS}}),
    ("Documents", {"where": {"isPublic": False}}),
    ("Documents", {"include": [related("members", {}, include=[related("person", {"lastName": BEGINS})])]}),
    ("Documents", {"include": [related("datasets", {"title": BEGINS})]}),
    ("Documents", {"include": [related("datasets", {}, include=[related("parameters", {"value": BEGINS})])]}),
    ("Documents", {"include": [related("datasets", {}, include=[related("files", {"name": BEGINS})])]}),
    ("Instruments", {"include": [related("datasets", {"title": BEGINS})]}),
    ("Instruments", {"include": [related("datasets", {}, include=[related("samples", {"name": BEGINS})])]}),
]


@pytest.mark.parametrize("name", ["visitor", "stranger", "instrument"])
def test_no_question_finds_what_is_closed(archive, name):
    users = {"stranger": factories.make_user(), "instrument": factories.make_instrument_account(archive.instruments[0])}
    headers = {}
    if name == "stranger":
        headers = {"Authorization": f"Bearer {token_of(users[name], 'read')}"}
    if name == "instrument":
        administrator = factories.make_user(is_superuser=True)
        made = create_token(
            actor=principal_of(administrator), owner=users[name], name="t", scopes=["read"], lifetime=timedelta(days=1)
        )
        headers = {"Authorization": f"Bearer {made[1]}"}
    for route, filter in QUESTIONS:
        assert ask(route, filter=filter, headers=headers) == (200, []), filter
        if set(filter) == {"where"}:
            assert ask(f"{route}/count", where=filter["where"], headers=headers) == (200, {"count": 0}), filter
    for model, includes in WHOLE.items():
        whole = ask(f"{model}s", filter={"include": includes}, headers=headers)
        assert CANARY not in json.dumps(whole), model


def test_the_team_with_its_token_finds_it(archive):
    """The test above proves something only if the questions find what is there."""
    headers = {"access_token": token_of(archive.pi, "read")}
    found = {json.dumps(filter): len(ask(route, filter=filter, headers=headers)[1]) for route, filter in QUESTIONS}
    # Personal values are shown to nobody.
    assert {question for question, number in found.items() if not number} == {
        json.dumps({"include": [related("parameters", {"name": "operator"})]})
    }
    shown = ask("Datasets", filter={"where": {"isPublic": False}}, headers=headers)[1]
    assert [one["title"] for one in shown] == [one.title for one in archive.closed]


@pytest.mark.parametrize("part", ["", "/files", "/files/count"])
def test_a_closed_dataset_answers_as_one_that_does_not_exist(archive, part):
    closed = ask(f"Datasets/{archive.closed[0].uid}{part}")
    missing = ask(f"Datasets/00000000-0000-7000-8000-000000000000{part}")
    assert closed[0] == missing[0] == 404
    assert closed[1]["error"]["code"] == missing[1]["error"]["code"] == "MODEL_NOT_FOUND"
    texts = [json.dumps(one[1]).replace(str(archive.closed[0].uid), "x") for one in (closed, missing)]
    assert texts[0] == texts[1].replace("00000000-0000-7000-8000-000000000000", "x")


def test_a_closed_document_does_not_exist_and_a_publication_lists_its_open_data_only(archive):
    assert ask("Documents/10.5072/session-2")[0] == 404
    status, document = ask("Documents/10.5072/publication", filter={"include": ["datasets"]})
    assert status == 200
    assert len(document["datasets"]) == 5


def test_what_ends_its_embargo_is_open_at_once(archive):
    before = len(titles("Datasets"))
    archive.investigations[2].embargo_until -= timedelta(days=400)
    archive.investigations[2].save()
    assert len(titles("Datasets")) == before + 2


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer fct_wrong"}, {"access_token": "wrong"}])
def test_a_bad_token_is_refused_and_never_a_visitors(archive, headers):
    status, answer = ask("Datasets", headers=headers)
    assert (status, answer["error"]["statusCode"]) == (401, 401)


def test_cookies_are_not_looked_at(archive):
    client = Client()
    client.force_login(archive.pi, backend="django.contrib.auth.backends.ModelBackend")
    assert len(client.get("/panosc/api/Datasets").json()) == 8
    assert client.get("/panosc/api/Datasets")["Access-Control-Allow-Origin"] == "*"


def test_free_text_scores_what_the_asker_reads_and_nothing_else(archive, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()
    built(engine())
    for text in (CANARY, f"{CANARY} person", f"{CANARY} closed"):
        for route in ("Datasets", "Documents", "Instruments"):
            assert ask(route, query=text) == (200, []), (route, text)
    own = ask("Datasets", query=f"{CANARY} closed", headers={"access_token": token_of(archive.pi, "read")})[1]
    assert {one["title"] for one in own} >= {f"{CANARY} closed 0", f"{CANARY} closed 1"}
    found = ask("Datasets", filter={"query": "steel", "limit": 1})[1]
    assert [one["title"] for one in found] == ["Scan of steel"]
    assert 0 < found[0]["score"] <= 1
    assert ask("Datasets", filter={"query": "zzzz"}) == (200, [])


def test_scores_stand_on_items_of_lists_only(archive):
    assert [one["score"] for one in ask("Instruments")[1]] == [0, 0]
    one = ask("Instruments", filter={"limit": 1})[1][0]
    assert "score" not in ask(f"Instruments/{one['pid']}")[1]
    query = urlencode({"filter": json.dumps({"fields": ["name"]})})
    assert Client().get(f"/panosc/api/Instruments/{one['pid']}?{query}").json() == {"name": one["name"]}


@pytest.mark.parametrize("address", ["Datasets", "Datasets/count", "Documents?query=steel"])
def test_who_asks_too_often_is_put_off_as_by_the_api(settings, address):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] | {"anonymous-read": "2/day"}
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": rates}
    cache.clear()
    client = Client(raise_request_exception=False)
    statuses = [client.get("/panosc/api/Instruments").status_code for _ in range(2)]
    refused = client.get(f"/panosc/api/{address}")
    assert (statuses, refused.status_code) == ([200, 200], 429)
    assert refused.json()["error"]["statusCode"] == 429
    assert 1 <= int(refused["Retry-After"]) <= 86_401
