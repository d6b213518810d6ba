"""robots.txt, llms.txt, OpenSearch and the well-known addresses: by their standards, and true of this site."""

import re
from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser

import pytest
from django.test import Client
from lxml import etree

SITE = "http://127.0.0.1:8000"
OPENSEARCH = {"o": "http://a9.com/-/spec/opensearch/1.1/"}
UID = "0197a1b2-3c4d-7e5f-8a9b-000000000000"


def text_of(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def robots() -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(text_of("/robots.txt").splitlines())
    return parser


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/datasets/{UID}",
        f"/datasets/{UID}.jsonld",
        f"/investigations/{UID}",
        "/doi/10.5072/abc",
        "/about",
    ]
    + ["/sitemap.xml", "/sitemap-datasets-1.xml", "/feeds/new.atom", "/llms.txt", "/oai?verb=Identify", "/catalog.ttl"],
)
def test_robots_are_welcome_where_records_are(robots: RobotFileParser, path: str):
    assert robots.can_fetch("Googlebot", SITE + path)


@pytest.mark.parametrize(
    "path",
    [
        "/search?technique=SEM&page=2",
        "/search/suggestions?q=a",
        "/search.csv",
        "/accounts/login/",
        "/admin/",
        "/me",
        "/curate",
    ]
    + ["/api/v1/datasets/bulk", "/api/v1/search?q=a", "/register", "/selection/download.zip", "/doi/drafts/1"],
)
def test_robots_are_asked_to_leave_out_where_they_get_lost(robots: RobotFileParser, path: str):
    assert not robots.can_fetch("Googlebot", SITE + path)


def test_robots_learn_of_the_sitemap_and_of_a_pause(robots: RobotFileParser):
    assert robots.site_maps() == [f"{SITE}/sitemap.xml"]
    assert robots.crawl_delay("anybody") == 1


def test_llms_txt_has_the_form_of_its_proposal_and_its_links_lead_somewhere(db):
    text = text_of("/llms.txt")
    title, _, summary, *_ = text.split("\n")
    assert re.fullmatch(r"# \S.*", title) and re.fullmatch(r"> \S.*", summary)
    assert re.findall(r"^## .+$", text, re.MULTILINE)
    links = re.findall(r"^- \[[^\]]+\]\((\S+)\): \S", text, re.MULTILINE)
    assert len(links) == text.count("\n- ") >= 6
    for link in links:
        status = Client().get(link.removeprefix(SITE)).status_code
        assert status == 200 or (status == 404 and link.endswith("/sitemap.xml")), link


def test_the_opensearch_description_keeps_to_the_limits_of_its_specification(settings):
    settings.SITE_NAME = "A very long name of a site & <its> data"
    root = etree.fromstring(text_of("/opensearch.xml").encode())
    assert root.tag == "{http://a9.com/-/spec/opensearch/1.1/}OpenSearchDescription"
    name, description = (root.findtext(f"o:{tag}", None, OPENSEARCH) for tag in ("ShortName", "Description"))
    assert 0 < len(name) <= 16 and 0 < len(description) <= 1024
    templates = [url.get("template") for url in root.findall("o:Url", OPENSEARCH) if url.get("rel") != "self"]
    assert len(templates) == 3 and all("{searchTerms}" in template for template in templates)


def test_what_the_opensearch_description_promises_answers(db):
    root = etree.fromstring(text_of("/opensearch.xml").encode())
    for url in root.findall("o:Url", OPENSEARCH):
        path = url.get("template").removeprefix(SITE).replace("{searchTerms}", "nanowires")
        answer = Client().get(path)
        # Without an index exports say so.
        assert answer.status_code in (200, 503), path
        assert answer.status_code == 503 or answer["Content-Type"].startswith(url.get("type")), path


def test_pages_name_the_opensearch_description_and_the_feed(db):
    page = text_of("/about")
    assert '<link rel="search" type="application/opensearchdescription+xml"' in page
    assert '<link rel="alternate" type="application/atom+xml"' in page


def test_security_txt_has_what_rfc_9116_requires(settings):
    settings.ADMINISTRATOR_EMAIL = "data@example.org"
    lines = text_of("/.well-known/security.txt").strip().splitlines()
    fields = dict(line.split(": ", 1) for line in lines)
    assert fields["Contact"] == "mailto:data@example.org"
    assert fields["Canonical"] == f"{SITE}/.well-known/security.txt"
    left = datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00")) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)
    assert len(lines) == len(fields)


def test_security_txt_follows_its_settings(settings):
    settings.SECURITY_CONTACT = "https://example.org/report"
    settings.SECURITY_POLICY_URL = "https://example.org/policy"
    text = text_of("/.well-known/security.txt")
    assert "Contact: https://example.org/report\n" in text
    assert "Policy: https://example.org/policy\n" in text


def test_the_api_catalog_is_a_linkset_of_interfaces_that_answer(db):
    answer = Client().get("/.well-known/api-catalog")
    assert answer["Content-Type"] == 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    own, *described = answer.json()["linkset"]
    assert own["anchor"] == f"{SITE}/.well-known/api-catalog"
    items = [item["href"] for item in own["item"]]
    assert items == [one["anchor"] for one in described]
    for one in described:
        links = [link["href"] for relation, some in one.items() if relation != "anchor" for link in some]
        for href in (one["anchor"], *links):
            assert Client().get(href.removeprefix(SITE)).status_code in (200, 503), href
    head = Client().head("/.well-known/api-catalog")
    assert 'rel="api-catalog"' in head["Link"]


def test_password_managers_are_led_to_the_form(db):
    answer = Client().get("/.well-known/change-password")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/password/change/"


def test_other_well_known_addresses_do_not_exist(db):
    assert (
        Client().get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").status_code
        == 404
    )


@pytest.mark.parametrize("path", ["/robots.txt", "/llms.txt", "/opensearch.xml", "/.well-known/security.txt"])
def test_texts_for_programs_may_be_kept_by_every_cache(path: str):
    answer = Client().get(path)
    assert "public" in answer["Cache-Control"]
    assert not answer.has_header("Vary")
