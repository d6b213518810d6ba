"""Images of the catalogue become work by the news of their dataset, or by a walk that may be stopped anywhere."""

import itertools

import pytest
from django.core.management import CommandError, call_command

from catalogue import changes
from catalogue.access import SYSTEM, principal_of
from catalogue.errors import NotAllowed
from catalogue.models import Datafile, Statistic
from catalogue.models.datasets import FileRole
from classifier.events import many_changed
from classifier.models import Image, Work
from classifier.services.backlog import queue_datasets, walk_backlog
from classifier.tasks import queue_changed
from tests import factories
from tests.classifier.dispatch import world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def storage(folder):
    return factories.make_storage(folder / "files")


def queue(dataset) -> int:
    return queue_datasets(actor=SYSTEM, uids=[dataset.uid])


def test_the_news_of_a_dataset_queues_its_images_for_category_and_scale(
    release, folder, django_capture_on_commit_callbacks
):
    (dataset,) = world.make_archive(folder, images=3)
    with django_capture_on_commit_callbacks(execute=True):
        changes.datasets_changed([dataset])
    assert world.states() == {"category waiting": 3, "scale waiting": 3}
    assert set(Work.objects.values_list("kind", "queue", "release")) == {
        ("category", "gpu", release.pk),
        ("scale", "ocr", None),
    }
    assert list(Image.objects.values_list("name", flat=True)) == [file.name for file in dataset.files.order_by("name")]


def test_who_changes_many_datasets_does_not_wait_for_their_images(release, folder, django_capture_on_commit_callbacks):
    datasets = world.make_archive(folder, datasets=30)
    told = []

    def listen(*, uids, **_news):
        told.extend(str(uid) for uid in uids)

    many_changed.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        changes.datasets_changed(datasets)
    many_changed.disconnect(listen)
    assert not Work.objects.exists()
    assert queue_changed(told) == 30
    assert world.states() == {"category waiting": 30, "scale waiting": 30}


@pytest.mark.parametrize("name", ["a.tif", "a.TIFF", "b.jpg", "c.JPEG", "d.png", "e.bmp"])
def test_an_image_is_known_by_its_name(release, storage, name):
    assert queue(factories.make_dataset(storage=storage, files={name: b"x"})) == 1


def test_an_image_is_known_by_its_media_type(release, storage):
    dataset = factories.make_dataset(storage=storage)
    factories.add_file(dataset, storage, "a.dat", b"x", media_type="image/tiff")
    assert queue(dataset) == 1


def test_other_files_and_what_lies_beside_data_are_left_alone(release, storage):
    dataset = factories.make_dataset(storage=storage, files={"a.h5": b"x", "a.txt": b"x", "tif": b"x"})
    factories.add_file(dataset, storage, "logo.png", b"x", role=FileRole.AUXILIARY)
    assert queue(dataset) == 0


def test_news_that_comes_twice_queues_once(release, folder):
    (dataset,) = world.make_archive(folder, images=3)
    assert [queue(dataset), queue(dataset)] == [3, 0]
    assert Work.objects.count() == 6


def test_without_a_release_only_the_scale_is_asked_for_and_the_category_when_there_is_one(folder):
    (dataset,) = world.make_archive(folder, images=2)
    queue(dataset)
    assert world.states() == {"scale waiting": 2}
    world.use_untrained(folder / "untrained")
    assert [walked.queued for walked in walk_backlog(actor=SYSTEM)] == [2]
    assert world.states() == {"scale waiting": 2, "category waiting": 2}


def test_a_walk_finds_what_no_news_told_of_and_a_second_one_nothing(release, folder):
    world.make_archive(folder, datasets=5, images=2)
    (walked,) = walk_backlog(actor=SYSTEM)
    assert (walked.seen, walked.queued, walked.share) == (10, 20, 1.0)
    assert [again.queued for again in walk_backlog(actor=SYSTEM)] == [0]


def test_a_walk_finds_images_of_which_something_was_never_asked(release, folder):
    world.make_archive(folder, images=3)
    list(walk_backlog(actor=SYSTEM))
    Work.objects.filter(image__name="image_000.png").delete()
    Work.objects.filter(image__name="image_001.png", kind="scale").delete()
    assert [walked.queued for walked in walk_backlog(actor=SYSTEM)] == [3]
    assert world.states() == {"category waiting": 3, "scale waiting": 3}


def test_a_walk_that_was_interrupted_goes_on_where_it_was(release, folder, monkeypatch):
    monkeypatch.setattr("classifier.services.backlog.PORTION", 3)
    world.make_archive(folder, images=10)
    list(itertools.islice(walk_backlog(actor=SYSTEM, is_resumed=True), 2))
    assert Image.objects.count() == 6
    rest = list(walk_backlog(actor=SYSTEM, is_resumed=True))
    assert [walked.seen for walked in rest] == [3, 4]
    assert Image.objects.count() == 10
    assert not Statistic.objects.filter(name__startswith="classifier_backlog").exists()


def test_a_walk_with_a_limit_queues_no_more(release, folder):
    world.make_archive(folder, images=10)
    assert list(walk_backlog(actor=SYSTEM, limit=4))[-1].queued <= 8
    assert Image.objects.count() == 4


def test_an_archive_is_queued_for_a_new_release_only_when_that_is_asked_for(release, folder):
    world.make_archive(folder, images=3)
    list(walk_backlog(actor=SYSTEM))
    newer = world.use_untrained(folder / "newer", release="2")
    assert [walked.queued for walked in walk_backlog(actor=SYSTEM)] == [0]
    call_command("classify_backlog", release=newer.label, verbosity=0)
    assert Work.objects.filter(release=newer).count() == Work.objects.filter(release=release).count() == 3


def test_the_command_tells_progress_and_rate_and_refuses_a_release_that_does_not_exist(release, folder, capsys):
    world.make_archive(folder, images=3)
    call_command("classify_backlog")
    printed = capsys.readouterr().out
    assert "100%: 3 images looked at" in printed and "a second; 6 queued" in printed
    with pytest.raises(CommandError, match="no model release"):
        call_command("classify_backlog", release="nothing 1")


def test_images_go_with_their_files(release, folder):
    (dataset,) = world.make_archive(folder, images=2)
    queue(dataset)
    Datafile.objects.all().delete()
    assert not Image.objects.exists() and not Work.objects.exists()


def test_only_the_site_and_curators_queue_what_is_not_theirs(release, folder):
    (dataset,) = world.make_archive(folder)
    somebody = principal_of(factories.make_user())
    with pytest.raises(NotAllowed):
        queue_datasets(actor=somebody, uids=[dataset.uid])
    with pytest.raises(NotAllowed):
        list(walk_backlog(actor=somebody))


def test_queueing_many_datasets_costs_a_constant_number_of_queries(release, folder, django_assert_max_num_queries):
    datasets = world.make_archive(folder, datasets=30)
    with django_assert_max_num_queries(10):
        queue_datasets(actor=SYSTEM, uids=[dataset.uid for dataset in datasets])
    assert Work.objects.count() == 60
