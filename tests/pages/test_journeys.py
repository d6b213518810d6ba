"""Whole journeys through the site as people make them, in a browser without JavaScript: what works there works everywhere."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from catalogue import outbox
from catalogue.models import User
from tests import factories
from tests.catalogue.extraction.making import write_zeiss

pytestmark = pytest.mark.browser

PASSWORD = "nanowires-on-silicon"


@pytest.fixture
def instrument_folder(transactional_db, tmp_path) -> Path:
    """The folder of an instrument, with one picture and one text in the folder of a visit."""
    visit = tmp_path / "visit-77"
    visit.mkdir()
    write_zeiss(visit / "wires_01.tif")
    (visit / "notes.txt").write_text("Tilted by hand.")
    return tmp_path


def test_a_new_person_signs_up_registers_corrects_and_strangers_learn_only_the_summary(
    instrument_folder, open_page, live_server
):
    page = open_page("/", script=False)
    sign_up(page, live_server.url)
    user = User.objects.get(username="nora")
    investigation = factories.make_investigation(pi=user, visit_id="visit-77", title="Wires for a sensor")
    factories.make_storage(
        instrument_folder, name="Microscope folder", instrument=investigation.instrument, member_folder="{visit_id}"
    )

    register_from_folder(page, live_server.url)
    address = page.url
    outbox.deliver_due()
    page.reload()
    voltages = page.get_by_role("row").filter(has_text="Accelerating voltage")
    assert voltages.count() == 2
    assert voltages.filter(has_text="6.5 kV").get_by_text("person").is_visible()

    page.get_by_role("link", name="Correct the metadata").click()
    page.get_by_label("Working distance").fill("9 mm")
    page.get_by_role("button", name="Save corrections").click()
    rows = page.get_by_role("row").filter(has_text="Working distance")
    assert [row.locator("td").last.inner_text() for row in rows.all()] == ["instrument, corrected", "person"]

    stranger = open_page(address.removeprefix(live_server.url), script=False)
    assert stranger.get_by_role("heading", level=1).inner_text() == "Wires, tilted"
    assert stranger.get_by_role("note").filter(has_text="Open from").is_visible()
    for hidden in ("wires_01", "Working distance", "6.5 kV"):
        assert hidden not in stranger.content()

    curator = open_page("/curate/log", user=factories.make_curator(), script=False)
    log = curator.get_by_role("group", name="Audit log")
    assert log.get_by_role("row").filter(has_text="nora").filter(has_text="Wires, tilted").count() >= 2


def sign_up(page: Any, site: str) -> None:
    page.goto(f"{site}/accounts/signup/")
    page.get_by_label("Email").fill("nora@example.org")
    page.get_by_label("Username").fill("nora")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Sign Up").click()
    address = re.search(r"https?://\S+/accounts/confirm-email/\S+", mail.outbox[-1].body)[0]
    page.goto(re.sub(r"^https?://[^/]+", site, address))
    page.get_by_role("button", name="Confirm").click()
    if page.get_by_label("Login").count():
        page.get_by_label("Login").fill("nora")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign In", exact=True).click()
    assert page.get_by_text("nora").first.is_visible()


def register_from_folder(page: Any, site: str) -> None:
    page.goto(f"{site}/register")
    page.get_by_role("button", name="Choose files").click()
    page.get_by_label("Title").fill("Wires, tilted")
    page.get_by_label("Sample").fill("SiNW-1")
    page.get_by_label("Instrument").fill(page.locator("#instruments option").first.get_attribute("value"))
    page.get_by_role("button", name="Update suggestions").click()
    page.get_by_label("Investigation").select_option(label="visit-77: Wires for a sensor")
    page.get_by_role("button", name="Update suggestions").click()
    page.get_by_label("Person").fill("Rosalind Franklin")
    page.get_by_role("button", name="Add to the team").click()
    assert page.get_by_role("listitem").filter(has_text="Rosalind Franklin (member)").is_visible()
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("link", name="visit-77/").click()
    page.get_by_label("Choose wires_01.tif").check()
    page.get_by_role("button", name="Continue with these files").click()
    assert page.get_by_role("row").filter(has_text="Working distance").is_visible()
    page.get_by_label("Accelerating voltage").fill("6.5 kV")
    page.get_by_role("button", name="Register").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Wires, tilted"
