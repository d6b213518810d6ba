"""`search.clauses` -> Tantivy queries. Text of people never becomes syntax: patterns are escaped, keys are hashed."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import tantivy
from tantivy import Occur, Query

from search.backends.embedded.exclusion import unmet
from search.backends.embedded.schema import LOOKED_UP, parameter_path
from search.clauses import (
    All,
    AnyOf,
    Best,
    Between,
    Clause,
    Either,
    Everything,
    Glob,
    Not,
    ParameterBetween,
    Phrase,
    Prefix,
    Term,
    Weighted,
)
from search.fields import BY_NAME, Kind

LOWEST, HIGHEST = -(2**63), 2**63 - 1
ANYTHING = "(?s:.)*"
HEXADECIMAL = re.compile("[0-9a-f]+")


class Translator:
    """Makes queries for one index."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._schema = index.schema
        self._translations: dict[type, Callable[[Any], Query]] = {
            Everything: lambda clause: Query.all_query(),
            Term: self._term,
            AnyOf: self._any_of,
            Prefix: self._prefix,
            Glob: self._glob,
            Phrase: self._phrase,
            Between: self._between,
            ParameterBetween: self._parameter_between,
            All: self._all,
            Either: self._either,
            Best: self._best,
            Not: lambda clause: self._all(All((clause,))),
            Weighted: lambda clause: Query.boost_query(self.query(clause.clause), clause.weight),
        }

    def query(self, clause: Clause) -> Query:
        return self._translations[type(clause)](clause)

    def unscored(self, clause: Clause) -> Query:
        return Query.const_score_query(self.query(clause), 0.0)

    def behind(self, order: str, position: int | str, *, is_descending: bool) -> Query:
        """What comes after `position` in an order. Tantivy makes ranges of texts from text only, hence digits alone."""
        if isinstance(position, int):
            between = Between(order, high=position - 1) if is_descending else Between(order, low=position + 1)
            return self.unscored(between)
        if not HEXADECIMAL.fullmatch(position):
            raise ValueError("A position in an order of texts has hexadecimal digits only.")
        bounds = f"* TO {position}" if is_descending else f"{position} TO *"
        return Query.const_score_query(self._index.parse_query(f"{order}:{{{bounds}}}", []), 0.0)

    def restrictions(self, access: Clause) -> list[tuple[Occur, Query]]:
        """`access` as parts of a query."""
        excluded = unmet(access)
        if excluded is None:
            return [(Occur.Must, self.unscored(access))]
        return [(Occur.MustNot, self.query(clause)) for clause in excluded]

    def _term(self, clause: Term) -> Query:
        kind = BY_NAME[clause.field].kind
        if kind is Kind.TEXT:
            return Query.term_query(self._schema, clause.field, clause.value, "freq")
        found = self._any_of(AnyOf(clause.field, (clause.value,)))
        return Query.const_score_query(found, self._rarity(clause)) if kind is Kind.TOKENS else found

    def _rarity(self, clause: Term) -> float:
        """What BM25 gives a word that stands once in a text of average length."""
        searcher = self._index.searcher()
        having = searcher.doc_freq(clause.field, clause.value)
        return math.log(1 + (max(0, searcher.num_docs - having) + 0.5) / (having + 0.5))

    def _any_of(self, clause: AnyOf) -> Query:
        if not clause.values:
            return Query.empty_query()
        field, values = clause.field, list(dict.fromkeys(clause.values))
        if BY_NAME[field].kind is Kind.NUMBER and field not in LOOKED_UP:
            return self._either(Either(tuple(Between(field, int(value), int(value)) for value in values)))
        if len(values) == 1:
            return Query.const_score_query(Query.term_query(self._schema, field, values[0], "basic"), 1.0)
        return Query.const_score_query(Query.term_set_query(self._schema, field, values), 1.0)

    def _prefix(self, clause: Prefix) -> Query:
        if not clause.text and BY_NAME[clause.field].kind is Kind.KEYWORD:
            return Query.exists_query(clause.field)
        return self._matching(clause.field, re.escape(clause.text) + ANYTHING)

    def _glob(self, clause: Glob) -> Query:
        wildcards = {"*": ANYTHING, "?": "(?s:.)"}
        return self._matching(clause.field, "".join(wildcards.get(one) or re.escape(one) for one in clause.pattern))

    def _matching(self, field: str, pattern: str) -> Query:
        return Query.const_score_query(Query.regex_query(self._schema, field, pattern), 1.0)

    def _phrase(self, clause: Phrase) -> Query:
        if len(clause.words) < 2:
            return self._any_of(AnyOf(clause.field, clause.words))
        return Query.phrase_query(self._schema, clause.field, list(clause.words))

    def _between(self, clause: Between) -> Query:
        low = _within_64_bits(clause.low, LOWEST, math.ceil)
        high = _within_64_bits(clause.high, HIGHEST, math.floor)
        if low > high or low > HIGHEST or high < LOWEST:
            return Query.empty_query()
        return Query.range_query(
            self._schema, clause.field, tantivy.FieldType.Integer, max(low, LOWEST), min(high, HIGHEST)
        )

    def _parameter_between(self, clause: ParameterBetween) -> Query:
        """Tantivy makes ranges over paths from text only, and panics where one bound is whole and the other is not:
        each bound is a range of its own, made of a hash and a decimal number."""
        low = -math.inf if clause.low is None else clause.low
        high = math.inf if clause.high is None else clause.high
        path = parameter_path(clause.key)
        if low > high or low == math.inf or high == -math.inf:
            return Query.empty_query()
        ranges = [f"{path}:[{_decimal(low)} TO *]"] if low > -math.inf else []
        ranges += [f"{path}:[* TO {_decimal(high)}]"] if high < math.inf else []
        parts = [self._index.parse_query(text, []) for text in ranges] or [Query.exists_query(path)]
        return Query.const_score_query(Query.boolean_query([(Occur.Must, part) for part in parts]), 1.0)

    def _all(self, clause: All) -> Query:
        """What must not be met is excluded from what must, not looked for on its own."""
        unmet = [(Occur.MustNot, self.query(part.clause)) for part in clause.clauses if isinstance(part, Not)]
        met = [(Occur.Must, self.query(part)) for part in clause.clauses if not isinstance(part, Not)]
        return Query.boolean_query([*(met or [(Occur.Must, _all_unscored())]), *unmet])

    def _either(self, clause: Either) -> Query:
        return Query.boolean_query([(Occur.Should, self.query(part)) for part in clause.clauses])

    def _best(self, clause: Best) -> Query:
        return Query.disjunction_max_query([self.query(part) for part in clause.clauses])


def _all_unscored() -> Query:
    return Query.const_score_query(Query.all_query(), 0.0)


def _decimal(bound: float) -> str:
    """Exactly this number without an exponent, which Tantivy does not read behind a minus sign."""
    return f"{Decimal(repr(bound + 0.0)):f}"


def _within_64_bits(bound: int | float | None, default: int, rounded: Callable[[float], int]) -> int:
    """A whole number, one beyond the range of the index where the bound is."""
    if bound is None:
        return default
    if bound > HIGHEST:
        return HIGHEST + 1
    return LOWEST - 1 if bound < LOWEST else rounded(bound)


def is_constant(clause: Clause) -> bool:
    """Whether all documents that meet it have the same score."""
    if isinstance(clause, Weighted):
        return is_constant(clause.clause)
    if isinstance(clause, All):
        return all(map(is_constant, clause.clauses))
    if isinstance(clause, Either | Best):
        return len(clause.clauses) < 2 and all(map(is_constant, clause.clauses))
    if isinstance(clause, Term):
        return BY_NAME[clause.field].kind is not Kind.TEXT
    return not isinstance(clause, Phrase)
