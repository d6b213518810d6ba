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
    """An index that counts how often hits are looked for."""

    def __init__(self, index: Index) -> None:
        self._index, self.searches = index, 0

    def __getattr__(self, name: str):
        return getattr(self._index, name)

    def search(self, request: Request) -> Found:
        self.searches += bool(request.limit)
        return self._index.search(request)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    keeping.forget()


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
    """The answer, and how often the engine looked for hits."""
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


@pytest.mark.parametrize("sent", [{}, {"q": ["dataset"]}, {"access": ["open"]}, {"access": ["closed"]}])
def test_every_question_has_an_answer_of_its_own(archive, sent):
    answered()
    first, searches = answered(**sent)
    again, none = answered(**sent)
    assert (bool(searches), none) == (bool(sent), 0)
    assert again.found == first.found
    expected = {"open": archive[:2], "closed": archive[2:]}.get(sent.get("access", [""])[0], archive)
    assert {record.uid for record in again.records} == {dataset.uid for dataset in expected}


def test_a_person_is_never_given_the_answer_of_another(archive):
    pi = principal_of(archive[2].investigation.team.get().person.user)
    sent = {"access": ["mine"]}
    assert [answered(one, **sent)[0].total for one in (pi, ANONYMOUS, pi, ANONYMOUS)] == [2, 0, 2, 0]
    assert answered(pi, **sent)[1] == 0


def test_a_person_who_leaves_the_team_is_asked_anew(archive):
    member = archive[2].investigation.team.get()
    pi = principal_of(member.person.user)
    first, _ = answered(pi, access=["mine"])
    member.delete()
    again, searches = answered(pi, access=["mine"])
    assert (first.total, again.total) == (2, 0) and searches


def test_a_histogram_is_drawn_of_what_is_kept(laboratory):
    drawn = [answered(histogram=["accelerating_voltage|kV"]) for _ in range(2)]
    assert [searches for _, searches in drawn] == [1, 0]
    assert drawn[0][0].found == drawn[1][0].found
    assert sum(drawn[1][0].found.bins["p.accelerating_voltage"]) == 2


def test_the_oldest_answers_make_room(archive):
    answered()
    for number in range(keeping.MOST_KEPT):
        answered(q=[f"nothing{number}"])
    assert answered(q=[f"nothing{keeping.MOST_KEPT - 1}"])[1] == 0
    assert answered()[1] > 0
