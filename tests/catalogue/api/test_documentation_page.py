"""The documentation of the API in a real browser, under the site's content security policy."""

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_operations_are_shown_without_any_breach_of_the_policy(browser: Any, live_server: Any) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: foreign.append(request.url) if not request.url.startswith(live_server.url) else None
    )
    answer = page.goto(f"{live_server.url}/api/docs")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page.wait_for_selector(".opblock-summary-path", timeout=30_000)
    assert page.locator(".opblock").count() >= 20
    page.locator("#operations-datasets-register_a_dataset .opblock-summary-control").click()
    page.wait_for_selector("#operations-datasets-register_a_dataset pre")
    assert not [url for url in foreign if not url.startswith(("data:", "blob:"))]
    assert not complaints
    page.close()
