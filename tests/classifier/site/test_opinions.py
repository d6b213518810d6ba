"""What people say of images: agreed, corrected, proposed; by those who may, seen by those who may, and turned to order by curators."""

import pytest
from django.test import Client
from django.utils import timezone

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import NotAllowed
from catalogue.models import Annotation, AuditEntry
from classifier.models import Category, Image, Opinion
from classifier.selectors import Viewer
from classifier.services.backlog import queue_datasets
from classifier.services.categories import decide_proposal, proposals, suggested_names
from classifier.services.opinions import confirm_predictions
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import signed_in, upload

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def team(release, folder, classify):
    """A closed dataset with two classified images, its principal investigator, and a stranger."""
    pi = factories.make_user("pi")
    investigation = factories.make_investigation(pi=pi)
    storage = factories.make_storage(folder / "files")
    files = {"a.png": world.picture(1), "b.png": world.picture(2)}
    dataset = factories.make_dataset(investigation, storage=storage, files=files)
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    images = list(Image.objects.filter(datafile__dataset=dataset))
    classify(images, 0.8)
    return pi, dataset, images


def say(client: Client, image: Image, **values: str):
    return client.post(f"/classify/images/{image.uid}/opinion", values)


def test_the_owner_of_an_upload_agrees_and_corrects(release, classify):
    client = Client()
    image = upload(client).images.get()
    classify([image], 0.8)
    page = client.get(f"/classify/images/{image.uid}").content.decode()
    assert "Biological, 80\N{NO-BREAK SPACE}%" in page and "Tips" in page
    assert say(client, image, category="Biological").status_code == 302
    assert Opinion.objects.get().agrees
    assert say(client, image, other="nanowires").status_code == 302
    said = Opinion.objects.latest("pk")
    assert (said.category.name, said.agrees, said.person) == ("Nanowires", False, None)
    assert "corrected by a person" in client.get(f"/classify/images/{image.uid}").content.decode()


def test_nobody_else_says_anything_of_an_upload(release, classify):
    image = upload(Client()).images.get()
    classify([image], 0.8)
    for user in (None, factories.make_user(), factories.make_curator()):
        assert say(signed_in(user), image, category="Tips").status_code == 404
    assert not Opinion.objects.exists()


def test_what_the_team_says_of_a_file_is_a_verified_label_of_the_catalogue(team):
    pi, dataset, images = team
    assert say(signed_in(pi), images[0], category="Biological").status_code == 302
    verified = Annotation.objects.get(datafile=images[0].datafile, label="Biological")
    assert verified.verified_by == pi
    say(signed_in(pi), images[0], other="Fibres")
    labels = Annotation.objects.filter(datafile=images[0].datafile, verified_at__isnull=False)
    assert [one.label for one in labels] == ["Fibres"]


def test_a_reader_who_is_not_of_the_team_sees_the_image_and_may_not_label_it(team):
    pi, dataset, images = team
    reader = factories.make_user()
    factories.make_grant(reader, granted_by=pi, dataset=dataset)
    client = signed_in(reader)
    page = client.get(f"/classify/images/{images[0].uid}")
    assert page.status_code == 200
    assert "It is this" not in page.content.decode()
    assert say(client, images[0], category="Tips").status_code == 403
    assert signed_in(factories.make_user()).get(f"/classify/images/{images[0].uid}").status_code == 404
    assert not Opinion.objects.exists()


def test_names_of_people_are_told_to_the_team_only(team):
    pi, dataset, images = team
    say(signed_in(pi), images[0], category="Biological")
    reader = factories.make_user()
    factories.make_grant(reader, granted_by=pi, dataset=dataset)
    assert ", pi," in signed_in(pi).get(f"/classify/images/{images[0].uid}").content.decode()
    assert ", pi," not in signed_in(reader).get(f"/classify/images/{images[0].uid}").content.decode()


def test_on_the_page_of_a_dataset_the_team_agrees_with_all_that_the_model_said_alike(team):
    pi, dataset, images = team
    client = signed_in(pi)
    page = client.get(f"/datasets/{dataset.uid}").content.decode()
    assert "What the images show" in page and f"/classify/datasets/{dataset.uid}" in page
    client.post(f"/classify/datasets/{dataset.uid}/agree", {"category": "Biological"})
    assert Annotation.objects.filter(dataset=dataset, verified_by=pi).count() == 2
    assert "verified by a person" in client.get(f"/datasets/{dataset.uid}").content.decode()
    other = signed_in(factories.make_user())
    assert other.post(f"/classify/datasets/{dataset.uid}/agree", {"category": "Biological"}).status_code == 404


def test_a_proposal_for_a_closed_image_is_suggested_to_nobody_outside(team):
    pi, dataset, images = team
    say(signed_in(pi), images[0], other="Graphene flakes")
    assert Category.objects.get(name="Graphene flakes").state == "proposed"
    stranger = Viewer(principal_of(factories.make_user()))
    now = timezone.now()
    assert "Graphene flakes" in suggested_names(Viewer(principal_of(pi)), now=now)
    assert "Graphene flakes" not in suggested_names(stranger, now=now)
    assert "Graphene flakes" in suggested_names(Viewer(principal_of(factories.make_curator())), now=now)


def test_the_same_name_in_another_case_is_the_same_proposal(team):
    pi, _, images = team
    say(signed_in(pi), images[0], other="Graphene flakes")
    say(signed_in(pi), images[1], other="  graphene  FLAKES ")
    assert Category.objects.filter(state="proposed").count() == 1


@pytest.mark.parametrize("name", ["x", " ", "a" * 201])
def test_a_name_that_cannot_be_one_is_refused(team, name):
    pi, _, images = team
    assert say(signed_in(pi), images[0], other=name).status_code == 422
    assert not Opinion.objects.exists()


def test_curators_accept_a_proposal_and_everybody_is_told_that_no_model_knows_it(team):
    pi, _, images = team
    curator = factories.make_curator()
    say(signed_in(pi), images[0], other="Graphene flakes")
    (proposal,) = proposals(principal_of(curator))
    assert (proposal.image_count, proposal.upload_count) == (1, 0)
    client = signed_in(curator)
    page = client.get("/curate/categories").content.decode()
    assert "Graphene flakes" in page
    answer = {"category": proposal.category.pk, "decision": "accept", "parent": "Films and coated surfaces"}
    client.post("/curate/categories", answer)
    accepted = Category.objects.get(name="Graphene flakes")
    assert (accepted.state, accepted.parent.name) == ("accepted", "Films and coated surfaces")
    assert "no model knows it yet" in client.get("/curate/categories").content.decode()
    assert "no model knows this category" in signed_in(pi).get(f"/classify/images/{images[0].uid}").content.decode()
    assert AuditEntry.objects.filter(action="decide-category").exists()
    assert client.post("/curate/categories", answer).status_code == 409


def test_merging_a_proposal_takes_its_images_along(team):
    pi, _, images = team
    curator = principal_of(factories.make_curator())
    say(signed_in(pi), images[0], other="Wires, thin")
    decide_proposal(actor=curator, key=Category.objects.get(name="Wires, thin").pk, decision="merge", into="Nanowires")
    assert Opinion.objects.get().category.name == "Nanowires"
    assert Annotation.objects.get(datafile=images[0].datafile, verified_at__isnull=False).label == "Nanowires"
    say(signed_in(pi), images[1], other="wires, thin")
    assert Opinion.objects.latest("pk").category.name == "Nanowires"


def test_a_refused_name_is_refused_to_the_next_who_proposes_it(team):
    pi, _, images = team
    say(signed_in(pi), images[0], other="Nice pictures")
    client = signed_in(factories.make_curator())
    client.post("/curate/categories", {"category": Category.objects.get(name="Nice pictures").pk, "decision": "refuse"})
    answer = say(signed_in(pi), images[1], other="nice pictures")
    assert answer.status_code == 422
    assert "do not use the category" in answer.content.decode()


def test_curators_confirm_in_bulk_the_least_certain_first(release, folder, classify):
    (dataset,) = world.make_archive(folder / "files", images=3)
    queue_datasets(actor=SYSTEM, uids=[dataset.uid])
    images = list(Image.objects.order_by("pk"))
    for image, confidence in zip(images, (0.9, 0.5, 0.7), strict=True):
        classify([image], confidence)
    client = signed_in(factories.make_curator())
    page = client.get("/curate/labels").content.decode()
    places = [page.index(f"shot-{images[number].uid}") for number in (1, 2, 0)]
    assert places == sorted(places)
    client.post("/curate/labels", {"image": [str(images[1].uid), str(images[0].uid)]})
    assert Annotation.objects.filter(verified_at__isnull=False).count() == 2
    assert str(images[1].uid) not in client.get("/curate/labels").content.decode()


def test_disputed_labels_are_a_queue_of_their_own(team):
    pi, _, images = team
    client = signed_in(factories.make_curator())
    say(signed_in(pi), images[0], other="Fibres")
    assert str(images[0].uid) in client.get("/curate/labels?queue=disputed").content.decode()
    say(client, images[0], other="Fibres")
    assert str(images[0].uid) not in client.get("/curate/labels?queue=disputed").content.decode()


def test_the_pages_of_curators_are_for_curators(team):
    for path in ("/curate/labels", "/curate/categories"):
        assert signed_in(team[0]).get(path).status_code == 403
        assert Client().get(path).status_code == 302
    with pytest.raises(NotAllowed):
        confirm_predictions(actor=principal_of(team[0]), images=team[2])


def test_uploads_are_never_among_what_curators_look_at(release, classify):
    image = upload(signed_in(factories.make_user())).images.get()
    classify([image], 0.3)
    assert str(image.uid) not in signed_in(factories.make_curator()).get("/curate/labels").content.decode()
