"""The six verbs as the protocol has them, on both databases; every answer is checked against the official schemas."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
import rdflib
import time_machine
from django.test import Client
from django.utils import timezone
from lxml import etree

from catalogue.access import SYSTEM
from catalogue.changes import datasets_changed, investigation_changed, row_changed, stamp_opening
from catalogue.models import (
    Collection,
    CollectionMember,
    Concept,
    Investigation,
    Relation,
    Technique,
    TechniqueAncestor,
)
from catalogue.services.withdrawals import withdraw_dataset, withdraw_investigation
from tests import factories
from tests.catalogue.oaipmh.harvesting import (
    ask,
    error_of,
    harvest,
    name_of,
    names,
    pages,
    records_in,
    sets_in,
    token_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
PREFIX = "oai:faircat.localhost:"
FORMATS = ["oai_dc", "oai_datacite", "datacite", "dcat"]


def record_of(record, prefix: str = "oai_dc"):
    (found,) = records_in(ask(verb="GetRecord", metadataPrefix=prefix, identifier=PREFIX + name_of(record)))
    return found


def make_technique(name: str, *broader: Technique) -> Technique:
    technique = Technique.objects.create(iri=f"http://purl.org/pan-science/PaNET/{name}", label=name, source="PaNET")
    for ancestor in (technique, *broader):
        TechniqueAncestor.objects.create(technique=technique, ancestor=ancestor)
    return technique


def publish(*, datasets=(), investigations=(), parts=(), state="published", **fields) -> Collection:
    doi = f"10.5072/{Collection.objects.count()}"
    text = {"title": "A collection", "creators": [{"family_name": "Lovelace"}]}
    values = {"title": "A collection", "text": text, "doi": doi, "published_at": timezone.now()}
    collection = Collection.objects.create(
        **(values | fields), concept=Concept.objects.create(), created_by=factories.make_user(), state=state
    )
    for kind, members in (("dataset", datasets), ("investigation", investigations), ("part", parts)):
        for member in members:
            CollectionMember.objects.create(collection=collection, **{kind: member})
    count = len(datasets) + len(investigations) + len(parts)
    Collection.objects.filter(pk=collection.pk).update(stamped_at=timezone.now(), member_count=count)
    stamp_opening(collection)
    return collection


def test_a_harvest_gives_open_and_closed_records_with_their_sets():
    opened, closed = factories.make_dataset(is_open=True), factories.make_dataset()
    found = {one.identifier.removeprefix(PREFIX): one for one in harvest()}
    assert set(found) == {name_of(record) for record in (opened, closed, opened.investigation, closed.investigation)}
    instrument = opened.instrument
    own = {f"instrument:{instrument.uid}", f"facility:{instrument.facility.uid}", "access:open"}
    assert found[name_of(opened)].sets == own | {"type:dataset"}
    assert found[name_of(opened.investigation)].sets == own | {"type:investigation"}
    assert "access:open" not in found[name_of(closed)].sets


@pytest.mark.parametrize("prefix", FORMATS)
def test_every_record_is_there_in_every_format(prefix):
    opened, closed = factories.make_dataset(is_open=True), factories.make_dataset()
    collection = publish(datasets=[opened])
    found = {one.identifier.removeprefix(PREFIX): one.payload for one in harvest(metadataPrefix=prefix)}
    for record in (opened, closed, opened.investigation, closed.investigation, collection):
        assert record.title.encode() in found[name_of(record)]
        assert record_of(record, prefix).payload == found[name_of(record)]
        if prefix == "dcat":
            assert len(rdflib.Graph().parse(data=found[name_of(record)], format="xml"))


def test_identify_tells_what_the_settings_say(settings):
    settings.OAI_REPOSITORY_NAME, settings.OAI_ADMIN_EMAIL = "Data & Co", "harvest@example.org"
    settings.SITE_URL = "https://data.example.org"
    first = factories.make_dataset()
    tree = etree.fromstring(ask(verb="Identify"))
    told = {element.tag.rpartition("}")[2]: element.text for element in tree.iter() if isinstance(element.tag, str)}
    expected = {
        "repositoryName": "Data & Co",
        "adminEmail": "harvest@example.org",
        "baseURL": "https://data.example.org/oai",
        "repositoryIdentifier": "data.example.org",
        "deletedRecord": "persistent",
        "granularity": "YYYY-MM-DDThh:mm:ssZ",
        "compression": "gzip",
    }
    assert expected.items() <= told.items()
    assert told["earliestDatestamp"] <= f"{first.investigation.stamped_at:%Y-%m-%dT%H:%M:%SZ}"
    assert told["sampleIdentifier"].startswith("oai:data.example.org:datasets/")


def test_formats_are_told_of_for_all_and_for_one_record():
    dataset = factories.make_dataset()
    for arguments in ({}, {"identifier": PREFIX + name_of(dataset)}):
        body = ask(verb="ListMetadataFormats", **arguments)
        assert [one.text for one in etree.fromstring(body).iter("{*}metadataPrefix")] == FORMATS


@pytest.mark.parametrize("size", range(1, 8))
def test_no_page_is_empty(size, settings):
    settings.OAI_PAGE_SIZE = size
    for _ in range(3):
        factories.make_dataset(is_open=True)
    found = list(pages())
    assert [len(list(records_in(page))) for page in found][:-1] == [size] * (len(found) - 1)
    assert len(found) == -(-6 // size)
    assert len(set(names(harvest()))) == 6
    for number, page in enumerate(found if len(found) > 1 else []):
        token = etree.fromstring(page).find(".//{*}resumptionToken")
        assert (token.get("cursor"), token.get("completeListSize")) == (str(number * size), "6")
        assert bool(token.get("expirationDate")) == bool(token.text)


def test_many_records_of_one_moment_are_each_met_once(settings):
    settings.OAI_PAGE_SIZE = 2
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False):
        whole = factories.make_investigation(is_open=True)
        made = [factories.make_dataset(whole) for _ in range(5)] + [factories.make_dataset() for _ in range(2)]
        found = names(harvest())
    assert sorted(found) == sorted({name_of(one) for one in made} | {name_of(one.investigation) for one in made})


def test_identifiers_come_without_metadata():
    factories.make_dataset()
    found = harvest(verb="ListIdentifiers", metadataPrefix="datacite")
    assert len(found) == 2
    assert not any(one.payload for one in found)


def test_from_and_until_are_inclusive_to_the_second_and_to_the_day():
    with time_machine.travel(datetime(2026, 3, 1, 23, 59, 59, 999_000, tzinfo=UTC), tick=False):
        dataset = factories.make_dataset()
    wanted = {name_of(dataset), name_of(dataset.investigation)}
    for since, until, is_found in (
        ("2026-03-01T23:59:59Z", "2026-03-01T23:59:59Z", True),
        ("2026-03-01", "2026-03-01", True),
        ("2026-03-02", "", False),
        ("", "2026-02-28", False),
        ("", "2026-03-01T23:59:58Z", False),
        ("2026-03-02T00:00:00Z", "", False),
        ("2026-03-01", "9999-12-31", True),
    ):
        asked = {name: value for name, value in (("from_", since), ("until", until)) if value}
        with time_machine.travel(datetime(2026, 3, 5, tzinfo=UTC), tick=False):
            assert set(names(harvest(**asked))) == (wanted if is_found else set()), asked


def test_the_end_of_an_embargo_moves_the_datestamp_though_nothing_runs():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        whole = factories.make_investigation(embargo_until=start + timedelta(days=10))
        dataset = factories.make_dataset(whole, title="Secret until then")
        clock.shift(timedelta(days=10, seconds=-1))
        before = record_of(dataset)
        assert before.datestamp == "2026-03-01T00:00:00Z"
        assert b"embargoedAccess" in before.payload
        assert not harvest(from_="2026-03-02")
        clock.shift(timedelta(seconds=1))
        after = record_of(dataset)
        assert after.datestamp == "2026-03-11T00:00:00Z"
        assert b"openAccess" in after.payload and "access:open" in after.sets
        assert set(names(harvest(from_="2026-03-11"))) == {name_of(dataset), name_of(whole)}
        assert not harvest(until="2026-03-10")


def test_an_embargo_that_is_made_longer_keeps_the_record_closed_under_its_new_datestamp():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        whole = factories.make_investigation(embargo_until=start + timedelta(days=2))
        dataset = factories.make_dataset(whole)
        clock.shift(timedelta(days=1))
        dataset.embargo_until = start + timedelta(days=30)
        dataset.save()
        datasets_changed([dataset])
        clock.shift(timedelta(days=5))
        found = record_of(dataset)
        assert found.datestamp == "2026-03-02T00:00:00Z"
        assert "access:open" not in found.sets


def test_the_response_date_of_lists_lies_back_by_the_longest_transaction(settings):
    settings.OAI_OVERLAP_SECONDS = 45
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False):
        factories.make_dataset()
        assert b"<responseDate>2026-03-01T11:59:15Z" in ask(verb="ListRecords", metadataPrefix="oai_dc")
        assert b"<responseDate>2026-03-01T12:00:00Z" in ask(verb="Identify")


def test_what_is_withdrawn_stays_as_a_deletion_in_all_its_sets():
    technique = make_technique("PaNET00001")
    opened, closed = factories.make_dataset(is_open=True), factories.make_dataset()
    for dataset in (opened, closed):
        dataset.techniques.add(technique)
    before = {dataset: record_of(dataset).sets for dataset in (opened, closed)}
    withdraw_dataset(actor=SYSTEM, dataset=opened, reason="Made by mistake.")
    withdraw_investigation(actor=SYSTEM, investigation=closed.investigation, reason="Made by mistake.")
    for dataset in (opened, closed):
        found = record_of(dataset)
        assert found.is_deleted and not found.payload
        assert found.sets == before[dataset]
    assert record_of(closed.investigation).is_deleted
    assert [one.is_deleted for one in harvest(set="technique:PaNET00001")] == [True, True]
    assert [one.is_deleted for one in harvest(set="access:open")] == [False, True]


@pytest.mark.parametrize("kind", ["investigations", "datasets"])
def test_a_collection_is_open_and_harvested_anew_in_the_second_in_which_its_last_closed_data_open(kind):
    closed = factories.make_dataset()
    inner = publish(**{kind: [closed if kind == "datasets" else closed.investigation]})
    outer = publish(parts=[inner], datasets=[factories.make_dataset(is_open=True)])
    opens = closed.investigation.embargo_until
    for when, is_open in ((opens - timedelta(seconds=1), False), (opens, True)):
        with time_machine.travel(when, tick=False):
            known = {one.identifier: one for one in harvest(set="type:collection")}
            in_set = {one.identifier for one in harvest(set="access:open")}
            for one in (inner, outer):
                found = known[PREFIX + name_of(one)]
                assert (found.identifier in in_set, "access:open" in found.sets) == (is_open, is_open)
                assert (found.datestamp >= f"{opens:%Y-%m-%dT%H:%M:%SZ}") == is_open


def test_a_collection_opens_with_an_embargo_that_was_made_longer_or_ended():
    closed = factories.make_dataset()
    investigation = closed.investigation
    collection = publish(datasets=[closed])
    later = investigation.embargo_until + timedelta(days=30)
    Investigation.objects.filter(pk=investigation.pk).update(held_until=later)
    investigation_changed(investigation)
    assert Collection.objects.get(pk=collection.pk).stamped_open_at == later
    Investigation.objects.filter(pk=investigation.pk).update(released_at=timezone.now())
    investigation_changed(investigation)
    assert "access:open" in record_of(collection).sets


def test_a_withdrawn_collection_stays_as_a_deletion():
    collection = publish(datasets=[factories.make_dataset(is_open=True)], state="withdrawn", withdrawal_reason="Wrong.")
    assert record_of(collection).is_deleted


def test_a_draft_is_no_record():
    draft = publish(state="draft", doi=None, published_at=None)
    body = ask(verb="GetRecord", metadataPrefix="oai_dc", identifier=PREFIX + name_of(draft))
    assert error_of(body) == "idDoesNotExist"
    assert not harvest()


def test_where_closed_records_are_hidden_they_appear_when_they_open():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        hidden = factories.make_dataset(factories.make_investigation(embargo_until=start + timedelta(days=1)))
        withdrawn = factories.make_dataset(hidden.investigation)
        factories.set_embargo_metadata("none")
        withdraw_dataset(actor=SYSTEM, dataset=withdrawn, reason="Made by mistake.")
        early = factories.make_dataset(hidden.investigation, released_at=start)
        for record in (hidden, hidden.investigation, withdrawn):
            body = ask(verb="GetRecord", metadataPrefix="oai_dc", identifier=PREFIX + name_of(record))
            assert error_of(body) == "idDoesNotExist"
        assert names(harvest()) == [name_of(early)]
        clock.shift(timedelta(days=1))
        found = {one.identifier.removeprefix(PREFIX): one.is_deleted for one in harvest(from_="2026-03-02")}
    assert found == {name_of(hidden): False, name_of(hidden.investigation): False, name_of(withdrawn): True}


def test_a_closed_record_tells_no_more_than_its_summary(tmp_path):
    dataset = factories.make_dataset(description="Public words", format_label="SECRETFORMAT")
    dataset.sample = factories.make_sample(dataset.investigation, name="SECRETSAMPLE")
    dataset.save()
    Relation.objects.create(dataset=dataset, relation_type="IsSupplementTo", identifier="10.1234/SECRET")
    for prefix in FORMATS:
        payload = record_of(dataset, prefix).payload
        assert b"SECRET" not in payload
        assert b"Public words" in payload


def test_each_set_gives_exactly_the_records_that_name_it():
    broad = make_technique("PaNET00001")
    narrow = make_technique("PaNET00002", broad)
    for technique in (broad, narrow, None):
        dataset = factories.make_dataset(is_open=technique is not None)
        if technique:
            dataset.techniques.add(technique)
    inner = publish(datasets=[dataset])
    publish(investigations=[factories.make_dataset(is_open=True).investigation], parts=[inner])
    everything = harvest()
    named = sets_in(ask(verb="ListSets"))
    assert {spec for one in everything for spec in one.sets} <= set(named)
    for spec in named:
        expected = [
            one.identifier for one in everything if any(own == spec or own.startswith(f"{spec}:") for own in one.sets)
        ]
        assert [one.identifier for one in harvest(set=spec)] == expected, spec
    assert len(harvest(set="technique:PaNET00001")) == 2
    assert len(harvest(set="technique:PaNET00002")) == 1
    assert {spec.partition(":")[0] for spec in named} == {
        "access", "collection", "facility", "instrument", "technique", "type"
    }  # fmt: skip


def test_who_harvests_from_a_moment_hears_of_a_publication_by_all_that_it_holds():
    whole, single = factories.make_dataset(is_open=True).investigation, factories.make_dataset(is_open=True)
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        collection = publish(datasets=[single], investigations=[whole])
        row_changed(collection)
        held = {name_of(single), name_of(whole), name_of(whole.datasets.get())}
        day = f"{timezone.now():%Y-%m-%d}"
        assert set(names(harvest(from_=day, set=f"collection:{collection.uid}"))) == held
        assert set(names(harvest(from_=day))) == held | {name_of(collection)}


def test_sets_are_listed_in_pages_with_descriptions(settings):
    settings.OAI_PAGE_SIZE = 3
    factories.make_dataset()
    publish(datasets=[factories.make_dataset(is_open=True)])
    for number in range(4):
        make_technique(f"PaNET0000{number}")
    body, found, sizes = ask(verb="ListSets"), [], []
    while True:
        found += sets_in(body)
        sizes.append(len(sets_in(body)))
        assert body.count(b"<setDescription>") == sizes[-1]
        if not (token := token_of(body)):
            break
        body = ask(verb="ListSets", resumptionToken=token)
    assert len(found) == len(set(found)) == 10 + 2 + 2 + 4 + 1
    assert sizes[:-1] == [3] * (len(sizes) - 1)


def test_sets_and_dates_go_together(settings):
    settings.OAI_PAGE_SIZE = 1
    with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False):
        old = factories.make_dataset(is_open=True)
    new = factories.make_dataset(old.investigation)
    assert names(harvest(set="type:dataset", from_="2026-03-02")) == [name_of(new)]
    assert names(harvest(set=f"instrument:{old.instrument.uid}", until="2026-03-01")) == [
        name_of(old), name_of(old.investigation)
    ]  # fmt: skip


def test_a_question_by_post_is_answered_as_one_by_get():
    factories.make_dataset()
    by_get = ask(verb="ListRecords", metadataPrefix="oai_dc")
    client = Client(enforce_csrf_checks=True)
    with time_machine.travel(timezone.now(), tick=False):
        response = client.post("/oai", {"verb": "ListRecords", "metadataPrefix": "oai_dc"})
    assert list(records_in(response.getvalue())) == list(records_in(by_get))


def test_who_accepts_gzip_gets_it():
    factories.make_dataset()
    response = Client().get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert response["Vary"] == "Accept-Encoding"
    assert len(list(records_in(gzip.decompress(response.getvalue())))) == 2


def test_who_asks_too_often_is_told_when_to_come_again(settings):
    settings.RATE_OAI = "2/m"
    answers = [Client().get("/oai?verb=Identify") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 503]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert Client(REMOTE_ADDR="192.0.2.7").get("/oai?verb=Identify").status_code == 200


def test_a_page_costs_the_same_number_of_queries_whatever_is_on_it(django_assert_max_num_queries):
    for _ in range(3):
        dataset = factories.make_dataset(is_open=True)
        dataset.techniques.add(make_technique(f"PaNET{dataset.pk:05}"))
        publish(datasets=[dataset])
        dataset.derived_from.add(factories.make_dataset(is_open=True))
    with django_assert_max_num_queries(38):
        assert len(harvest()) == 15
    for _ in range(20):
        publish(datasets=[factories.make_dataset(is_open=True)])
    with django_assert_max_num_queries(38):
        assert len(harvest()) == 75
