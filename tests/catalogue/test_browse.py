"""Lists of datasets: whichever way the database is led, a list holds what the visibility rule says, in its order."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from catalogue import access
from catalogue.access import ANONYMOUS
from catalogue.browse import DatasetFilter, Lists
from catalogue.models import AccessGrant, Dataset
from search.question.query_reading import parse_query
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = timedelta(days=1)


@pytest.fixture
def now():
    """An archive of sessions that overlap, most of them closed at the newer end, with datasets of terms of their own."""
    moment = timezone.now()
    sessions = [
        factories.make_investigation(
            embargo_until=moment + (DAY if number > 5 else -DAY),
            released_at=moment - DAY if number == 9 else None,
        )
        for number in range(12)
    ]
    for number in range(60):
        terms = {
            7: {"released_at": moment - DAY},
            11: {"embargo_until": moment + DAY},
            13: {"embargo_until": moment - DAY},
        }.get(number % 17, {})
        factories.make_dataset(sessions[number // 10 * 2 + number % 2], format_label="TIFF", **terms)
    return moment


def pages_of(wanted: DatasetFilter, now, *, limit: int) -> list[int]:
    """The keys of all pages, one after another."""
    keys, cursor = [], ""
    while True:
        page = Lists(ANONYMOUS, now=now).page(wanted, cursor=cursor, limit=limit)
        keys += [row.pk for row in page.datasets]
        cursor = page.next_cursor
        if not cursor:
            return keys


@pytest.mark.parametrize("limit", [1, 4, 100])
@pytest.mark.parametrize("sort", ["newest", "oldest", "acquired"])
@pytest.mark.parametrize("choice", ["open", "closed"])
def test_the_pages_of_what_is_open_or_closed_hold_all_of_it_once_and_in_order(now, choice, sort, limit):
    rows = Dataset.objects.select_related("investigation")
    expected = [row for row in rows if access.is_open(row, now=now) == (choice == "open")]
    if sort == "acquired":
        expected.sort(key=lambda row: (row.acquired_at, row.pk), reverse=True)
    else:
        expected.sort(key=lambda row: row.pk, reverse=sort == "newest")
    assert len(expected) > 10
    assert pages_of(DatasetFilter(access=choice, sort=sort), now, limit=limit) == [row.pk for row in expected]


def test_a_visitor_finds_by_format_what_is_open(now):
    found = pages_of(DatasetFilter(formats=("TIFF",)), now, limit=4)
    assert found == pages_of(DatasetFilter(access="open"), now, limit=100)


def test_an_investigation_without_data_is_in_nobodys_way(now):
    factories.make_investigation(is_open=True)
    assert len(pages_of(DatasetFilter(access="open"), now, limit=4)) > 10


def test_several_lists_are_counted_at_once(now):
    lists = Lists(ANONYMOUS, now=now)
    filters = [DatasetFilter(access="open"), DatasetFilter(text="nothing of that name"), DatasetFilter()]
    assert lists.counts(filters) == [lists.count(wanted) for wanted in filters]
    assert lists.counts(filters)[1:] == [0, 60]


def test_what_has_no_day_of_measurement_is_neither_listed_nor_counted_by_it(now):
    factories.make_dataset(is_open=True, acquired_at=None)
    lists, wanted = Lists(ANONYMOUS, now=now), DatasetFilter(sort="acquired")
    page = lists.page(wanted, limit=100, is_counted=True)
    assert (len(page.datasets), page.count, lists.count(wanted)) == (60, 60, 60)
    assert lists.count(DatasetFilter()) == 61


@pytest.mark.parametrize(
    ("parameters", "order"),
    [
        ({}, "newest"),
        ({"from": ["2026-01-01"]}, "acquired"),
        ({"from": ["2026-01-01"], "sort": ["newest"]}, "newest"),
        ({"sort": ["oldest"]}, "oldest"),
    ],
)
def test_days_of_measurement_are_listed_in_their_order_unless_another_is_asked_for(parameters, order):
    query = parse_query(parameters, ANONYMOUS).query
    assert query.order == order
    assert parse_query({"sort": [query.order], **parameters}, ANONYMOUS).query.parameters() == query.parameters()


def test_a_list_of_ones_own_holds_what_team_group_and_grants_let_read(now):
    user = factories.make_user()
    group = Group.objects.create(name="tomography")
    user.groups.add(group)
    investigation = factories.make_investigation(pi=user)
    own = factories.make_dataset(investigation)
    shared, single, ended, foreign = (factories.make_dataset() for _ in range(4))
    common = {"granted_by": user}
    AccessGrant.objects.create(group=group, investigation=shared.investigation, **common)
    AccessGrant.objects.create(user=user, dataset=single, **common)
    AccessGrant.objects.create(user=user, dataset=ended, expires_at=now - DAY, **common)
    page = Lists(access.principal_of(user), now=timezone.now()).page(DatasetFilter(access="mine"), limit=10)
    assert page.datasets == [single, shared, own]
    levels = access.dataset_levels([own, shared, single, ended, foreign], access.principal_of(user), now=now)
    assert list(levels.values()) == ["full", "full", "full", "summary", "summary"]
