"""What every page promises, looked at in a real browser: accessible, readable at 390 px, within the content policy."""

import re
from typing import Any

import pytest

from tests.pages.conftest import Catalogue

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Targets in running text are exempt (WCAG 2.2, 2.5.8); hidden ones have no size.
TOO_SMALL = """[...document.querySelectorAll('a, button, summary, input, select')].filter(target => {
  const box = target.getBoundingClientRect();
  const inText = target.closest('p:not(.row), td, dd, th, li, h3, figcaption, .prose, .skip, .unseen, label');
  return box.width && box.height && (box.width < 24 || box.height < 24) && !inText;
}).map(target => target.outerHTML.slice(0, 120))"""


def visitor_paths(catalogue: Catalogue) -> list[str]:
    first = catalogue.open
    return [
        "/",
        "/search",
        "/search?q=wires&view=grid",
        "/search?q=unobtainium&access=open",
        f"/datasets/{first.uid}",
        f"/datasets/{catalogue.closed.uid}",
        f"/datasets/{catalogue.withdrawn.uid}",
        f"/investigations/{first.investigation.uid}",
        f"/investigations/{catalogue.closed.investigation.uid}",
        f"/instruments/{first.instrument.uid}",
        f"/samples/{first.sample.uid}",
        "/selection",
        "/status",
        "/policy",
        "/accessibility",
        "/about",
        "/no-such-page",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
    ]


def member_paths(catalogue: Catalogue) -> list[str]:
    return [
        "/me",
        "/me/tokens",
        "/storages",
        "/register",
        f"/register/{catalogue.draft.uid}",
        f"/register/{catalogue.draft.uid}/files",
        f"/register/{catalogue.draft.uid}/check",
        f"/datasets/{catalogue.closed.uid}",
        f"/datasets/{catalogue.open.uid}/corrections",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/3rdparty/",
        "/accounts/sessions/",
        "/accounts/logout/",
    ]


def faults_of(page: Any) -> list[str]:
    """What is wrong with the page as it stands: rules broken, sideways scrolling, targets that are too small."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page, options=RULES).response["violations"]
    found = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in violations]
    if (excess := page.evaluate(TOO_WIDE)) > 0:
        found.append(f"{excess} px too wide")
    return found + [f"target too small: {target}" for target in page.evaluate(TOO_SMALL)]


def all_faults(open_page: Any, paths: list[str], **how: Any) -> dict[str, list[str]]:
    page = open_page("/policy", **how)
    host = re.match(r"https?://[^/]+", page.url)[0]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    found = {}
    for path in paths:
        complaints.clear()
        page.goto(host + path, wait_until="load")
        headings = page.locator("h1").count()
        faults = faults_of(page) + complaints + ([] if headings == 1 else [f"{headings} main headings"])
        if faults:
            found[path] = faults
    return found


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_pages_for_visitors_are_accessible_and_fit(catalogue, open_page, width, theme):
    assert all_faults(open_page, visitor_paths(catalogue), width=width, theme=theme) == {}


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_pages_for_members_are_accessible_and_fit(catalogue, open_page, width, theme):
    assert all_faults(open_page, member_paths(catalogue), user=catalogue.pi, width=width, theme=theme) == {}


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_the_curators_page_is_accessible_and_fits(catalogue, open_page, width, theme):
    assert all_faults(open_page, ["/curate"], user=catalogue.curator, width=width, theme=theme) == {}
