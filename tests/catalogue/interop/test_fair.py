"""The FAIR checks of a record tell what machines find, what would improve it, and nothing that the page does not show."""

import re
from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from catalogue.access import ANONYMOUS, Principal
from catalogue.anonymity import anonymised
from catalogue.interop.fair import assess
from catalogue.record import LicenceRef
from tests import described

F_UJI = re.compile(r"FsF-(?:F[1-4]|A1|I[1-3]|R1(?:\.[1-3])?)-0[1-3](?:D|M|MD)")


def checks_of(record, **changes):
    assessment = assess(described.describe(record, **changes))
    return {check.title: check for check in assessment.checks}


def check(title: str, **changes):
    return checks_of(described.dataset_record(**changes))[title]


def test_a_fully_described_open_dataset_passes_but_for_what_it_lacks():
    assessment = assess(described.describe(described.dataset_record(doi="10.17172/faircat.7")))
    failed = [check.title for check in assessment.checks if not check.has_passed]
    assert failed == ["People by ORCID"]
    assert (assessment.passed, assessment.total) == (13, 14)


@pytest.mark.parametrize(
    "record",
    [
        described.dataset_record(),
        described.closed_dataset(),
        described.investigation_record(),
        described.collection_record(),
    ],
    ids=["open", "closed", "investigation", "collection"],
)
def test_every_check_names_its_metric_of_f_uji_and_what_to_do_where_it_fails(record):
    assessment = assess(described.describe(record))
    assert len(assessment.checks) == 14
    for one in assessment.checks:
        assert all(F_UJI.fullmatch(metric) for metric in one.metric.split(", "))
        assert one.told
        assert bool(one.advice and one.who) == (one.has_passed is False)


@pytest.mark.parametrize(
    ("title", "changes"),
    [
        ("Persistent identifier", {"doi": ""}),
        ("Persistent identifier", {"doi": "10.5072/test"}),
        ("Core metadata", {"description": ""}),
        ("Core metadata", {"techniques": ()}),
        ("Data named in the metadata", {"file_count": 0}),
        ("Data by a standard protocol", {"file_count": 0}),
        ("Data by a standard protocol", {"access": described.access(is_open=False)}),
        ("Terms of vocabularies", {"techniques": ()}),
        ("People by ORCID", {"people": described.PEOPLE[1:]}),
        ("People by ORCID", {"people": ()}),
        ("Related works and things", {"relations": (), "instrument": replace(described.INSTRUMENT, pid="")}),
        ("Content described", {"parameters": ()}),
        ("Content described", {"parameters": (described.number("passes", 3.0, ""),)}),
        ("Licence for machines", {"licence": LicenceRef("", "Ask me", "")}),
        ("Provenance", {"acquired_at": None}),
        ("Provenance", {"derived_from": ()}),
        ("Open file formats", {"format_label": ""}),
        ("Open file formats", {"format_label": "Gatan DigitalMicrograph"}),
    ],
)
def test_what_is_missing_fails_its_own_check(title, changes):
    good = {"doi": "10.17172/faircat.7", "people": described.PEOPLE[:1]}
    assert check(title, **good).has_passed is True
    assert check(title, **(good | changes)).has_passed is False


@pytest.mark.parametrize(
    "label",
    ["Zeiss SEM image (TIFF)", "NeXus (NXsas)", "HDF5", "Velox EMD", "MRC / CCP4 map", "PNG picture", "SPEC scans"],
)
def test_formats_that_anybody_can_read_are_open(label):
    assert check("Open file formats", format_label=label).has_passed is True


@pytest.mark.parametrize("label", ["TIA series", "X-ray microscope image (Xradia)", "Gatan DigitalMicrograph"])
def test_formats_of_one_maker_are_not(label):
    assert check("Open file formats", format_label=label).has_passed is False


def test_raw_data_need_no_source():
    assert check("Provenance", kind="raw", derived_from=()).has_passed is True


def test_of_closed_data_nothing_is_told_that_a_summary_does_not_show():
    """Whatever is hidden behind the summary, the checks are the same."""
    hidden = described.dataset_record(access=described.access(is_open=False), doi="")
    shown = described.closed_dataset()
    assert hidden.parameters and hidden.format_label and not shown.parameters
    checks = checks_of(shown)
    for title in ("Data named in the metadata", "Content described", "Open file formats", "Provenance"):
        assert checks[title].has_passed is None, title
        assert "open" in checks[title].told
    bare = replace(described.INSTRUMENT, pid="")
    assert checks_of(described.closed_dataset(instrument=bare))["Related works and things"].has_passed is None
    assert checks["Access conditions stated"].told == "Open from 1 March 2029."


def test_checks_that_cannot_be_made_count_in_neither_number():
    assessment = assess(described.describe(described.closed_dataset()))
    made = [check for check in assessment.checks if check.has_passed is not None]
    assert assessment.total == len(made) < len(assessment.checks)


def test_people_who_are_hidden_are_not_missed():
    record = anonymised(described.dataset_record(), ())
    found = checks_of(record)["People by ORCID"]
    assert found.has_passed is None
    assert "hidden" in found.told


def test_what_was_withdrawn_and_drafts_are_not_assessed():
    assert assess(described.describe(described.dataset_record(access=described.access(withdrawn="Wrong")))) is None
    assert assess(described.describe(described.collection_record(withdrawal_reason="Wrong"))) is None
    assert assess(described.describe(described.collection_record(doi="", state="draft"))) is None


def test_a_collection_with_closed_members_is_not_open():
    closed = checks_of(described.collection_record(holds_closed_data=True))
    assert closed["Data by a standard protocol"].has_passed is False
    assert checks_of(described.collection_record(holds_closed_data=False))["Data by a standard protocol"].has_passed


def panel(principal: Principal) -> str:
    fair = assess(described.describe(described.dataset_record(doi="")))
    return render_to_string("includes/fair_panel.html", {"fair": fair, "principal": principal})


def test_the_panel_counts_and_links_only_for_those_who_may_have_a_page():
    stranger, member = panel(ANONYMOUS), panel(Principal(user_id=1))
    assert "FAIR checks: 12 of 14" in stranger
    assert 'href="/doi/new"' in member
    assert 'href="/doi/new"' not in stranger
    assert stranger.count("<li") == 14


def test_nothing_is_shown_where_there_is_nothing_to_check():
    assert render_to_string("includes/fair_panel.html", {"fair": None}).strip() == ""
