"""The six verbs, as the protocol has them, on both databases; every answer is checked against the official schemas."""

import pytest
from django.test import Client

from tests import factories
from tests.catalogue.oaipmh.harvesting import ask, error_of, harvest, name_of, names, pages, records_in

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_a_harvest_gives_open_and_closed_records_with_their_sets():
    opened, closed = factories.make_dataset(is_open=True), factories.make_dataset()
    found = {one.identifier.rpartition(":")[2]: one for one in harvest()}
    whole = [opened.investigation, closed.investigation]
    assert set(found) == {name_of(record) for record in (opened, closed, *whole)}
    instrument = opened.instrument
    assert found[name_of(opened)].sets == {
        "type:dataset",
        f"instrument:{instrument.uid}",
        f"facility:{instrument.facility.uid}",
        "access:open",
    }
    assert "access:open" not in found[name_of(closed)].sets


@pytest.mark.parametrize("prefix", ["oai_dc", "oai_datacite", "datacite", "dcat"])
def test_every_format(prefix):
    dataset = factories.make_dataset(is_open=True)
    factories.make_dataset()
    assert len(harvest(metadataPrefix=prefix)) == 4
    body = ask(verb="GetRecord", metadataPrefix=prefix, identifier=f"oai:faircat.localhost:{name_of(dataset)}")
    assert dataset.title.encode() in body


def test_identify_and_lists_of_formats_and_sets():
    factories.make_dataset()
    assert b"<deletedRecord>persistent" in ask(verb="Identify")
    assert b"oai_datacite" in ask(verb="ListMetadataFormats")
    assert b"<setSpec>access:open" in ask(verb="ListSets")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7])
def test_no_page_is_empty(size, settings):
    settings.OAI_PAGE_SIZE = size
    for _ in range(3):
        factories.make_dataset(is_open=True)
    found = list(pages())
    assert all(not error_of(page) for page in found)
    assert [len(list(records_in(page))) for page in found][:-1] == [size] * (len(found) - 1)
    assert len(found) == -(-6 // size)
    assert len(set(names(harvest()))) == 6
