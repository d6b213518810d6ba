"""Work is claimed once, given back by the dead, tried again after passing failures, and announced in lists that do not pile up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue.access import SYSTEM
from classifier.models import Work
from classifier.services import dispatch
from classifier.services.backlog import queue_datasets
from tests.classifier.dispatch.world import make_archive

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

GPU = dispatch.GPU


@pytest.fixture
def keys(release, folder) -> list[int]:
    """Work on the categories of 100 images."""
    (dataset,) = make_archive(folder / "files", images=100)
    assert queue_datasets(actor=SYSTEM, uids=[dataset.uid]) == 100
    return list(Work.objects.filter(queue=GPU).order_by("pk").values_list("pk", flat=True))


def let_leases_end() -> None:
    ended = timezone.now() - timedelta(seconds=1)
    Work.objects.filter(state="running").update(claimed_until=ended, available_at=ended)


def state_of(key: int) -> tuple[str, str, int]:
    row = Work.objects.get(pk=key)
    return row.state, row.error_code, row.attempts


def test_what_one_worker_claimed_no_other_gets(keys):
    first = dispatch.claim(GPU, 64)
    second = dispatch.claim(GPU, 64)
    assert (len(first), len(second)) == (64, 36)
    assert {one.pk for one in first + second} == set(keys)
    assert dispatch.claim(GPU, 64, keys) == []


def test_a_list_is_announced_once_and_again_when_its_message_must_be_lost(keys):
    lists = dispatch.announce(GPU)
    assert [len(one) for one in lists] == [64, 36]
    assert dispatch.announce(GPU) == []
    Work.objects.update(available_at=timezone.now())
    assert len(dispatch.announce(GPU)) == 2


def test_no_more_is_announced_than_workers_have_room_for(keys, monkeypatch):
    monkeypatch.setitem(dispatch.QUEUES, GPU, dispatch.Queue(16, 32))
    first, second = dispatch.announce(GPU)
    assert (len(first), len(second)) == (16, 16)
    assert dispatch.announce(GPU) == []
    assert len(dispatch.claim(GPU, 17, first + second)) == 17
    assert sum(len(one) for one in dispatch.announce(GPU)) == 17


def test_what_a_dead_worker_held_comes_back_alone(keys):
    dispatch.claim(GPU, 3)
    let_leases_end()
    assert sorted(dispatch.announce(GPU), key=len)[:3] == [[key] for key in keys[:3]]
    assert dispatch.claim(GPU, 3, keys[:3]) == []
    assert [one.pk for one in dispatch.claim(GPU, 1, keys[:1])] == keys[:1]


def test_an_image_that_kills_its_workers_fails_in_the_end(keys):
    for attempt in range(dispatch.MOST_DEATHS):
        assert len(dispatch.claim(GPU, 1, keys[:1])) == 1, attempt
        let_leases_end()
    assert dispatch.claim(GPU, 1, keys[:1]) == []
    assert state_of(keys[0]) == ("failed", "worker-died", dispatch.MOST_DEATHS)
    assert "damaged" in Work.objects.get(pk=keys[0]).error


def test_whoever_was_overtaken_writes_nothing(keys):
    slow = dispatch.claim(GPU, 1, keys[:1])
    let_leases_end()
    quick = dispatch.claim(GPU, 1, keys[:1])
    assert dispatch.hold(slow) == []
    dispatch.fail(slow[0], "late", "Too late.")
    dispatch.retry(slow, "late", "Too late.")
    assert state_of(keys[0])[0] == "running"
    assert dispatch.hold(quick) == quick


def test_a_lease_is_renewed_when_half_of_it_is_over(keys):
    work = dispatch.claim(GPU, 2)
    before = work[0].claimed_until
    assert dispatch.renew(work)[0].claimed_until == before
    soon = timezone.now() + dispatch.LEASE / 3
    Work.objects.filter(pk=work[0].pk).update(claimed_until=soon)
    work[0].claimed_until = soon
    assert dispatch.renew(work) == work
    assert work[0].claimed_until > soon
    assert dispatch.hold(work) == work


def test_a_passing_failure_waits_longer_each_time_and_never_gives_up(keys):
    pauses = []
    for _ in range(3):
        dispatch.retry(dispatch.claim(GPU, 1, keys[:1]), "storage-unavailable", "The storage does not answer.")
        assert state_of(keys[0])[:2] == ("waiting", "storage-unavailable")
        pauses.append(Work.objects.get(pk=keys[0]).available_at - timezone.now())
    assert pauses == sorted(pauses)
    assert pauses[0] > timedelta(seconds=40)
    Work.objects.filter(pk=keys[0]).update(attempts=1000)
    dispatch.retry(dispatch.claim(GPU, 1, keys[:1]), "storage-unavailable", "The storage does not answer.")
    assert timedelta(hours=4) < Work.objects.get(pk=keys[0]).available_at - timezone.now() < timedelta(hours=8)
    assert keys[0] not in [one.pk for one in dispatch.claim(GPU, 200)]


def test_what_cannot_be_mended_fails_with_its_reason_and_is_announced_no_more(keys):
    dispatch.fail(dispatch.claim(GPU, 1, keys[:1])[0], "damaged-image", "x" * 1000)
    assert state_of(keys[0]) == ("failed", "damaged-image", 1)
    assert keys[0] not in sum(dispatch.announce(GPU), [])


def test_queues_do_not_see_each_other(keys):
    assert dispatch.claim(dispatch.OCR, 200, keys) == []
    assert {one.kind for one in dispatch.claim(dispatch.OCR, 200)} == {"scale"}
