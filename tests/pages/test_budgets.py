"""How much a page may cost: queries on the server, bytes of styles and scripts to the browser."""

import gzip
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.models import (
    Collection,
    CollectionMember,
    Concept,
    Dataset,
    Relation,
    SelectedDataset,
    Technique,
    User,
)
from tests import factories
from tests.pages.conftest import Catalogue

MOST_QUERIES = 8
# The page of an investigation shows its team besides how its embargo came about and what waits for a decision.
MOST_OF_THE_SIGNED_IN = 11
MOST_BYTES = 60_000
VIEWERS = "openseadragon"


def paths_of_records(catalogue: Catalogue) -> list[str]:
    first = catalogue.open
    return [
        "/",
        "/search",
        "/search?q=wires&view=grid&sort=oldest",
        f"/datasets/{first.uid}",
        f"/datasets/{catalogue.closed.uid}",
        f"/investigations/{first.investigation.uid}",
        f"/investigations/{catalogue.closed.investigation.uid}",
        f"/instruments/{first.instrument.uid}",
        f"/samples/{first.sample.uid}",
    ]


def asked_by(client: Client, paths: Iterable[str]) -> dict[str, int]:
    """How many queries the second visit of each page costs: what is said of the archive as a whole is kept for a minute."""
    asked = {}
    for path in paths:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        asked[path] = len(queries)
    return asked


def too_many(asked: dict[str, int], most: int = MOST_QUERIES) -> dict[str, int]:
    return {path: number for path, number in asked.items() if number > most}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def fully_described(catalogue) -> Dataset:
    """A dataset with all that its page can show: a DOI of its own, another publication, relations, and data made of it."""
    dataset = catalogue.open
    publish(catalogue.pi, "10.5072/own", dataset=dataset)
    publish(catalogue.pi, "10.5072/all", investigation=dataset.investigation)
    dataset.techniques.add(Technique.objects.create(iri="https://example.org/sem", label="SEM", source="own"))
    relation = {"relation_type": "IsCitedBy", "identifier": "10.1234/paper"}
    Relation.objects.create(dataset=dataset, **relation)
    Relation.objects.create(investigation=dataset.investigation, **relation)
    factories.make_dataset(dataset.investigation, kind="processed").derived_from.add(dataset)
    SelectedDataset.objects.create(user=catalogue.pi, dataset=dataset)
    return dataset


def publish(maker: User, doi: str, **member: Any) -> None:
    concept = Concept.objects.create(doi=f"{doi}.all")
    text = {"title": "Wires", "creators": [{"family_name": "Tester"}], "licence_id": "CC-BY-4.0"}
    fields = {"concept": concept, "created_by": maker, "state": "published", "doi": doi, "title": "Wires"}
    now = timezone.now()
    collection = Collection.objects.create(**fields, text=text, published_at=now, member_count=1, dataset_count=1)
    CollectionMember.objects.create(collection=collection, **member)


def test_pages_ask_the_database_at_most_eight_times_for_a_visitor(catalogue, many_datasets, fully_described, client):
    assert too_many(asked_by(client, paths_of_records(catalogue))) == {}


@pytest.mark.parametrize("name", ["pi", "curator", "stranger"])
def test_lists_and_datasets_ask_at_most_eight_times_for_the_signed_in(catalogue, many_datasets, fully_described, name):
    """Session and account are two of the eight."""
    user = getattr(catalogue, name, None) or factories.make_user("a stranger")
    asked = asked_by(signed_in(user), paths_of_records(catalogue))
    assert too_many({path: number for path, number in asked.items() if "investigations" not in path}) == {}
    assert too_many(asked, MOST_OF_THE_SIGNED_IN) == {}


def test_the_dashboard_asks_once_for_each_of_its_lists_and_the_curators_pages_eight_times(catalogue, many_datasets):
    """The dashboard: session, account, investigations with teams, the newest data (two), and seven lists that wait."""
    assert too_many(asked_by(signed_in(catalogue.pi), ["/me"]), 13) == {}
    assert too_many(asked_by(signed_in(catalogue.curator), ["/curate", "/curate/log"])) == {}


def test_the_dashboard_shows_all_investigations_of_a_person_in_pages(catalogue):
    titles = {factories.make_investigation(pi=catalogue.pi, title=f"Session {number:02}").title for number in range(45)}
    client, address, seen, pages = signed_in(catalogue.pi), "/me", [], 0
    while address:
        page = client.get(address)
        seen += [record.title for record in page.context["page"]["records"]]
        cursor = page.context["page"]["next_cursor"]
        address, pages = f"/me?cursor={cursor}" if cursor else "", pages + 1
        assert not cursor or "Next page" in page.content.decode()
    assert titles < set(seen) and len(seen) == len(set(seen)) and pages == 3


def test_the_page_of_a_dataset_with_all_that_it_can_have_shows_it(fully_described, client):
    page = client.get(f"/datasets/{fully_described.uid}").content.decode()
    for shown in ("10.5072/own", "10.5072/all", "10.1234/paper", "SEM", "Processed dataset"):
        assert shown in page


def test_more_results_on_a_page_ask_no_more_of_the_database(catalogue, client):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/search")
        return len(queries)

    count()
    few = count()
    for number in range(10):
        factories.make_dataset(is_open=True, title=f"Another {number}", has_thumbnail=True)
    assert count() == few


@pytest.mark.browser
def test_styles_and_scripts_of_the_heaviest_page_weigh_at_most_sixty_kilobytes(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.open.uid}")
    page.wait_for_load_state("load")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    addresses = {url for url in loaded if url.endswith((".css", ".js")) and VIEWERS not in url}
    weights = {url: len(gzip.compress(page.request.get(url).body())) for url in addresses}
    assert len(weights) >= 5, weights
    assert sum(weights.values()) <= MOST_BYTES, weights
