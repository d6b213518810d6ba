"""Studies of images of the catalogue: which are taken, what is kept, and what curators make of the clusters."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import Annotation, Dataset
from classifier.models import Category, Image, ModelRelease, Prediction, Scale, StructureStudy
from classifier.services import studies
from classifier.services.studies import Wanted, folder_of, make_study
from tests import factories
from tests.classifier.dispatch import world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

FEATURES = 8


@pytest.fixture
def release(tmp_path, settings) -> ModelRelease:
    settings.CLASSIFIER_DIR = tmp_path / "classifier"
    return world.use_untrained(tmp_path / "untrained")


@pytest.fixture
def images(release: ModelRelease, tmp_path) -> list[Image]:
    """Two clouds of thirty images; the first printed scales of 1.5 µm, the second of 20 µm. A person has labelled all."""
    rng = np.random.default_rng(4)
    dataset = world.make_archive(tmp_path / "files", images=60)[0]
    made = []
    for place, file in enumerate(dataset.files.order_by("id")):
        cloud = place // 30
        image = Image.objects.create(datafile=file, name=file.name)
        vector = np.eye(FEATURES)[cloud] + rng.normal(0, 0.05, FEATURES)
        probabilities = rng.uniform(0.005, 0.015, len(release.labels))
        probabilities[cloud] += 1 - probabilities.sum()
        Prediction.objects.create(
            image=image,
            release=release,
            label=release.labels[cloud],
            confidence=0.9,
            probabilities=probabilities.tolist(),
            is_uncertain=False,
            strangeness=0.1,
            is_strange=False,
            features=(vector / np.linalg.norm(vector)).astype("<f2").tobytes(),
            cell=0,
        )
        Scale.objects.create(image=image, printed_value=(1.5e-6, 20e-6)[cloud], pixel_size=1e-9)
        Annotation.objects.create(
            dataset=dataset,
            datafile=file,
            kind="category",
            label=("Tips", "Powders")[cloud],
            source="person",
            verified_at="2026-01-01T00:00Z",
        )
        made.append(image)
    return made


def wanted(**values: object) -> Wanted:
    return Wanted(**{"title": "Tips and powders", "coding_size": FEATURES, "leaves": 4} | values)


def test_a_study_tells_two_clouds_apart_and_shows_their_images(images: list[Image]) -> None:
    study = make_study(actor=SYSTEM, wanted=wanted())
    assert study.summary["images"] == 60
    assert study.summary["best"]["ward"] == {"agreement": pytest.approx(1.0), "clusters": 2}
    halves = study.summary["tree"]["children"]
    assert sorted(tuple(half["labels"].items()) for half in halves) == [(("Powders", 30),), (("Tips", 30),)]
    assert {uid for half in halves for uid in half["representatives"]} <= {str(image.uid) for image in images}
    kept = json.loads((folder_of(study.uid) / "study.json").read_text())
    assert kept["images"] == 60 and (folder_of(study.uid) / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(("layer", "labels"), [("logits", "persons"), ("features", "model")])
def test_logits_and_the_models_own_labels_tell_them_apart_too(images: list[Image], layer: str, labels: str) -> None:
    study = make_study(actor=SYSTEM, wanted=wanted(layer=layer, labels=labels))
    assert study.summary["best"]["ward"]["agreement"] == pytest.approx(1.0)


def test_only_images_in_the_range_of_scales_of_that_session_and_active_ones_are_studied(images: list[Image]) -> None:
    study = make_study(actor=SYSTEM, wanted=wanted(lowest=1e-6, highest=2e-6))
    assert study.summary["images"] == 30
    assert study.summary["tree"]["labels"] == {"Tips": 30}
    with pytest.raises(InvalidInput, match="too few"):
        make_study(actor=SYSTEM, wanted=wanted(lowest=2e-6, highest=3e-6))
    with pytest.raises(InvalidInput, match="too few"):
        make_study(actor=SYSTEM, wanted=wanted(investigation=factories.make_investigation().uid))
    Dataset.objects.update(state="withdrawn", withdrawal_reason="A mistake.")
    with pytest.raises(InvalidInput, match="too few"):
        make_study(actor=SYSTEM, wanted=wanted())


@pytest.mark.parametrize(
    "wrong", [{"release": "none 1"}, {"layer": "pixels"}, {"measure": "weight"}, {"title": " "}, {"maximum": 10**9}]
)
def test_what_cannot_be_studied_is_refused_and_leaves_nothing(images: list[Image], wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        make_study(actor=SYSTEM, wanted=wanted(**wrong))
    assert not StructureStudy.objects.exists() and not folder_of(images[0].uid).parent.exists()
    with pytest.raises(NotAllowed):
        make_study(actor=principal_of(factories.make_user()), wanted=wanted())


def test_no_more_features_are_read_than_the_maximum(images: list[Image], django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(20):
        study = make_study(actor=SYSTEM, wanted=wanted(maximum=24))
    assert study.summary["images"] == 24


def test_a_cluster_becomes_a_proposed_category_below_an_accepted_one_and_labels_nothing(images: list[Image]) -> None:
    study = make_study(actor=SYSTEM, wanted=wanted())
    curator = principal_of(factories.make_curator())
    node = study.summary["tree"]["children"][0]["number"]
    before = Annotation.objects.count()
    made = studies.propose_subcategory(actor=curator, study=study, node=node, name="  Sharp   tips", parent="tips")
    assert (made.name, made.parent.name, made.state) == ("Sharp tips", "Tips", "proposed")
    assert "30 images" in made.description and Annotation.objects.count() == before
    with pytest.raises(Conflict):
        studies.propose_subcategory(actor=curator, study=study, node=node, name="sharp tips", parent="Tips")
    with pytest.raises(InvalidInput):
        studies.propose_subcategory(actor=curator, study=study, node=node, name="Blunt tips", parent="Sharp tips")


def test_curators_walk_through_the_tree_and_nobody_else(images: list[Image]) -> None:
    study = make_study(actor=SYSTEM, wanted=wanted())
    client = Client()
    client.force_login(factories.make_curator(), backend="django.contrib.auth.backends.ModelBackend")
    assert "Tips and powders" in client.get("/curate/structure").content.decode()
    address = f"/curate/structure/{study.uid}"
    top = client.get(address).content.decode()
    child = study.summary["tree"]["children"][0]
    assert f"?node={child['number']}" in top and f"/classify/images/{child['representatives'][0]}" in top
    below = client.get(f"{address}?node={child['number']}")
    assert b"All, 60" in below.content and client.get(f"{address}?node=999999").status_code == 404
    wrong = client.post(f"{address}?node={child['number']}", {"name": "x", "parent": "Tips"})
    assert wrong.status_code == 422 and not Category.objects.filter(name="x").exists()
    right = client.post(f"{address}?node={child['number']}", {"name": "Bent tips", "parent": "Tips"})
    assert right["Location"] == "/curate/categories"
    report = client.get(f"{address}/report.html")
    assert report["Content-Disposition"].startswith("attachment")
    for page in ("/curate/structure", address, f"{address}/report.html"):
        assert Client().get(page).status_code == 302
    client.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert {client.get(page).status_code for page in ("/curate/structure", address, f"{address}/report.html")} == {403}


def test_the_command_takes_lengths_with_units_and_says_where_to_look(images: list[Image], capsys) -> None:
    options = ["--title", "By command", "--coding-size", str(FEATURES), "--lowest", "1 µm", "--highest", "0.002mm"]
    call_command("classifier_structure", *options)
    study = StructureStudy.objects.get()
    assert (study.parameters["lowest"], study.parameters["highest"]) == pytest.approx((1e-6, 2e-6))
    assert f"/curate/structure/{study.uid}" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--lowest"):
        call_command("classifier_structure", "--title", "x", "--lowest", "2 kV")
    with pytest.raises(CommandError, match="too few"):
        call_command("classifier_structure", "--title", "x", "--lowest", "1 km")
