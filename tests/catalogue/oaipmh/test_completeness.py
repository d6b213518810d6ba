"""A harvest meets every record, whatever is changed, opened, withdrawn or registered while it runs; and the next one the rest."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from lxml import etree

from catalogue import changes
from catalogue.access import SYSTEM
from catalogue.models import Dataset
from catalogue.services.releases import release_investigation
from catalogue.services.withdrawals import withdraw_dataset
from tests import factories
from tests.catalogue.oaipmh.harvesting import ask, error_of, harvest, name_of, names, records_in, token_of

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = st.tuples(
    st.sampled_from(["edit", "edit all", "release", "lengthen", "withdraw", "register", "wait"]), st.integers(0, 5)
)


class Archive:
    """Six datasets, three of them in one investigation, that open now, soon, or in the far future."""

    def __init__(self, hours: list[int]) -> None:
        openings = [START + timedelta(hours=hour) for hour in hours]
        shared = factories.make_investigation(embargo_until=openings[0])
        wholes = [shared, shared, shared, *(factories.make_investigation(embargo_until=one) for one in openings[1:])]
        self.datasets = [factories.make_dataset(whole) for whole in wholes]

    def names(self) -> set[str]:
        return {name_of(one) for one in self.datasets} | {name_of(one.investigation) for one in self.datasets}

    def change(self, what: str, number: int) -> None:
        dataset = Dataset.objects.select_related("investigation").get(pk=self.datasets[number].pk)
        if what == "edit":
            dataset.title = f"{dataset.title}!"
            dataset.save()
            changes.datasets_changed([dataset])
        elif what == "edit all":
            changes.row_changed(dataset.instrument)
        elif what == "release" and not dataset.investigation.released_at:
            release_investigation(actor=SYSTEM, investigation=dataset.investigation)
        elif what == "lengthen" and dataset.embargo_until is None and dataset.revision.stamped_open_at > self.now():
            dataset.embargo_until = dataset.investigation.embargo_until + timedelta(days=1)
            dataset.save()
            changes.datasets_changed([dataset])
        elif what == "withdraw" and dataset.state == "active":
            withdraw_dataset(actor=SYSTEM, dataset=dataset, reason="Made by mistake.")
        elif what == "register":
            changes.datasets_changed([factories.make_dataset(dataset.investigation)])

    def now(self) -> datetime:
        return datetime.now(UTC)


class Completeness(TestCase):
    @profile(max_examples=15)
    @given(
        size=st.integers(1, 5),
        hours=st.lists(st.integers(-2, 6), min_size=4, max_size=4),
        steps=st.lists(st.lists(STEP, max_size=3), max_size=12),
    )
    def test_a_harvest_meets_every_record_however_they_change(self, size, hours, steps):
        with self.settings(OAI_PAGE_SIZE=size, OAI_OVERLAP_SECONDS=0), time_machine.travel(START, tick=False) as clock:
            archive = Archive(hours)
            known = archive.names()
            clock.shift(1)
            body = ask(verb="ListRecords", metadataPrefix="oai_dc")
            began, kept = response_date(body), {}
            waiting = iter(steps)
            while True:
                kept |= {one.identifier: one for one in records_in(body)}
                for what, number in next(waiting, ()):
                    clock.shift(timedelta(hours=1) if what == "wait" else 1)
                    archive.change(what, number)
                clock.shift(1)
                if not (token := token_of(body)):
                    break
                body = ask(verb="ListRecords", resumptionToken=token)
                assert not error_of(body)
            assert known <= {name.rpartition(":")[2] for name in kept}
            kept |= {one.identifier: one for one in harvest(from_=began)}
            assert kept == {one.identifier: one for one in harvest()}


def response_date(body: bytes) -> str:
    return etree.fromstring(body).findtext("{*}responseDate")


@pytest.mark.django_db
@pytest.mark.both_databases
def test_harvesters_that_go_on_from_the_newest_datestamp_miss_nothing_either(settings):
    settings.OAI_PAGE_SIZE = 2
    with time_machine.travel(START, tick=False) as clock:
        archive = Archive([1, 2, 3, 4])
        found = []
        body = ask(verb="ListRecords", metadataPrefix="oai_dc")
        while True:
            found += records_in(body)
            clock.shift(timedelta(minutes=20))
            archive.change("edit", len(found) % 6)
            if not (token := token_of(body)):
                break
            body = ask(verb="ListRecords", resumptionToken=token)
        newest = max(one.datestamp for one in found)
        kept = {one.identifier: one for one in [*found, *harvest(from_=newest)]}
        assert kept == {one.identifier: one for one in harvest()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_a_change_that_is_taken_back_moves_nothing():
    archive = Archive([-1, -1, 5, 5])
    before = harvest()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        archive.change("edit", 0)
        raise ZeroDivisionError
    assert harvest() == before
    archive.change("edit", 0)
    assert names(harvest())[-1] == name_of(archive.datasets[0])


@pytest.mark.django_db
@pytest.mark.both_databases
def test_a_change_that_is_seen_late_is_found_by_the_next_harvest(settings):
    """As by a transaction that took its moment before a harvest and ended after it."""
    settings.OAI_OVERLAP_SECONDS = 30
    with time_machine.travel(START, tick=False) as clock:
        archive = Archive([-1, -1, 5, 5])
        clock.shift(3600)
        began = response_date(ask(verb="ListRecords", metadataPrefix="oai_dc"))
        clock.shift(-25)
        archive.change("edit", 3)
        clock.shift(3600)
        assert names(harvest(from_=began)) == [name_of(archive.datasets[3])]
