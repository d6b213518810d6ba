"""Questions that nobody thought of: made by Hypothesis, answered by both engines as by the reference."""

from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.backends.base import Bins, Extent, Facet, Index, Request, Values
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
from search.fields import FIELDS, Kind
from tests.search.agreement import ALL_OF_THEM, assert_agrees, in_order, walk
from tests.search.askers import Asker
from tests.search.corpus import NOW, PARAMETER_KEYS, QUANTITIES, VENDOR_KEYS, Archive, microseconds
from tests.search.reference import Reference, tokens
from tests.search.strange import ODD_PARAMETERS, strange_documents

DOCUMENTS = [row for number in range(1, 720, 13) for row in Archive(720).documents(number)]
DOCUMENTS += [row for rows in strange_documents() for row in rows]
TEXTS = [field.name for field in FIELDS if field.kind == Kind.TEXT]
TOKENS = [*TEXTS, "identifiers"]
KEYWORDS = [field.name for field in FIELDS if field.kind == Kind.KEYWORD and field.name != "key"]
NUMBERS = [field.name for field in FIELDS if field.kind == Kind.NUMBER]
SMALL_NUMBERS = ["year", "month", "measured_at", "registered_at", "opens_at", "investigation", "dataset"]
ORDERS = ["", "by_registered", "by_measured", "by_downloads", "by_title"]
KEYS = [*PARAMETER_KEYS, *VENDOR_KEYS, *ODD_PARAMETERS, "canary|V", "warp_factor|1"]
VALUES = {
    field.name: sorted({value for row in DOCUMENTS for value in tokens(row, field.name)}, key=str) or [0]
    for field in FIELDS
}
QUICK = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def terms(draw: st.DrawFn) -> Clause:
    field = draw(st.sampled_from([*TOKENS, *KEYWORDS, *NUMBERS]))
    values = draw(st.lists(st.sampled_from(VALUES[field]), min_size=1, max_size=4))
    return Term(field, values[0]) if len(values) == 1 else AnyOf(field, tuple(values))


@st.composite
def pieces(draw: st.DrawFn) -> Clause:
    """Beginnings, patterns and phrases of what stands in the documents."""
    field = draw(st.sampled_from(TOKENS))
    token = draw(st.sampled_from(VALUES[field]))
    cut = draw(st.integers(1, len(token)))
    kind = draw(st.sampled_from(["prefix", "glob", "phrase"]))
    if kind == "prefix":
        return Prefix(field, token[:cut])
    if kind == "glob":
        plain = token.replace("*", "?")
        return Glob(
            field, draw(st.sampled_from([f"{plain[:cut]}*", f"*{plain[-cut:]}", f"{plain[: cut - 1]}?{plain[cut:]}"]))
        )
    return _phrase(draw(st.sampled_from(TEXTS)), draw(st.integers(0, 10**6)), draw(st.integers(1, 3)))


def _phrase(field: str, seed: int, long: int) -> Clause:
    chance = Random(seed)
    words = [token for token in tokens(chance.choice(DOCUMENTS), field)][:40] or ["nothing"]
    start = chance.randrange(len(words))
    return Phrase(field, tuple(words[start : start + long]))


@st.composite
def ranges(draw: st.DrawFn) -> Clause:
    bound = st.none() | st.integers(0, 10**6)
    low, high = draw(bound), draw(bound)
    if draw(st.booleans()):
        field = draw(st.sampled_from(NUMBERS))
        values = sorted(VALUES[field])
    else:
        field = draw(st.sampled_from(KEYS))
        values = sorted({row["parameters"][field] for row in DOCUMENTS if field in row.get("parameters", {})}) or [0.0]
        found = [None if place is None else values[place % len(values)] for place in (low, high)]
        return ParameterBetween(field, *found)
    found = [None if place is None else values[place % len(values)] for place in (low, high)]
    return Between(field, *found)


def _nested(inner: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    several = st.lists(inner, max_size=3).map(tuple)
    weights = st.floats(0.1, 20, allow_nan=False)
    return st.one_of(
        several.map(All),
        several.map(Either),
        several.map(Best),
        inner.map(Not),
        st.builds(Weighted, inner, weights),
    )


clauses = st.recursive(st.one_of(terms(), pieces(), ranges(), st.just(Everything())), _nested, max_leaves=8)
askers = st.builds(
    Asker,
    now=st.integers(-900, 900).map(lambda days: microseconds(NOW) + days * 86_400_000_000),
    investigations=st.lists(st.integers(1, 60), max_size=12).map(tuple),
    datasets=st.lists(st.integers(1, 720), max_size=30).map(tuple),
    hidden_instruments=st.lists(st.integers(1, 20), max_size=3).map(tuple),
    sees_everything=st.booleans(),
)


@st.composite
def facets(draw: st.DrawFn) -> Facet:
    kind = draw(st.sampled_from(["values", "bins", "parameter bins", "extent", "parameter extent"]))
    if kind == "values":
        field = draw(st.sampled_from([*KEYWORDS, "year", "month"]))
        among = tuple(draw(st.lists(st.sampled_from(VALUES[field]), max_size=3)))
        return Values(field, limit=draw(st.integers(1, 50)), among=among)
    if kind == "bins":
        field = draw(st.sampled_from(SMALL_NUMBERS))
        return Bins(field, _edges(VALUES[field], draw(st.integers(1, 30))))
    if kind == "parameter bins":
        place = draw(st.integers(0, len(QUANTITIES) - 1))
        _, _, low, high, _ = QUANTITIES[place]
        return Bins(PARAMETER_KEYS[place], _edges([low, high], draw(st.integers(1, 30))), is_parameter=True)
    if kind == "extent":
        return Extent(draw(st.sampled_from(SMALL_NUMBERS)))
    return Extent(draw(st.sampled_from(KEYS)), is_parameter=True)


def _edges(values: list, many: int) -> tuple[float, ...]:
    low, high = float(min(values)), float(max(values))
    return tuple(low + (high - low) * step / many for step in range(many)) + (high,)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    asker = draw(askers)
    names = st.sampled_from(["technique", "year", "a|b c"])
    return Request(
        access=asker.access,
        scored=draw(clauses),
        filters=tuple(draw(st.lists(st.tuples(names, clauses), max_size=3))),
        facets=tuple(draw(st.dictionaries(names, facets(), max_size=3)).items()),
        order=draw(st.sampled_from(ORDERS)),
        is_descending=draw(st.booleans()),
        limit=draw(st.sampled_from([0, 5, ALL_OF_THEM])),
        open_at=asker.now,
    )


@given(request=requests())
@QUICK
def test_both_engines_answer_any_question_as_the_reference_does(request: Request, filled: Index, reference: Reference):
    assert_agrees(filled, reference, request)


@given(asker=askers, clause=clauses, order=st.sampled_from(ORDERS[1:]), is_descending=st.booleans())
@settings(QUICK, max_examples=15)
def test_any_walk_meets_each_hit_once(
    asker: Asker, clause: Clause, order: str, is_descending: bool, filled: Index, reference: Reference
):
    request = Request(asker.access, clause, order=order, is_descending=is_descending, limit=150)
    whole = reference.search(replace(request, limit=ALL_OF_THEM))
    assert [(hit.dataset, hit.position) for hit in walk(filled, request)] == in_order(whole)


@given(asker=askers, clause=clauses)
@settings(QUICK, max_examples=60)
def test_a_condition_and_its_opposite_part_what_anyone_sees(
    asker: Asker, clause: Clause, filled: Index, reference: Reference
):
    questions = [Request(asker.access, each) for each in (clause, Not(clause), Everything())]
    found, others, everything = filled.totals(questions)
    assert [found, others] == reference.totals(questions[:2])
    assert found + others == everything
