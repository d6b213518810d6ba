"""What every answer says to browsers and caches: what may run in it, and that what was made for one reader stays with that one."""

import pytest

from tests.access.routes import addresses
from tests.access.test_canaries import client_of
from tests.access.world import make_world

pytestmark = pytest.mark.django_db
# Who is signed in makes no difference here: no cookie is looked at.
SAME_FOR_ALL = (
    "/api/schema", "/robots.txt", "/llms.txt", "/opensearch.xml", "/.well-known/", "/feeds/", "/sitemap", "/panosc/",
)  # fmt: skip


@pytest.mark.parametrize("role", ["visitor", "member"])
def test_every_answer_limits_what_runs_and_is_kept_for_its_own_reader(tmp_path, role):
    world = make_world(tmp_path)
    client = client_of(world, role)
    wrong = {}
    for _, url, _ in addresses(world):
        response = client.get(url)
        if response.streaming:
            list(response.streaming_content)
        headers = response.headers
        is_kept_apart = "Cookie" in headers.get("Vary", "") or "no-store" in headers.get("Cache-Control", "")
        if "Content-Security-Policy" not in headers or headers.get("X-Content-Type-Options") != "nosniff":
            wrong[url] = "may run anything"
        elif role == "member" and not is_kept_apart and not url.startswith(SAME_FOR_ALL):
            wrong[url] = f"may be given to others: {headers.get('Cache-Control')}"
    assert not wrong
