"""The pages of access: asking, answering, letting in, sharing by a link, and reading by one. In a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.models import AccessRequest, Collection, Concept
from catalogue.services.share_links import note_use
from catalogue.services.usage import Visit
from tests import factories
from tests.access.sharing import share
from tests.pages.conftest import Catalogue
from tests.pages.test_every_page import WIDTHS, all_faults, faults_of

pytestmark = pytest.mark.browser

REASON = "We compare how the pores of cathodes change with charging, and have no data below 30 nm.\n\nFor a thesis."


@pytest.fixture
def asker(transactional_db):
    return factories.make_user("frida", first_name="Frida", last_name="Ask", email="frida@example.org")


@pytest.fixture
def paths(catalogue: Catalogue, asker) -> list[str]:
    """What the principal investigator sees, with something in every list."""
    closed = catalogue.closed
    collection = Collection.objects.create(
        concept=Concept.objects.create(), created_by=catalogue.pi, title="Four papers"
    )
    request = AccessRequest.objects.create(
        dataset=closed, requested_by=asker, reason=REASON, terms_accepted_at=timezone.now()
    )
    factories.make_grant(factories.make_user("gustav"), granted_by=catalogue.pi, dataset=closed, reason="co-author")
    link, _ = share(closed.investigation, catalogue.pi, hides_people=True, allows_files=False)
    visit = Visit(at=timezone.now(), address="192.0.2.1", agent="a browser")
    principal = principal_of(asker).__class__(share_link_ids=(link.pk,))
    note_use(principal=principal, uid=closed.uid, path=f"/datasets/{closed.uid}", visit=visit)
    return [
        "/me",
        f"/access-requests/{request.uid}",
        f"/investigations/{closed.investigation.uid}/access",
        f"/share-links/investigation/{closed.investigation.uid}",
        f"/share-links/dataset/{closed.uid}",
        f"/share-links/collection/{collection.uid}",
        f"/shared/{collection.uid}",
        f"/datasets/{closed.uid}",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_those_who_decide_are_accessible_and_fit(catalogue, paths, open_page, width):
    assert all_faults(open_page("/policy", user=catalogue.pi, width=width), paths) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_those_who_ask_are_accessible_and_fit(catalogue, paths, asker, open_page, width):
    own = ["/me", paths[1], f"/investigations/{catalogue.closed.investigation.uid}/request-access"]
    readable = f"/datasets/{catalogue.open.uid}/request-access"
    assert all_faults(open_page("/policy", user=asker, width=width), [*own, readable]) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_a_reader_by_link_are_accessible_and_fit(catalogue, open_page, width):
    closed = catalogue.closed
    _, address = share(closed.investigation, catalogue.pi, hides_people=True, allows_files=False)
    page = open_page(address, width=width)
    assert page.get_by_text("You read by a share link.").is_visible()
    found = all_faults(page, ["/share", f"/datasets/{closed.uid}", f"/investigations/{closed.investigation.uid}", "/"])
    assert found == {}


def test_asking_answering_and_sharing_work_without_scripts(catalogue, asker, open_page):
    closed = catalogue.closed
    page = open_page(f"/datasets/{closed.uid}", user=asker, script=False)
    page.get_by_role("link", name="Ask for access").click()
    page.get_by_label("What do you need the data for?").fill(REASON)
    page.get_by_label("I agree to these terms").check()
    page.get_by_role("button", name="Send the request").click()
    assert page.get_by_text("Your request was sent.").is_visible()
    leader = open_page("/me", user=catalogue.pi, script=False)
    leader.get_by_role("link", name="Frida Ask asks to read").click()
    leader.get_by_label("until the end of a day").check()
    leader.get_by_label("That day").fill((timezone.now() + timedelta(days=5)).date().isoformat())
    leader.get_by_role("button", name="Let them read").click()
    assert leader.get_by_text("The person was told of your answer.").is_visible()
    page.goto(page.url.split("/access-requests")[0] + f"/datasets/{closed.uid}")
    assert page.get_by_role("link", name="secret-name.tif").is_visible()
    leader.goto(page.url)
    leader.get_by_role("link", name="Share by a link").click()
    leader.get_by_label("For whom").fill("Reviewer 2")
    leader.get_by_role("button", name="Make the link").click()
    address = leader.locator("#new-link").inner_text()
    path = "/" + address.split("/", 3)[3]
    reader = open_page(path, script=False)
    assert "Slice 001" in reader.get_by_role("heading", level=1).inner_text()
    reader.get_by_role("link", name="What is open to you").click()
    reader.get_by_role("button", name="Leave").click()
    assert reader.get_by_text("You have left.").is_visible()


def test_a_request_with_mistakes_is_accessible(catalogue, asker, open_page):
    page = open_page(f"/datasets/{catalogue.closed.uid}/request-access", user=asker, width=390)
    page.get_by_label("What do you need the data for?").fill(REASON)
    page.get_by_label("I agree to these terms").evaluate("input => input.required = false")
    page.get_by_role("button", name="Send the request").click()
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("What do you need the data for?").input_value().startswith("We compare")
    assert faults_of(page) == []
