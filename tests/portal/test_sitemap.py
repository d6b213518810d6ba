"""The sitemap: what everybody reads in full at this second, in lists that keep their names, valid by the schema."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.interop.sitemap import MOST
from catalogue.models import Collection, Investigation
from catalogue.services.withdrawals import withdraw_dataset
from doi.models import Identifier
from portal.sitemap import PAGE
from tests import factories
from tests.access.dois import PUBLISHED, doi_of_session
from tests.access.world import World, make_world
from tests.portal.sitemap_rules import read_sitemap

pytestmark = pytest.mark.django_db
SITE = "http://127.0.0.1:8000"
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def lists() -> dict[str, str]:
    cache.clear()
    return read_sitemap(Client().get("/sitemap.xml"), "sitemapindex")


def pages() -> dict[str, str]:
    """Every page of every list."""
    found: dict[str, str] = {}
    for address in lists():
        found |= read_sitemap(Client().get(address.removeprefix(SITE)), "urlset")
    return found


def paths() -> set[str]:
    return {address.removeprefix(SITE) for address in pages()}


@pytest.mark.parametrize("policy", ["summary", "full", "none"])
def test_only_what_everybody_reads_in_full_is_listed(world: World, policy: str):
    factories.set_embargo_metadata(policy)
    assert paths() == {
        f"/datasets/{world.datasets['open'].uid}",
        f"/investigations/{world.investigations['open'].uid}",
        f"/doi/{doi_of_session('open')}",
        f"/doi/{PUBLISHED}",
    }


def test_a_page_that_opens_by_the_clock_is_listed_from_that_second_on_with_that_moment(world: World):
    opens_at = world.investigations["closed"].embargo_until.replace(microsecond=0)
    Investigation.objects.filter(pk=world.investigations["closed"].pk).update(
        embargo_until=opens_at, stamped_open_at=opens_at
    )
    dataset = world.datasets["closed"]
    type(dataset.revision).objects.filter(dataset=dataset).update(stamped_open_at=opens_at)
    own = [f"{SITE}/datasets/{dataset.uid}", f"{SITE}/investigations/{dataset.investigation.uid}"]
    own.append(f"{SITE}/doi/{doi_of_session('closed')}")
    with time_machine.travel(opens_at - SECOND, tick=False):
        assert not set(own) & set(pages())
    with time_machine.travel(opens_at, tick=False):
        listed = pages()
        assert {listed[address] for address in own} == {opens_at.isoformat()}
        assert lists()[f"{SITE}/sitemap-datasets-1.xml"] == opens_at.isoformat()


def test_a_dataset_that_is_withdrawn_leaves_the_sitemap(world: World):
    dataset = world.datasets["open"]
    withdraw_dataset(actor=principal_of(world.users["curator"]), dataset=dataset, reason="Made by mistake.")
    assert f"/datasets/{dataset.uid}" not in paths()


def test_a_collection_that_is_withdrawn_or_a_draft_is_not_listed(world: World):
    Collection.objects.filter(doi=PUBLISHED).update(state="withdrawn", withdrawal_reason="A mistake.")
    assert f"/doi/{PUBLISHED}" not in paths()
    assert not [path for path in paths() if "reserved" in path or "concept" in path]


def test_a_session_has_its_landing_page_listed_once_its_doi_is_public(world: World):
    Identifier.objects.filter(doi=doi_of_session("open")).update(state="draft")
    assert f"/doi/{doi_of_session('open')}" not in paths()


def test_lists_are_ranges_of_keys(db):
    investigation = factories.make_investigation(is_open=True)
    last, first, far = (factories.make_dataset(investigation, pk=key) for key in (MOST, MOST + 1, 9 * MOST + 7))
    assert [name for name in lists() if "datasets" in name] == [
        f"{SITE}/sitemap-datasets-{number}.xml" for number in (1, 2, 10)
    ]
    for number, dataset in ((1, last), (2, first), (10, far)):
        listed = read_sitemap(Client().get(f"/sitemap-datasets-{number}.xml"), "urlset")
        assert list(listed) == [f"{SITE}/datasets/{dataset.uid}"]


@pytest.mark.parametrize(
    "name", ["datasets-2", "datasets-0", "datasets-99999999999999999999999", "users-1", "datasets-1.5", "datasets"]
)
def test_a_list_that_does_not_exist_is_not_found(world: World, name: str):
    assert Client().get(f"/sitemap-{name}.xml").status_code == 404


def test_a_list_of_closed_pages_alone_is_no_list(db):
    factories.make_dataset()
    assert Client().get("/sitemap-datasets-1.xml").status_code == 404


def test_the_sitemap_of_an_empty_archive_is_not_there_yet(db):
    assert Client().get("/sitemap.xml").status_code == 404


def test_the_index_tells_when_the_last_page_of_a_list_changed(db):
    old, new = datetime(2024, 5, 1, 12, tzinfo=UTC), datetime(2025, 6, 2, 13, 14, 15, 999999, tzinfo=UTC)
    for moment in (new, old):
        dataset = factories.make_dataset(is_open=True)
        type(dataset.revision).objects.filter(dataset=dataset).update(stamped_open_at=moment)
    assert lists()[f"{SITE}/sitemap-datasets-1.xml"] == "2025-06-02T13:14:15+00:00"


def test_characters_of_a_doi_that_mean_something_elsewhere_are_quoted(world: World):
    Identifier.objects.filter(doi=PUBLISHED).update(doi="10.5072/a&b<c>(1);2#é")
    assert "/doi/10.5072/a%26b%3Cc%3E%281%29%3B2%23%C3%A9" in paths()


def test_the_index_is_asked_of_the_database_once_in_some_minutes(world: World, django_assert_num_queries):
    lists()
    with django_assert_num_queries(0):
        read_sitemap(Client().get("/sitemap.xml"), "sitemapindex")


def test_a_list_costs_one_walk_along_its_keys(world: World, django_assert_max_num_queries):
    for _ in range(30):
        factories.make_dataset(world.investigations["open"])
    with django_assert_max_num_queries(MOST // PAGE):
        assert len(read_sitemap(Client().get("/sitemap-datasets-1.xml"), "urlset")) == 31


def test_a_crawler_that_takes_gzip_gets_it(world: World):
    response = Client().get("/sitemap-datasets-1.xml", headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(read_sitemap(response, "urlset")) == 1


def test_dates_of_a_change_move_its_page(world: World):
    before = pages()[f"{SITE}/datasets/{world.datasets['open'].uid}"]
    now = timezone.now() + timedelta(days=1)
    type(world.datasets["open"].revision).objects.filter(dataset=world.datasets["open"]).update(
        stamped_at=now - timedelta(hours=1), stamped_open_at=now - timedelta(hours=1)
    )
    assert pages()[f"{SITE}/datasets/{world.datasets['open'].uid}"] > before
