"""What machines are told of a record: what its reader may see, its first files and members, at a constant number of queries."""

import pytest
from django.utils import timezone

from catalogue.access import ANONYMOUS, principal_of
from catalogue.descriptions import describe_collection, describe_dataset, describe_investigation
from catalogue.errors import NotFound
from catalogue.models import Dataset
from tests import factories
from tests.access.world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def described(world, state, principal=ANONYMOUS):
    return describe_dataset(world.datasets[state].uid, principal, now=timezone.now())


def test_an_open_dataset_comes_with_its_files_and_its_page(world, settings):
    description = described(world, "open")
    assert [file.name for file in description.files] == [file.name for file in world.datasets["open"].files.all()]
    assert description.url == description.publication.url == f"{settings.SITE_URL}/datasets/{description.record.uid}"
    assert description.site.name == settings.SITE_NAME


def test_nothing_that_is_closed_is_in_the_description_for_a_stranger(world):
    for state in ("closed", "withdrawn"):
        description = described(world, state)
        assert description.files == ()
        assert not [word for word in world.canaries.values() if word in str(description)]


def test_a_member_of_the_team_is_told_of_the_files(world):
    assert described(world, "closed", principal_of(world.users["member"])).files


@pytest.mark.parametrize("describe", [describe_dataset, describe_investigation, describe_collection])
def test_what_does_not_exist_is_not_described(describe, world):
    with pytest.raises(NotFound):
        describe(world.storage.uid, ANONYMOUS, now=timezone.now())


def test_an_investigation_names_the_datasets_that_its_reader_may_know_of(world):
    investigation = world.investigations["closed"]
    hidden = factories.make_dataset(investigation, state="withdrawn", title="Gone")
    description = describe_investigation(investigation.uid, ANONYMOUS, now=timezone.now())
    listed = Dataset.objects.filter(investigation=investigation, state="active").order_by("id")
    assert [member.uid for member in description.members] == [dataset.uid for dataset in listed]
    assert hidden.uid not in {member.uid for member in description.members}
    assert description.member_count == listed.count()
    assert not any(member.access.is_full for member in description.members)


def test_under_a_policy_of_nothing_closed_members_are_not_even_counted(world):
    factories.set_embargo_metadata("none")
    investigation = world.investigations["closed"]
    shown = factories.make_dataset(investigation, released_at=timezone.now(), title="Shown")
    description = describe_investigation(investigation.uid, ANONYMOUS, now=timezone.now())
    assert [member.uid for member in description.members] == [shown.uid]
    assert description.member_count == 1


def test_a_collection_names_its_members_and_a_withdrawn_one_none(world):
    now = timezone.now()
    description = describe_collection(world.published.uid, ANONYMOUS, now=now)
    assert [member.kind for member in description.members] == ["dataset", "dataset", "investigation"]
    assert description.member_count == 3
    world.published.state, world.published.withdrawal_reason = "withdrawn", "Made by mistake."
    world.published.save()
    withdrawn = describe_collection(world.published.uid, ANONYMOUS, now=now)
    assert (withdrawn.members, withdrawn.member_count) == ((), 0)


def test_the_number_of_queries_does_not_grow_with_files_or_members(world, django_assert_num_queries):
    dataset, investigation = world.datasets["open"], world.investigations["open"]
    for number in range(20):
        factories.add_file(dataset, world.storage, f"more-{number}.txt", b"more")
        factories.make_dataset(investigation)
    now = timezone.now()
    with django_assert_num_queries(6):  # two of them for the labels of its images
        assert len(describe_dataset(dataset.uid, ANONYMOUS, now=now).files) > 20
    with django_assert_num_queries(4):
        assert len(describe_investigation(investigation.uid, ANONYMOUS, now=now).members) > 20
