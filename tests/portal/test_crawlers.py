"""Robots are recognised, counted apart and told kindly when to come back; people never are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from portal.crawlers import crawler_name
from tests import factories
from tests.access.world import World, make_world

pytestmark = pytest.mark.django_db
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
GPTBOT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CURL = "curl/8.5.0"


@pytest.fixture(autouse=True)
def few_requests(settings) -> None:
    settings.RATE_CRAWLER, settings.RATE_HEAVY = "5/h", "2/h"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def statuses(agent: str, path: str, times: int, *, client: Client | None = None, address: str = "192.0.2.1", **headers):
    client = client or Client()
    return [
        client.get(path, headers={"user-agent": agent} | headers, REMOTE_ADDR=address).status_code for _ in range(times)
    ]


def visits(visitor: str, answer: str) -> float:
    return REGISTRY.get_sample_value("faircat_visits_total", {"visitor": visitor, "answer": answer}) or 0


@pytest.mark.parametrize("agent", [GOOGLEBOT, GPTBOT, "CCBot/2.0", "Scrapy/2.11", ""])
def test_a_crawler_that_comes_too_fast_is_told_when_to_come_back(agent: str):
    assert statuses(agent, "/about", 7) == [200] * 5 + [429] * 2
    answer = Client().get("/about", headers={"user-agent": agent}, REMOTE_ADDR="192.0.2.1")
    assert 1 <= int(answer["Retry-After"]) <= 3600
    assert f"Wait {answer['Retry-After']} seconds" in answer.content.decode()


def test_a_program_that_takes_no_pages_gets_the_problem_as_json():
    statuses(GOOGLEBOT, "/about", 5)
    headers = {"user-agent": GOOGLEBOT, "accept": "application/json"}
    answer = Client().get("/about", headers=headers, REMOTE_ADDR="192.0.2.1")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "too-many-requests"


def test_limits_are_of_one_crawler_at_one_address():
    statuses(GOOGLEBOT, "/about", 6)
    assert statuses(GPTBOT, "/about", 1) == [200]
    assert statuses(GOOGLEBOT, "/about", 1, address="192.0.2.2") == [200]
    assert statuses(GOOGLEBOT, "/about", 1) == [429]


@pytest.mark.parametrize("path", ["/about", "/search"])
def test_people_are_never_hit(path: str):
    assert set(statuses(FIREFOX, path, 20)) == {200}


@pytest.mark.parametrize("path", ["/robots.txt", "/healthz", "/.well-known/security.txt", "/api/v1/instruments"])
def test_what_is_made_for_machines_has_limits_of_its_own(path: str):
    assert set(statuses(GOOGLEBOT, path, 20)) == {200}


def test_people_who_are_signed_in_are_not_hit_whatever_their_browser_says():
    client = Client()
    client.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert set(statuses(GOOGLEBOT, "/about", 10, client=client)) == {200}


def test_a_made_up_session_is_no_way_round():
    client = Client()
    client.cookies["sessionid"] = "x" * 32
    assert statuses(GOOGLEBOT, "/about", 7, client=client)[-1] == 429


def test_an_anonymous_tool_is_free_but_for_what_is_heavy(world: World):
    heavy = f"/investigations/{world.investigations['open'].uid}/download.zip"
    assert set(statuses(CURL, "/about", 20)) == {200}
    assert statuses(CURL, heavy, 3) == [200, 200, 429]
    assert statuses(CURL, "/about", 1) == [200]


def test_a_tool_with_a_token_has_the_limits_of_its_account(world: World):
    heavy = f"/datasets/{world.datasets['open'].uid}/download.zip"
    assert set(statuses(CURL, heavy, 5, authorization=f"Bearer {world.tokens['stranger']}")) == {200}


def test_limits_can_be_switched_off(settings):
    settings.RATE_CRAWLER = ""
    assert set(statuses(GOOGLEBOT, "/about", 10)) == {200}


@pytest.mark.parametrize("agent", [GOOGLEBOT, CURL, FIREFOX])
def test_recognising_costs_no_query(agent: str, django_assert_num_queries):
    with django_assert_num_queries(0):
        Client().get("/robots.txt", headers={"user-agent": agent})
        Client().get("/opensearch.xml", headers={"user-agent": agent})


@pytest.fixture
def counted() -> Iterator[dict[tuple[str, str], float]]:
    """How many visits there were before the test; the kinds and answers are those of the metric."""
    kinds = [(visitor, answer) for visitor in ("person", "robot", "machine") for answer in ("answered", "refused")]
    yield {kind: visits(*kind) for kind in kinds}


def test_visits_are_counted_by_kind_of_visitor(counted: dict[tuple[str, str], float]):
    statuses(GOOGLEBOT, "/about", 6)
    statuses(FIREFOX, "/about", 2)
    statuses(CURL, "/about", 3)
    added = {kind: visits(*kind) - before for kind, before in counted.items()}
    assert added == {
        ("robot", "answered"): 5,
        ("robot", "refused"): 1,
        ("person", "answered"): 2,
        ("person", "refused"): 0,
        ("machine", "answered"): 3,
        ("machine", "refused"): 0,
    }


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (GOOGLEBOT, "googlebot"),
        (GPTBOT, "gptbot"),
        ("Scrapy/2.11 (+https://scrapy.org)", "scrapy"),
        ("", ""),
        ("x" * 5000, "x" * 50),
    ],
)
def test_a_crawler_has_the_name_that_it_gives_itself(agent: str, name: str):
    assert crawler_name(agent) == name
