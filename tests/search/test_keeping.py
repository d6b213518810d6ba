"""What all visitors ask first is counted once, and anew as soon as anything could change the answer."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from catalogue.access import ANONYMOUS, principal_of
from catalogue.changes import datasets_changed
from catalogue.models import Dataset, Instrument
from search.backends.base import Found, Index, Request
from search.engines import engine
from search.indexing.sync import index_pending
from search.question.query_reading import parse_query
from search.results import keeping
from search.results.asking import Answer, ask, asker_of
from tests import factories
from tests.search.archive import make_datasets

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


class Counted:
    """An index that counts how often it is searched."""

    def __init__(self, index: Index) -> None:
        self._index, self.searches = index, 0

    def __getattr__(self, name: str):
        return getattr(self._index, name)

    def search(self, request: Request) -> Found:
        self.searches += 1
        return self._index.search(request)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    keeping._kept.clear()


@pytest.fixture
def archive(build_index) -> list[Dataset]:
    """Two open datasets, and two under an embargo until tomorrow, whose team is pi's."""
    opened = make_datasets(2)
    later = factories.make_investigation(pi=factories.make_user("pi"), embargo_until=timezone.now() + DAY)
    closed = make_datasets(2, investigation=later)
    build_index()
    index_pending(engine())
    return [*opened, *closed]


def answered(principal=ANONYMOUS, **sent: list[str]) -> tuple[Answer, int]:
    """The answer, and how many questions the engine was asked."""
    asker = asker_of(principal, now=timezone.now())
    counted = Counted(asker.index)
    object.__setattr__(asker, "index", counted)
    return ask(parse_query(sent, principal).query, asker), counted.searches


def test_the_engine_is_asked_once(archive):
    first, _ = answered()
    again, searches = answered()
    assert searches == 0
    assert (again.total, again.found) == (first.total, first.found) and first.found.bins["access"] == (2, 2)


def test_hits_are_masked_anew(archive):
    answered()
    Dataset.objects.filter(pk=archive[0].pk).update(title="Renamed a moment ago")
    again, _ = answered()
    assert "Renamed a moment ago" in {record.title for record in again.records}


def test_what_was_written_meanwhile_counts(archive):
    answered()
    new = make_datasets(1)
    datasets_changed(new)
    index_pending(engine())
    again, searches = answered()
    assert searches and again.total == 5


def test_it_ends_when_the_next_data_open_by_the_clock(archive):
    answered()
    with time_machine.travel(timezone.now() + DAY - timedelta(minutes=1), tick=False):
        assert answered()[1] == 0
    with time_machine.travel(timezone.now() + DAY + timedelta(minutes=1), tick=False):
        again, searches = answered()
        assert searches and again.found.bins["access"] == (4, 0)
    again, searches = answered()
    assert searches and again.found.bins["access"] == (2, 2), "a clock that was set back"


def test_it_ends_when_an_instrument_hides_what_is_closed(archive):
    answered()
    Instrument.objects.filter(pk=archive[2].instrument_id).update(embargo_metadata="none")
    again, searches = answered()
    assert searches and again.total == 2


def test_conditions_and_persons_are_asked_each_time(archive):
    pi = principal_of(archive[2].investigation.team.get().person.user)
    for principal, sent in ((pi, {}), (ANONYMOUS, {"q": ["scan"]}), (ANONYMOUS, {"access": ["open"]})):
        answered(principal, **sent)
        assert answered(principal, **sent)[1] > 0
    assert answered(pi)[0].found.bins["access"] == (2, 2)
