"""What models and people say of images, and who may say it."""

import pytest

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.invariants import check_files_of_annotations
from catalogue.models import Annotation, AuditEntry, Dataset
from catalogue.selectors import get_dataset_record
from catalogue.services.annotations import CATEGORY, Label, record_labels, verify_label
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def image(tmp_path):
    storage = factories.make_storage(tmp_path)
    pi = factories.make_user("pi")
    dataset = factories.make_dataset(factories.make_investigation(pi=pi))
    return factories.add_file(dataset, storage, "image.tif", b"picture")


def said(image) -> dict[str, float | None]:
    return dict(Annotation.objects.filter(datafile=image).values_list("label", "confidence"))


def classify(image, *labels: tuple[str, float], release: str = "sem-1.0") -> None:
    answers = [Label(text, confidence) for text, confidence in labels]
    record_labels(actor=SYSTEM, datafile=image, kind=CATEGORY, labels=answers, model_release=release)


def test_what_a_model_says_anew_replaces_what_it_said_and_raises_the_version(image):
    version = image.dataset.version
    classify(image, ("Nanowires", 0.9), ("Fibres", 0.1))
    classify(image, ("Tips", 0.8))
    assert said(image) == {"Tips": 0.8}
    assert Dataset.objects.get().version == version + 2
    assert AuditEntry.objects.filter(action="annotate").count() == 2


def test_two_releases_of_a_model_stand_beside_each_other(image):
    classify(image, ("Nanowires", 0.9))
    classify(image, ("Fibres", 0.7), release="sem-2.0")
    assert said(image) == {"Nanowires": 0.9, "Fibres": 0.7}


def test_a_person_verifies_what_a_model_said_and_a_later_run_does_not_undo_it(image):
    classify(image, ("Nanowires", 0.9), ("Fibres", 0.1))
    pi = principal_of(factories.make_user("pi2"))
    with pytest.raises(NotAllowed):
        verify_label(actor=pi, datafile=image, kind=CATEGORY, text="Nanowires")
    curator = principal_of(factories.make_curator("curator"))
    assert verify_label(actor=curator, datafile=image, kind=CATEGORY, text="Nanowires").confidence == 0.9
    classify(image, ("Powders", 0.6))
    assert said(image) == {"Nanowires": 0.9, "Powders": 0.6}
    assert Annotation.objects.get(label="Nanowires").verified_by_id == curator.user_id


def test_a_persons_second_thought_replaces_the_first(image):
    classify(image, ("Nanowires", 0.9))
    team = principal_of(image.dataset.investigation.team.get().person.user)
    verify_label(actor=team, datafile=image, kind=CATEGORY, text="Tips")
    verify_label(actor=team, datafile=image, kind=CATEGORY, text="Fibres")
    verified = Annotation.objects.filter(verified_at__isnull=False)
    assert [(one.label, one.source, one.confidence) for one in verified] == [("Fibres", "person", None)]
    assert said(image) == {"Nanowires": 0.9, "Fibres": None}


@pytest.mark.parametrize("label", [("", 0.5), ("x" * 201, 0.5), ("Tips", 1.2), ("Tips", float("nan"))])
def test_labels_that_cannot_be_kept_are_refused_with_a_reason(image, label):
    with pytest.raises(InvalidInput):
        classify(image, label)
    assert not said(image)


def test_an_instrument_does_not_say_what_a_model_or_a_person_sees(image):
    account = principal_of(factories.make_instrument_account(image.dataset.instrument))
    with pytest.raises(NotAllowed):
        record_labels(actor=account, datafile=image, kind=CATEGORY, labels=[Label("Tips", 1.0)], model_release="own")
    with pytest.raises(NotAllowed):
        verify_label(actor=account, datafile=image, kind=CATEGORY, text="Tips")


def test_an_annotation_that_names_another_dataset_than_its_files_is_found_at_night(image):
    classify(image, ("Tips", 0.8))
    assert not list(check_files_of_annotations())
    Annotation.objects.update(dataset=factories.make_dataset(image.dataset.investigation))
    assert len(list(check_files_of_annotations())) == 1


def test_a_record_tells_the_labels_of_its_images_to_readers_of_the_files_only(image):
    classify(image, ("Nanowires", 0.6), ("Fibres", 0.4))
    classify(image, ("Tips", 0.9), release="sem-2.0")
    team = principal_of(image.dataset.investigation.team.get().person.user)
    verify_label(actor=team, datafile=image, kind=CATEGORY, text="Fibres")
    uid = image.dataset.uid
    labels = [(one.label, one.confidence, one.is_verified) for one in get_dataset_record(uid, team).annotations]
    assert labels == [("Fibres", 0.4, True), ("Tips", 0.9, False), ("Nanowires", 0.6, False)]
    assert get_dataset_record(uid, ANONYMOUS).annotations == ()
    factories.set_embargo_metadata("full")
    assert get_dataset_record(uid, ANONYMOUS).annotations == ()
