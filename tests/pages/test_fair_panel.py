"""The FAIR checks on the pages of records: folded at first, opened without JavaScript, accessible at both widths."""

import pytest

from tests.pages.test_every_page import WIDTHS, faults_of

pytestmark = pytest.mark.browser
SUMMARY = "summary:has(#fair-title)"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["open", "closed"])
def test_the_opened_panel_is_accessible_and_fits(catalogue, open_page, name, width):
    dataset = getattr(catalogue, name)
    for path in (f"/datasets/{dataset.uid}", f"/investigations/{dataset.investigation.uid}"):
        page = open_page(path, user=catalogue.pi, width=width, script=True)
        page.locator(SUMMARY).click()
        assert page.locator(".checks > li").count() == 14
        assert faults_of(page) == []


def test_without_javascript_the_panel_opens_by_mouse_and_keyboard(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.open.uid}", script=False)
    first = page.locator(".checks > li").first
    assert not first.is_visible()
    page.locator(SUMMARY).click()
    assert first.is_visible()
    page.locator(SUMMARY).press("Enter")
    assert not first.is_visible()


def test_a_withdrawn_dataset_has_no_panel(catalogue, client):
    page = client.get(f"/datasets/{catalogue.withdrawn.uid}")
    assert page.status_code == 410
    assert b"fair-title" not in page.content


def test_strangers_read_of_closed_data_no_more_than_the_page_shows(catalogue, client):
    page = client.get(f"/datasets/{catalogue.closed.uid}").content.decode()
    assert "Measured values are shown once the data are open." in page
    assert "secret-name" not in page
