"""One request answered on one view of an index: hits, total, facets. No files, no writing."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import tantivy
from tantivy import Occur, Order, Query

from search.backends.base import OPEN_LIFT, Bins, Facet, Found, Hit, Request, Values
from search.backends.embedded import facets
from search.backends.embedded.queries import Translator, is_constant
from search.clauses import Between, Clause, Term
from search.fields import BY_NAME, Kind

# Hits of equal score are ordered within blocks of this many, counted from the first hit, so that pages fit together.
BLOCK = 1_000
# One for values that segments did not give, one for what was cut in the midst of equal counts.
MOST_RECOUNTS = 2
# Facets are counted while hits are looked for: Tantivy lets other threads run meanwhile.
_threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="facets")


def counted(searcher: tantivy.Searcher, query: Query) -> int:
    """How many documents meet `query`; without scores, which an order by a column does not need."""
    result: Any = searcher.search(query, 1, order_by_field="dataset")
    return result.count


@dataclass(frozen=True)
class Search:
    searcher: tantivy.Searcher
    translator: Translator
    request: Request

    def found(self) -> Found:
        counts = Found(total=0)
        counting = [_threads.submit(self._count_facets, group, counts) for group in self._groups()]
        hits, total = self._hits()
        for one in counting:
            one.result()
        return replace(counts, total=total, hits=tuple(hits))

    def _groups(self) -> list[list[tuple[str, Facet]]]:
        """Facets to be counted in one pass, since they leave out the same filter or none."""
        chosen = {name for name, _ in self.request.filters}
        shared = [one for one in self.request.facets if one[0] not in chosen]
        alone = [[one] for one in self.request.facets if one[0] in chosen]
        return [shared, *alone] if shared else alone

    def total(self) -> int:
        return self._count(self._query())

    @cached_property
    def _restrictions(self) -> list[tuple[Occur, Query]]:
        return self.translator.restrictions(self.request.access)

    @cached_property
    def _filters(self) -> list[tuple[str, Query]]:
        return [(name, self.translator.unscored(clause)) for name, clause in self.request.filters]

    def _query(self, *more: Clause, without: str = "", is_scored: bool = False) -> Query:
        """The request, narrowed by `more`; `without` names a filter that is left out."""
        scored = self.request.scored
        parts = [self.translator.query(scored) if is_scored else self.translator.unscored(scored)]
        parts += [query for name, query in self._filters if name != without]
        parts += [self.translator.unscored(clause) for clause in more]
        lifted = [(Occur.Should, self._open_lift())] if is_scored else []
        return Query.boolean_query([*((Occur.Must, part) for part in parts), *lifted, *self._restrictions])

    def _open_lift(self) -> Query:
        is_open = Between("opens_at", high=self.request.open_at)
        return Query.const_score_query(self.translator.query(is_open), OPEN_LIFT)

    def _count(self, query: Query) -> int:
        return counted(self.searcher, query)

    def _hits(self) -> tuple[list[Hit], int]:
        request = self.request
        if not request.limit:
            return [], self.total()
        if request.order:
            return self._in_order()
        return self._equal() if is_constant(request.scored) else self._by_score()

    def _in_order(self) -> tuple[list[Hit], int]:
        """Documents without a place in the order come last, and are no hits."""
        after = self.request.after
        query = self._query()
        if after is not None:
            behind = self.translator.behind(self.request.order, after, is_descending=self.request.is_descending)
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, behind)])
        direction = Order.Desc if self.request.is_descending else Order.Asc
        result: Any = self.searcher.search(
            query, self.request.limit, order_by_field=self.request.order, order=direction
        )
        places = [place for place, _ in result.hits if place is not None]
        datasets = self._column("dataset", [address for _, address in result.hits[: len(places)]])
        return list(map(Hit, datasets, places)), result.count if after is None else self.total()

    def _equal(self) -> tuple[list[Hit], int]:
        """All scores are equal: what is open, the newest first, then what is closed."""
        first, total, datasets = int(self.request.after or 0), 0, list[int]()
        open_at = self.request.open_at
        for part in (Between("opens_at", high=open_at), Between("opens_at", low=open_at + 1)):
            missing = self.request.limit - len(datasets)
            offset = max(0, first - total)
            result: Any = self.searcher.search(
                self._query(part), max(1, missing), order_by_field="by_registered", offset=offset, order=Order.Desc
            )
            total += result.count
            datasets += self._column("dataset", [address for _, address in result.hits[:missing]])
        return [Hit(dataset, first + place) for place, dataset in enumerate(datasets, 1)], total

    def _by_score(self) -> tuple[list[Hit], int]:
        first = int(self.request.after or 0)
        last = first + self.request.limit
        start, end = first // BLOCK * BLOCK, -(-last // BLOCK) * BLOCK
        result: Any = self.searcher.search(self._query(is_scored=True), end - start, offset=start)
        ranked = list(self._ranked(result.hits))[first - start : last - start]
        return [Hit(dataset, first + place, score) for place, (dataset, score) in enumerate(ranked, 1)], result.count

    def _ranked(self, scored: list[tuple[float, tantivy.DocAddress]]) -> Iterator[tuple[int, float]]:
        """(dataset, score), equal scores newest first. What differs by rounding alone is equal."""
        addresses = [address for _, address in scored]
        scores = [-round(score, 4) for score, _ in scored]
        ages = [-registered for registered in self._column("by_registered", addresses)]
        rows = list(zip(scores, ages, self._column("dataset", addresses), strict=True))
        for start in range(0, len(rows), BLOCK):
            for score, _, dataset in sorted(rows[start : start + BLOCK]):
                yield dataset, -score

    def _column(self, field: str, addresses: list[tantivy.DocAddress]) -> list[int]:
        return [value or 0 for value in self.searcher.fast_field_values(field, addresses)]

    def _count_facets(self, group: list[tuple[str, Facet]], answer: Found) -> None:
        """One pass for all facets of a group."""
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
            answer.values[name] = self._values(facet, counted, query)
        elif isinstance(facet, Bins):
            answer.bins[name] = facets.bins(facet, counted)
        else:
            answer.ranges[name] = facets.extent(counted)

    def _values(self, facet: Values, counted: dict[str, Any], query: Query) -> tuple[tuple[str | int, int], ...]:
        if facets.is_by_sets(facet):
            if (values := facets.values_of_sets(facet, counted)) is not None:
                return values
            counted = self._aggregate(query, facets.values_aggregation(facet))
        for _ in range(MOST_RECOUNTS):
            if again := facets.next_aggregation(facet, counted):
                counted = self._aggregate(query, again)
        return facets.values(facet, counted)

    def _aggregate(self, query: Query, asked: dict[str, Any]) -> dict[str, Any]:
        counted: dict[str, Any] = self.searcher.aggregate(query, {"0": asked})["0"]
        return counted

    def _chosen_numbers(self, query: Query, facet: Values) -> tuple[tuple[str | int, int], ...]:
        counts = [
            (value, self._count(query.and_must_match(self.translator.query(Term(facet.field, value)))))
            for value in dict.fromkeys(facet.among)
        ]
        return facets.most_frequent([pair for pair in counts if pair[1]], facet.limit)
