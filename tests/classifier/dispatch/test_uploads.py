"""Uploaded images: queued within limits, their state told to their owner, removed with their files in time."""

import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.errors import Conflict, NotAllowed
from classifier.files import upload_path
from classifier.models import Image, Submission, Work
from classifier.services import dispatch
from classifier.services.images import queue_images, remove_expired, remove_images, retry_images, state_of
from tests import factories
from tests.classifier.dispatch import world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def owner(db):
    return factories.make_user("owner")


@pytest.fixture
def submission(owner, folder) -> Submission:
    return Submission.objects.create(owner=owner)


def test_a_few_images_are_begun_at_once_by_the_workers_for_single_ones(
    release, submission, owner, django_capture_on_commit_callbacks
):
    heard = []

    def listen(*, queue, keys, **_news):
        heard.append((queue, keys))

    from classifier.events import work_recorded

    work_recorded.connect(listen)
    images = [world.upload(submission, number) for number in range(3)]
    with django_capture_on_commit_callbacks(execute=True):
        queue_images(actor=principal_of(owner), images=images)
    work_recorded.disconnect(listen)
    assert [(queue, len(keys)) for queue, keys in heard] == [("cpu", 3), ("ocr", 3)]
    assert dispatch.announce("cpu") == [], "their message is under way"


def test_many_images_wait_for_their_turn_in_lists(release, submission, owner):
    images = [world.upload(submission, number) for number in range(40)]
    queue_images(actor=principal_of(owner), images=images)
    assert [len(one) for one in dispatch.announce("gpu")] == [40]
    assert [len(one) for one in dispatch.announce("ocr")] == [8] * 5


def test_the_same_images_are_queued_once(release, submission, owner):
    images = [world.upload(submission)]
    for _ in range(2):
        queue_images(actor=principal_of(owner), images=images)
    assert world.states() == {"category waiting": 1, "scale waiting": 1}


def test_nobody_has_more_waiting_than_is_allowed(release, submission, owner, settings):
    settings.CLASSIFIER_MOST_WAITING = 3
    images = [world.upload(submission, number) for number in range(4)]
    with pytest.raises(Conflict, match="0 images wait already, and 3 may") as refusal:
        queue_images(actor=principal_of(owner), images=images)
    assert refusal.value.code == "too-many-waiting"
    queue_images(actor=principal_of(owner), images=images[:3])
    with pytest.raises(Conflict):
        queue_images(actor=principal_of(owner), images=images[3:])
    Work.objects.update(state="done")
    queue_images(actor=principal_of(owner), images=images[3:])
    other = factories.make_user()
    theirs = [world.upload(Submission.objects.create(owner=other), 9)]
    queue_images(actor=principal_of(other), images=theirs)


def test_visitors_share_one_limit(release, folder, settings):
    settings.CLASSIFIER_MOST_WAITING = 1
    tomorrow = timezone.now() + timedelta(days=1)
    first, second = (world.upload(Submission.objects.create(expires_at=tomorrow)) for _ in range(2))
    queue_images(actor=ANONYMOUS, images=[first])
    with pytest.raises(Conflict):
        queue_images(actor=ANONYMOUS, images=[second])


def test_images_of_another_are_not_queued_retried_or_removed(release, submission):
    somebody = principal_of(factories.make_user())
    image = world.upload(submission)
    for service in (queue_images, retry_images, remove_images):
        with pytest.raises(NotAllowed):
            service(actor=somebody, images=[image])
        with pytest.raises(NotAllowed):
            service(actor=ANONYMOUS, images=[image])


def test_the_state_of_an_image_tells_why_it_failed_and_a_retry_begins_anew(release, submission, owner):
    image = world.upload(submission)
    assert state_of([image])[image.pk].category is None
    actor = principal_of(owner)
    queue_images(actor=actor, images=[image])
    waiting = state_of([image])[image.pk]
    assert waiting.category and waiting.category.state == "waiting" and not waiting.is_settled
    dispatch.fail(dispatch.claim("cpu", 1)[0], "damaged-image", "The file is cut off.")
    Work.objects.filter(kind="scale").update(state="done")
    failed = state_of([image])[image.pk]
    assert failed.is_settled and failed.category
    assert (failed.category.error_code, failed.category.error) == ("damaged-image", "The file is cut off.")
    assert retry_images(actor=actor, images=[image]) == 1
    again = state_of([image])[image.pk]
    assert again.category and (again.category.state, again.category.error) == ("waiting", "")


def test_the_state_is_that_of_the_release_in_use(release, submission, owner, folder):
    image = world.upload(submission)
    queue_images(actor=principal_of(owner), images=[image])
    Work.objects.update(state="done")
    world.use_untrained(folder / "newer", release="2")
    assert state_of([image])[image.pk].is_settled, "nobody asked the new one"
    queue_images(actor=principal_of(owner), images=[image])
    assert not state_of([image])[image.pk].is_settled


def test_states_of_many_images_cost_two_queries(release, submission, owner, django_assert_num_queries):
    images = [world.upload(submission, number) for number in range(20)]
    queue_images(actor=principal_of(owner), images=images)
    with django_assert_num_queries(2):
        assert len(state_of(images)) == 20


def test_what_visitors_sent_is_removed_with_its_files_when_its_time_is_over(
    release, submission, folder, django_capture_on_commit_callbacks
):
    now = timezone.now()
    kept = world.upload(submission)
    passing = Submission.objects.create(expires_at=now + timedelta(hours=1))
    image = world.upload(passing, 1)
    queue_images(actor=ANONYMOUS, images=[image])
    with django_capture_on_commit_callbacks(execute=True):
        assert remove_expired(actor=SYSTEM, now=now) == 0
        assert remove_expired(actor=SYSTEM, now=now + timedelta(hours=2)) == 1
    assert list(Image.objects.all()) == [kept]
    assert upload_path(kept.uid).is_file() and not upload_path(image.uid).exists()
    assert not Work.objects.exists()


def test_an_owner_removes_images_with_their_files(submission, owner, django_capture_on_commit_callbacks):
    image = world.upload(submission)
    with django_capture_on_commit_callbacks(execute=True):
        remove_images(actor=principal_of(owner), images=[image])
    assert not Image.objects.exists() and not upload_path(image.uid).exists()


def test_files_without_an_image_are_swept_away_a_day_later(submission, owner):
    gone, kept = world.upload(submission), world.upload(submission, 1)
    broken_off = upload_path(kept.uid).with_name(".new-abc")
    broken_off.write_bytes(b"half")
    gone_file = upload_path(gone.uid)
    Image.objects.filter(pk=gone.pk).delete()
    remove_expired(actor=SYSTEM, now=timezone.now())
    assert gone_file.exists(), "its row may be about to be written"
    long_ago = time.time() - 2 * 86400
    for path in (gone_file, upload_path(kept.uid), broken_off):
        os.utime(path, (long_ago, long_ago))
    remove_expired(actor=SYSTEM, now=timezone.now())
    assert not gone_file.exists() and not broken_off.exists()
    assert upload_path(kept.uid).exists()
