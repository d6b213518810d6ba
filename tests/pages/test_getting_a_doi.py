"""From a selection to a reserved DOI in a browser, at the width of a desk and of a pocket; and what the page saves of itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from catalogue.access import principal_of
from catalogue.collection_selectors import text_of
from catalogue.models import Collection, Technique
from catalogue.services.collections import start_collection
from catalogue.services.selections import add_to_selection
from tests import factories
from tests.pages.test_every_page import WIDTHS, faults_of
from tests.servers import DataCiteServer, datacite_server

pytestmark = pytest.mark.browser


@pytest.fixture
def datacite(tmp_path, settings) -> Iterator[DataCiteServer]:
    with datacite_server(tmp_path / "datacite.sqlite3") as server:
        settings.DATACITE_URL, settings.DATACITE_PREFIX = server.url, server.prefix
        settings.DATACITE_USER, settings.DATACITE_PASSWORD = server.user, server.password
        yield server


@pytest.mark.parametrize("width", WIDTHS)
def test_a_selection_is_described_and_gets_a_doi_that_can_be_cited(catalogue, open_page, datacite, width):
    Technique.objects.create(iri="http://purl.org/pan-science/PaNET/PaNET01113", label="tomography", source="PaNET")
    chosen = [catalogue.open.uid, catalogue.closed.uid]
    add_to_selection(actor=principal_of(catalogue.pi), session={}, uids=chosen)
    page, faults = open_page("/selection", user=catalogue.pi, width=width), {}
    page.get_by_role("button", name="Get a DOI for these").click()
    look(page, faults)
    page.get_by_label("Part of Slice 001 in the publication").fill("data of figure 2")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_label("Title", exact=True).fill("Wires and a cathode")
    page.get_by_label("Add a technique or keyword").fill("tomography")
    page.get_by_label("Add a technique or keyword").press("Enter")
    page.get_by_role("button", name="Remove tomography").wait_for()
    look(page, faults)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Add a funder").click()
    page.get_by_label("Funder", exact=True).fill("European Commission")
    page.get_by_label("ORCID iD").first.fill("0000-0002-1825-0098") if page.get_by_label(
        "ORCID iD"
    ).first.is_visible() else unfold(page).fill("0000-0002-1825-0098")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_text("please check for a typing error").wait_for()
    look(page, faults)
    page.get_by_label("ORCID iD").first.fill("0000-0002-1825-0097")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("heading", name="Review").wait_for()
    page.get_by_text("As JSON", exact=True).click()
    assert '"title": "Wires and a cathode"' in page.get_by_label("DataCite JSON").inner_text()
    look(page, faults)
    page.get_by_role("button", name="Reserve a DOI").click()
    page.get_by_role("heading", name="Reserved").wait_for()
    look(page, faults)
    draft = Collection.objects.get()
    assert draft.members.get(dataset=catalogue.closed).role == "data of figure 2"
    assert text_of(draft).title == "Wires and a cathode" and text_of(draft).creators[0].orcid == "0000-0002-1825-0097"
    page.goto(page.url.partition("#")[0] + "/publish")
    look(page, faults)
    assert faults == {}


def unfold(page: Any) -> Any:
    """The ORCID iD of the first author, whose entry is folded together."""
    page.locator("#creators-0 summary").click()
    return page.get_by_label("ORCID iD").first


def look(page: Any, faults: dict[str, list[str]]) -> None:
    page.wait_for_load_state("load")
    if found := faults_of(page):
        faults[page.url] = found


def test_what_is_typed_is_saved_without_a_button_and_haste_is_no_conflict(catalogue, open_page):
    draft = start_collection(actor=principal_of(catalogue.pi))
    page = open_page(f"/doi/drafts/{draft.uid}/describe", user=catalogue.pi)
    title = page.get_by_label("Title", exact=True)
    title.fill("Saved of itself")
    page.get_by_text("Saved", exact=False).filter(has_text=":").first.wait_for()
    page.reload()
    assert title.input_value() == "Saved of itself"
    for number in range(5):
        title.fill(f"Typed in haste {number}")
        page.wait_for_timeout(250 * number)
        page.get_by_role("button", name="Save and continue").click()
        page.get_by_role("heading", name="People and funding").wait_for()
        assert Collection.objects.get().title == f"Typed in haste {number}"
        page.go_back()
        page.reload()


def test_two_people_in_one_form_see_both_versions(catalogue, open_page):
    colleague = factories.make_user()
    factories.add_member(catalogue.closed.investigation, colleague)
    draft = start_collection(actor=principal_of(catalogue.pi), investigations=[catalogue.closed.investigation.uid])
    address = f"/doi/drafts/{draft.uid}/describe"
    mine, theirs = open_page(address, user=catalogue.pi), open_page(address, user=colleague, width=390)
    mine.get_by_label("Title", exact=True).fill("Mine")
    mine.get_by_text("Saved", exact=False).filter(has_text=":").first.wait_for()
    theirs.get_by_label("Title", exact=True).fill("Theirs")
    theirs.get_by_role("button", name="Show both versions").click()
    theirs.get_by_role("button", name="Keep what I wrote").wait_for()
    assert Collection.objects.get().title == "Mine"
    row = theirs.get_by_role("row").filter(has_text="Title")
    assert [cell.inner_text() for cell in row.get_by_role("cell").all()] == ["Mine", "Theirs"]
    assert faults_of(theirs) == []
    theirs.get_by_role("button", name="Keep what I wrote").click()
    theirs.wait_for_load_state("load")
    assert Collection.objects.get().title == "Theirs"
