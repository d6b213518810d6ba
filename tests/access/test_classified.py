"""What the classifier keeps is as closed as the files it is about; uploads are closed to everybody but their owner."""

import pytest
from django.utils import timezone

from catalogue.access import ANONYMOUS, principal_of
from classifier.models import Prediction
from classifier.selectors import Viewer
from classifier.services.categories import suggested_names
from classifier.services.similar import similar_images
from tests.access.test_canaries import client_of, everything_in, leaks
from tests.access.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path) -> World:
    return make_world(tmp_path)


def seen_beside(world: World, name: str, state: str = "open") -> set[str]:
    """The images that somebody is shown as resembling one, by the state of their dataset, or "upload"."""
    user = world.users[name]
    viewer = Viewer(principal_of(user) if user else ANONYMOUS)
    image = world.classified.images[state]
    prediction = Prediction.objects.select_related("release").get(image=image)
    found = {one.image.pk for one in similar_images(viewer, image, prediction, now=timezone.now())}
    names = {one.pk: state for state, one in world.classified.images.items()} | {world.classified.upload.pk: "upload"}
    return {names[key] for key in found}


def test_images_that_resemble_one_are_looked_for_among_those_that_may_be_seen(world):
    assert seen_beside(world, "visitor") == set()
    assert seen_beside(world, "stranger") == set()
    assert seen_beside(world, "pi") == {"closed"}
    assert seen_beside(world, "granted") == {"closed"}
    assert seen_beside(world, "member") == {"closed", "upload"}
    assert seen_beside(world, "curator") == {"closed", "withdrawn"}
    assert seen_beside(world, "visitor", "closed") == {"open"}


def test_the_team_meets_the_canaries_that_outsiders_do_not(world):
    page = client_of(world, "member").get(f"/classify/images/{world.classified.images['closed'].uid}")
    met = leaks(world, everything_in(page))
    assert {"disagreement of the closed image", "proposed category of the closed image"} <= set(met)
    own = leaks(world, everything_in(client_of(world, "member").get(f"/classify/{world.classified.submission.uid}")))
    assert {"name of an upload", "name of a refused file"} <= set(own)


def test_proposals_are_suggested_to_those_who_see_an_image_of_them(world):
    def suggested(name: str) -> set[str]:
        user = world.users[name]
        names = suggested_names(Viewer(principal_of(user) if user else ANONYMOUS), now=timezone.now())
        return {place for place, word in world.canaries.items() if word in names}

    assert suggested("visitor") == suggested("stranger") == set()
    assert suggested("pi") == {"proposed category of the closed image"}
    assert "proposed category of the upload" not in suggested("curator")


def test_a_reviewer_from_whom_people_are_hidden_is_shown_no_images_of_the_catalogue(world):
    viewer = Viewer(principal_of(world.users["pi"]))
    hidden = Viewer(type(viewer.principal)(hides_people=True, scopes=frozenset({"read"})))
    image = world.classified.images["open"]
    prediction = Prediction.objects.get(image=image)
    assert similar_images(hidden, image, prediction, now=timezone.now()) == []
