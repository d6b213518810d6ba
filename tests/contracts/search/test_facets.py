"""Counts beside the hits: both engines count as the reference does, each facet as if its own choice were off."""

import pytest

from search.backends.base import Bins, Extent, Facet, Index, Range, Request, Values
from search.clauses import All, AnyOf, Between, Clause, Either, Everything, Not, ParameterBetween, Prefix, Term
from tests.search.agreement import assert_agrees
from tests.search.askers import ASKERS, CURATOR, VISITOR, Asker
from tests.search.corpus import CANARY, COMMON_WORD, NOW, PARAMETER_KEYS, VENDOR_KEYS, microseconds
from tests.search.reference import Reference
from tests.search.strange import FIRST, ODD_KEYWORDS

VOLTAGE, PIXEL, TILT = "accelerating_voltage|V", "pixel_size_x|m", "stage_tilt|rad"
YEARS = tuple(float(year) for year in range(2014, 2028))
DECADES = tuple(10.0**power for power in range(-10, -4))
CANARY_KEY = f"{CANARY}|V"
XANES, SPECTROSCOPY = "https://example.org/technique/xanes", "https://example.org/technique/spectroscopy"

FACETS: dict[str, Facet] = {
    "techniques with their broader terms": Values("technique"),
    "the two most frequent techniques": Values("technique", limit=2),
    "two techniques of all": Values("technique", among=(XANES, SPECTROSCOPY, "https://example.org/none")),
    "the three most frequent instruments": Values("instrument", limit=3),
    "one value of many": Values("person", limit=1),
    "samples, of which many have the same count": Values("sample", limit=25),
    "more samples than there are": Values("sample", limit=1_000),
    "elements": Values("element", limit=118),
    "people": Values("person"),
    "licences": Values("licence"),
    "bins of scale": Values("scale", limit=6),
    "labels that not every dataset has": Values("category"),
    "labels with how sure the model is": Values("confidence", limit=200),
    "labels that a person verified": Values("verified"),
    "keys of parameters": Values("parameter", limit=100),
    "two instruments of all": Values("instrument", among=("scope-3", "scope-8")),
    "an instrument that is not there": Values("instrument", among=("scope-3", "no such")),
    "only what is not there": Values("instrument", among=("no such",)),
    "the two most frequent of five formats": Values("format", limit=2, among=("TIFF", "HDF5", "CSV", "DM3", "NeXus")),
    "years as values": Values("year", limit=100),
    "months as values": Values("month", limit=300),
    "one year of all": Values("year", among=(2020, 1776)),
    "investigations as values": Values("investigation", limit=10),
    "odd values": Values("sample", limit=100, among=ODD_KEYWORDS),
    "a histogram of years": Bins("year", YEARS),
    "a histogram of months in bins of unequal width": Bins("month", (201501.0, 201601.0, 201607.0, 202401.0)),
    "a histogram of moments": Bins("measured_at", tuple(float(microseconds(NOW)) - k * 1e14 for k in (4, 3, 2, 1, 0))),
    "one bin with both edges on the only value": Bins("year", (2020.0, 2020.0 + 1e-9)),
    "a last bin that has its high edge": Bins("year", (2018.0, 2019.0, 2020.0)),
    "two bins as wide as numbers are": Bins("opens_at", (-(2.0**62), float(microseconds(NOW) + 1), 2.0**62)),
    "a bin below all values": Bins("year", (1.0, 2.0, 3.0)),
    "edges between the values": Bins("year", (2017.5, 2018.5, 2019.5)),
    "a histogram of a parameter": Bins(VOLTAGE, (0.0, 5_000.0, 10_000.0, 20_000.0, 30_000.0), is_parameter=True),
    "a histogram over decades": Bins(PIXEL, DECADES, is_parameter=True),
    "a histogram whose edges are values": Bins(TILT, tuple(k / 10 for k in range(11)), is_parameter=True),
    "bins as wide as numbers are": Bins(VOLTAGE, (-1.7e308, 0.0, 10_000.0, 1.7e308), is_parameter=True),
    "a histogram across zero": Bins("stage_x|m", (-0.05, -0.01, 0.0, 0.01, 0.05), is_parameter=True),
    "a histogram of a parameter that nobody has": Bins("warp_factor|1", (0.0, 1.0, 2.0), is_parameter=True),
    "a histogram of forty bins": Bins(VOLTAGE, tuple(1_000.0 + 725 * k for k in range(41)), is_parameter=True),
    "the extent of a parameter": Extent(VOLTAGE, is_parameter=True),
    "the extent of small numbers": Extent(PIXEL, is_parameter=True),
    "the extent of a parameter with negative values": Extent("stage_x|m", is_parameter=True),
    "the extent of a parameter that nobody has": Extent("warp_factor|1", is_parameter=True),
    "the extent of years": Extent("year"),
    "the extent of moments": Extent("measured_at"),
    "the extent of sizes": Extent("size"),
}
QUESTIONS: dict[str, tuple[Clause, tuple[tuple[str, Clause], ...]]] = {
    "everything": (Everything(), ()),
    "a word": (Term("abstract", COMMON_WORD), ()),
    "a word, an instrument and a year": (
        Term("abstract", COMMON_WORD),
        (("x", AnyOf("instrument", ("scope-3", "scope-8"))), ("years", Between("year", 2016, 2022))),
    ),
    "nothing": (Term("title", "unobtainium"), ()),
}


@pytest.mark.parametrize("facet", FACETS.values(), ids=FACETS.keys())
def test_engines_count(facet: Facet, filled: Index, reference: Reference):
    facets = (("x", facet), ("beside it", facet))
    for (scored, filters), asker in zip(QUESTIONS.values(), (CURATOR, VISITOR, CURATOR, VISITOR), strict=True):
        assert_agrees(filled, reference, Request(asker.access, scored, filters=filters, facets=facets))


EIGHT = tuple(
    (name, Values(name))
    for name in ("technique", "instrument", "facility", "type", "sample", "element", "person", "licence")
)


@pytest.mark.parametrize("asker", ASKERS.values(), ids=ASKERS.keys())
def test_eight_facets_a_histogram_and_two_choices_are_counted_for(asker: Asker, filled: Index, reference: Reference):
    chosen = (
        ("instrument", AnyOf("instrument", ("scope-3", "scope-8", "scope-12"))),
        ("facility", AnyOf("facility", ("east", "north"))),
        ("year", Between("year", 2016, 2024)),
    )
    facets = (*EIGHT, ("year", Bins("year", YEARS)), ("voltage", Extent(VOLTAGE, is_parameter=True)))
    request = Request(asker.access, Prefix("abstract", "ka"), filters=chosen, facets=facets, open_at=asker.now)
    assert assert_agrees(filled, reference, request).total


def test_a_facet_leaves_out_its_own_choice_only(filled: Index, reference: Reference):
    chosen = (("instrument", Term("instrument", "scope-3")), ("facility", Term("facility", "north")))
    facets = (("instrument", Values("instrument")), ("facility", Values("facility")), ("kind", Values("kind")))
    found = assert_agrees(filled, reference, Request(CURATOR.access, filters=chosen, facets=facets))
    assert {value for value, _ in found.values["facility"]} == {"north"}
    assert {"scope-3", "scope-6"} <= {value for value, _ in found.values["instrument"]}
    assert sum(count for _, count in found.values["kind"]) == found.total


def test_two_filters_of_one_name_are_left_out_together(filled: Index, reference: Reference):
    chosen = (("x", Term("instrument", "scope-3")), ("x", Term("kind", "raw")), ("y", Between("year", 2016)))
    facets = (("x", Values("instrument")), ("y", Bins("year", YEARS)))
    assert_agrees(filled, reference, Request(CURATOR.access, filters=chosen, facets=facets))


def test_the_same_field_is_counted_twice_under_two_names(filled: Index, reference: Reference):
    facets = (("some", Values("instrument", limit=2)), ("all", Values("instrument")), ("ages", Extent("year")))
    assert_agrees(filled, reference, Request(CURATOR.access, facets=facets))


def test_names_of_facets_and_filters_are_no_syntax(filled: Index, reference: Reference):
    name = "parameter:Größe µ|1/m [x] > 2.5"
    chosen = ((name, ParameterBetween(VOLTAGE, 5_000, 10_000)), ("a.b", Term("kind", "raw")))
    facets = ((name, Bins(VOLTAGE, (0.0, 5e3, 3e4), is_parameter=True)), ("a.b", Values("kind")), ("_", Values("doi")))
    assert_agrees(filled, reference, Request(CURATOR.access, filters=chosen, facets=facets))


def test_the_choice_of_a_parameter_leaves_its_own_histogram_whole(filled: Index, reference: Reference):
    edges = tuple(1_000.0 + 2_900 * step for step in range(11))
    facets = (("voltage", Bins(VOLTAGE, edges, is_parameter=True)), ("extent", Extent(VOLTAGE, is_parameter=True)))
    chosen = (("voltage", ParameterBetween(VOLTAGE, 5_000, 10_000)),)
    found = assert_agrees(filled, reference, Request(CURATOR.access, filters=chosen, facets=facets))
    assert all(found.bins["voltage"])
    assert found.ranges["extent"].low >= 5_000 and found.ranges["extent"].high <= 10_000


def test_every_parameter_at_once(filled: Index, reference: Reference):
    keys = (*PARAMETER_KEYS, *VENDOR_KEYS)
    facets = tuple((key, Extent(key, is_parameter=True)) for key in keys)
    assert_agrees(filled, reference, Request(VISITOR.access, facets=facets))


def test_counts_come_without_hits(filled: Index, reference: Reference):
    found = assert_agrees(filled, reference, Request(VISITOR.access, facets=EIGHT, limit=0))
    assert found.total and not found.hits


def test_equal_counts_stand_in_the_order_of_their_values(filled: Index, reference: Reference):
    found = assert_agrees(filled, reference, Request(CURATOR.access, facets=(("x", Values("sample", limit=40)),)))
    pairs = list(found.values["x"])
    assert pairs == sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    assert len({count for _, count in pairs}) < len(pairs)


def test_a_value_that_stands_twice_in_a_document_counts_once(filled: Index, empty: Index):
    documents = [{"key": "1", "dataset": 1, "version": 1, "document": ["full"], "opens_at": 0, "by_registered": 1}]
    empty.write([documents[0] | {"element": ["O", "Ti", "O"]}])
    found = empty.search(Request(CURATOR.access, facets=(("element", Values("element")),)))
    assert dict(found.values["element"]) == {"O": 1, "Ti": 1}


def test_values_and_sets_of_values_may_be_as_many_as_there_are_datasets(empty: Index):
    many = range(1, 2_501)
    common = {"version": 1, "document": ["full"], "opens_at": 0}
    empty.write(
        common
        | {
            "key": str(number), "dataset": number, "by_registered": number,
            "sample": [f"sample {number:04}"], "technique": ["root", f"branch {number % 2}", f"leaf {number:04}"],
        }
        for number in many
    )  # fmt: skip
    facets = (("sample", Values("sample", limit=3)), ("technique", Values("technique", limit=5)))
    found = empty.search(Request(CURATOR.access, facets=facets))
    assert found.values["sample"] == (("sample 0001", 1), ("sample 0002", 1), ("sample 0003", 1))
    assert found.values["technique"] == (
        ("root", 2_500), ("branch 0", 1_250), ("branch 1", 1_250), ("leaf 0001", 1), ("leaf 0002", 1),
    )  # fmt: skip


def test_numbers_that_a_facet_would_show_are_not_told_of_hidden_documents(filled: Index, reference: Reference):
    facets = (
        ("keys", Values("parameter", limit=100)),
        ("labels", Values("category", limit=100)),
        ("one", Values("category", among=(CANARY,))),
        ("samples", Values("sample", limit=1_000)),
        ("extent", Extent(CANARY_KEY, is_parameter=True)),
        ("bins", Bins(CANARY_KEY, (0.0, 1e9, 1e12), is_parameter=True)),
    )
    seen = assert_agrees(filled, reference, Request(CURATOR.access, facets=facets))
    assert seen.ranges["extent"].count == dict(seen.values["labels"])[CANARY] > 20
    found = assert_agrees(filled, reference, Request(VISITOR.access, facets=facets))
    assert CANARY not in str(found.values).lower()
    assert found.ranges["extent"] == Range(None, None, 0)
    assert found.bins["bins"] == (0, 0)


def test_totals_of_many_requests_are_those_of_each(filled: Index, reference: Reference):
    clauses = [
        Everything(),
        Not(Everything()),
        Term("title", "tio2"),
        All((Term("kind", "raw"), Between("year", 2020))),
    ]
    clauses += [
        Either(()),
        ParameterBetween(VOLTAGE, 5_000, 10_000),
        Term("category", CANARY),
        AnyOf("dataset", (FIRST,)),
    ]
    requests = [
        Request(asker.access, clause, filters=(("x", Term("document", "full")),), limit=3)
        for asker in (VISITOR, CURATOR)
        for clause in clauses
    ]
    expected = reference.totals(requests)
    assert filled.totals(requests) == expected == [filled.search(request).total for request in requests]
    assert filled.totals([]) == []
