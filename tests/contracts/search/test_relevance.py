"""What stands first: scores differ between engines, but not what a person would call a better hit."""

import pytest

from search.backends.base import Document, Index, Request
from search.clauses import All, Best, Clause, Either, Phrase, Prefix, Term, Weighted
from tests.contracts.search.test_writing import titled
from tests.search.askers import CURATOR

FILLING = "of a thin film on steel seen with electrons at low energies and measured twice"


@pytest.fixture
def stocked(empty: Index) -> Index:
    """Thirty ordinary datasets, so that words have frequencies."""
    filling = {"identifiers": "scan", "abstract": FILLING, "rest": FILLING}
    empty.write(titled(f"scan {number} {FILLING}", dataset=number) | filling for number in range(1, 31))
    return empty


def ranked(index: Index, clause: Clause, **more: int) -> list[int]:
    return [hit.dataset for hit in index.search(Request(CURATOR.access, clause, **more)).hits]


def anywhere(word: str) -> Clause:
    """As a question weighs the fields: ids, then title, then abstract, then the rest."""
    fields = (("identifiers", 12.0), ("title", 6.0), ("abstract", 2.0), ("rest", 1.0))
    return Best(tuple(Weighted(Term(field, word), weight) for field, weight in fields))


def placed(field: str, text: str, dataset: int) -> Document:
    return titled(FILLING, dataset=dataset) | {"abstract": FILLING, "rest": FILLING} | {field: text}


def test_the_title_comes_before_the_abstract_and_that_before_the_rest(stocked: Index):
    fields = ("rest", "abstract", "title")
    stocked.write(placed(field, f"{FILLING} zircon", 100 + place) for place, field in enumerate(fields))
    assert ranked(stocked, anywhere("zircon")) == [102, 101, 100]


def test_an_id_comes_before_all(stocked: Index):
    stocked.write(
        placed(field, f"{FILLING} 20210906", 100 + place) for place, field in enumerate(("title", "identifiers"))
    )
    assert ranked(stocked, anywhere("20210906"))[0] == 101


def test_the_weight_of_a_field_decides(stocked: Index):
    stocked.write([placed("title", f"{FILLING} zircon", 100), placed("abstract", f"{FILLING} zircon", 101)])
    for title, abstract, expected in ((5.0, 1.0, [100, 101]), (1.0, 5.0, [101, 100])):
        clause = Best((Weighted(Term("title", "zircon"), title), Weighted(Term("abstract", "zircon"), abstract)))
        assert ranked(stocked, clause) == expected


def test_weights_multiply_on_the_way_down(stocked: Index):
    stocked.write([placed("title", f"{FILLING} zircon", 100), placed("title", f"{FILLING} beryl", 101)])
    inner = Weighted(Either((Weighted(Term("title", "zircon"), 4.0),)), 0.5)
    assert ranked(stocked, Either((inner, Weighted(Term("title", "beryl"), 3.0)))) == [101, 100]
    outer = Weighted(Either((Weighted(Term("title", "zircon"), 4.0),)), 2.0)
    assert ranked(stocked, Either((outer, Weighted(Term("title", "beryl"), 3.0)))) == [100, 101]


def test_two_words_are_better_than_one(stocked: Index):
    stocked.write([placed("title", f"{FILLING} zircon", 100), placed("title", f"{FILLING} zircon beryl", 101)])
    assert ranked(stocked, Either((Term("title", "zircon"), Term("title", "beryl")))) == [101, 100]


def test_a_rare_word_counts_more_than_a_frequent_one(stocked: Index):
    stocked.write([placed("abstract", "zircon here", 100), placed("title", "nothing here", 101)])
    found = ranked(stocked, Either((Term("abstract", "zircon"), Term("abstract", "steel"))))
    assert found[0] == 100 and len(found) == 20


def test_a_word_in_a_short_title_counts_more_than_in_a_long_one(stocked: Index):
    stocked.write([placed("title", f"zircon {FILLING} {FILLING}", 100), placed("title", "zircon", 101)])
    assert ranked(stocked, Term("title", "zircon")) == [101, 100]


def test_of_several_fields_the_best_counts_alone(stocked: Index):
    """A word in three weak fields is not better than the same word in one strong one."""
    everywhere = placed("abstract", f"{FILLING} zircon", 100) | {"rest": f"{FILLING} zircon"}
    stocked.write([everywhere, placed("title", f"{FILLING} zircon", 101)])
    fields = (("title", 1.5), ("abstract", 1.0), ("rest", 1.0))
    parts = tuple(Weighted(Term(field, "zircon"), weight) for field, weight in fields)
    assert ranked(stocked, Best(parts)) == [101, 100]
    assert ranked(stocked, Either(parts)) == [100, 101]


def test_beginnings_of_words_score_alike_however_often_they_stand_there(stocked: Index):
    stocked.write([placed("title", "zircons zirconium zirconia", 100), placed("title", f"{FILLING} zircon", 101)])
    found = stocked.search(Request(CURATOR.access, Prefix("title", "zirc"))).hits
    assert len(found) == 2 and found[0].score == found[1].score
    assert [hit.dataset for hit in found] == [101, 100], "equal scores stand newest first"


def test_a_phrase_beside_its_words_lifts_who_has_it(stocked: Index):
    stocked.write([placed("title", f"beryl {FILLING} zircon", 100), placed("title", f"zircon beryl {FILLING}", 101)])
    words = All((Term("title", "zircon"), Term("title", "beryl")))
    assert ranked(stocked, Either((words, Weighted(Phrase("title", ("zircon", "beryl")), 2.0)))) == [101, 100]


def test_ties_stand_open_first_then_newest(stocked: Index):
    for dataset, opens_at in ((100, 50), (101, 0), (102, 50), (103, 0)):
        stocked.write([placed("title", "zircon", dataset) | {"opens_at": opens_at}])
    assert ranked(stocked, Term("title", "zircon"), open_at=10) == [103, 101, 102, 100]
    assert ranked(stocked, Term("title", "zircon"), open_at=50) == [103, 102, 101, 100]


def test_of_more_equal_hits_than_anybody_reads_the_open_ones_stand_first(stocked: Index):
    closed = [placed("title", "zircon", dataset) | {"opens_at": 50} for dataset in range(100, 2_600)]
    opened = [placed("title", "zircon", dataset) | {"opens_at": 0} for dataset in range(2_600, 2_605)]
    stocked.write([*closed, *opened])
    found = stocked.search(Request(CURATOR.access, Term("title", "zircon"), open_at=10, limit=5)).hits
    assert {hit.dataset for hit in found} == set(range(2_600, 2_605))


def test_a_better_hit_under_embargo_comes_before_a_weaker_open_one(stocked: Index):
    stocked.write([placed("title", "zircon", 100) | {"opens_at": 50}, placed("title", f"{FILLING} zircon", 101)])
    assert ranked(stocked, Term("title", "zircon"), open_at=10) == [100, 101]
