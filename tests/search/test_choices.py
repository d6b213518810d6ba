"""What people call techniques, instruments and facilities means the values that documents have; likes are told by records."""

import pytest
from django.utils import timezone

from catalogue import selectors
from catalogue.access import ANONYMOUS, SYSTEM
from catalogue.models import Technique
from catalogue.page_rows import rows_of
from search.question.choices import choices_of_archive
from search.question.likeness import likeness_of
from tests.factories import make_dataset, make_facility, make_instrument, make_investigation, make_sample

pytestmark = pytest.mark.django_db

SEM = "https://w3id.org/faircat/technique/SEM"
XANES = "https://example.org/XANES"


@pytest.fixture(autouse=True)
def _techniques() -> None:
    Technique.objects.get_or_create(iri=SEM, defaults={"label": "scanning electron microscopy", "source": "Faircat"})
    Technique.objects.create(
        iri=XANES, label="absorption near edge", alternative_labels=["NEXAFS", "near-edge spectra"], source="test"
    )


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("SEM", SEM),
        ("sem", SEM),
        ("Scanning Electron Microscopy", SEM),
        ("nexafs", XANES),
        ("near edge spectrum", XANES),
        ("absorption near", XANES),
    ],
)
def test_a_technique_is_known_by_any_of_its_names(text: str, iri: str) -> None:
    assert iri in choices_of_archive("technique", text)


def test_a_name_as_a_whole_comes_before_those_that_hold_it() -> None:
    Technique.objects.create(iri="https://example.org/x", label="NEXAFS imaging", source="test")
    assert choices_of_archive("technique", "NEXAFS") == (XANES,)


def test_instruments_facilities_and_categories_are_known_by_name() -> None:
    facility = make_facility(name="Laboratory of the North", short_name="north-lab")
    make_instrument(facility=facility, name="Zeiss Gemini 500", short_name="gemini")
    assert choices_of_archive("instrument", "zeiss") == ("gemini",)
    assert choices_of_archive("facility", "laboratory of the north") == ("north-lab",)
    assert choices_of_archive("category", "nanowire") == ("Nanowires",)


@pytest.mark.parametrize(
    ("facet", "text"), [("technique", ""), ("technique", "!"), ("technique", "zzz"), ("colour", "red")]
)
def test_what_nobody_calls_anything_means_nothing(facet: str, text: str) -> None:
    assert choices_of_archive(facet, text) == ()


def test_what_is_looked_for_in_others_is_only_what_the_asker_sees() -> None:
    now = timezone.now()
    investigation = make_investigation(is_open=False)
    sample = make_sample(investigation, name="Secret sample", formula="TiO2")
    dataset = make_dataset(investigation=investigation, title="The nanowires of run 42", sample=sample)
    (full,) = selectors.records_of(rows_of([dataset.pk]), SYSTEM, now=now)
    (masked,) = selectors.records_of(rows_of([dataset.pk]), ANONYMOUS, now=now)
    likeness = likeness_of(full, dataset=dataset.pk)
    assert likeness.words == ("nanowire", "run")
    assert (likeness.sample, likeness.elements) == ("Secret sample", ("Ti", "O"))
    stranger = likeness_of(masked, dataset=dataset.pk)
    assert (stranger.sample, stranger.elements) == ("", ())
