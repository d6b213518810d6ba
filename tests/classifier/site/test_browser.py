"""The pages in a real browser: files are dropped and sent one by one, images are labelled by keys, and all is accessible."""

import pytest

from classifier.models import Image, Opinion, Submission
from tests import factories
from tests.classifier.dispatch import world
from tests.classifier.site.conftest import png, signed_in, upload
from tests.pages.conftest import open_page
from tests.pages.test_every_page import WIDTHS, all_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["open_page"]


def test_files_are_sent_one_by_one_and_their_page_is_opened(release, open_page):
    page = open_page("/classify", user=factories.make_user())
    files = [{"name": f"{number}.png", "mimeType": "image/png", "buffer": world.picture(number)} for number in range(5)]
    files.append({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no image"})
    page.get_by_label("Choose images").set_input_files(files)
    page.get_by_role("button", name="Upload and classify").click()
    page.wait_for_url("**/classify/*-*")
    assert Submission.objects.get().images.count() == 5
    assert page.get_by_text("1 file refused.").is_visible()
    assert page.get_by_text("0 of 5 images done.", exact=True).is_visible()


def test_too_many_files_are_refused_before_any_is_sent(release, open_page, settings):
    settings.CLASSIFIER_MOST_IMAGES = 1
    page = open_page("/classify", user=factories.make_user())
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": world.picture(1)}
    page.get_by_label("Choose images").set_input_files([picture, picture | {"name": "b.png"}])
    page.get_by_role("button", name="Upload and classify").click()
    page.get_by_role("group").get_by_text("nothing was sent").wait_for()
    assert not Submission.objects.exists()


def test_images_are_labelled_by_keys(release, open_page, classify):
    user = factories.make_user()
    submission = upload(signed_in(user), png(1), png(2))
    images = list(submission.images.all())
    classify(images, 0.8)
    page = open_page(f"/classify/{submission.uid}", user=user)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    page.get_by_text("confirmed by a person").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("0")
    page.get_by_text("says a person").wait_for()
    said = {row.image_id: row.category.name for row in Opinion.objects.select_related("category")}
    assert said == {images[0].pk: "Biological", images[1].pk: "Tips"}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_the_classifier_are_accessible_and_fit(release, open_page, classify, width):
    curator = factories.make_curator()
    submission = upload(signed_in(curator), png(1), png(2))
    classify(list(submission.images.all()), 0.6, 0.3)
    image = Image.objects.first()
    paths = [
        "/classify",
        f"/classify/{submission.uid}",
        f"/classify/images/{image.uid}",
        "/models",
        "/models/untrained/1",
    ]
    paths += [f"/classify/{submission.uid}/register", "/curate/labels", "/curate/categories", "/help/classify"]
    assert all_faults(open_page("/policy", user=curator, width=width), paths) == {}
