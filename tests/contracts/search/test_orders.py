"""Orders, pages and walks: every hit once, at its place, on both engines."""

from dataclasses import replace

import pytest

from search.backends.base import Index, Request
from search.clauses import Either, Everything, Prefix, Term, Weighted
from tests.search.agreement import ALL_OF_THEM, assert_agrees, in_order, walk
from tests.search.askers import ASKERS, CURATOR, VISITOR, Asker
from tests.search.corpus import COMMON_WORD, NOW, Archive, microseconds
from tests.search.reference import Reference

ORDERS = ("by_registered", "by_measured", "by_downloads", "by_title")
WORDS = Either((Term("abstract", COMMON_WORD), Weighted(Term("title", "film"), 3.0), Prefix("rest", "sem")))


@pytest.mark.parametrize("is_descending", [True, False], ids=["descending", "ascending"])
@pytest.mark.parametrize("order", ORDERS)
def test_all_hits_stand_in_the_order(order: str, is_descending: bool, filled: Index, reference: Reference):
    request = Request(CURATOR.access, order=order, is_descending=is_descending, limit=ALL_OF_THEM)
    found = assert_agrees(filled, reference, request)
    assert len(found.hits) == reference.count()


@pytest.mark.parametrize("asker", ASKERS.values(), ids=ASKERS.keys())
@pytest.mark.parametrize("order", ORDERS)
def test_a_walk_meets_every_dataset_once_for(asker: Asker, order: str, filled: Index, reference: Reference):
    request = Request(asker.access, order=order, is_descending=order != "by_title", limit=97)
    whole = reference.search(replace(request, limit=ALL_OF_THEM))
    assert [(hit.dataset, hit.position) for hit in walk(filled, request)] == in_order(whole)


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_walk_by_score_meets_every_hit_once_in_pages_of(limit: int, filled: Index, reference: Reference):
    request = Request(VISITOR.access, Term("title", "tio2"), limit=limit, open_at=VISITOR.now)
    hits = list(walk(filled, request))
    expected = {hit.dataset for hit in reference.search(replace(request, limit=ALL_OF_THEM)).hits}
    assert len(hits) == len(expected) and {hit.dataset for hit in hits} == expected
    assert [hit.position for hit in hits] == list(range(1, len(hits) + 1))


def test_scores_fall_along_the_hits(filled: Index, reference: Reference):
    found = assert_agrees(filled, reference, Request(CURATOR.access, WORDS, limit=ALL_OF_THEM))
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 10


def test_pages_by_score_are_the_pieces_of_one_long_list(filled: Index):
    request = Request(VISITOR.access, WORDS, limit=ALL_OF_THEM, open_at=VISITOR.now)
    whole = [hit.dataset for hit in filled.search(request).hits]
    assert [hit.dataset for hit in walk(filled, replace(request, limit=50))] == whole


@pytest.mark.parametrize("asker", ASKERS.values(), ids=ASKERS.keys())
def test_equal_scores_stand_open_first_and_newest_first_for(asker: Asker, filled: Index, reference: Reference):
    request = Request(asker.access, limit=ALL_OF_THEM, open_at=asker.now)
    assert in_order(filled.search(request)) == in_order(reference.search(request))


def test_what_is_open_is_asked_of_the_clock_of_the_question(filled: Index, reference: Reference):
    for open_at in (0, microseconds(NOW), 2**62):
        request = Request(CURATOR.access, limit=ALL_OF_THEM, open_at=open_at)
        assert in_order(filled.search(request)) == in_order(reference.search(request))


def test_filters_and_access_never_score(filled: Index):
    plain = Request(CURATOR.access, WORDS, limit=ALL_OF_THEM)
    by_filter = replace(plain, filters=(("x", Term("abstract", COMMON_WORD)), ("y", Prefix("title", "t"))))
    scores = {hit.dataset: hit.score for hit in filled.search(plain).hits}
    filtered = filled.search(by_filter)
    assert filtered.total
    for hit in filtered.hits:
        assert hit.score == pytest.approx(scores[hit.dataset], rel=1e-5)


def test_a_page_behind_the_last_hit_is_empty(filled: Index):
    last = filled.search(Request(CURATOR.access, order="by_registered", is_descending=False, limit=1)).hits[0]
    behind = filled.search(Request(CURATOR.access, order="by_registered", after=last.position))
    assert not behind.hits and behind.total


def test_the_total_is_of_all_pages(filled: Index, reference: Reference):
    request = Request(CURATOR.access, order="by_measured", limit=10)
    after = filled.search(request).hits[-1].position
    assert assert_agrees(filled, reference, replace(request, after=after)).total == reference.count()


def test_a_walk_begins_behind_a_position_that_is_nobodys(filled: Index, reference: Reference):
    middle = Archive(720).documents(360)[0]["by_registered"]
    for after in (middle - 1, middle, middle + 1, 0, -1, 2**62):
        for is_descending in (True, False):
            request = Request(
                CURATOR.access, order="by_registered", is_descending=is_descending, after=after, limit=ALL_OF_THEM
            )
            assert_agrees(filled, reference, request)


def test_a_limit_of_nothing_gives_the_total_alone(filled: Index, reference: Reference):
    for order in ("", "by_title"):
        assert assert_agrees(filled, reference, Request(CURATOR.access, order=order, limit=0)).total


def test_a_walk_goes_on_past_what_is_written_meanwhile(empty: Index, archive: Archive):
    empty.write(row for number in range(1, 41) for row in archive.documents(number))
    request = Request(CURATOR.access, Everything(), order="by_title", is_descending=False, limit=8)
    pages = walk(empty, request)
    seen = [next(pages).dataset for _ in range(12)]
    ahead = sorted(set(range(1, 41)) - set(seen))
    empty.write(archive.documents(41), removed=[(ahead[0], 1), (seen[0], 1)])
    seen += [hit.dataset for hit in pages]
    assert len(seen) == len(set(seen))
    assert set(range(1, 41)) - set(seen) <= {ahead[0]}
