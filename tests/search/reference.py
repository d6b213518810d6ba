"""What every engine must answer, by brute force over Python documents: slow, plain, and written without a look at the engines.

It keeps to the words of `search.clauses` and `search.backends.base`. Scores are the one thing that it does not know.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from search import clauses as c
from search.backends.base import Bins, Document, Extent, Found, Hit, Range, Request, Values
from search.fields import BY_NAME, PARAMETERS, Kind


def tokens(document: Document, field: str) -> list[str | int]:
    """What of `field` can be met: tokens of a text, values of a keyword, a number."""
    value = document.get(field)
    if value is None:
        return []
    if BY_NAME[field].kind in (Kind.TEXT, Kind.TOKENS):
        return value.split()
    return list(value) if isinstance(value, list) else [value]


def _number(document: Document, field: str, *, is_parameter: bool) -> float | None:
    return document.get(PARAMETERS, {}).get(field) if is_parameter else document.get(field)


def _is_between(value: float | None, low: float | None, high: float | None) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _has_phrase(document: Document, clause: c.Phrase) -> bool:
    words, long = tokens(document, clause.field), len(clause.words)
    return any(tuple(words[at : at + long]) == clause.words for at in range(len(words) - long + 1))


def _has_glob(document: Document, clause: c.Glob) -> bool:
    escaped = re.escape(clause.pattern).replace(r"\*", ".*").replace(r"\?", ".")
    pattern = re.compile(escaped, re.DOTALL)
    return any(pattern.fullmatch(str(token)) for token in tokens(document, clause.field))


def meets(document: Document, clause: c.Clause) -> bool:
    match clause:
        case c.Everything():
            return True
        case c.All(parts):
            return all(meets(document, part) for part in parts)
        case c.Either(parts) | c.Best(parts):
            return any(meets(document, part) for part in parts)
        case c.Not(part):
            return not meets(document, part)
        case c.Weighted(part, _):
            return meets(document, part)
    return _meets_leaf(document, clause)


def _meets_leaf(document: Document, clause: c.Clause) -> bool:
    match clause:
        case c.Term(field, value):
            return value in tokens(document, field)
        case c.AnyOf(field, values):
            return any(value in tokens(document, field) for value in values)
        case c.Prefix(field, text):
            return any(str(token).startswith(text) for token in tokens(document, field))
        case c.Glob():
            return _has_glob(document, clause)
        case c.Phrase():
            return _has_phrase(document, clause)
        case c.Between(field, low, high):
            return _is_between(document.get(field), low, high)
        case c.ParameterBetween(key, low, high):
            return _is_between(_number(document, key, is_parameter=True), low, high)
    raise TypeError(clause)


@dataclass
class Reference:
    """An index in memory. `by_dataset` holds each dataset's documents."""

    name: str = "reference"

    def __post_init__(self) -> None:
        self.by_dataset: dict[int, list[Document]] = {}

    def write(self, documents: Iterable[Document], *, removed: Iterable[tuple[int, int]] = ()) -> None:
        arrived: dict[int, list[Document]] = {}
        for document in documents:
            arrived.setdefault(document["dataset"], []).append(document)
        for dataset, rows in arrived.items():
            if rows[0]["version"] >= self._version(dataset):
                self.by_dataset[dataset] = rows
        for dataset, version in removed:
            if version >= self._version(dataset):
                self.by_dataset.pop(dataset, None)

    def _version(self, dataset: int) -> int:
        return self.by_dataset[dataset][0]["version"] if dataset in self.by_dataset else -1

    def versions(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, int]]:
        return [(key, self._version(key)) for key in sorted(self.by_dataset) if key > after][:limit]

    def count(self) -> int:
        return len(self.by_dataset)

    def matching(self, *wanted: c.Clause) -> list[Document]:
        documents = (document for rows in self.by_dataset.values() for document in rows)
        return [document for document in documents if all(meets(document, clause) for clause in wanted)]

    def search(self, request: Request) -> Found:
        """Hits are right in any named order; by score they come as they would if all scores were equal."""
        found = self.matching(request.access, request.scored, *(clause for _, clause in request.filters))
        answer = Found(total=len(found), hits=tuple(_hits(found, request)))
        for name, facet in request.facets:
            others = [clause for other, clause in request.filters if other != name]
            documents = self.matching(request.access, request.scored, *others)
            if isinstance(facet, Values):
                answer.values[name] = _values(documents, facet)
            elif isinstance(facet, Bins):
                answer.bins[name] = _bins(documents, facet)
            else:
                answer.ranges[name] = _range(documents, facet)
        return answer

    def totals(self, requests: list[Request]) -> list[int]:
        return [self.search(request).total for request in requests]

    def words_with_prefix(self, prefix: str, field: str, access: c.Clause, *, limit: int = 10) -> list[str]:
        """The most frequent first, by value on ties."""
        return [word for word, _ in self.counted_words(field, access) if word.startswith(prefix)][:limit]

    def counted_words(self, field: str, access: c.Clause) -> list[tuple[str, int]]:
        """Each word of `field` with the number of documents that have it."""
        counts = Counter(str(word) for document in self.matching(access) for word in set(tokens(document, field)))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _hits(found: list[Document], request: Request) -> list[Hit]:
    if not request.order:
        found = sorted(found, key=lambda one: (one["opens_at"] > request.open_at, -one["by_registered"]))
        first = request.after or 0
        page = found[first : first + request.limit]
        return [Hit(document["dataset"], first + place + 1) for place, document in enumerate(page)]
    found = [one for one in found if request.order in one]
    found.sort(key=lambda one: one[request.order], reverse=request.is_descending)
    if request.after is not None:
        is_behind = (lambda at: at < request.after) if request.is_descending else (lambda at: at > request.after)
        found = [one for one in found if is_behind(one[request.order])]
    return [Hit(one["dataset"], one[request.order]) for one in found[: request.limit]]


def _values(documents: list[Document], facet: Values) -> tuple[tuple[str | int, int], ...]:
    counts = Counter(value for document in documents for value in set(tokens(document, facet.field)))
    pairs = [pair for pair in counts.items() if not facet.among or pair[0] in facet.among]
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[: facet.limit])


def _bins(documents: list[Document], facet: Bins) -> tuple[int, ...]:
    counts = [0] * (len(facet.edges) - 1)
    for document in documents:
        value = _number(document, facet.field, is_parameter=facet.is_parameter)
        if value is None or not facet.edges[0] <= value <= facet.edges[-1]:
            continue
        counts[min(bisect_right(facet.edges, value), len(counts)) - 1] += 1
    return tuple(counts)


def _range(documents: list[Document], facet: Extent) -> Range:
    found = (_number(document, facet.field, is_parameter=facet.is_parameter) for document in documents)
    numbers = [number for number in found if number is not None]
    if not numbers:
        return Range(None, None, 0)
    return Range(min(numbers), max(numbers), len(numbers))


def edits(one: str, other: str) -> int:
    """Insertions, deletions and substitutions that make `other` of `one`."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for at, other_letter in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != other_letter))
    return row[-1]
