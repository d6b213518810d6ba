"""Words of the index for suggestions, from visible documents only. Which of them to suggest is not decided here."""

from collections import Counter

import tantivy

from search.backends.embedded.queries import Translator
from search.clauses import All, Clause, Term

MOST_EDITS = 2
MOST_CANDIDATES = 1_000


def with_prefix(
    searcher: tantivy.Searcher, translator: Translator, prefix: str, field: str, access: Clause, limit: int
) -> list[str]:
    counted = searcher.terms_with_prefix(field, prefix, translator.query(access), limit)
    return [word for word, _ in counted]


def like(
    searcher: tantivy.Searcher, translator: Translator, word: str, fields: tuple[str, ...], access: Clause, limit: int
) -> list[str]:
    """The closest first, then those in most visible documents. A word is only met where a visible document has it."""
    near = _near(searcher, word, fields)
    found: list[str] = []
    for distance in range(MOST_EDITS + 1):
        counts = Counter[str]()
        for other, field in near.get(distance, []):
            query = translator.query(All((Term(field, other), access)))
            counts[other] += searcher.search(query, 1, order_by_field="dataset").count
        visible = [(-count, other) for other, count in counts.items() if count]
        found += [other for _, other in sorted(visible)]
        if len(found) >= limit:
            break
    return found[:limit]


def _near(searcher: tantivy.Searcher, word: str, fields: tuple[str, ...]) -> dict[int, list[tuple[str, str]]]:
    """(word, field) of the whole index by distance from `word`."""
    near: dict[int, list[tuple[str, str]]] = {}
    for field in fields:
        for other, _ in searcher.terms_with_prefix(field, ""):
            if abs(len(other) - len(word)) <= MOST_EDITS and (distance := edits(word, other)) <= MOST_EDITS:
                near.setdefault(distance, []).append((other, field))
    return near


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
