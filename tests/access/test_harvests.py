"""Whoever harvests the archive, by whatever protocol or form, learns nothing of what is closed, and of what is hidden not even
that it is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from search.engines import engine
from tests import factories
from tests.access import dois
from tests.access.outward import (
    oai_lists,
    oai_records,
    panosc,
    panosc_lists,
    panosc_oracles,
    records_in_forms,
    site_lists,
    text_of,
)
from tests.access.sharing import reader_of, share
from tests.access.test_canaries import client_of, everything_in, leaks, own_places
from tests.access.world import World, make_world
from tests.search.archive import built

pytestmark = pytest.mark.django_db
POLICIES = ("summary", "none")
BEGINNING = "canary"


@pytest.fixture
def world(tmp_path: Path, settings) -> World:
    """With limits and pages out of the way, and an index of everything."""
    settings.OAI_PAGE_SIZE = 5
    made = make_world(tmp_path)
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()
    built(engine())
    return made


def lists(client: Client) -> Iterator[tuple[str, str]]:
    """All that tells of many records; rate limits begin anew for each."""
    for walk in (oai_lists, site_lists, panosc_lists):
        cache.clear()
        yield from walk(client)


@pytest.mark.parametrize("policy", POLICIES)
def test_no_list_tells_an_outsider_a_canary(world, policy):
    factories.set_embargo_metadata(policy)
    built(engine())
    client = client_of(world, "visitor")
    found = {url: places for url, text in lists(client) if (places := leaks(world, text.encode()))}
    assert not found


@pytest.mark.parametrize(("name", "policy"), [("visitor", "summary"), ("visitor", "none"), ("expired", "summary")])
def test_no_form_of_a_record_tells_an_outsider_a_canary(world, name, policy):
    factories.set_embargo_metadata(policy)
    client = client_of(world, name)
    found = {}
    for url, response in records_in_forms(client, world):
        cache.clear()
        assert response.status_code < 500, url
        if places := leaks(world, everything_in(response), own_places(name)):
            found[url] = places
    for url, text in oai_records(client):
        if places := leaks(world, text.encode(), own_places(name)):
            found[url] = places
    assert not found


def hidden_words(world: World) -> dict[str, str]:
    """What would tell that a record exists of which nobody may know: its ids, title and visit."""
    words = {}
    for state in ("closed", "withdrawn"):
        dataset, investigation = world.datasets[state], world.investigations[state]
        words |= {
            f"uid of the {state} dataset": str(dataset.uid),
            f"uid of the {state} investigation": str(investigation.uid),
            f"visit of the {state} investigation": f"{investigation.visit_id}<",
        }
    return words


def test_a_hidden_record_is_in_no_list_and_in_no_form(world):
    factories.set_embargo_metadata("none")
    built(engine())
    client = client_of(world, "visitor")
    words = hidden_words(world)
    found = {url: word for url, text in lists(client) for word, value in words.items() if value in text}
    assert not found
    hidden = [f"/datasets/{world.datasets[state].uid}" for state in ("closed", "withdrawn")]
    for url, response in records_in_forms(client, world):
        if url.startswith(tuple(hidden)):
            assert response.status_code == 404, url
    for url, text in oai_records(client):
        if any(words[f"uid of the {state} dataset"] in url for state in ("closed", "withdrawn")):
            assert 'code="idDoesNotExist"' in text, url


def test_what_is_closed_is_in_no_list_of_what_is_open(world):
    client = client_of(world, "visitor")
    closed = [str(one.uid) for state in ("closed", "withdrawn") for one in (world.datasets[state],)]
    opened = str(world.datasets["open"].uid)
    walked = {url: text for url, text in (*site_lists(client), *panosc_lists(client))}
    told = [url for url in walked if url.startswith("/sitemap-datasets") or url in ("/feeds/new.atom", "Datasets")]
    assert len(told) >= 3
    for url in told:
        assert opened in walked[url], url
        assert not [uid for uid in closed if uid in walked[url]], url
    cache.clear()
    in_set = "".join(text for url, text in oai_lists(client) if "set=access" in url)
    assert opened in in_set
    assert not [uid for uid in closed if uid in in_set]


@pytest.mark.parametrize("name", ["pi", "curator"])
def test_who_is_logged_in_harvests_what_everybody_harvests(world, name):
    """Protocols for programs look at no cookie: what they answer may be kept and passed on."""
    visitor, reader = client_of(world, "visitor"), client_of(world, name)
    for walk in (oai_records, panosc_lists):
        cache.clear()
        for (url, theirs), (_, ours) in zip(walk(visitor), walk(reader), strict=True):
            assert without_moments(theirs) == without_moments(ours), url
    found = {url: places for url, text in site_lists(reader) if url != "/" and (places := leaks(world, text.encode()))}
    assert not found or all(url.startswith("/search") for url in found)


def without_moments(text: str) -> str:
    """An answer of OAI-PMH begins with the moment at which it was given."""
    start, _, rest = text.partition("<responseDate>")
    return start + rest.partition("</responseDate>")[2]


@pytest.mark.parametrize("policy", POLICIES)
def test_no_condition_of_the_panosc_api_answers_whether_a_canary_is_there(world, policy):
    factories.set_embargo_metadata(policy)
    built(engine())
    client = client_of(world, "visitor")
    seen = {}
    for number, (path, asked) in enumerate(panosc_oracles(BEGINNING)):
        if number % 20 == 0:
            cache.clear()
        response = panosc(client, path, filter=asked)
        assert response.status_code in (200, 400), (path, asked, response.content)
        if response.status_code == 200 and response.json():
            seen[f"{path} {asked}"] = response.json()
        if "where" in asked and response.status_code == 200:
            count = panosc(client, f"{path}/count", where=asked["where"]).json()["count"]
            assert count == 0, (path, asked)
    assert not seen


def test_the_oracles_would_speak_if_they_were_asked_by_a_reader(world):
    """The test above proves something only if its questions reach what is hidden."""
    client = Client(headers={"Authorization": f"Bearer {world.tokens['pi']}"})
    seen = set()
    for number, (path, asked) in enumerate(panosc_oracles(BEGINNING)):
        if number % 20 == 0:
            cache.clear()
        if path == "Datasets" and (found := panosc(client, path, filter=asked).json()):
            assert str(world.datasets["closed"].uid) in {one["pid"] for one in found}
            seen |= {one["relation"] for one in asked.get("include", ())}
    assert {"parameters", "files", "samples"} <= seen


def test_a_reviewer_harvests_nothing_and_reads_no_name_of_a_person(world):
    """A share link that hides people opens one record to one browser: no list is given to it, no form names anybody."""
    investigation = world.investigations["closed"]
    names = {member.person.family_name for member in investigation.team.all()}
    assert len(names) == 3
    _, address = share(investigation, world.users["pi"], hides_people=True, allows_files=False)
    reviewer, visitor = reader_of(address), client_of(world, "visitor")
    lists = ("/oai?verb=ListRecords&metadataPrefix=oai_dc", "/catalog.ttl", "/feeds/new.atom", "/panosc/api/Documents")
    for url in lists:
        assert visitor.get(url).status_code == 200, url
        assert (refused := reviewer.get(url)).status_code == 403, url
        assert not [name for name in names if name in everything_in(refused).decode()]
    start = (f"/datasets/{world.datasets['closed'].uid}", f"/investigations/{investigation.uid}")
    of_session = dois.doi_of_session("closed")
    read, named = 0, {}
    for url, response in records_in_forms(reviewer, world):
        cache.clear()
        if url.startswith((*start, f"/doi/{of_session}", f"/cite/{of_session}")):
            text = everything_in(response).decode("utf-8", "replace")
            read += response.status_code == 200
            if told := [name for name in names if name in text]:
                named[url] = told
    assert read > 20
    assert not named


def test_the_team_reads_what_is_closed_in_its_forms(world):
    """The tests above prove something only if forms hold canaries for those who may read them."""
    client = client_of(world, "member")
    seen: set[str] = set()
    for suffix in ("jsonld", "ttl", "crate.json"):
        response = client.get(f"/datasets/{world.datasets['closed'].uid}.{suffix}")
        assert response.status_code == 200, suffix
        seen |= set(leaks(world, text_of(response).encode()))
    assert {"parameter text of the closed dataset", "file name of the closed dataset"} & seen
