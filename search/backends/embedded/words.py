"""Words of the index for suggestions, from visible documents only. Which of them to suggest is not decided here."""

from collections import Counter
from itertools import product
from string import ascii_lowercase, digits

import tantivy
from tantivy import Occur, Query

from search.backends.embedded.queries import Translator
from search.backends.embedded.searching import counted
from search.clauses import Clause, Everything, Term

MOST_EDITS = 2
LETTERS = ascii_lowercase + digits


def with_prefix(
    searcher: tantivy.Searcher, translator: Translator, prefix: str, field: str, access: Clause, limit: int
) -> list[str]:
    visible = _visible(translator, Everything(), access)
    return [word for word, _ in searcher.terms_with_prefix(field, prefix, visible, limit)]


def like(
    searcher: tantivy.Searcher, translator: Translator, word: str, fields: tuple[str, ...], access: Clause, limit: int
) -> list[str]:
    """The closest first, then those in most visible documents. A word is only met where a visible document has it."""
    near = _near(searcher, word, fields)
    found: list[str] = []
    for distance in range(MOST_EDITS + 1):
        counts = Counter[str]()
        for other, field in near.get(distance, []):
            counts[other] += counted(searcher, _visible(translator, Term(field, other), access))
        found += sorted((other for other, count in counts.items() if count), key=lambda one: (-counts[one], one))
        if len(found) >= limit:
            break
    return found[:limit]


def _visible(translator: Translator, clause: Clause, access: Clause) -> Query:
    return Query.boolean_query([(Occur.Must, translator.query(clause)), *translator.restrictions(access)])


def _near(searcher: tantivy.Searcher, word: str, fields: tuple[str, ...]) -> dict[int, set[tuple[str, str]]]:
    """(word, field) of the whole index by distance from `word`."""
    near: dict[int, set[tuple[str, str]]] = {}
    for field, beginning in product(fields, _beginnings(word)):
        for other, _ in searcher.terms_with_prefix(field, beginning):
            if abs(len(other) - len(word)) <= MOST_EDITS and (distance := edits(word, other)) <= MOST_EDITS:
                near.setdefault(distance, set()).add((other, field))
    return near


def _beginnings(word: str) -> set[str]:
    """How words like `word` begin: as it does, or with one mistake in the first letter and none in the second."""
    if len(word) <= MOST_EDITS:
        return {word[:1]}
    wrong = {letter + rest for letter in LETTERS for rest in (word[:2], word[1:3])}
    return {word[:1], word[1:3]} | {one for one in wrong if not one.startswith(word[:1])}


def edits(one: str, other: str) -> int:
    """Insertions, deletions and substitutions that make `other` of `one`; 3 where there are more than two."""
    if len(set(one) ^ set(other)) > 2 * MOST_EDITS:
        return MOST_EDITS + 1
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for at, other_letter in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != other_letter))
        if min(row) > MOST_EDITS:
            return MOST_EDITS + 1
    return row[-1]
