"""The data policy in plain words: what each facility promises, and the instruments that differ."""

from datetime import timedelta

import pytest
from django.test import Client

from catalogue.policy_text import policy_text
from tests import factories

pytestmark = pytest.mark.django_db


def page() -> str:
    return Client().get("/policy").content.decode()


def test_the_page_tells_months_maximum_hold_doi_retention_and_licence_of_each_facility():
    factories.make_facility(name="Synchrotron", embargo_months=24, maximum_embargo_months=48, extension_hold_days=14)
    factories.make_facility(name="Microscopes", retention_years=15, embargo_metadata="none", session_doi="end")
    text = page()
    for sentence in (
        "Data open 24 months after the end of the investigation.",
        "until 48 months after the end at most",
        "at most 14 days past their embargo",
        "Data open 36 months after the end of the investigation.",
        "Raw data are kept for 15 years.",
        "nobody outside the team learns that the data exist",
        "Each investigation gets a DOI when it ends.",
        "under the licence CC-BY-4.0",
    ):
        assert sentence in text, sentence
    assert text.index("Microscopes") < text.index("Synchrotron")


def test_an_instrument_is_named_only_for_what_it_does_differently():
    facility = factories.make_facility()
    factories.make_instrument(facility=facility, name="As the facility says", embargo_months=36)
    factories.make_instrument(facility=facility, name="Industry beamline", embargo_months=0, maximum_embargo_months=0)
    exceptions = policy_text(facility).exceptions
    assert [one.name for one in exceptions] == ["Industry beamline"]
    assert exceptions[0].sentences == (
        "Data open as soon as the investigation has ended.",
        "The embargo cannot be made longer.",
    )
    assert "For Industry beamline this is different" in page()


def test_asking_keeps_nothing_closed_where_the_site_says_so():
    facility = factories.make_facility(extension_hold_days=0)
    assert any("Asking does not keep the data closed." in text for text in policy_text(facility).sentences)


def test_the_page_costs_as_many_queries_for_ten_facilities_as_for_one(django_assert_max_num_queries):
    for _ in range(10):
        factories.make_instrument(default_licence=factories.make_licence("CC0-1.0"), retention_years=timedelta(5).days)
    with django_assert_max_num_queries(3):
        page()
