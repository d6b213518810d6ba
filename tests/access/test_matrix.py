"""Role x state x verb x every route: reading answers what the table says, and writing by the wrong person changes nothing."""

import json
from pathlib import Path

import pytest
from django.test import Client

from catalogue.models import (
    AccessGrant,
    AccessRequest,
    ApiToken,
    AuditEntry,
    Collection,
    CollectionMember,
    Datafile,
    Dataset,
    ExtensionRequest,
    Investigation,
    OutboxEntry,
    Parameter,
    RegistrationDraft,
    ReleaseConsent,
    Sample,
    ShareLink,
    Storage,
    TeamMember,
    User,
)
from classifier.models import Category, Image, ModelRelease, Opinion, Prediction, Submission
from tests.access.routes import addresses, expected_status
from tests.access.test_canaries import client_of
from tests.access.world import World, make_world

pytestmark = pytest.mark.django_db

ROLES = ("visitor", "stranger", "expired", "granted", "partner", "member", "contact", "pi", "curator", "administrator")
WRITE_VERBS = ("post", "put", "patch", "delete")
GUARDED = (
    ExtensionRequest,
    Dataset,
    Investigation,
    Sample,
    Datafile,
    Parameter,
    Storage,
    AccessGrant,
    TeamMember,
    User,
    OutboxEntry,
    Collection,
    CollectionMember,
    ReleaseConsent,
    ShareLink,
    AccessRequest,
    Submission,
    Image,
    Prediction,
    Opinion,
    Category,
    ModelRelease,
)
OUTSIDERS = ("visitor", "stranger", "granted")
BODY = json.dumps(
    {"title": "taken over", "state": "active", "datasets": [], "name": "x", "value": 1, "is_active": True}
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.mark.parametrize("role", ROLES)
def test_reading_answers_each_role_as_the_table_says(world, role):
    client = client_of(world, role)
    wrong = {}
    for route, url, state in addresses(world):
        if route.kind != "crawled":
            status = client.get(url).status_code
            if status not in expected_status(route.kind, role, state):
                wrong[f"{url} ({state})"] = status
    assert not wrong


def test_head_answers_as_get_does(world):
    client = client_of(world, "stranger")
    different = {}
    for _, url, _ in addresses(world):
        statuses = (client.get(url).status_code, client.head(url).status_code)
        if len(set(statuses)) > 1:
            different[url] = statuses
    assert not different


def contents() -> dict[str, list]:
    """All that outsiders might change, value by value; sessions, own tokens and own drafts are theirs."""
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in GUARDED}
    for user in rows["User"]:
        user.pop("last_login")
    return rows | {"audit": AuditEntry.objects.count()}


def attempts(client: Client, url: str, headers: dict[str, str]) -> list[int]:
    """Each write verb with every precondition met, and the kind of body that the route takes."""
    is_api = url.startswith("/api/")
    content_type = "application/json" if is_api else "application/x-www-form-urlencoded"
    body = BODY if is_api else "action=register&title=taken+over"
    return [
        getattr(client, verb)(
            url, data=body, content_type=content_type, headers=headers | {"If-Match": "*"}
        ).status_code
        for verb in WRITE_VERBS
    ]


@pytest.mark.parametrize("role", OUTSIDERS)
def test_outsiders_change_nothing_by_any_verb_at_any_route(world, role):
    client = client_of(world, role)
    before = contents()
    for route, url, _ in addresses(world):
        if "anybody" not in route.writers:
            statuses = attempts(client, url, {})
            assert not [status for status in statuses if status >= 500], url
    assert contents() == before
    assert RegistrationDraft.objects.count() == 1


def test_a_token_that_may_only_read_changes_nothing(world):
    headers = {"Authorization": f"Bearer {world.tokens['stranger']}"}
    before = contents()
    for route, url, _ in addresses(world, is_api=True):
        if route.kind == "question":
            continue
        statuses = attempts(Client(raise_request_exception=False), url, headers)
        assert set(statuses) <= {403, 404, 405, 415}, url
    assert contents() == before
    assert ApiToken.objects.filter(user=world.users["stranger"]).count() == 1


def test_a_wrong_token_is_refused_even_for_open_data(world):
    client = Client(headers={"Authorization": "Bearer fct_wrong"})
    for url in (f"/api/v1/datasets/{world.datasets['open'].uid}", "/api/v1/datasets"):
        response = client.get(url)
        assert response.status_code == 401
        assert response.json()["code"]


def test_every_unsafe_form_refuses_a_request_without_the_csrf_token(world):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.users["administrator"], backend="django.contrib.auth.backends.ModelBackend")
    before = contents()
    for _, url, _ in addresses(world):
        # Harvesters ask by POST as by GET, as their protocol has it, and change nothing by either.
        assert client.post(url, {"action": "add"}).status_code in (403, 405, 415) or url.startswith("/oai"), url
    assert contents() == before


def test_an_instruments_token_registers_but_reads_no_closed_data(world):
    client = Client(headers={"Authorization": f"Bearer {world.tokens['instrument']}"})
    closed = world.datasets["closed"]
    record = client.get(f"/api/v1/datasets/{closed.uid}").json()
    assert record["title"] == closed.title
    assert not record.get("parameters")
    assert client.get(f"/api/v1/datasets/{closed.uid}/files").json()["code"] == "under-embargo"


def test_a_session_of_an_instruments_account_is_a_visitors(world):
    client = client_of(world, "instrument")
    response = client.post(
        "/api/v1/investigations", data=json.dumps({"title": "by session"}), content_type="application/json"
    )
    assert response.status_code == 403


def test_accounts_that_are_switched_off_lose_everything_at_once(world):
    member = world.users["member"]
    client = client_of(world, "member")
    closed = world.datasets["closed"]
    assert client.get(f"/datasets/{closed.uid}/download.zip").status_code == 200
    member.is_active = False
    member.save()
    assert client.get(f"/datasets/{closed.uid}/download.zip").status_code in (403, 404)
