"""What every page promises, looked at in a real browser: accessible, readable at 390 px, within the content policy."""

import re
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client

from catalogue.access import principal_of
from catalogue.models import User
from catalogue.services.selections import add_to_selection
from portal.errors import PAGES
from tests import factories
from tests.pages.conftest import Catalogue

pytestmark = pytest.mark.browser

AXE_SCRIPT = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed").AXE_SCRIPT
# Of rules that nothing breaks, axe need not describe every element that it looked at.
BRIEFLY = {"resultTypes": ["violations"]}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], **BRIEFLY}
# What Swagger UI draws on /api/docs is not ours; the frame around it is.
NOT_OURS = {"exclude": [["#swagger-ui"]]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, **BRIEFLY}
WIDTHS = (1280, 390)
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
        "/help/harvest",
        "/no-such-page",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/confirm-email/",
        "/accounts/inactive/",
    ]


def member_paths(catalogue: Catalogue) -> list[str]:
    return [
        "/me",
        "/me/tokens",
        "/me/searches?search=q%3Dwires%26kind%3Draw",
        "/selection",
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
    page.evaluate(AXE_SCRIPT)
    found = broken_rules(page, RULES)
    if (excess := page.evaluate(TOO_WIDE)) > 0:
        found.append(f"{excess} px too wide")
    found += [f"target too small: {target}" for target in page.evaluate(TOO_SMALL)]
    for what, number in {"h1": 1, "main#main": 1, "header": 1, "a.skip[href='#main']": 1}.items():
        if (there := page.locator(what).count()) != number:
            found.append(f"{there} times {what}")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [f"in the dark: {fault}" for fault in broken_rules(page, CONTRAST)]
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return found


def broken_rules(page: Any, rules: dict[str, Any]) -> list[str]:
    violations = page.evaluate("([place, rules]) => axe.run(place, rules)", [NOT_OURS, rules])["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in violations]


def all_faults(page: Any, paths: list[str]) -> dict[str, list[str]]:
    """By path, what `faults_of` finds and what the browser complains of; the answer of an error page is no complaint."""
    host = re.match(r"https?://[^/]+", page.url)[0]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    found = {}
    for path in paths:
        complaints.clear()
        answer = page.goto(host + path, wait_until="load")
        faults = faults_of(page) + [text for text in complaints if answer.ok or "Failed to load" not in text]
        if faults:
            found[path] = faults
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_visitors_are_accessible_and_fit(catalogue, open_page, width):
    assert all_faults(open_page("/policy", width=width), visitor_paths(catalogue)) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_members_are_accessible_and_fit(catalogue, open_page, width):
    chosen = [catalogue.open.uid, catalogue.closed.uid]
    add_to_selection(actor=principal_of(catalogue.pi), session={}, uids=chosen)
    page = open_page("/policy", user=catalogue.pi, width=width)
    assert all_faults(page, member_paths(catalogue)) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_curators_page_is_accessible_and_fits(catalogue, open_page, width):
    assert all_faults(open_page("/policy", user=catalogue.curator, width=width), ["/curate", "/curate/log"]) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_frame_of_the_operations_of_the_api_is_accessible_and_fits(db, open_page, width):
    page = open_page("/api/docs", width=width)
    page.wait_for_selector(".opblock-summary-path", timeout=30_000)
    page.evaluate(AXE_SCRIPT)
    assert broken_rules(page, RULES) == []
    assert page.evaluate(TOO_WIDE) <= 0
    assert page.locator("h1").count() == page.locator("header").count() == page.locator("a[href='#main']").count() == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_errors_are_accessible_and_fit(db, open_page, settings, width):
    settings.ROOT_URLCONF = "tests.pages.error_urls"
    page = open_page("/policy", width=width)
    assert all_faults(page, [f"/errors/{status}" for status in sorted(PAGES)]) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_for_a_second_factor_are_accessible_and_fit(transactional_db, open_page, width):
    factories.make_user("regina", password="nanowires-on-silicon", email="regina@example.org").emailaddress_set.create(
        email="regina@example.org", verified=True, primary=True
    )
    page = open_page("/accounts/login/", width=width)
    page.get_by_label("Login").fill("regina")
    page.get_by_label("Password").fill("nanowires-on-silicon")
    page.get_by_role("button", name="Sign In", exact=True).click()
    page.wait_for_url("**/me")
    paths = ["/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/", "/accounts/2fa/webauthn/add/"]
    assert all_faults(page, [*paths, "/accounts/reauthenticate/"]) == {}
    user = User.objects.get()
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    paths = [
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/2fa/totp/deactivate/",
    ]
    assert all_faults(page, paths) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_a_forgotten_password_are_accessible_and_fit(transactional_db, open_page, width):
    user = factories.make_user("regina", password="nanowires-on-silicon", email="regina@example.org")
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    Client().post("/accounts/password/reset/", {"email": user.email})
    link = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[-1].body)[0]
    page = open_page("/accounts/password/reset/", width=width)
    assert all_faults(page, [link, "/accounts/password/reset/key/x-y/", "/accounts/password/reset/key/done/"]) == {}


def test_forms_with_mistakes_are_accessible(catalogue, open_page):
    page = open_page("/me/tokens", user=catalogue.pi, width=390)
    page.get_by_label("Name").evaluate("input => input.required = false")
    page.get_by_role("button", name="Make token").click()
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("Name").get_attribute("aria-invalid") == "true"
    assert faults_of(page) == []
