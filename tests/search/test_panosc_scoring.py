"""Scores of a PaNOSC query: between 0 and 1, stable, equal on both engines, and deaf to what the asker may not read."""

from math import log10
from types import SimpleNamespace

import pytest
from django.utils import timezone

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.models import Collection, CollectionMember, Concept
from search.backends.base import EngineUnavailable
from search.engines import engine
from search.panosc import scoring
from search.panosc.scoring import question_words, scores
from tests import factories

pytestmark = pytest.mark.django_db


def publish(title: str, *members, doi: str, abstract: str = "") -> Collection:
    collection = Collection.objects.create(
        concept=Concept.objects.create(), created_by=factories.make_user(), state="published", doi=doi, title=title,
        text={"title": title, "abstract": abstract}, published_at=timezone.now(),
    )  # fmt: skip
    for member in members:
        CollectionMember.objects.create(collection=collection, **{type(member).__name__.lower(): member})
    return collection


@pytest.fixture(params=["embedded", "elasticsearch"])
def archive(request, settings, build_index):
    """Three open datasets and a closed one; neutron stands in titles, copper elsewhere too, gold in the closed one only."""
    if request.param == "elasticsearch":
        settings.SEARCH_URL = request.getfixturevalue("search_url")
    loki = factories.make_instrument(
        name="LoKI", short_name="loki", facility=factories.make_facility(name="Spallation Source", short_name="ESS")
    )
    opened = factories.make_investigation(is_open=True, instrument=loki, title="Corrosion of copper", abstract="Rust")
    other = factories.make_investigation(is_open=True, title="Wires of silver", abstract="")
    pi = factories.make_user("regina")
    closed = factories.make_investigation(instrument=loki, title="Gilding", pi=pi)
    found = SimpleNamespace(
        neutrons=factories.make_dataset(opened, title="Neutron scattering"),
        cylinder=factories.make_dataset(opened, title="A cylinder", description="solid and neutron free"),
        wires=factories.make_dataset(other, title="Silver wires"),
        hidden=factories.make_dataset(closed, title="Golden neutron", description="gold leaf"),
        opened=opened, other=other, closed=closed, loki=loki, pi=principal_of(pi), build=build_index,
    )  # fmt: skip
    build_index()
    return found


def test_a_word_in_the_title_is_worth_more_than_one_in_the_abstract(archive):
    expected = {archive.neutrons.pk: 1.0, archive.cylinder.pk: 0.7}
    assert scores("neutrons", "dataset", ANONYMOUS) == pytest.approx(expected, abs=1e-4)
    assert list(scores("neutrons", "dataset", ANONYMOUS)) == [archive.neutrons.pk, archive.cylinder.pk]


def test_words_are_alternatives_and_the_rare_ones_decide(archive):
    """Three datasets are readable: two have neutron, one has wire, none has unicorn."""
    neutron, wire, unicorn = log10(1 + 3 / 2), log10(1 + 3 / 1), log10(1 + 3 / 1)
    whole = neutron + wire + unicorn
    expected = {
        archive.wires.pk: wire / whole,
        archive.neutrons.pk: neutron / whole,
        archive.cylinder.pk: 0.7 * neutron / whole,
    }
    found = scores("the Neutron of the wires, unicorn?", "dataset", ANONYMOUS)
    assert found == pytest.approx(expected, abs=1e-4)
    assert list(found) == list(expected)


def test_the_score_of_one_is_that_of_many(archive):
    many = scores("silver neutron copper", "dataset", ANONYMOUS)
    assert len(many) == 3
    for key, score in many.items():
        assert scores("silver neutron copper", "dataset", ANONYMOUS, among=[key]) == {key: score}
    assert list(scores("silver neutron copper", "dataset", ANONYMOUS, limit=1).items()) == list(many.items())[:1]


def test_enough_data_with_every_word_in_the_title_are_found_without_weighing_the_others(archive):
    """One dataset has both words in its title, so that a second is found only by weighing."""
    for limit in (1, 2):
        found = scores("neutron scattering", "dataset", ANONYMOUS, limit=limit)
        assert list(found) == [archive.neutrons.pk, archive.cylinder.pk][:limit]
        assert found[archive.neutrons.pk] == 1.0
    assert 0 < found[archive.cylinder.pk] < 0.7


def test_what_the_asker_may_not_read_neither_scores_nor_changes_a_score(archive):
    before = scores("gold golden neutron", "dataset", ANONYMOUS)
    assert archive.hidden.pk not in before
    assert archive.hidden.pk in scores("gold golden neutron", "dataset", archive.pi)
    for _ in range(5):
        factories.make_dataset(archive.closed, title="neutron neutron gold", description="golden")
    archive.build()
    assert scores("gold golden neutron", "dataset", ANONYMOUS) == before
    assert not scores("gilding", "dataset", ANONYMOUS)
    assert not scores("gilding", "investigation", ANONYMOUS)


def test_an_investigation_scores_as_its_best_dataset_or_by_its_own_words(archive):
    assert scores("neutron", "investigation", ANONYMOUS) == {archive.opened.pk: 1.0}
    assert scores("rust", "investigation", ANONYMOUS) == {archive.opened.pk: 0.7}
    assert scores("copper", "investigation", ANONYMOUS) == {archive.opened.pk: 1.0}
    assert scores("silver", "investigation", ANONYMOUS, among=[archive.opened.pk]) == {}
    assert scores("gilding", "investigation", archive.pi) == {archive.closed.pk: 1.0}
    assert scores("gilding", "investigation", SYSTEM) == {archive.closed.pk: 1.0}


def test_investigations_are_found_behind_one_with_very_much_data(archive, monkeypatch):
    monkeypatch.setattr(scoring, "HITS_OF_A_ROUND", 2)
    for _ in range(4):
        factories.make_dataset(archive.opened, title="silver")
    archive.build()
    assert set(scores("silver", "investigation", ANONYMOUS)) == {archive.opened.pk, archive.other.pk}


def test_a_collection_scores_by_its_members_or_by_its_own_words(archive):
    alone = publish("Of one kind", archive.wires, doi="10.5072/a")
    whole = publish("Everything on rust", archive.opened, doi="10.5072/b", abstract="Verdigris explained")
    Collection.objects.create(concept=Concept.objects.create(), created_by=factories.make_user(), title="silver draft")
    archive.build()
    assert scores("silver", "collection", ANONYMOUS) == {alone.pk: 1.0}
    assert scores("neutron", "collection", ANONYMOUS) == {whole.pk: 1.0}
    assert scores("verdigris", "collection", ANONYMOUS) == {whole.pk: 0.7}
    assert scores("silver", "collection", ANONYMOUS, among=[whole.pk]) == {}


def test_what_a_question_is_made_of():
    assert question_words("Temperature of the x-ray sources, or SAXS!") == ("temperature", "ray", "source", "saxs")
    assert question_words("to be or not") == ("not",)
    assert question_words("of the") == ("of", "the")
    assert question_words("?!") == ()
    assert len(question_words(" ".join(f"word{number}" for number in range(500)))) == scoring.MOST_WORDS


def test_instruments_score_by_their_names(db):
    ess = factories.make_facility(name="European Spallation Source", short_name="ESS")
    loki = factories.make_instrument(name="LoKI", short_name="loki", facility=ess)
    odin = factories.make_instrument(name="ODIN", short_name="odin", facility=ess, description="Images beside LoKI")
    assert scores("loki", "instrument", ANONYMOUS) == {loki.pk: 1.0, odin.pk: 0.5}
    assert scores("ess", "instrument", ANONYMOUS) == {odin.pk: 0.7, loki.pk: 0.7}
    assert list(scores("odin of ess", "instrument", ANONYMOUS)) == [odin.pk, loki.pk]
    assert scores("loki", "instrument", ANONYMOUS, among=[odin.pk]) == {odin.pk: 0.5}


def test_nothing_is_found_by_no_word_and_nothing_is_asked_for_it(db):
    assert scores("", "dataset", ANONYMOUS) == {}
    assert scores("?!", "dataset", ANONYMOUS) == {}
    assert scores("copper", "dataset", ANONYMOUS, among=[]) == {}
    assert scores("copper", "dataset", ANONYMOUS, limit=0) == {}


def test_without_an_index_the_engine_says_so(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "empty"
    with pytest.raises(EngineUnavailable):
        scores("copper", "dataset", ANONYMOUS)


@pytest.mark.parametrize(("kind", "most"), [("dataset", 3), ("investigation", 8), ("collection", 8), ("instrument", 8)])
def test_queries_do_not_grow_with_what_is_found(laboratory, django_assert_max_num_queries, kind, most):
    with django_assert_max_num_queries(most):
        assert engine()
        scores("nanowires zinc oxide microscope", kind, ANONYMOUS)
