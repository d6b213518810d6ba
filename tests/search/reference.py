"""What every engine must answer, by brute force over Python documents: slow, plain, and written without a look at the engines.

It keeps to the words of `search.clauses` and `search.backends.base`. Scores are the one thing that it does not know.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
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


def _is_between(value: float | None, low: float | None, high: float | None) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _has_phrase(words: list[str | int], phrase: tuple[str, ...]) -> bool:
    long = len(phrase)
    return any(tuple(words[at : at + long]) == phrase for at in range(len(words) - long + 1))


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


@dataclass
class Reference:
    """An index in memory. `by_dataset` holds each dataset's documents; what was once worked out is kept until a write."""

    name: str = "reference"

    def __post_init__(self) -> None:
        self.by_dataset: dict[int, list[Document]] = {}
        self._forget()

    def _forget(self) -> None:
        self.rows = [row for rows in self.by_dataset.values() for row in rows]
        self.everything = frozenset(range(len(self.rows)))
        self._columns: dict[str, list[list[str | int]]] = {}
        self._met: dict[c.Clause, frozenset[int]] = {}
        self._answers: dict[Request, Found] = {}

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
        self._forget()

    def _version(self, dataset: int) -> int:
        return self.by_dataset[dataset][0]["version"] if dataset in self.by_dataset else -1

    def versions(self, *, after: int = 0, limit: int = 10_000) -> list[tuple[int, int]]:
        return [(key, self._version(key)) for key in sorted(self.by_dataset) if key > after][:limit]

    def count(self) -> int:
        return len(self.by_dataset)

    def column(self, field: str) -> list[list[str | int]]:
        """What of `field` each document has."""
        if field not in self._columns:
            self._columns[field] = [tokens(row, field) for row in self.rows]
        return self._columns[field]

    def meeting(self, clause: c.Clause) -> frozenset[int]:
        """The numbers of the rows that meet `clause`."""
        if clause not in self._met:
            self._met[clause] = self._meeting(clause)
        return self._met[clause]

    def _meeting(self, clause: c.Clause) -> frozenset[int]:
        match clause:
            case c.Everything():
                return self.everything
            case c.All(parts):
                return self.everything.intersection(*map(self.meeting, parts))
            case c.Either(parts) | c.Best(parts):
                return frozenset().union(*map(self.meeting, parts))
            case c.Not(part):
                return self.everything - self.meeting(part)
            case c.Weighted(part, _):
                return self.meeting(part)
            case c.Between(field, low, high):
                return self._where(lambda row: _is_between(row.get(field), low, high))
            case c.ParameterBetween(key, low, high):
                return self._where(lambda row: _is_between(row.get(PARAMETERS, {}).get(key), low, high))
        return self._with_tokens(clause)

    def _where(self, is_met: Callable[[Document], bool]) -> frozenset[int]:
        return frozenset(place for place, row in enumerate(self.rows) if is_met(row))

    def _with_tokens(self, clause: c.Clause) -> frozenset[int]:
        column = self.column(clause.field)
        match clause:
            case c.Term(_, value):
                met = [value in found for found in column]
            case c.AnyOf(_, values):
                wanted = set(values)
                met = [not wanted.isdisjoint(found) for found in column]
            case c.Prefix(_, text):
                met = [any(str(token).startswith(text) for token in found) for found in column]
            case c.Glob(_, text):
                pattern = _pattern(text)
                met = [any(pattern.fullmatch(str(token)) for token in found) for found in column]
            case c.Phrase(_, words):
                met = [_has_phrase(found, words) for found in column]
            case _:
                raise TypeError(clause)
        return frozenset(place for place, is_met in enumerate(met) if is_met)

    def search(self, request: Request) -> Found:
        """Hits are right in any named order; by score they come as they would if all scores were equal."""
        if request not in self._answers:
            self._answers[request] = self._search(request)
        return self._answers[request]

    def _search(self, request: Request) -> Found:
        asked = self.meeting(request.access) & self.meeting(request.scored)
        found = asked.intersection(*(self.meeting(clause) for _, clause in request.filters))
        answer = Found(total=len(found), hits=tuple(_hits([self.rows[place] for place in found], request)))
        for name, facet in request.facets:
            others = asked.intersection(*(self.meeting(clause) for other, clause in request.filters if other != name))
            if isinstance(facet, Values):
                answer.values[name] = self._values(others, facet)
            elif isinstance(facet, Bins):
                answer.bins[name] = _bins(self._numbers(others, facet), facet.edges)
            else:
                numbers = self._numbers(others, facet)
                bounds = (min(numbers), max(numbers)) if numbers else (None, None)
                answer.ranges[name] = Range(*bounds, len(numbers))
        return answer

    def _values(self, places: Iterable[int], facet: Values) -> tuple[tuple[str | int, int], ...]:
        column = self.column(facet.field)
        counts = Counter(value for place in places for value in set(column[place]))
        pairs = [pair for pair in counts.items() if not facet.among or pair[0] in facet.among]
        return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[: facet.limit])

    def _numbers(self, places: Iterable[int], facet: Bins | Extent) -> list[float]:
        holders = [self.rows[place] for place in places]
        if facet.is_parameter:
            holders = [row.get(PARAMETERS, {}) for row in holders]
        return [holder[facet.field] for holder in holders if facet.field in holder]

    def totals(self, requests: list[Request]) -> list[int]:
        return [self.search(request).total for request in requests]

    def words_like(self, word: str, fields: tuple[str, ...], access: c.Clause, *, limit: int = 5) -> list[str]:
        """The closest first, then the most frequent: one of several orders that an engine may take for the likeliest."""
        counts = Counter[str]()
        for field in fields:
            counts.update(dict(self.counted_words(field, access)))
        near = [(edits(word, one), -count, one) for one, count in counts.items() if abs(len(word) - len(one)) <= 2]
        return [one for distance, _, one in sorted(near) if distance <= 2][:limit]

    def words_with_prefix(self, prefix: str, field: str, access: c.Clause, *, limit: int = 10) -> list[str]:
        """The most frequent first, by value on ties."""
        return [word for word, _ in self.counted_words(field, access) if word.startswith(prefix)][:limit]

    def counted_words(self, field: str, access: c.Clause) -> list[tuple[str, int]]:
        """Each word of `field` with the number of documents that have it."""
        column = self.column(field)
        counts = Counter(str(word) for place in self.meeting(access) for word in set(column[place]))
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


def _bins(numbers: list[float], edges: tuple[float, ...]) -> tuple[int, ...]:
    counts = [0] * (len(edges) - 1)
    for number in numbers:
        if edges[0] <= number <= edges[-1]:
            counts[min(bisect_right(edges, number), len(counts)) - 1] += 1
    return tuple(counts)


def edits(one: str, other: str) -> int:
    """Insertions, deletions and substitutions that make `other` of `one`."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for at, other_letter in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != other_letter))
    return row[-1]
