"""Landing pages in a browser: accessible and readable at both widths, whole without JavaScript, on one page of paper."""

import re
from types import SimpleNamespace

import pytest
from django.utils import timezone

from catalogue.models import Collection, CollectionMember, Concept, Investigation
from doi.models import Identifier
from tests.pages.test_every_page import WIDTHS, all_faults
from tests.publications import TEXT

pytestmark = pytest.mark.browser


@pytest.fixture
def landing(catalogue) -> SimpleNamespace:
    """DOIs of a published collection in two versions, of a withdrawn one, of a session under embargo, and of a draft."""
    concept = Concept.objects.create(doi="10.5072/concept")
    for number in (1, 2):
        make_collection(catalogue, f"10.5072/version-{number}", concept=concept, number=number)
    make_collection(catalogue, "10.5072/withdrawn", state="withdrawn", withdrawal_reason="Measured wrongly.")
    draft = make_collection(catalogue, "10.5072/draft", state="draft", published_at=None)
    Collection.objects.filter(pk=draft.pk).update(doi=None)
    session = catalogue.closed.investigation
    Investigation.objects.filter(pk=session.pk).update(doi="10.5072/session")
    make_identifier("10.5072/session", investigation=session)
    return SimpleNamespace(
        older="/doi/10.5072/version-1",
        newest="/doi/10.5072/version-2",
        withdrawn="/doi/10.5072/withdrawn",
        session="/doi/10.5072/session",
        draft="/doi/10.5072/draft",
        unknown="/doi/10.5072/unknown",
    )


def make_collection(catalogue, doi: str, **fields) -> Collection:
    values = {
        "created_by": catalogue.pi,
        "home": catalogue.open.investigation,
        "state": "published",
        "doi": doi,
        "published_at": timezone.now(),
        "title": TEXT.title,
        "text": TEXT.to_json(),
        "member_count": 2,
        "dataset_count": 2,
        "file_count": 3,
        "size": 5_000_000,
    } | fields
    concept = values.pop("concept", None) or Concept.objects.create()
    collection = Collection.objects.create(concept=concept, **values)
    CollectionMember.objects.create(collection=collection, dataset=catalogue.open, role="Figure 2")
    CollectionMember.objects.create(collection=collection, investigation=catalogue.open.investigation)
    make_identifier(doi, collection=collection, state="draft" if values["state"] == "draft" else "findable")
    return collection


def make_identifier(doi: str, state: str = "findable", **record) -> None:
    Identifier.objects.create(doi=doi, state=state, wanted=state, accepted_at=timezone.now(), **record)


@pytest.mark.parametrize("width", WIDTHS)
def test_landing_pages_are_accessible_and_fit(landing, open_page, width):
    public = [landing.older, landing.newest, landing.withdrawn, landing.session, landing.unknown]
    assert all_faults(open_page("/policy", width=width), [*public, f"{landing.newest}?style=apa"]) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_reserved_doi_is_accessible_to_its_editor(catalogue, landing, open_page, width):
    assert all_faults(open_page("/policy", user=catalogue.pi, width=width), [landing.draft]) == {}


def test_a_landing_page_is_complete_without_javascript(catalogue, landing, open_page):
    page = open_page(landing.newest, script=False)
    assert page.get_by_role("link", name="Silicon nanowires").first.is_visible()
    assert page.get_by_role("button", name="Copy DOI").count() == 0
    page.get_by_role("link", name="Vancouver").click()
    assert "style=vancouver" in page.url and "García-Márquez AM" in page.locator("#citation").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="BibTeX").click()
    assert download.value.suggested_filename == "10.5072_version-2.bib"
    page.get_by_role("link", name="Version 1").first.click()
    page.get_by_role("note").filter(has_text="There is a newer version").get_by_role("link").click()
    assert page.url.endswith(landing.newest)


def test_the_doi_is_copied_by_a_button(landing, open_page):
    page = open_page(landing.newest)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy DOI").click()
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text.includes('10.5072'))")
    assert page.evaluate("navigator.clipboard.readText()") == "https://doi.org/10.5072/version-2"


@pytest.mark.parametrize("name", ["newest", "session", "withdrawn"])
def test_a_landing_page_prints_on_one_page(landing, open_page, name):
    page = open_page(getattr(landing, name))
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
    page.emulate_media(media="print")
    assert page.get_by_role("navigation", name="Styles of citation").is_hidden()
