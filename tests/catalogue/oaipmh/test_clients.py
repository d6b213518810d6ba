"""Two independent harvesters, over a real server, and what they must never be told."""

from pathlib import Path

import pytest
from django.utils import timezone
from oaipmh_scythe import HTTPConfig, Scythe
from sickle import Sickle

from catalogue.access import SYSTEM, is_open
from catalogue.models import Dataset, Investigation
from catalogue.services.withdrawals import withdraw_dataset
from tests import factories
from tests.access.test_canaries import leaks
from tests.access.world import make_world
from tests.catalogue.oaipmh.harvesting import ask, harvest, name_of, pages

FORMATS = ["oai_dc", "oai_datacite", "datacite", "dcat"]


@pytest.mark.django_db(transaction=True)
def test_sickle_and_scythe_harvest_the_same(live_server, settings):
    settings.OAI_PAGE_SIZE = 3
    for number in range(7):
        factories.make_dataset(is_open=number % 2 == 0)
    withdraw_dataset(actor=SYSTEM, dataset=Dataset.objects.first(), reason="Made by mistake.")
    url = f"{live_server.url}/oai"
    expected = {(one.identifier, one.is_deleted, one.datestamp) for one in harvest()}
    assert len(expected) == 14

    sickle = Sickle(url)
    by_sickle = [one.header for one in sickle.ListRecords(metadataPrefix="oai_datacite")]
    assert {(one.identifier, one.deleted, one.datestamp) for one in by_sickle} == expected
    assert len(by_sickle) == len(expected)
    assert len(list(sickle.ListIdentifiers(metadataPrefix="oai_dc", set="access:open"))) == 8
    assert sickle.Identify().deletedRecord == "persistent"
    assert {one.metadataPrefix for one in sickle.ListMetadataFormats()} == set(FORMATS)
    assert len(list(sickle.ListRecords(metadataPrefix="oai_dc", ignore_deleted=True))) == 13

    with Scythe(url) as scythe:
        by_scythe = [one.header for one in scythe.list_records(metadata_prefix="oai_datacite")]
        assert {one.setSpec for one in scythe.list_sets()} == {one.setSpec for one in sickle.ListSets()}
    with Scythe(url, http_config=HTTPConfig(http_method="POST")) as scythe:
        by_post = [one.header for one in scythe.list_records(metadata_prefix="oai_dc")]
    for found in (by_scythe, by_post):
        assert {(one.identifier, one.deleted, one.datestamp) for one in found} == expected


@pytest.mark.django_db
@pytest.mark.parametrize("policy", ["summary", "full", "none"])
def test_a_harvest_tells_nothing_of_closed_data(tmp_path: Path, policy: str):
    world = make_world(tmp_path)
    factories.set_embargo_metadata(policy)
    shown = tuple(place for place in world.canaries if policy == "full" and "of the closed dataset" in place)
    bodies = [page for prefix in FORMATS for page in pages(metadataPrefix=prefix)]
    bodies += [ask(verb="ListSets"), ask(verb="Identify")]
    for body in bodies:
        assert not leaks(world, body, shown)


@pytest.mark.django_db
def test_what_is_closed_and_hidden_is_in_no_list(tmp_path: Path):
    make_world(tmp_path)
    factories.set_embargo_metadata("none")
    now = timezone.now()
    rows = [*Dataset.objects.select_related("investigation"), *Investigation.objects.all()]
    closed = {name_of(row) for row in rows if row.state == "active" and not is_open(row, now=now)}
    assert closed
    for prefix in FORMATS:
        told = b"".join(pages(metadataPrefix=prefix)).decode()
        assert not [name for name in closed if name.partition("/")[2] in told]


@pytest.mark.django_db
def test_closed_records_say_that_they_are_closed_in_every_form(tmp_path: Path):
    make_world(tmp_path)
    now = timezone.now()
    rows = [*Dataset.objects.select_related("investigation"), *Investigation.objects.all()]
    closed = {name_of(row) for row in rows if row.state == "active" and not is_open(row, now=now)}
    open_words = {
        "oai_dc": b"semantics/openAccess",
        "oai_datacite": b"c_abf2",
        "datacite": b"c_abf2",
        "dcat": b"PUBLIC",
    }
    for prefix, word in open_words.items():
        told = {one.identifier.rpartition(":")[2]: one.payload for one in harvest(metadataPrefix=prefix)}
        assert closed <= set(told)
        for name in closed:
            assert word not in told[name].replace(b"NON_PUBLIC", b""), (prefix, name)
