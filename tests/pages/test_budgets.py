"""How much a page may cost: queries on the server, bytes of styles and scripts to the browser."""

import gzip

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.pages.conftest import Catalogue

MOST_QUERIES = 8
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


def test_pages_ask_the_database_at_most_eight_times_for_a_visitor(catalogue, many_datasets, client):
    """The figures and choices of the archive as a whole are kept for a minute, so that the second visitor counts."""
    asked = {}
    for path in paths_of_records(catalogue):
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        asked[path] = len(queries)
    assert {path: number for path, number in asked.items() if number > MOST_QUERIES} == {}


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
