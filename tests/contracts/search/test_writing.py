"""What is written is found at once, what is old is refused, what is removed is gone: on both engines alike."""

import random

from search.analysis import title_order
from search.backends.base import Document, Index, Request
from search.clauses import Everything, ParameterBetween, Prefix, Term
from tests.search.agreement import ALL_OF_THEM, assert_agrees
from tests.search.askers import CURATOR, VISITOR
from tests.search.corpus import NOW, Archive, microseconds
from tests.search.reference import Reference

CLOSED = next(number for number in range(1, 720) if len(Archive(720).documents(number)) == 2)
OPEN = next(number for number in range(1, 720) if len(Archive(720).documents(number)) == 1)


def titled(word: str, *, dataset: int = 1, version: int = 1, opens_at: int = 0) -> Document:
    return {
        "key": str(dataset),
        "dataset": dataset,
        "version": version,
        "document": ["full"],
        "opens_at": opens_at,
        "title": word,
        "by_registered": dataset,
        "by_title": title_order(word, dataset),
    }


def finds(index: Index, word: str) -> list[int]:
    found = index.search(Request(CURATOR.access, Term("title", word), limit=ALL_OF_THEM))
    assert found.total == len(found.hits)
    return sorted(hit.dataset for hit in found.hits)


def test_an_empty_index_answers(empty: Index):
    assert empty.search(Request(VISITOR.access)).total == 0
    assert empty.count() == 0
    assert empty.versions() == []


def test_what_is_written_is_found_at_once(empty: Index):
    empty.write([titled("first")])
    assert finds(empty, "first") == [1]
    empty.write([titled("second", dataset=2)])
    assert finds(empty, "first") == [1] and finds(empty, "second") == [2]


def test_a_newer_version_replaces_the_older(empty: Index):
    empty.write([titled("old")])
    empty.write([titled("new", version=2)])
    assert finds(empty, "old") == [] and finds(empty, "new") == [1]
    assert empty.count() == 1


def test_an_older_version_is_refused_silently(empty: Index):
    empty.write([titled("new", version=5)])
    empty.write([titled("old", version=4)])
    assert finds(empty, "new") == [1] and finds(empty, "old") == []
    assert empty.versions() == [(1, 5)]


def test_the_same_version_may_be_written_again(empty: Index):
    for _ in range(3):
        empty.write([titled("same", version=3), titled("other", dataset=2)])
    assert finds(empty, "same") == [1]
    assert empty.count() == 2 and empty.versions() == [(1, 3), (2, 1)]


def test_the_same_version_may_say_something_else(empty: Index):
    """What a dataset's document is made of can change beside its row: a name of a person, say."""
    empty.write([titled("before", version=3)])
    empty.write([titled("after", version=3)])
    assert finds(empty, "before") == [] and finds(empty, "after") == [1]


def test_an_old_one_among_new_ones_is_refused_alone(empty: Index):
    empty.write([titled("kept", dataset=2, version=9)])
    empty.write([titled("a"), titled("a", dataset=2, version=8), titled("a", dataset=3)])
    assert finds(empty, "a") == [1, 3] and finds(empty, "kept") == [2]


def test_a_dataset_that_opens_loses_its_summary(empty: Index, archive: Archive):
    full, summary = archive.documents(CLOSED)
    empty.write([full, summary])
    assert empty.search(Request(Everything())).total == 2
    empty.write([full | {"version": 2, "opens_at": microseconds(NOW) - 1}])
    assert empty.search(Request(Everything())).total == 1
    assert empty.search(Request(Term("document", "summary"))).total == 0


def test_a_dataset_that_closes_gains_its_summary(empty: Index, archive: Archive):
    full, summary = archive.documents(CLOSED)
    empty.write([full | {"opens_at": microseconds(NOW) - 1}])
    empty.write([full | {"version": 2}, summary | {"version": 2}])
    assert empty.search(Request(VISITOR.access, Term("document", "summary"))).total == 1
    assert empty.search(Request(VISITOR.access)).total == 1
    assert empty.count() == 1 and empty.versions() == [(CLOSED, 2)]


def test_an_old_summary_does_not_come_back(empty: Index, archive: Archive):
    full, summary = archive.documents(CLOSED)
    empty.write([full | {"version": 7, "opens_at": microseconds(NOW) - 1}])
    empty.write([full, summary])
    assert empty.search(Request(Term("document", "summary"))).total == 0


def test_fields_that_a_newer_version_leaves_out_are_gone(empty: Index, archive: Archive):
    full = archive.documents(OPEN)[0]
    empty.write([full])
    key = full["parameter"][0]
    empty.write([titled("bare", dataset=OPEN, version=2)])
    for clause in (Term("facility", full["facility"][0]), ParameterBetween(key), Prefix("identifiers", "scan")):
        assert empty.search(Request(CURATOR.access, clause)).total == 0
    assert finds(empty, "bare") == [OPEN]


def test_what_is_removed_is_gone_with_its_summary(empty: Index, archive: Archive):
    empty.write([*archive.documents(CLOSED), *archive.documents(OPEN)])
    empty.write([], removed=[(CLOSED, 1)])
    assert empty.search(Request(Everything())).total == 1
    assert empty.count() == 1 and empty.versions() == [(OPEN, 1)]


def test_a_removal_older_than_the_index_is_refused(empty: Index):
    empty.write([titled("kept", version=5)])
    empty.write([], removed=[(1, 4)])
    assert finds(empty, "kept") == [1]


def test_a_removal_newer_than_the_index_is_done(empty: Index):
    empty.write([titled("gone", version=5), titled("kept", dataset=2)])
    empty.write([], removed=[(1, 9)])
    assert finds(empty, "gone") == [] and finds(empty, "kept") == [2]


def test_removing_what_is_not_there_or_twice_is_harmless(empty: Index):
    empty.write([titled("one")])
    for _ in range(2):
        empty.write([], removed=[(1, 1), (77, 3)])
    assert empty.count() == 0


def test_what_was_removed_can_come_back(empty: Index):
    empty.write([titled("one", version=1)])
    empty.write([], removed=[(1, 2)])
    empty.write([titled("again", version=3)])
    assert finds(empty, "again") == [1] and empty.versions() == [(1, 3)]


def test_one_call_writes_and_removes(empty: Index):
    empty.write([titled("a"), titled("a", dataset=2)])
    empty.write([titled("a", dataset=3), titled("b", dataset=2, version=2)], removed=[(1, 2)])
    assert finds(empty, "a") == [3] and finds(empty, "b") == [2]


def test_nothing_to_write_is_harmless(empty: Index):
    empty.write([])
    empty.write(iter(()), removed=iter(()))
    assert empty.count() == 0


def test_documents_may_come_from_a_generator(empty: Index):
    empty.write(
        (titled("one", dataset=number) for number in range(1, 31)), removed=((number, 1) for number in (50, 51))
    )
    assert finds(empty, "one") == list(range(1, 31))


def test_documents_of_one_dataset_need_not_stand_together(empty: Index, archive: Archive):
    datasets = [archive.documents(number) for number in range(1, 60)]
    firsts, others = [rows[0] for rows in datasets], [row for rows in datasets for row in rows[1:]]
    assert others
    empty.write([*firsts, *others])
    assert empty.search(Request(Everything())).total == len(firsts) + len(others)
    assert empty.count() == 59


def test_versions_come_in_the_order_of_the_keys_and_in_pages(empty: Index):
    keys = [9, 10, 2, 100, 33, 1_000_000, 7]
    empty.write(titled("x", dataset=key, version=key % 10 + 1) for key in keys)
    expected = [(key, key % 10 + 1) for key in sorted(keys)]
    assert empty.versions() == expected
    assert empty.versions(limit=3) == expected[:3]
    assert empty.versions(after=10, limit=2) == [(33, 4), (100, 1)]
    assert empty.versions(after=11) == expected[4:]
    assert empty.versions(after=1_000_000) == []


def test_versions_of_all_are_met_once_by_pages(filled: Index, reference: Reference):
    seen: list[tuple[int, int]] = []
    while page := filled.versions(after=seen[-1][0] if seen else 0, limit=64):
        seen += page
    assert seen == reference.versions()
    assert filled.count() == reference.count()


def test_big_batches_are_written_whole(empty: Index):
    empty.write(titled(f"word{number % 7}", dataset=number) for number in range(1, 3_001))
    assert empty.count() == 3_000
    assert len(finds(empty, "word3")) == 429
    empty.write([], removed=[(number, 1) for number in range(1, 2_001)])
    assert empty.count() == 1_000 and len(empty.versions()) == 1_000


def test_version_numbers_may_be_big(empty: Index):
    empty.write([titled("new", version=2**40 + 1)])
    empty.write([titled("old", version=2**40)])
    assert finds(empty, "new") == [1] and empty.versions() == [(1, 2**40 + 1)]


def test_a_long_history_of_writes_and_removals_ends_as_the_reference_says(empty: Index, archive: Archive):
    """A dataset does not come back older than it was when it was removed: engines may remember that, or forget it."""
    chance, model = random.Random(11), Reference()
    removed_at: dict[int, int] = {}
    for _ in range(25):
        chosen = chance.sample(range(1, 40), chance.randint(0, 12))
        versions = {number: max(chance.randint(1, 6), removed_at.get(number, 1)) for number in chosen}
        removed = [(number, version) for number, version in versions.items() if chance.random() < 0.3]
        written = [number for number in chosen if (number, versions[number]) not in removed]
        removed = [(number, version) for number, version in removed if number in model.by_dataset]
        documents = [row for number in written for row in archive.documents(number, version=versions[number])]
        for index in (empty, model):
            index.write(documents, removed=removed)
        removed_at.update(removed)
        written_before = {key for key, _ in model.versions()}
        assert empty.versions() == model.versions()
        assert empty.count() == len(written_before)
    assert_agrees(empty, model, Request(CURATOR.access, order="by_title", limit=ALL_OF_THEM))
    assert_agrees(empty, model, Request(VISITOR.access, order="by_title", limit=ALL_OF_THEM))
