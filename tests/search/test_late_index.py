"""While the index lags behind an embargo that was made longer, search shows nothing of what it would wrongly open."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from catalogue.access import ANONYMOUS, principal_of
from catalogue.changes import datasets_changed
from catalogue.models import DatasetRevision, Investigation
from catalogue.services.extensions import request_extension
from search.engines import engine
from search.indexing.sync import index_pending
from search.question.query_reading import parse_query
from search.results.asking import ask, asker_of
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = timedelta(days=1)


def total(principal, text: str) -> int:
    query = parse_query({"q": [text]}, principal).query
    return ask(query, asker_of(principal, now=timezone.now())).total


@pytest.fixture
def closed(build_index):
    """A dataset with a word in the name of its file, whose embargo ends tomorrow, in the index."""
    pi = factories.make_user("pi")
    investigation = factories.make_investigation(pi=pi, embargo_until=timezone.now() + DAY)
    sample = factories.make_sample(investigation, name="zirconolite")
    dataset = factories.make_dataset(investigation, title="Reserved", sample=sample)
    build_index()
    index_pending(engine())
    return dataset


def ask_for_longer(dataset) -> None:
    investigation = Investigation.objects.get(pk=dataset.investigation_id)
    pi = principal_of(investigation.team.get().person.user)
    request_extension(
        actor=pi, investigation=investigation, until=timezone.now() + 30 * DAY, reason="A patent is being filed."
    )


def test_an_embargo_that_ends_opens_search_without_the_indexer(closed):
    assert total(ANONYMOUS, "zirconolite") == 0
    with time_machine.travel(timezone.now() + 2 * DAY):
        assert total(ANONYMOUS, "zirconolite") == 1


def test_an_embargo_made_longer_holds_although_the_indexer_stands_still(closed):
    ask_for_longer(closed)
    with time_machine.travel(timezone.now() + 2 * DAY):
        assert total(ANONYMOUS, "zirconolite") == 0
        assert total(principal_of(factories.make_curator()), "zirconolite") == 1
        index_pending(engine())
        assert total(ANONYMOUS, "zirconolite") == 0
        assert total(ANONYMOUS, "reserved") == 1


def test_a_later_edit_does_not_make_search_forget_what_it_withholds(closed):
    ask_for_longer(closed)
    with time_machine.travel(timezone.now() + 2 * DAY):
        datasets_changed([closed])
        assert DatasetRevision.objects.get(dataset=closed).is_pending
        assert total(ANONYMOUS, "zirconolite") == 0
