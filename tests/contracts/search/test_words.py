"""Words for suggestions and for "did you mean": only from what the asker may see, the likeliest first, on both engines."""

from dataclasses import replace

import pytest

from search.backends.base import Document, Index
from tests.contracts.search.test_writing import titled
from tests.search.askers import CURATOR, MEMBER, VISITOR, Asker
from tests.search.corpus import CANARY, HIDDEN_INSTRUMENT, Archive, iris
from tests.search.reference import Reference, edits

SOME = {
    "a visitor": VISITOR,
    "a member": MEMBER,
    "a curator": CURATOR,
    "a visitor where an instrument hides": replace(VISITOR, hidden_instruments=(HIDDEN_INSTRUMENT, 3)),
}
TEXTS = ("title", "abstract", "rest", "identifiers")
BEGINNINGS = (
    ("title", "t"),
    ("title", "perov"),
    ("abstract", "ka"),
    ("rest", "nano"),
    ("identifiers", "scan"),
    ("sample", "Ti"),
    ("person", "A"),
    ("person", "Ana N"),
    ("instrument", "scope-1"),
    ("technique", iris("sem")[0][:20]),
    ("parameter", "stage_"),
    ("category", "p"),
    ("category", CANARY[:3]),
    ("sample", "Canary"),
    ("title", "zzz"),
)


def counts(reference: Reference, field: str, asker: Asker) -> dict[str, int]:
    return dict(reference.counted_words(field, asker.access))


@pytest.mark.parametrize("asker", SOME.values(), ids=SOME.keys())
def test_the_most_frequent_values_with_a_beginning_come_first_for(asker: Asker, filled: Index, reference: Reference):
    """Where several are equally frequent at the end of the list, any of these may stand there."""
    for field, prefix in BEGINNINGS:
        known = {word: count for word, count in counts(reference, field, asker).items() if word.startswith(prefix)}
        found = filled.words_with_prefix(prefix, field, asker.access, limit=8)
        assert len(found) == len(set(found)) == min(8, len(known)), (field, prefix)
        assert [known[word] for word in found] == sorted(known.values(), reverse=True)[:8], (field, prefix)


def test_a_beginning_is_no_pattern(filled: Index):
    for prefix in ("*", "?", ".*", "[a-z]", "100% *s", "back\\", 'said "'):
        assert all(word.startswith(prefix) for word in filled.words_with_prefix(prefix, "sample", CURATOR.access))
    assert filled.words_with_prefix("100% *s", "sample", CURATOR.access) == ["100% *sure*?"]
    assert filled.words_with_prefix("(", "title", CURATOR.access) == ["(paren)"]
    assert filled.words_with_prefix("😀", "sample", CURATOR.access) == ["😀"]


def test_an_empty_beginning_gives_the_most_frequent(filled: Index, reference: Reference):
    known = counts(reference, "instrument", VISITOR)
    found = filled.words_with_prefix("", "instrument", VISITOR.access, limit=3)
    assert [known[word] for word in found] == sorted(known.values(), reverse=True)[:3]


@pytest.mark.parametrize("asker", SOME.values(), ids=SOME.keys())
def test_mistyped_words_are_met_by_what_there_is_for(asker: Asker, filled: Index, reference: Reference):
    known = {one for field in TEXTS for one in counts(reference, field, asker)}
    for word in ("perovskit", "perowskite", "catalist", "membrne", "grphene", "strukture", "mesured"):
        found = filled.words_like(word, TEXTS, asker.access)
        assert found and set(found) <= known
        assert len(found) == len(set(found)) <= 5
        assert all(edits(word, one) <= 2 for one in found)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("perovskit", "perovskite"),
        ("perovsktie", "perovskite"),
        ("graphen", "graphene"),
        ("catalysst", "catalyst"),
        ("stee1", "steel"),
        ("protien", "protein"),
        ("membrqne", "membrane"),
        ("structrue", "structure"),
    ],
)
def test_the_likeliest_word_stands_first(typed: str, meant: str, filled: Index):
    assert filled.words_like(typed, TEXTS, VISITOR.access)[0] == meant


def test_words_come_from_the_fields_that_are_named(filled: Index):
    assert "structure" in filled.words_like("structur", ("abstract",), CURATOR.access)
    assert "structure" not in filled.words_like("structur", ("title",), CURATOR.access)
    assert filled.words_like("structur", (), CURATOR.access) == []


def test_a_word_like_nothing_has_no_likeness(filled: Index):
    assert filled.words_like("qqqqqqqqqqqq", TEXTS, CURATOR.access) == []


@pytest.mark.parametrize("word", ["a", "*", "(paren", "50", "", "x" * 64, "tilde~3", "日本", "и"])
def test_any_word_may_be_asked_for(word: str, filled: Index, reference: Reference):
    known = {one for field in TEXTS for one in counts(reference, field, CURATOR)}
    assert set(filled.words_like(word, TEXTS, CURATOR.access)) <= known


def test_a_limit_is_kept(filled: Index):
    assert len(filled.words_like("kaba", TEXTS, CURATOR.access, limit=2)) == 2
    assert len(filled.words_with_prefix("k", "abstract", CURATOR.access, limit=3)) == 3


@pytest.mark.parametrize("field", [*TEXTS, "sample", "category", "parameter"])
def test_no_canary_is_suggested_to_strangers(field: str, filled: Index):
    """The hidden documents have it, and their readers get it; strangers hear no canary, however they ask."""
    for prefix in (CANARY, CANARY[:3], "Canary"):
        assert filled.words_with_prefix(prefix, field, VISITOR.access, limit=100) == []
    if field in TEXTS:
        assert not any(CANARY in word for word in filled.words_like(f"{CANARY}y", (field,), VISITOR.access, limit=100))


def test_readers_are_suggested_their_canaries(filled: Index):
    assert CANARY in filled.words_like("canaray", TEXTS, CURATOR.access)
    assert CANARY in filled.words_with_prefix("canar", "abstract", CURATOR.access)


def _closed(word: str, dataset: int, opens_at: int) -> list[Document]:
    full = titled(f"{word} plain", dataset=dataset, opens_at=opens_at) | {"investigation": 1, "instrument_key": 1}
    return [full, full | {"key": f"{dataset}s", "document": ["summary"], "title": "plain"}]


def test_frequencies_are_of_what_is_visible_only(empty: Index):
    """A word in a hundred hidden documents does not come before one in two visible ones."""
    later = VISITOR.now + 1
    empty.write(row for number in range(1, 101) for row in _closed("secretword", number, later))
    empty.write(titled("secretwort", dataset=number) for number in (201, 202))
    empty.write([titled("secretwork", dataset=203)])
    expected = ["secretwort", "secretwork"]
    assert empty.words_with_prefix("secret", "title", VISITOR.access) == expected
    assert empty.words_like("secretwor", ("title",), VISITOR.access) == expected


def test_hidden_words_crowd_out_no_visible_ones(empty: Index):
    """Three hundred hidden words that are closer to what was typed leave the visible one where it is."""
    later = VISITOR.now + 1
    hidden = [f"crystal{first}{second}" for first in "abcdefghijklmnopq" for second in "abcdefghijklmnopqr"]
    empty.write(row for number, word in enumerate(hidden, 1) for row in _closed(word, number, later))
    empty.write([titled("crystalxx", dataset=5_000)])
    assert empty.words_like("crystal", ("title",), VISITOR.access) == ["crystalxx"]
    assert empty.words_with_prefix("crystal", "title", VISITOR.access) == ["crystalxx"]


def test_words_of_what_was_removed_are_gone(empty: Index, archive: Archive):
    empty.write([titled("vanishing"), titled("staying", dataset=2)])
    empty.write([], removed=[(1, 1)])
    assert empty.words_with_prefix("van", "title", CURATOR.access) == []
    assert empty.words_like("vanishin", ("title",), CURATOR.access) == []
