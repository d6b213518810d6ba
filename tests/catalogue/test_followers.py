"""Processed data open with their raw data: within an investigation, across several, and along chains."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.utils import timezone

from catalogue import access
from catalogue.access import SYSTEM, principal_of
from catalogue.entries import DatasetEntry
from catalogue.invariants import check_followers
from catalogue.models import Dataset, Investigation
from catalogue.services.dataset_changes import update_dataset
from catalogue.services.embargoes import set_dataset_embargo
from catalogue.services.extensions import grant_extension, refuse_extension, request_extension
from catalogue.services.followers import follow_raw_data
from catalogue.services.registration import register_dataset
from catalogue.services.releases import release_datasets, release_investigation
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = timedelta(days=1)


@pytest.fixture
def lab() -> SimpleNamespace:
    """Two investigations of one leader: `early` opens in 100 days, `late` in 200; each has a raw dataset."""
    pi = factories.make_user("pi")
    now = timezone.now()
    instrument = factories.make_instrument()
    early, late = (
        factories.make_investigation(pi=pi, instrument=instrument, embargo_until=now + days * DAY)
        for days in (100, 200)
    )
    return SimpleNamespace(
        pi=principal_of(pi),
        curator=principal_of(factories.make_curator()),
        early=early,
        late=late,
        raw_early=factories.make_dataset(early),
        raw_late=factories.make_dataset(late),
    )


def processed(lab: SimpleNamespace, investigation: Investigation, *sources: Dataset) -> Dataset:
    entry = DatasetEntry(
        investigation=str(investigation.uid),
        title="Processed",
        kind="processed",
        derived_from=tuple(source.uid for source in sources),
    )
    return register_dataset(actor=lab.pi, entry=entry)


def opens_at(dataset: Dataset) -> datetime:
    return access.opens_at(Dataset.objects.select_related("investigation").get(pk=dataset.pk))


def test_within_one_investigation_nothing_is_written_and_all_follow_it(lab: SimpleNamespace) -> None:
    follower = processed(lab, lab.early, lab.raw_early)
    assert follower.embargo_until is None
    assert opens_at(follower) == lab.early.embargo_until


def test_raw_data_of_another_investigation_keep_the_result_closed_for_as_long(lab: SimpleNamespace) -> None:
    follower = processed(lab, lab.early, lab.raw_early, lab.raw_late)
    assert opens_at(follower) == lab.late.embargo_until


def test_open_data_of_others_do_not_open_ones_own_results(lab: SimpleNamespace) -> None:
    release_investigation(actor=lab.pi, investigation=lab.early)
    follower = processed(lab, lab.late, lab.raw_early)
    assert opens_at(follower) == lab.late.embargo_until


def test_results_open_with_raw_data_that_are_released_one_by_one(lab: SimpleNamespace) -> None:
    second_raw = factories.make_dataset(lab.early)
    follower = processed(lab, lab.early, lab.raw_early, second_raw)
    of_follower = processed(lab, lab.early, follower)
    release_datasets(actor=lab.pi, investigation=lab.early, uids=[lab.raw_early.uid])
    assert opens_at(follower) == lab.early.embargo_until, "one of two raw datasets is closed"
    release_datasets(actor=lab.pi, investigation=lab.early, uids=[second_raw.uid])
    assert opens_at(follower) == opens_at(of_follower) == opens_at(second_raw) <= timezone.now()


def test_an_embargo_of_its_own_is_followed_along_the_chain_and_ends_following(lab: SimpleNamespace) -> None:
    first = processed(lab, lab.early, lab.raw_early)
    second = processed(lab, lab.early, first)
    until = timezone.now() + 50 * DAY
    set_dataset_embargo(actor=lab.pi, dataset=lab.raw_early, until=until)
    assert opens_at(first) == opens_at(second) == until
    later = until + 10 * DAY
    set_dataset_embargo(actor=lab.pi, dataset=first, until=later)
    assert (opens_at(first), opens_at(second)) == (later, later)
    set_dataset_embargo(actor=lab.pi, dataset=lab.raw_early, until=until + 20 * DAY)
    assert (opens_at(first), opens_at(second)) == (later, later)


def test_results_follow_the_extension_of_their_raw_data(lab: SimpleNamespace) -> None:
    follower = processed(lab, lab.early, lab.raw_late)
    wished = lab.late.embargo_until + 100 * DAY
    request = request_extension(actor=lab.pi, investigation=lab.late, until=wished, reason="More time.")
    assert opens_at(follower) == lab.late.embargo_until + 30 * DAY
    grant_extension(actor=lab.curator, request=request)
    assert opens_at(follower) == wished
    again = request_extension(actor=lab.pi, investigation=lab.late, until=wished + DAY, reason="Still more.")
    refuse_extension(actor=lab.curator, request=again, reason="No.")
    assert opens_at(follower) == wished
    assert not list(check_followers())


def test_new_results_of_closed_data_stay_closed_although_their_investigation_is_open(lab: SimpleNamespace) -> None:
    with time_machine.travel(lab.early.embargo_until + DAY):
        follower = processed(lab, lab.early, lab.raw_late)
        assert opens_at(follower) == lab.late.embargo_until
        assert follower.version == 1, "the version that its registrant was told"


def test_what_is_open_is_never_closed_by_what_it_derives_from(lab: SimpleNamespace) -> None:
    follower = processed(lab, lab.early, lab.raw_early)
    release_datasets(actor=lab.pi, investigation=lab.early, uids=[follower.uid])
    opened = opens_at(follower)
    changes = {"derived_from": (lab.raw_late.uid,)}
    update_dataset(actor=lab.pi, uid=follower.uid, changes=changes, expected_version=None)
    assert opens_at(follower) == opened
    waiting = processed(lab, lab.early, lab.raw_early)
    with time_machine.travel(lab.early.embargo_until):
        update_dataset(actor=lab.pi, uid=waiting.uid, changes=changes, expected_version=None)
        assert opens_at(waiting) == lab.early.embargo_until


def test_other_raw_data_give_another_moment(lab: SimpleNamespace) -> None:
    follower = processed(lab, lab.early, lab.raw_early)
    changes = {"derived_from": (lab.raw_late.uid,)}
    update_dataset(actor=lab.pi, uid=follower.uid, changes=changes, expected_version=None)
    assert opens_at(follower) == lab.late.embargo_until
    update_dataset(actor=lab.pi, uid=follower.uid, changes={"derived_from": ()}, expected_version=None)
    assert opens_at(follower) == lab.early.embargo_until


def test_the_release_of_one_investigation_frees_the_results_of_another_from_waiting_for_it(
    lab: SimpleNamespace,
) -> None:
    follower = processed(lab, lab.early, lab.raw_late)
    release_investigation(actor=lab.pi, investigation=lab.late)
    assert opens_at(follower) == lab.early.embargo_until


def test_an_archive_in_which_a_result_opens_before_its_raw_data_is_found_out(lab: SimpleNamespace) -> None:
    follower = processed(lab, lab.early, lab.raw_late)
    assert not list(check_followers())
    Dataset.objects.filter(pk=follower.pk).update(embargo_until=None)
    assert len(list(check_followers())) == 1
    follow_raw_data(actor=SYSTEM, dataset_ids=[follower.pk])
    assert not list(check_followers())
