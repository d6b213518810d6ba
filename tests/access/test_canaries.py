"""No canary leaves by any route: pages, API, files, zips, thumbnails, counts by filter, errors, headers and logs."""

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from portal.logs import JsonFormatter
from search.engines import engine
from tests import factories
from tests.access.routes import ROUTES, addresses, is_foreign
from tests.access.world import World, make_world, url_patterns
from tests.search.archive import built

pytestmark = pytest.mark.django_db

OUTSIDERS = ("visitor", "stranger", "expired")
LINK = re.compile(rb'(?:href|src|action|hx-get|content)="(/[^"#]*)')
MOST_FOLLOWED = 200


@pytest.fixture
def world(tmp_path: Path, settings) -> World:
    """With an index of everything: what it holds of closed data must not come out either."""
    world = make_world(tmp_path)
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()
    built(engine())
    return world


def client_of(world: World, name: str) -> Client:
    client = Client(raise_request_exception=False)
    if world.users.get(name):
        client.force_login(world.users[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def everything_in(response) -> bytes:
    """The whole answer as a client sees it: headers and body, archives unpacked."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = repr(sorted(response.items())).encode() + body
    if body[:2] == b"PK":
        archive = zipfile.ZipFile(io.BytesIO(body))
        text += b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    return text


def leaks(world: World, content: bytes, own: tuple[str, ...] = ()) -> list[str]:
    lowered = content.lower()
    return [place for place, word in world.canaries.items() if word.lower().encode() in lowered and place not in own]


def own_places(name: str) -> tuple[str, ...]:
    return (f"e-mail of {name}",)


def crawl(client: Client, seeds: list[str]) -> Iterator[tuple[str, object]]:
    """Visit all of `seeds`, then the local links that were met there and beyond, up to MOST_FOLLOWED."""
    waiting, seen = list(dict.fromkeys(seeds)), set(seeds)
    for _ in range(len(waiting) + MOST_FOLLOWED):
        if not waiting:
            break
        url = waiting.pop(0)
        response = client.get(url)
        yield url, response
        if not response.streaming and "html" in response.get("Content-Type", ""):
            for match in LINK.findall(response.content):
                link = match.decode().replace("&amp;", "&")
                if link not in seen and not link.startswith(("/static/", "/accounts/logout", "/admin")):
                    seen.add(link)
                    waiting.append(link)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the site itself writes to its log, in its own format."""
    handler = next(one for one in logging.getLogger().handlers if isinstance(one.formatter, JsonFormatter))
    written = io.StringIO()
    stream = handler.setStream(written)
    yield written
    handler.setStream(stream)


@pytest.mark.parametrize("name", OUTSIDERS)
@pytest.mark.parametrize("policy", ["summary", "none"])
def test_an_outsider_who_follows_every_link_meets_no_canary(world, name, policy, settings, logged):
    factories.set_embargo_metadata(policy)
    client = client_of(world, name)
    seeds = [url for _, url, _ in addresses(world)]
    found = {}
    for url, response in crawl(client, seeds):
        assert response.status_code < 500 or response.status_code == 503, url
        if places := leaks(world, everything_in(response), own_places(name)):
            found[url] = places
    assert not found
    assert "Not Found" in logged.getvalue()
    assert not leaks(world, logged.getvalue().encode(), own_places(name))


@pytest.mark.parametrize("name", ["stranger", "instrument"])
def test_tokens_open_no_back_door(world, name):
    headers = {"Authorization": f"Bearer {world.tokens[name]}"}
    found = {}
    for _, url, _ in addresses(world):
        response = Client(raise_request_exception=False).get(url, headers=headers)
        if places := leaks(world, everything_in(response), own_places(name)):
            found[url] = places
    assert not found


def search_addresses(world: World) -> Iterator[str]:
    """Every canary, put as a question to everything that filters."""
    for word in world.canaries.values():
        for name in ("q", "format"):
            yield f"/search?{urlencode({name: word})}"
            yield f"/api/v1/datasets?{urlencode({name: word})}"
    for state in ("closed", "withdrawn"):
        yield f"/api/v1/datasets?sample={world.samples[state].uid}"


def test_asking_for_hidden_values_finds_and_counts_nothing(world):
    client = client_of(world, "visitor")
    hidden_titles = [world.datasets[state].title for state in ("closed", "withdrawn")]
    for number, url in enumerate(search_addresses(world)):
        response = client.get(url, REMOTE_ADDR=f"192.0.2.{number % 250}")
        assert response.status_code in (200, 422), url
        records = everything_in(response)
        assert not [title for title in hidden_titles if f">{title}<".encode() in records], url


# Every canary begins with this word: whatever finds words by their beginnings would find them all.
BEGINNING = "canary"
QUESTIONS = (
    *(
        {"q": text}
        for text in (BEGINNING, f"{BEGINNING}*", f"*{BEGINNING[1:]}*", f'"{BEGINNING}"', f"sample:{BEGINNING}*")
    ),
    *({f"find.{facet}": BEGINNING} for facet in ("sample", "format", "person", "category", "parameter", "type")),
    {"has": BEGINNING},
    {"histogram": BEGINNING},
)
SEARCHES = ("/search", "/search/suggestions", "/search.csv", "/search.jsonl", "/search.atom", "/api/v1/search")


@pytest.mark.parametrize("name", OUTSIDERS)
@pytest.mark.parametrize("policy", ["summary", "none"])
def test_no_search_answers_an_outsider_with_a_canary(world, name, policy):
    factories.set_embargo_metadata(policy)
    built(engine())
    client = client_of(world, name)
    found = {}
    for question in (*QUESTIONS, {}):
        cache.clear()
        for path in SEARCHES:
            url = f"{path}?{urlencode(question)}"
            response = client.get(url)
            assert response.status_code == 200, url
            if places := leaks(world, everything_in(response), own_places(name)):
                found[url] = places
    assert not found


def test_the_team_is_answered_with_canaries(world):
    """The test above proves something only if the index holds them."""
    client = client_of(world, "member")
    suggested = everything_in(client.get(f"/search/suggestions?q={BEGINNING}"))
    listed = everything_in(client.get(f"/search?q={BEGINNING}*"))
    assert "sample name of the closed dataset" in leaks(world, suggested)
    assert world.datasets["closed"].title.encode() in listed
    counted = client.get("/api/v1/search").json()["facets"]
    assert world.canaries["format of the closed dataset"] in str(counted["format"])


def test_a_hidden_sample_or_format_gives_the_same_answer_as_one_that_does_not_exist(world):
    client = client_of(world, "visitor")
    closed = world.datasets["closed"]
    known = client.get(f"/search?{urlencode({'format': closed.format_label})}").content
    unknown = client.get("/search?format=zzzzzz").content
    assert known.replace(closed.format_label.encode(), b"zzzzzz") == unknown
    sample_page = client.get(f"/samples/{world.samples['closed'].uid}")
    missing_page = client.get("/samples/00000000-0000-7000-8000-000000000000")
    assert sample_page.status_code == missing_page.status_code == 404


def test_guessing_the_names_of_hidden_files_tells_nothing(world):
    client = client_of(world, "visitor")
    closed = world.datasets["closed"]
    real = closed.files.get().name
    answers = set()
    for name in (real, f"{real}x", "../" + real, real.upper(), "zzz"):
        response = client.get(f"/datasets/{closed.uid}/files/{quote(name)}")
        assert response.status_code in (403, 404), name
        request_id = response["X-Request-ID"].encode()
        body = response.content.replace(request_id, b"")
        for form in (quote(name, safe=""), quote(name), name):
            body = body.replace(form.encode(), b"")
        answers.add((response.status_code, body))
    assert len(answers) == 1


def test_personal_data_are_shown_to_nobody_on_public_pages(world):
    place = f"personal value of {world.datasets['open'].title}"
    for url in (f"/datasets/{world.datasets['open'].uid}", f"/api/v1/datasets/{world.datasets['open'].uid}"):
        content = everything_in(client_of(world, "visitor").get(url))
        assert world.canaries[place].encode() not in content


def test_the_team_sees_what_is_hidden_from_others(world):
    """The crawl above proves something only if its canaries stand where readers find them."""
    client = client_of(world, "member")
    content = everything_in(client.get(f"/datasets/{world.datasets['closed'].uid}"))
    seen = leaks(world, content)
    for place in ("parameter text", "file name", "sample name", "note", "checksum", "vendor group", "format"):
        assert f"{place} of the closed dataset" in seen


def test_every_route_is_in_the_table():
    known = {route.pattern for route in ROUTES}
    missing = [text for text, _ in url_patterns() if text not in known and not is_foreign(text)]
    assert not missing


def test_an_open_investigation_shows_no_sample_that_only_data_with_a_longer_embargo_measured():
    later = timezone.now() + timedelta(days=300)
    pi = factories.make_user("regina")
    investigation = factories.make_investigation(is_open=True, pi=pi)
    secret, planned, shared = (factories.make_sample(investigation, name=f"sample {n}") for n in ("X", "Y", "Z"))
    factories.make_dataset(investigation, sample=secret, embargo_until=later)
    factories.make_dataset(investigation, sample=shared, embargo_until=later)
    factories.make_dataset(investigation, sample=shared)
    seen = {}
    for name, client in (("stranger", Client()), ("pi", Client())):
        if name == "pi":
            client.force_login(pi, backend="django.contrib.auth.backends.ModelBackend")
        pages = [f"/investigations/{investigation.uid}", f"/api/v1/investigations/{investigation.uid}"]
        texts = [client.get(path).content.decode() for path in (*pages, f"{pages[1]}/samples")]
        found = [{sample.name for sample in (secret, planned, shared) if sample.name in text} for text in texts]
        statuses = [client.get(f"/samples/{sample.uid}").status_code for sample in (secret, planned, shared)]
        seen[name] = (found, statuses)
    assert seen["stranger"] == ([{planned.name, shared.name}] * 3, [404, 200, 200])
    assert seen["pi"] == ([{secret.name, planned.name, shared.name}] * 3, [200, 200, 200])
