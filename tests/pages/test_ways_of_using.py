"""The pages with a keyboard only, without JavaScript, on paper, and with parts of them swapped."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_first_key_reaches_a_link_that_skips_to_the_content(catalogue, open_page):
    page = open_page("/search")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_slash_goes_to_the_search_box_and_a_question_mark_lists_the_keys(catalogue, open_page):
    page = open_page("/policy")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "site-search"
    page.keyboard.type("what?")
    assert page.locator("#site-search").input_value() == "what?"
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    assert page.locator("#keys-help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#keys-help").is_hidden()


def test_the_menu_of_a_signed_in_person_opens_and_closes_by_keyboard(catalogue, open_page):
    page = open_page("/policy", user=catalogue.pi)
    page.locator("details.menu summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="My data").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.get_by_role("link", name="My data").is_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_filter_updates_the_results_says_the_count_and_keeps_focus_and_address(catalogue, many_datasets, open_page):
    page = open_page("/search")
    page.get_by_label("From").fill("2100-01-01")
    page.get_by_label("From").press("Tab")
    page.wait_for_function("() => document.getElementById('announcer').textContent === '0 datasets'")
    assert page.evaluate("document.activeElement.closest('form').className") == "finder"
    assert page.url.endswith("/search?from=2100-01-01")
    assert page.get_by_role("heading", name="0 datasets").is_visible()


def test_a_filter_chosen_by_keyboard_keeps_the_focus_in_sight_and_says_the_count(catalogue, open_page):
    page = open_page("/search")
    page.locator("#facet-access summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.getElementById('announcer').textContent === '1 dataset'")
    assert page.evaluate("[document.activeElement.id, document.activeElement.checked]") == ["access-1", True]
    outline = page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "solid" in outline and "3px" in outline
    page.get_by_role("link", name="Access open").press("Enter")
    page.wait_for_url(re.compile("/search$"))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_tab_key_walks_through_a_dataset_in_reading_order_with_every_stop_in_sight(catalogue, open_page, width):
    page = open_page(f"/datasets/{catalogue.open.uid}", width=width)
    page.locator(".viewer canvas").wait_for()
    page.evaluate("window.stops = [document.body]")
    faults = []
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        faults += page.evaluate(LOOK_AT_STOP)
    assert faults == []
    assert page.evaluate("window.stops.length") > 20


LOOK_AT_STOP = """() => {
  const stop = document.activeElement, box = stop.getBoundingClientRect(), before = window.stops.at(-1);
  window.stops.push(stop);
  const name = stop.outerHTML.slice(0, 100), faults = [];
  if (!(before.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING)) faults.push(`out of order: ${name}`);
  if (getComputedStyle(stop).outlineStyle === 'none') faults.push(`focus not shown: ${name}`);
  const isInSight = box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0;
  if (!isInSight) faults.push(`out of sight: ${name}`);
  return faults;
}"""


def test_an_open_group_of_filters_stays_open_when_the_results_change(catalogue, open_page):
    page = open_page("/search")
    closed = page.locator("details.facet:not([open])").first
    name = closed.get_attribute("id")
    closed.locator("summary").click()
    page.get_by_label("Words").fill("nanowires")
    page.get_by_label("Words").press("Enter")
    page.wait_for_url(re.compile("q=nanowires"))
    page.locator(f"#{name}[open]").wait_for()


def test_going_back_shows_the_search_as_it_was(catalogue, open_page):
    page = open_page("/search")
    page.get_by_label("Words").fill("nanowires")
    page.get_by_label("Words").press("Enter")
    page.wait_for_url(re.compile("q=nanowires"))
    page.go_back()
    page.wait_for_url(re.compile("/search$"))
    expect(page.get_by_label("Words")).to_have_value("")


def test_without_javascript_filters_pages_menu_and_selection_work(catalogue, many_datasets, open_page):
    page = open_page("/search", user=catalogue.pi, script=False)
    page.get_by_label("Words").fill("Series")
    page.get_by_role("button", name="Apply filters").click()
    assert "q=Series" in page.url
    page.get_by_role("link", name="Next page").click()
    assert "cursor=" in page.url and page.locator(".hit").count() > 0
    page.locator("details.menu summary").click()
    assert page.get_by_role("link", name="My data").is_visible()
    page.goto(page.url.split("/search")[0] + f"/datasets/{catalogue.open.uid}")
    page.get_by_role("button", name="Add to my selection").click()
    assert page.get_by_role("link", name="Selection (1)").is_visible()


def test_without_javascript_a_preview_is_a_picture_and_no_dead_button_is_shown(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.open.uid}", script=False)
    assert page.locator(".viewer img").is_visible()
    assert page.locator(".viewer img").evaluate("picture => picture.naturalWidth") > 0
    for name in ("Zoom in", "Copy citation", "Copy"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0
    page.goto(page.url.split("/datasets")[0] + "/accounts/login/")
    assert page.get_by_role("button", name="Sign in with a passkey").count() == 0


def test_the_viewer_zooms_and_its_scale_bar_follows(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.open.uid}")
    bar = page.locator(".scalebar")
    bar.wait_for()
    assert re.fullmatch(r"\d+ (nm|µm)", bar.inner_text())
    before = bar.inner_text(), bar.bounding_box()["width"]
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("text => document.querySelector('.scalebar').textContent !== text", arg=before[0])
    assert (bar.inner_text(), bar.bounding_box()["width"]) != before


def test_choosing_files_shows_how_much_they_are(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.open.uid}")
    page.get_by_label("Choose wires.tif").check()
    assert page.locator("form[data-selection] output").inner_text() == "1 of 2 chosen, 1.17 KiB"
    page.get_by_label("All on this page").check()
    assert page.locator("form[data-selection] output").inner_text().startswith("2 of 2 chosen")


def test_a_printed_dataset_page_has_no_navigation_and_dark_text_on_white_even_on_a_dark_screen(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.open.uid}", theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".masthead nav", ".jump", ".foot", "#viewer-controls"):
        assert page.locator(hidden).first.is_hidden(), hidden
    assert page.locator(".viewer img").is_visible()
    assert page.locator("html").evaluate("page => getComputedStyle(page).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("h1").evaluate("heading => getComputedStyle(heading).color") == "rgb(0, 0, 0)"


def test_motion_is_off_for_those_who_asked_for_less(catalogue, open_page):
    page = open_page("/")
    page.emulate_media(reduced_motion="reduce")
    moving = (
        "[...document.querySelectorAll('*')].filter(part => parseFloat(getComputedStyle(part).transitionDuration) > 0)"
    )
    assert page.evaluate(f"{moving}.length") == 0


def test_a_page_of_closed_data_shows_strangers_no_file_name_and_when_it_opens(catalogue, open_page):
    page = open_page(f"/datasets/{catalogue.closed.uid}")
    assert "secret-name" not in page.content()
    assert page.get_by_role("note").filter(has_text="Open from").is_visible()


def test_a_new_token_is_shown_once_and_can_be_revoked(catalogue, open_page):
    page = open_page("/me/tokens", user=catalogue.pi)
    page.get_by_label("Name").fill("beamline")
    page.get_by_role("button", name="Make token").click()
    token = page.locator("#new-token").inner_text()
    assert token.startswith("fct_")
    page.goto(page.url)
    assert token not in page.content()
    page.get_by_role("button", name="Revoke beamline").click()
    assert page.get_by_text("revoked").is_visible()
