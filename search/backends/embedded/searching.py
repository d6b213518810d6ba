"""One request answered on one view of an index: hits, total, facets. No files, no writing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tantivy
from tantivy import Occur, Order, Query

from search.backends.base import Bins, Facet, Found, Hit, Request, Values
from search.backends.embedded import facets
from search.backends.embedded.queries import Translator, is_constant
from search.clauses import Between, Clause, Term
from search.fields import BY_NAME, Kind

# Hits of equal score are ordered within blocks of this many, counted from the first hit, so that pages fit together.
BLOCK = 1_000


@dataclass(frozen=True)
class Search:
    searcher: tantivy.Searcher
    translator: Translator
    request: Request

    def found(self) -> Found:
        hits, total = self._hits()
        answer = Found(total, tuple(hits))
        chosen = {name for name, _ in self.request.filters}
        shared = [one for one in self.request.facets if one[0] not in chosen]
        alone = [one for one in self.request.facets if one[0] in chosen]
        for group in filter(None, [shared, *([one] for one in alone)]):
            self._count_facets(group, answer)
        return answer

    def total(self) -> int:
        return self._count(self._query())

    def _query(self, *more: Clause, without: str = "", is_scored: bool = False) -> Query:
        """The request, narrowed by `more`; `without` names a filter that is left out."""
        request, translator = self.request, self.translator
        filters = [request.access, *(clause for name, clause in request.filters if name != without), *more]
        scored = translator.query(request.scored) if is_scored else translator.unscored(request.scored)
        parts = [scored, *(translator.unscored(clause) for clause in filters)]
        return Query.boolean_query([(Occur.Must, part) for part in parts])

    def _count(self, query: Query) -> int:
        return self.searcher.search(query, 1, order_by_field="dataset").count

    def _hits(self) -> tuple[list[Hit], int]:
        request = self.request
        if not request.limit:
            return [], self.total()
        if request.order:
            return self._in_order()
        return self._equal() if is_constant(request.scored) else self._by_score()

    def _in_order(self) -> tuple[list[Hit], int]:
        order, after = self.request.order, self.request.after
        if after is None:
            behind = Between(order)
        else:
            behind = Between(order, high=after - 1) if self.request.is_descending else Between(order, low=after + 1)
        places, _ = self._places(self._query(behind), order, 0, self.request.limit)
        datasets = self._column("dataset", [address for _, address in places])
        hits = [Hit(dataset, place) for dataset, (place, _) in zip(datasets, places, strict=True)]
        return hits, self.total()

    def _places(self, query: Query, order: str, offset: int, limit: int) -> tuple[list[Any], int]:
        direction = Order.Desc if self.request.is_descending else Order.Asc
        result = self.searcher.search(query, limit, order_by_field=order, offset=offset, order=direction)
        return result.hits, result.count

    def _equal(self) -> tuple[list[Hit], int]:
        """All scores are equal: what is open, the newest first, then what is closed."""
        first, total, datasets = self.request.after or 0, 0, list[int]()
        open_at = self.request.open_at
        for part in (Between("opens_at", high=open_at), Between("opens_at", low=open_at + 1)):
            missing = self.request.limit - len(datasets)
            offset = max(0, first - total)
            result = self.searcher.search(
                self._query(part), max(1, missing), order_by_field="by_registered", offset=offset, order=Order.Desc
            )
            total += result.count
            datasets += self._column("dataset", [address for _, address in result.hits[:missing]])
        return [Hit(dataset, first + place) for place, dataset in enumerate(datasets, 1)], total

    def _by_score(self) -> tuple[list[Hit], int]:
        first = self.request.after or 0
        last = first + self.request.limit
        start, end = first // BLOCK * BLOCK, -(-last // BLOCK) * BLOCK
        result = self.searcher.search(self._query(is_scored=True), end - start, offset=start)
        ranked = list(self._ranked(result.hits))[first - start : last - start]
        return [Hit(dataset, first + place, score) for place, (dataset, score) in enumerate(ranked, 1)], result.count

    def _ranked(self, scored: list[tuple[float, tantivy.DocAddress]]) -> Iterator[tuple[int, float]]:
        """(dataset, score), equal scores open first and newest first. What differs by rounding alone is equal."""
        addresses = [address for _, address in scored]
        scores = [round(score, 4) for score, _ in scored]
        is_closed = [opens_at > self.request.open_at for opens_at in self._column("opens_at", addresses)]
        ages = [-registered for registered in self._column("by_registered", addresses)]
        rows = list(zip(scores, is_closed, ages, self._column("dataset", addresses), strict=True))
        for start in range(0, len(rows), BLOCK):
            for score, _, _, dataset in sorted(rows[start : start + BLOCK], key=lambda row: (-row[0], row[1], row[2])):
                yield dataset, score

    def _column(self, field: str, addresses: list[tantivy.DocAddress]) -> list[int]:
        return [value or 0 for value in self.searcher.fast_field_values(field, addresses)]

    def _count_facets(self, group: list[tuple[str, Facet]], answer: Found) -> None:
        """One pass for all facets of `group`, which leave out the same filter or none."""
        query = self._query(without=group[0][0])
        listed = [one for one in group if self._is_listed(one[1])]
        asked = {str(place): facets.aggregation(facet) for place, (_, facet) in enumerate(listed)}
        counted = self.searcher.aggregate(query, asked) if asked else {}
        for place, (name, facet) in enumerate(listed):
            self._read(name, facet, counted[str(place)], query, answer)
        for name, facet in group:
            if isinstance(facet, Values) and not self._is_listed(facet):
                answer.values[name] = self._chosen_numbers(query, facet)

    @staticmethod
    def _is_listed(facet: Facet) -> bool:
        """Tantivy restricts which strings it counts, but not which numbers."""
        return not (isinstance(facet, Values) and facet.among and BY_NAME[facet.field].kind is Kind.NUMBER)

    def _read(self, name: str, facet: Facet, counted: dict[str, Any], query: Query, answer: Found) -> None:
        if isinstance(facet, Values):
            if facets.is_cut(facet, counted):
                whole = facets.aggregation(facet, most=facets.MOST_VALUES)
                counted = self.searcher.aggregate(query, {"0": whole})["0"]
            answer.values[name] = facets.values(facet, counted)
        elif isinstance(facet, Bins):
            answer.bins[name] = facets.bins(facet, counted)
        else:
            answer.ranges[name] = facets.extent(counted)

    def _chosen_numbers(self, query: Query, facet: Values) -> tuple[tuple[str | int, int], ...]:
        counts = [
            (value, self._count(query.and_must_match(self.translator.query(Term(facet.field, value)))))
            for value in dict.fromkeys(facet.among)
        ]
        return facets.most_frequent([pair for pair in counts if pair[1]], facet.limit)
