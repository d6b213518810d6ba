"""The forms of the visibility rule agree for every kind of share link, valid or not, under every policy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.models import Collection, Concept, Dataset, ShareLink
from tests import factories
from tests.access.sharing import share

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def links() -> dict[str, ShareLink]:
    """Links to an investigation, a dataset and collections, beside data that no link shows."""
    pi = factories.make_user("pi")
    first, second = factories.make_investigation(pi=pi), factories.make_investigation(pi=pi)
    datasets = [factories.make_dataset(one) for one in (first, first, second, second)]
    foreign = factories.make_dataset()
    factories.make_dataset(is_open=True)
    factories.make_dataset(first, state="withdrawn", withdrawal_reason="wrong sample")
    collection = Collection.objects.create(concept=Concept.objects.create(), created_by=pi, title="Wires")
    collection.members.create(dataset=datasets[2])
    collection.members.create(dataset=foreign)
    collection.members.create(investigation=first)
    found = {
        "investigation": share(first, pi)[0],
        "dataset": share(datasets[3], pi)[0],
        "collection": share(collection, pi)[0],
        "metadata": share(first, pi, allows_files=False)[0],
        "revoked": share(first, pi)[0],
        "ended": share(first, pi)[0],
    }
    now = timezone.now()
    ShareLink.objects.filter(pk=found["revoked"].pk).update(revoked_at=now)
    ShareLink.objects.filter(pk=found["ended"].pk).update(expires_at=now)
    return found


FULL = {"investigation": 2, "dataset": 1, "collection": 3, "metadata": 0, "revoked": 0, "ended": 0}


@pytest.mark.parametrize("policy", ["summary", "full", "none"])
@pytest.mark.parametrize("kind", sorted(FULL))
def test_one_record_a_page_of_records_and_the_querysets_agree(links, policy, kind):
    factories.set_embargo_metadata(policy)
    now = timezone.now() + timedelta(seconds=1)
    principal = Principal(share_link_ids=(links[kind].pk,))
    datasets = list(Dataset.objects.select_related("investigation", "instrument__facility"))
    levels = access.dataset_levels(datasets, principal, now=now)
    assert levels == {one.pk: access.dataset_level(one, principal, now=now) for one in datasets}
    full = {key for key, level in levels.items() if level == Level.FULL}
    known = {key for key, level in levels.items() if level not in (Level.NOTHING, Level.TOMBSTONE)}
    assert set(access.full_datasets(principal, now=now).values_list("pk", flat=True)) == full
    assert set(access.listed_datasets(principal, now=now).values_list("pk", flat=True)) == known
    assert len(full) == FULL[kind] + 1
    shown = {key for key, level in levels.items() if level == Level.METADATA}
    if policy != "full":
        assert len(shown) == (2 if kind == "metadata" else 0)


@pytest.mark.parametrize("kind", sorted(FULL))
def test_an_investigation_is_known_where_one_of_its_datasets_is(links, kind):
    factories.set_embargo_metadata("none")
    now = timezone.now() + timedelta(seconds=1)
    principal = Principal(share_link_ids=(links[kind].pk,))
    listed = set(access.listed_investigations(principal, now=now).values_list("pk", flat=True))
    known = access.listed_datasets(principal, now=now)
    assert listed == set(known.values_list("investigation_id", flat=True))
    for one in Dataset.objects.select_related("investigation__instrument__facility"):
        level = access.investigation_level(one.investigation, principal, now=now)
        assert (level != Level.NOTHING) is (one.investigation_id in listed)
