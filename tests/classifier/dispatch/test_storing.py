"""What a model says is stored once, in bulk, and annotates the files of the catalogue without undoing what people verified."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from catalogue.access import SYSTEM, principal_of
from catalogue.models import Annotation, AuditEntry, Dataset, DatasetRevision
from catalogue.services.annotations import CATEGORY, verify_label
from classifier.invariants import CHECKS
from classifier.models import Prediction, Work
from classifier.pipeline.labels import NAMES
from classifier.services import dispatch
from classifier.services.backlog import queue_datasets, walk_backlog
from classifier.services.results import store_verdicts, told_labels
from tests import factories
from tests.classifier.dispatch import world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def archive(folder, **sizes: int) -> list[Dataset]:
    datasets = world.make_archive(folder / "files", **sizes)
    queue_datasets(actor=SYSTEM, uids=[dataset.uid for dataset in datasets])
    return datasets


def store(release, work, *probabilities: float, is_strange: bool = False) -> int:
    said = world.verdict(*probabilities, is_strange=is_strange)
    return store_verdicts(actor=SYSTEM, release=release, found=[(one, said, 1) for one in work])


def labels_of(dataset: Dataset) -> list[tuple[str, float]]:
    return list(Annotation.objects.filter(dataset=dataset).order_by("-confidence").values_list("label", "confidence"))


def test_a_verdict_is_kept_whole_and_annotates_its_file(release, folder):
    (dataset,) = archive(folder)
    work = dispatch.claim("gpu", 10)
    assert store(release, work, 0.65, 0.25) == 1
    prediction = Prediction.objects.get()
    assert (prediction.label, prediction.cell, prediction.is_uncertain) == (NAMES[0], 1, False)
    assert prediction.confidence == pytest.approx(0.65)
    assert prediction.probabilities == pytest.approx([0.65, 0.25, 0, 0, 0, 0, 0, 0, 0, 0.1], abs=1e-4)
    assert np.linalg.norm(np.frombuffer(bytes(prediction.features), "<f2")) == pytest.approx(1, abs=1e-2)
    assert labels_of(dataset) == [(NAMES[0], 0.65), (NAMES[1], 0.25)]
    annotation = Annotation.objects.first()
    assert annotation and (annotation.source, annotation.model_release, annotation.verified_at) == (
        "ai",
        release.label,
        None,
    )
    assert world.states() == {"category done": 1, "scale waiting": 1}


def test_only_what_is_probable_is_told_but_the_first_always():
    assert [one.text for one in told_labels(world.verdict(0.15, 0.14, 0.13, 0.12, 0.11, 0.1, 0.1, 0.05))] == [NAMES[0]]
    assert [one.text for one in told_labels(world.verdict(0.3, 0.5))] == [NAMES[1], NAMES[0], NAMES[9]]


def test_a_strange_image_keeps_its_prediction_and_gets_no_annotation(release, folder):
    (dataset,) = archive(folder)
    store(release, dispatch.claim("gpu", 10), 0.9, is_strange=True)
    assert Prediction.objects.get().is_strange
    assert labels_of(dataset) == []
    assert world.states()["category done"] == 1


def test_a_batch_raises_each_dataset_once_with_one_audit_row(release, folder):
    datasets = archive(folder, datasets=3, images=4)
    versions = {dataset.pk: dataset.version for dataset in datasets}
    numbers = dict(DatasetRevision.objects.values_list("dataset", "number"))
    assert store(release, dispatch.claim("gpu", 64), 0.9) == 12
    assert {one.pk: one.version - 1 for one in Dataset.objects.all()} == versions
    assert {key: number - 1 for key, number in DatasetRevision.objects.values_list("dataset", "number")} == numbers
    assert [row.after for row in AuditEntry.objects.filter(action="annotate")] == [
        {"model": release.label, "labels": 4}
    ] * 3


def test_a_batch_of_any_size_costs_the_same_number_of_queries(release, folder, django_assert_max_num_queries):
    archive(folder, datasets=40)
    small, large = dispatch.claim("gpu", 2), dispatch.claim("gpu", 38)
    with django_assert_max_num_queries(16):
        store(release, small, 0.9)
    with django_assert_max_num_queries(16):
        store(release, large, 0.9)


def test_nothing_is_stored_of_work_that_another_took_over_and_nothing_twice(release, folder):
    archive(folder)
    slow = dispatch.claim("gpu", 1)
    ended = timezone.now() - timedelta(seconds=1)
    Work.objects.filter(pk=slow[0].pk).update(claimed_until=ended)
    slow[0].claimed_until = ended
    quick = dispatch.claim("gpu", 1, [slow[0].pk])
    assert store(release, quick, 0.9) == 1
    assert store(release, slow, 0.1, 0.8) == 0
    assert Prediction.objects.get().label == NAMES[0]


def test_what_a_release_said_once_stays_when_it_is_asked_again(release, folder):
    archive(folder)
    store(release, dispatch.claim("gpu", 1), 0.9)
    Work.objects.filter(kind="category").update(state="waiting", attempts=0)
    assert store(release, dispatch.claim("gpu", 1), 0.9) == 1
    assert Prediction.objects.count() == Annotation.objects.count() == 1


def test_a_new_release_keeps_what_the_old_one_said_and_what_people_verified(release, folder):
    (dataset,) = archive(folder)
    store(release, dispatch.claim("gpu", 1), 0.9)
    curator = principal_of(factories.make_curator())
    verify_label(actor=curator, datafile=world.first_file(dataset), kind=CATEGORY, text=NAMES[0])
    newer = world.use_untrained(folder / "newer", release="2")
    list(walk_backlog(actor=SYSTEM, release=newer))
    store(newer, dispatch.claim("gpu", 10), 0.1, 0.8)
    assert set(Annotation.objects.values_list("label", "model_release")) == {
        (NAMES[0], release.label),
        (NAMES[1], newer.label),
    }
    assert Annotation.objects.get(verified_by=curator.user_id).label == NAMES[0]
    assert Prediction.objects.count() == 2


def test_the_nightly_checks_find_nothing_after_all_this_and_each_kind_of_damage(release, folder):
    archive(folder, images=2)
    store(release, dispatch.claim("gpu", 10), 0.9)
    assert [sentence for check in CHECKS for sentence in check()] == []
    Prediction.objects.filter(image__name="image_000.png").delete()
    found = [sentence for check in CHECKS for sentence in check()]
    assert len(found) == 2 and "there is no prediction" in found[0] and "has no prediction for its file" in found[1]
