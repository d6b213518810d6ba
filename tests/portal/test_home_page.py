"""What the home page counts and shows."""

import pytest
from django.conf import settings
from django.utils.html import escape

from catalogue.models import Technique, TechniqueAncestor
from tests import factories


@pytest.fixture
def technique(db) -> Technique:
    technique = Technique.objects.create(iri="https://example.org/sem#1", label="scanning microscopy", source="test")
    TechniqueAncestor.objects.create(technique=technique, ancestor=technique)
    return technique


def test_a_tile_shows_the_newest_picture_that_everyone_may_see(client, technique):
    older, newer = (factories.make_dataset(is_open=True, has_thumbnail=True) for _ in range(2))
    closed = factories.make_dataset(has_thumbnail=True)
    for dataset in (older, newer, closed):
        dataset.techniques.add(technique)
    Technique.objects.update(dataset_count=3)
    (tile,) = client.get("/").context["tiles"]
    assert tile["thumbnail_url"] == f"/datasets/{newer.uid}/thumbnail.webp"
    assert tile["url"] == "/search?technique=https%3A%2F%2Fexample.org%2Fsem%231"
    assert client.get(tile["url"]).context["page"].count_text == "3 datasets"


def test_a_technique_whose_data_are_all_closed_has_a_tile_without_picture(client, technique):
    factories.make_dataset(has_thumbnail=True).techniques.add(technique)
    Technique.objects.update(dataset_count=1)
    (tile,) = client.get("/").context["tiles"]
    assert tile["thumbnail_url"] == ""


def test_the_home_page_names_the_facilities(client, db):
    factories.make_facility(name="Example NanoLab")
    factories.make_facility(name="Example Light Source")
    assert "from Example Light Source and Example NanoLab" in client.get("/").content.decode()


def test_the_newest_data_come_by_the_api_call_that_the_page_names(client, db):
    open_data = [factories.make_dataset(is_open=True) for _ in range(2)]
    factories.make_dataset()
    page = client.get("/")
    asked = client.get(page.context["api_url"].removeprefix(settings.SITE_URL)).json()
    assert escape(page.context["api_url"]) in page.content.decode()
    assert {one["uid"] for one in asked["results"]} == {str(one.uid) for one in open_data}
