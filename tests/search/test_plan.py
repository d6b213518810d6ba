"""A query becomes the request of an engine: access apart from words, filters by the name of their facet, pages by cursors."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.access import ANONYMOUS
from catalogue.neutral_access import NeutralFilter
from search.analysis import title_order
from search.backends.base import Bins, Document, Extent, Range, Request
from search.clauses import AnyOf, Between, ParameterBetween
from search.question.dates import EPOCH, microseconds
from search.question.likeness import Likeness, likeness_clause
from search.question.plan import LARGEST_OFFSET, PAGE_FACETS, access_clause, bins_request, cursor_after, plan
from search.question.query import Query
from search.question.query_reading import parse_query
from tests.search.reference import Reference

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VISITOR = NeutralFilter(NOW, False, frozenset(), frozenset(), frozenset())


def query(**values: str | list[str]) -> Query:
    lists = {name: [value] if isinstance(value, str) else value for name, value in values.items()}
    return parse_query(lists, ANONYMOUS).query


def index_of(documents: list[Document]) -> Reference:
    index = Reference()
    index.write(documents)
    return index


KEYS = st.frozensets(st.integers(1, 3), max_size=3)
ACCESSES = st.builds(NeutralFilter, st.just(NOW), st.booleans(), KEYS, KEYS, KEYS)


@given(ACCESSES)
def test_the_access_clause_keeps_what_the_rule_keeps(access: NeutralFilter) -> None:
    moments = [microseconds(NOW) + step for step in (-(10**12), -1, 0, 1, 10**12)]
    documents = [
        {
            "dataset": number,
            "version": 1,
            "document": [kind],
            "opens_at": opens_at,
            "investigation": investigation,
            "instrument_key": instrument,
        }
        for number, (kind, opens_at, investigation, instrument) in enumerate(
            product(("full", "summary"), moments, (1, 2), (2, 3)), 1
        )
    ]
    index = index_of(documents)
    kept = {index.rows[place]["dataset"] for place in index.meeting(access_clause(access))}
    assert kept == {
        row["dataset"]
        for row in documents
        if access.keeps(
            document=row["document"][0],
            opens_at=datetime.fromtimestamp(row["opens_at"] // 10**6, UTC).replace(microsecond=row["opens_at"] % 10**6),
            dataset=row["dataset"],
            investigation=row["investigation"],
            instrument=row["instrument_key"],
        )
    }


def test_moments_are_whole_microseconds_without_rounding() -> None:
    moment = datetime(2026, 6, 1, 12, 0, 0, 123457, tzinfo=UTC)
    assert microseconds(moment) == 1_780_315_200_123_457
    assert microseconds(EPOCH) == 0


@given(st.text(max_size=60))
def test_no_words_change_access_or_filters(text: str) -> None:
    asked = plan(query(q=text), VISITOR).request
    assert asked.access == access_clause(VISITOR)
    assert asked.filters == ()


def test_each_choice_is_a_filter_by_the_name_of_its_facet() -> None:
    asked = query(
        technique=["T1", "T2"],
        category="Nanowires",
        confidence="98",
        verified="yes",
        has="wd",
        access="open",
        **{"from": "2024-01-01", "to": "2024-01-02", "p.voltage": "5..10 kV"},
    )
    filters = dict(plan(asked, VISITOR).request.filters)
    assert filters["technique"] == AnyOf("technique", ("T1", "T2"))
    assert filters["category"] == AnyOf("confidence", ("Nanowires@098", "Nanowires@099", "Nanowires@100"))
    assert filters["verified"] == AnyOf("verified", ("Nanowires",))
    assert filters["p.accelerating_voltage"] == ParameterBetween("accelerating_voltage|V", 5000, 10000)
    assert filters["access"] == Between("opens_at", high=microseconds(NOW))
    first, behind = (microseconds(datetime(2024, 1, day, tzinfo=UTC)) for day in (1, 3))
    assert filters["measured"] == Between("measured_at", first, behind - 1)
    assert set(filters) == {"technique", "category", "verified", "p.accelerating_voltage", "has", "access", "measured"}


def test_every_filter_that_a_page_counts_has_its_facet() -> None:
    asked = plan(
        query(technique="T1", access="open", **{"from": "2024-01-01", "p.wd": "5 mm"}), VISITOR, facets=PAGE_FACETS
    )
    assert {name for name, _ in asked.request.filters} <= {name for name, _ in asked.request.facets}


def test_a_confidence_without_a_category_is_told() -> None:
    asked = plan(query(confidence="80"), VISITOR)
    assert asked.request.filters == ()
    assert asked.notes == ("A confidence counts for categories: choose one first.",)


def test_verified_without_a_category_is_any_label_that_a_person_verified() -> None:
    index = index_of(
        [
            {"dataset": 1, "version": 1, "document": ["full"], "opens_at": 0, "by_registered": 1, "verified": ["Tips"]},
            {"dataset": 2, "version": 1, "document": ["full"], "opens_at": 0, "by_registered": 2},
        ]
    )
    assert [hit.dataset for hit in index.search(plan(query(verified="yes"), VISITOR).request).hits] == [1]


def test_days_to_the_end_of_time_have_a_last_moment() -> None:
    asked = plan(query(to="9999-12-31"), VISITOR)
    assert dict(asked.request.filters)["measured"] == Between(
        "measured_at", None, microseconds(datetime.max.replace(tzinfo=UTC))
    )


@pytest.mark.parametrize(
    ("sort", "field", "is_descending"),
    [
        ("relevance", "", True),
        ("newest", "by_registered", True),
        ("oldest", "by_registered", False),
        ("acquired", "by_measured", True),
        ("downloaded", "by_downloads", True),
        ("title", "by_title", False),
    ],
)
def test_each_order_has_its_field(sort: str, field: str, is_descending: bool) -> None:
    request = plan(query(sort=sort), VISITOR).request
    assert (request.order, request.is_descending) == (field, is_descending)


@pytest.mark.parametrize(
    ("sort", "position"),
    [*(("newest", number) for number in (0, 7, -7, 2**62)), ("title", "616263"), ("title", "00" * 300)],
)
def test_a_cursor_leads_behind_the_hit_that_it_was_made_of(sort: str, position: int | str) -> None:
    asked = query(sort=sort)
    cursor = cursor_after(asked, position)
    assert plan(replace(asked, cursor=cursor), VISITOR).request.after == position
    assert query(sort=sort, cursor=cursor).cursor == cursor


def test_a_cursor_of_titles_tells_no_title_and_cannot_be_made() -> None:
    asked = query(sort="title")
    cursor = cursor_after(asked, title_order("curie", 7))
    assert b"curie".hex() not in cursor and "curie" not in cursor
    assert plan(replace(asked, cursor=f"{cursor[:-3]}xyz"), VISITOR).request.after is None


@pytest.mark.parametrize(
    "cursor",
    ["x", "newest-", "title-7", "newest-9999999999999999999", "0f8fad5b-d9cb-469f-a165-70867728950e", "newest-7'"],
)
def test_a_cursor_of_another_list_begins_anew_and_says_so(cursor: str) -> None:
    asked = plan(query(sort="newest", cursor=cursor), VISITOR)
    assert asked.request.after is None
    assert asked.notes == ("This page of the list is not known; the list begins anew.",)


def test_by_relevance_nobody_walks_deep() -> None:
    asked = query(q="gold")
    assert cursor_after(asked, LARGEST_OFFSET + 1) == ""
    assert "choose another order" in plan(replace(asked, cursor="relevance-99999"), VISITOR).notes[0]


def test_histograms_ask_for_extents_first_and_for_bins_in_the_chosen_unit_then() -> None:
    asked = query(histogram=["wd|mm", "mag"], **{"p.voltage": "5..10 kV"})
    planned = plan(asked, VISITOR, facets=("kind",))
    extents = {name: facet for name, facet in planned.request.facets if isinstance(facet, Extent)}
    assert set(extents) == {"p.working_distance", "p.magnification", "p.accelerating_voltage"}
    ranges = {
        "p.working_distance": Range(0.002, 0.02, 9),
        "p.magnification": Range(None, None, 0),
        "p.accelerating_voltage": Range(1000.0, 30000.0, 9),
    }
    request, axes = bins_request(planned, ranges, asked)
    assert set(axes) == set(dict(request.facets)) == {"p.working_distance", "p.accelerating_voltage"}
    assert axes["p.working_distance"].unit == "mm"
    assert axes["p.accelerating_voltage"].unit == "kV"
    bins = dict(request.facets)["p.working_distance"]
    assert isinstance(bins, Bins)
    assert (bins.field, bins.is_parameter, request.limit) == ("working_distance|m", True, 0)
    assert request.filters == planned.request.filters


def test_what_is_open_and_what_is_not_are_two_bins() -> None:
    rows = [
        {
            "dataset": number,
            "version": 1,
            "document": ["full"],
            "opens_at": microseconds(NOW) + step,
            "by_registered": number,
        }
        for number, step in enumerate((-1, 0, 1), 1)
    ]
    access = replace(VISITOR, sees_everything=True)
    found = index_of(rows).search(plan(query(access="closed"), access, facets=("access",)).request)
    assert found.bins["access"] == (2, 1)
    assert found.total == 1


def test_likes_share_words_techniques_elements_or_the_sample_and_are_not_the_dataset_itself() -> None:
    rows = [
        {"dataset": 1, "title": "gold wire"},
        {"dataset": 2, "title": "gold film"},
        {"dataset": 3, "title": "other", "element": ["Au"]},
        {"dataset": 4, "title": "other", "sample": ["S1"]},
        {"dataset": 5, "title": "other", "technique": ["T"]},
        {"dataset": 6, "title": "other"},
    ]
    index = index_of([{"version": 1, "document": ["full"], "opens_at": 0, "by_registered": 1, **row} for row in rows])
    likeness = Likeness(1, words=("gold", "wire"), techniques=("T",), elements=("Au",), sample="S1")
    asked = plan(query(like=str(uuid4())), VISITOR, like=likeness)
    assert {hit.dataset for hit in index.search(asked.request).hits} == {2, 3, 4, 5}
    nothing = index.search(Request(access=access_clause(VISITOR), scored=likeness_clause(Likeness(1))))
    assert nothing.total == 0


def test_the_first_day_of_a_range_is_included() -> None:
    filters = dict(plan(Query(principal=ANONYMOUS, acquired_from=date(1970, 1, 2)), VISITOR).request.filters)
    assert filters["measured"] == Between("measured_at", 86_400_000_000, None)
