"""The page of results in a browser, with an index behind it: keyboard, drag, sheets, units, and what every page promises."""

import re

import pytest
from playwright.sync_api import expect

from search.engines import engine
from tests.pages.conftest import Catalogue
from tests.pages.test_every_page import all_faults
from tests.search.archive import built

pytestmark = pytest.mark.browser


@pytest.fixture
def indexed(catalogue, settings, tmp_path) -> Catalogue:
    settings.DATA_DIR = tmp_path / "site"
    settings.DATA_DIR.mkdir()
    built(engine())
    return catalogue


def announced(page, text: str) -> None:
    page.wait_for_function("text => document.getElementById('announcer').textContent === text", arg=text)


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_of_results_are_accessible_and_fit(indexed, many_datasets, open_page, width):
    paths = [
        "/search",
        "/search?q=silicon&view=grid",
        "/search?histogram=pixel_size_x&p.working_distance=..10+mm&find.person=te",
        "/search?q=silicone&kind=raw",
        f"/search?like={indexed.open.uid}",
    ]
    assert all_faults(open_page("/policy", width=width), paths) == {}


def test_the_periodic_table_stays_open_with_its_focus_while_the_results_change(indexed, open_page):
    page = open_page("/search")
    page.locator("#facet-element summary").click()
    page.get_by_role("button", name="Periodic table").click()
    expect(page.locator("#periodic-table")).to_be_visible()
    page.locator("#cell-Si").focus()
    page.keyboard.press("Space")
    announced(page, "1 dataset")
    expect(page.locator("#periodic-table")).to_be_visible()
    assert page.evaluate("[document.activeElement.id, document.activeElement.checked]") == ["cell-Si", True]
    page.keyboard.press("Escape")
    expect(page.locator("#periodic-table")).to_be_hidden()
    assert page.url.endswith("/search?element=Si")


def test_people_are_listed_when_their_group_is_opened(indexed, open_page):
    page = open_page("/search")
    page.locator("#facet-person summary").click()
    name = page.locator("#values-person input").first
    expect(name).to_be_visible()
    assert page.url.endswith("/search")
    expect(page.locator("#facet-instrument")).to_be_visible()
    name.check()
    page.wait_for_url(re.compile(r"/search\?person="))
    expect(page.locator("#facet-person input:checked")).to_be_visible()


def test_suggestions_are_chosen_by_keyboard_and_leave_with_escape(indexed, open_page):
    page = open_page("/search")
    box = page.locator("#site-search")
    box.press_sequentially("SiN")
    option = page.get_by_role("option", name=re.compile("SiNW-14b"))
    option.wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    box.press_sequentially("W")
    option.wait_for()
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?sample=SiNW-14b$"))
    assert page.get_by_role("heading", name="1 dataset", exact=True).is_visible()


def test_dragging_over_a_histogram_chooses_its_range_and_another_unit_keeps_it(indexed, open_page):
    page = open_page("/search?histogram=pixel_size_x")
    chart = page.locator("#parameter-pixel-size-x svg")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"p\.pixel_size_x="))
    low = float(page.locator("#p-pixel-size-x-from").input_value())
    page.locator("#p-pixel-size-x-unit").select_option("pm")
    page.wait_for_url(re.compile("pm"))
    assert float(page.locator("#p-pixel-size-x-from").input_value()) == pytest.approx(low * 1000)
    assert page.get_by_role("heading", name="1 dataset", exact=True).is_visible()


def test_values_are_looked_for_while_typing_and_the_focus_stays(indexed, many_datasets, open_page):
    page = open_page("/search?find.person=te")
    box = page.locator("#find-person")
    box.fill("nobody")
    page.get_by_text("Nothing with “nobody”.").wait_for()
    assert page.evaluate("document.activeElement.id") == "find-person"


def test_without_javascript_every_filter_works(indexed, open_page):
    page = open_page("/search?histogram=pixel_size_x", script=False)
    page.locator("#p-pixel-size-x-to").fill("6")
    page.get_by_role("button", name="Apply filters").click()
    assert page.url.endswith("/search?p.pixel_size_x=..6+nm&histogram=pixel_size_x%7Cnm")
    assert page.get_by_role("heading", name="1 dataset", exact=True).is_visible()
    page.get_by_role("link", name=re.compile("Pixel width up to 6 nm")).click()
    page.locator("#facet-element summary").click()
    page.locator("#element-link-Si").click()
    assert "element=Si" in page.url
