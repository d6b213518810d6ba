"""Techniques and licences are loaded once, and again without harm."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from catalogue.access import ANONYMOUS, SYSTEM
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.models import Licence, Technique, TechniqueAncestor
from catalogue.services.vocabularies import load_techniques
from catalogue.vocabularies.techniques import ELECTRON_MICROSCOPY, TECHNIQUE_KEYS, TechniqueTerm
from tests.services import SHARED

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

ROOT = TechniqueTerm("https://example.org/root", "technique", (), "", (), "Faircat")
CHILD = TechniqueTerm("https://example.org/child", "microscopy", ("looking",), "", (ROOT.iri,), "Faircat")
GRANDCHILD = TechniqueTerm("https://example.org/grandchild", "SEM", (), "", (CHILD.iri,), "Faircat")


def ancestors_of(iri: str) -> set[str]:
    return set(TechniqueAncestor.objects.filter(technique__iri=iri).values_list("ancestor__iri", flat=True))


def test_the_command_loads_licences_and_our_own_terms_below_electron_microscopy():
    call_command("load_vocabulary", verbosity=0)
    assert Licence.objects.filter(pk="CC-BY-4.0", url="https://creativecommons.org/licenses/by/4.0/").exists()
    for key in ("SEM", "TEM", "STEM", "EDS", "EBSD"):
        assert ELECTRON_MICROSCOPY in ancestors_of(TECHNIQUE_KEYS[key]), key


def test_loading_again_changes_nothing(django_assert_max_num_queries):
    call_command("load_vocabulary", verbosity=0)
    before = set(TechniqueAncestor.objects.values_list("pk", "technique", "ancestor"))
    call_command("load_vocabulary", verbosity=0)
    assert set(TechniqueAncestor.objects.values_list("pk", "technique", "ancestor")) == before
    with django_assert_max_num_queries(15):
        load_techniques(actor=SYSTEM, terms=[])


def test_each_term_has_all_terms_above_it_and_itself_as_ancestors():
    load_techniques(actor=SYSTEM, terms=[GRANDCHILD, CHILD, ROOT])
    assert ancestors_of(GRANDCHILD.iri) == {GRANDCHILD.iri, CHILD.iri, ROOT.iri}
    assert ancestors_of(ROOT.iri) == {ROOT.iri}


def test_a_term_that_moves_takes_its_ancestors_along():
    load_techniques(actor=SYSTEM, terms=[ROOT, CHILD, GRANDCHILD])
    loaded = load_techniques(actor=SYSTEM, terms=[replace(GRANDCHILD, parent_iris=(ROOT.iri,), label="EM")])
    assert (loaded.added, loaded.changed) == (0, 1)
    assert ancestors_of(GRANDCHILD.iri) == {GRANDCHILD.iri, ROOT.iri}
    assert Technique.objects.get(iri=GRANDCHILD.iri).label == "EM"


def test_a_short_table_does_not_overwrite_what_is_known():
    load_techniques(actor=SYSTEM, terms=[ROOT, CHILD])
    load_techniques(actor=SYSTEM, terms=[replace(CHILD, label="other"), GRANDCHILD], keeps_known_terms=True)
    assert Technique.objects.get(iri=CHILD.iri).label == "microscopy"
    assert Technique.objects.filter(iri=GRANDCHILD.iri).exists()


def test_terms_that_are_each_others_parents_are_refused_whole():
    with pytest.raises(InvalidInput, match="each other's parents"):
        load_techniques(actor=SYSTEM, terms=[replace(ROOT, parent_iris=(CHILD.iri,)), CHILD])
    assert not Technique.objects.exists()


def test_only_administrators_load_vocabularies():
    with pytest.raises(NotAllowed):
        load_techniques(actor=ANONYMOUS, terms=[ROOT])


def test_the_official_table_and_esrfet_are_loaded_on_request():
    panet = SHARED / "vocabularies" / "PaNET.csv"
    if not panet.exists():
        pytest.skip("the official PaNET table is not on this machine")
    call_command("load_vocabulary", panet=panet, esrfet=True, verbosity=0)
    sources = set(Technique.objects.values_list("source", flat=True))
    assert sources == {"PaNET", "ESRFET", "Faircat"}


def test_a_file_that_is_not_panet_is_refused_in_words(tmp_path):
    wrong = tmp_path / "PaNET.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="template"):
        call_command("load_vocabulary", panet=wrong, verbosity=0)
