"""Who finds what: exactly one document of each dataset for everyone, at any moment, and nothing of what is hidden."""

from dataclasses import replace

import pytest

from search.backends.base import Index, Request
from search.clauses import (
    AnyOf,
    Clause,
    Either,
    Glob,
    Not,
    ParameterBetween,
    Phrase,
    Prefix,
    Term,
)
from tests.search.agreement import ALL_OF_THEM, assert_agrees
from tests.search.askers import ASKERS, CURATOR, VISITOR, Asker
from tests.search.corpus import CANARY, Archive
from tests.search.reference import Reference

HIDDEN = next(number for number in range(5, 720, 5) if len(Archive(720).documents(number)) == 2)
CANARIES: dict[str, Clause] = {
    "a word of the description": Term("abstract", CANARY),
    "a word that only one has": Term("abstract", f"{CANARY}{HIDDEN}"),
    "the beginning of a word": Prefix("abstract", CANARY[:4]),
    "a pattern": Glob("abstract", "*anary*"),
    "a phrase": Phrase("abstract", (CANARY, f"{CANARY}{HIDDEN}")),
    "a word of the rest": Term("rest", f"{CANARY}ium"),
    "a file name": Prefix("identifiers", CANARY),
    "a sample": Prefix("sample", "Canary bird"),
    "a label": AnyOf("category", (CANARY,)),
    "the key of a parameter": Term("parameter", f"{CANARY}|V"),
    "the value of a parameter": ParameterBetween(f"{CANARY}|V", low=1e9),
    "that it has a parameter": ParameterBetween(f"{CANARY}|V"),
}


@pytest.mark.parametrize("asker", ASKERS.values(), ids=ASKERS.keys())
def test_one_document_of_each_dataset_is_found_by(asker: Asker, filled: Index, reference: Reference):
    kept = [document["dataset"] for rows in reference.by_dataset.values() for document in rows if asker.keeps(document)]
    assert len(kept) == len(set(kept))
    found = assert_agrees(filled, reference, Request(asker.access, order="by_registered", limit=ALL_OF_THEM))
    assert sorted(hit.dataset for hit in found.hits) == sorted(kept)


@pytest.mark.parametrize("asker", ASKERS.values(), ids=ASKERS.keys())
def test_full_documents_are_found_only_by_their_readers(asker: Asker, filled: Index, reference: Reference):
    kept = {
        document["dataset"]
        for rows in reference.by_dataset.values()
        for document in rows
        if "full" in document["document"] and asker.keeps(document)
    }
    found = filled.search(Request(asker.access, Term("document", "full"), limit=ALL_OF_THEM))
    assert {hit.dataset for hit in found.hits} == kept


@pytest.mark.parametrize("clause", CANARIES.values(), ids=CANARIES.keys())
def test_a_stranger_meets_no_hidden_document_by(clause: Clause, filled: Index, reference: Reference):
    assert assert_agrees(filled, reference, Request(CURATOR.access, clause, limit=ALL_OF_THEM)).total
    assert filled.search(Request(VISITOR.access, clause)).total == 0
    assert filled.search(Request(VISITOR.access, filters=(("x", clause),))).total == 0
    assert filled.totals([Request(VISITOR.access, clause)]) == [0]


@pytest.mark.parametrize("clause", CANARIES.values(), ids=CANARIES.keys())
def test_a_stranger_learns_nothing_by_the_opposite_of(clause: Clause, filled: Index):
    """What does not meet it is everything that is visible, and no score tells what else there is."""
    without = filled.search(Request(VISITOR.access, filters=(("x", Not(clause)),), limit=ALL_OF_THEM))
    assert without.total == filled.search(Request(VISITOR.access)).total
    either = filled.search(Request(VISITOR.access, Either((clause, Term("kind", "raw"))), limit=ALL_OF_THEM))
    assert either.total == filled.search(Request(VISITOR.access, Term("kind", "raw"))).total


@pytest.mark.parametrize("clause", CANARIES.values(), ids=CANARIES.keys())
def test_readers_find_their_own_by(clause: Clause, filled: Index, reference: Reference):
    asker = replace(VISITOR, datasets=(HIDDEN,))
    found = assert_agrees(filled, reference, Request(asker.access, clause))
    assert [hit.dataset for hit in found.hits] == [HIDDEN]


def test_an_embargo_ends_without_anything_being_written(empty: Index, archive: Archive):
    full = archive.documents(HIDDEN)[0]
    empty.write(archive.documents(HIDDEN))
    asked = Request(VISITOR.access, Term("abstract", CANARY))
    assert empty.search(asked).total == 0
    just_before = replace(VISITOR, now=full["opens_at"] - 1)
    at_last = replace(VISITOR, now=full["opens_at"])
    assert empty.search(replace(asked, access=just_before.access)).total == 0
    assert empty.search(replace(asked, access=at_last.access)).total == 1


def test_whoever_reads_much_finds_it_all(filled: Index, reference: Reference):
    asker = replace(VISITOR, investigations=tuple(range(1, 20_000, 3)), datasets=tuple(range(2, 30_000, 7)))
    assert_agrees(filled, reference, Request(asker.access, order="by_title", limit=ALL_OF_THEM))
