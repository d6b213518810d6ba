"""The catalogue in DCAT-AP, page by page: complete, of constant cost, valid, and without a word of what is closed."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.signing import Signer
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pyshacl import validate
from rdflib import DCTERMS, FOAF, Graph, URIRef
from rdflib.compare import isomorphic

from catalogue import catalog_pages
from catalogue.catalog_pages import find_page
from catalogue.interop.dcat_terms import ACCESS_RIGHTS, DCAT, HYDRA
from catalogue.models import DatasetRevision
from tests.access.world import World, make_world
from tests.factories import make_dataset, make_investigation, set_embargo_metadata

pytestmark = [
    pytest.mark.django_db,
    # rdflib's own parser of JSON-LD uses what rdflib deprecates.
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
]
SHAPES = Path(__file__).parents[3] / "shared" / "conformance-schemas" / "shacl"
SITE = "http://testserver"


@pytest.fixture(autouse=True)
def _site(settings):
    settings.SITE_URL = SITE


@pytest.fixture
def world(tmp_path) -> World:
    return make_world(tmp_path)


def read(client, address: str) -> Graph:
    response = client.get(address.removeprefix(SITE))
    assert response.status_code == 200, address
    return Graph().parse(data=response.content, format="turtle")


def walk(client) -> list[Graph]:
    """All pages, by the links in the header."""
    pages, address = [], "/catalog.ttl"
    while address:
        pages.append(read(client, address))
        links = client.get(address.removeprefix(SITE)).headers["Link"].split(", ")
        address = next((link.partition(">")[0][1:] for link in links if 'rel="next"' in link), "")
    return pages


def listed(graph: Graph) -> set[str]:
    return {str(node) for node in graph.objects(None, DCAT.dataset)}


def test_the_catalogue_lists_what_is_open_and_summaries_of_what_is_closed(client, world):
    graph = read(client, "/catalog.ttl")
    addresses = listed(graph)
    for state in ("open", "closed"):
        assert f"{SITE}/datasets/{world.datasets[state].uid}" in addresses
        assert f"{SITE}/investigations/{world.investigations[state].uid}" in addresses
    assert f"{SITE}/datasets/{world.datasets['withdrawn'].uid}" not in addresses
    assert f"{SITE}/doi/{world.published.doi}" in addresses
    closed = URIRef(f"{SITE}/datasets/{world.datasets['closed'].uid}")
    assert graph.value(closed, DCTERMS.accessRights) == ACCESS_RIGHTS.RESTRICTED
    assert not list(graph.objects(closed, DCAT.distribution))


@pytest.mark.parametrize("policy", ["summary", "none"])
def test_no_page_has_a_hidden_value_of_closed_data(client, world, policy):
    set_embargo_metadata(policy)
    for address in ("/catalog.ttl", "/catalog.jsonld"):
        content = client.get(address).content.decode().lower()
        assert not [place for place, word in world.canaries.items() if word.lower() in content]


def test_records_of_instruments_that_hide_everything_are_in_no_page(client, world):
    set_embargo_metadata("none")
    addresses = listed(read(client, "/catalog.ttl"))
    assert f"{SITE}/datasets/{world.datasets['open'].uid}" in addresses
    assert f"{SITE}/datasets/{world.datasets['closed'].uid}" not in addresses
    assert f"{SITE}/investigations/{world.investigations['closed'].uid}" not in addresses


def test_the_pages_conform_to_dcat_ap(client, world):
    if not SHAPES.is_dir():
        pytest.skip("the shapes of DCAT-AP are not on this machine")
    shapes = Graph().parse(SHAPES / "dcatap301_shapes.ttl").parse(SHAPES / "dcatap301_range.ttl")
    conforms, _, report = validate(read(client, "/catalog.ttl"), shacl_graph=shapes)
    assert conforms, report


def test_both_forms_of_a_page_are_the_same_graph_but_for_their_own_addresses(client, world):
    first = read(client, "/catalog.ttl")
    other = client.get("/catalog.jsonld").content.decode().replace("/catalog.jsonld", "/catalog.ttl")
    assert isomorphic(Graph().parse(data=other, format="json-ld"), first)


def test_a_walk_by_links_meets_every_record_once_and_hydra_says_the_same_way(client):
    session = make_investigation(is_open=True)
    made = {f"{SITE}/datasets/{make_dataset(session).uid}" for _ in range(catalog_pages.RECORDS_ON_A_PAGE * 2)}
    pages = walk(client)
    assert len(pages) == 3
    found = [address for page in pages for address in listed(page)]
    assert sorted(found) == sorted({*made, f"{SITE}/investigations/{session.uid}"})
    for page, following in zip(pages, [*pages[1:], None], strict=True):
        catalog = URIRef(f"{SITE}/")
        view = page.value(catalog, HYDRA.view)
        assert page.value(view, HYDRA.first) == URIRef(f"{SITE}/catalog.ttl")
        expected = following.value(catalog, HYDRA.view) if following else None
        assert page.value(view, HYDRA.next) == expected


@pytest.mark.both_databases
def test_no_page_is_empty_where_the_records_end_with_a_page():
    session = make_investigation(is_open=True)
    for _ in range(3):
        make_dataset(session)
    now = timezone.now()
    first = find_page("", now=now, limit=2)
    last = find_page(first.next_cursor, now=now, limit=2)
    assert (len(first.entries), len(last.entries), last.next_cursor) == (2, 2, "")


@pytest.mark.both_databases
def test_what_is_registered_during_a_walk_is_met_by_it_and_nothing_twice():
    session = make_investigation(is_open=True)
    early = {make_dataset(session).uid for _ in range(3)}
    first = find_page("", now=timezone.now(), limit=2)
    late = make_dataset(session).uid
    rest = find_page(first.next_cursor, now=timezone.now(), limit=9)
    found = [entry.uid for entry in (*first.entries, *rest.entries)]
    assert sorted(found) == sorted({*early, late, session.uid})


def test_a_page_is_found_behind_thousands_of_keys_that_are_no_records_of_it():
    """Keys are looked through in ranges: gaps longer than the first of them must not end the list."""
    session = make_investigation(is_open=True)
    near = make_dataset(session)
    far = make_dataset(session, pk=near.pk + catalog_pages.FIRST_SPAN * 30)
    first = find_page("", now=timezone.now(), limit=1)
    assert [entry.uid for entry in first.entries] == [near.uid]
    rest = find_page(first.next_cursor, now=timezone.now(), limit=9)
    assert [entry.uid for entry in rest.entries] == [far.uid, session.uid]


def test_a_page_costs_the_same_number_of_queries_however_many_records_there_are(client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get("/catalog.ttl")
        return len(context)

    for _ in range(2):
        make_dataset(is_open=True)
    few = queries()
    session = make_investigation(is_open=True)
    for _ in range(40):
        make_dataset(session)
    assert queries() == few


def test_a_page_is_not_sent_again_until_something_on_it_changes_by_the_clock_too(client):
    session = make_investigation(embargo_until=timezone.now() + timedelta(days=1))
    dataset = make_dataset(session)
    response = client.get("/catalog.ttl")
    tag = {"If-None-Match": response.headers["ETag"]}
    again = client.get("/catalog.ttl", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Link"] == response.headers["Link"]
    later = timezone.now() + timedelta(days=2)
    assert find_page("", now=later).entries != find_page("", now=timezone.now()).entries
    DatasetRevision.objects.filter(dataset=dataset).update(stamped_at=timezone.now())
    assert client.get("/catalog.ttl", headers=tag).status_code == 200


def test_records_tell_when_they_changed_last_for_a_reader(client):
    dataset = make_dataset(is_open=True)
    stamp = DatasetRevision.objects.get(dataset=dataset).stamped_open_at
    graph = read(client, "/catalog.ttl")
    record = graph.value(predicate=FOAF.primaryTopic, object=URIRef(f"{SITE}/datasets/{dataset.uid}"))
    assert graph.value(record, DCTERMS.modified).toPython() == stamp


@pytest.mark.parametrize("cursor", ["x", "dataset.0", "a" * 5000, "dataset.00000000000000000000000000000000:abc"])
def test_a_forged_cursor_is_refused_with_words(client, cursor):
    response = client.get("/catalog.ttl", {"cursor": cursor})
    assert response.status_code == 400
    assert "not one of ours" in response.content.decode()


def test_a_cursor_signed_for_something_else_leads_nowhere(client):
    dataset = make_dataset(is_open=True)
    for signer, text in ((Signer(), "dataset"), (Signer(salt="catalogue.catalog_pages"), "user")):
        cursor = signer.sign(f"{text}.{dataset.uid.hex}")
        assert client.get("/catalog.ttl", {"cursor": cursor}).status_code == 400


def test_an_empty_catalogue_is_a_catalogue(client):
    graph = read(client, "/catalog.ttl")
    assert listed(graph) == set()
    assert graph.value(URIRef(f"{SITE}/"), DCTERMS.title) is not None
