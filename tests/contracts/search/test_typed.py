"""From what people type to what both engines find: the same as the reference, whatever is typed."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.access import ANONYMOUS
from catalogue.neutral_access import NeutralFilter
from search.backends.base import Index, Request
from search.question.plan import FACETS, PAGE_FACETS, Plan, bins_request, plan
from search.question.query import SORTS, Query
from search.question.query_reading import parse_query
from tests.contracts.search.test_generated import QUICK
from tests.search.agreement import assert_agrees, walk
from tests.search.corpus import NOW, Archive
from tests.search.reference import Reference

VISITOR = NeutralFilter(NOW, False, frozenset(), frozenset(), frozenset())
MEMBER = NeutralFilter(NOW, False, frozenset(range(3, 60, 4)), frozenset(range(11, 700, 9)), frozenset({7}))
CURATOR = NeutralFilter(NOW, True, frozenset(), frozenset(), frozenset())
ACCESSES = {"a visitor": VISITOR, "a member": MEMBER, "a curator": CURATOR}
SAMPLE = Archive(720).documents(100)[0]
VISIT = SAMPLE["identifiers"].split()[0]

TYPED = [
    "perovskite",
    "Perovskites",
    "GaAs catalyst",
    "TiO₂",
    "perovskite OR catalyst",
    "perovskite catalyst",
    "perovskite -gaas",
    "NOT perovskite",
    "(film OR catalyst) gaas",
    "-(film OR steel)",
    '"structure of steel"',
    '"of structure"',
    "title:film",
    "title:film abstract:measured",
    "measured",
    "of",
    VISIT,
    VISIT.replace("-", "_"),
    VISIT[:8],
    VISIT[:6],
    f"visit:{VISIT}",
    f"{VISIT[:6]}*",
    "scan_000100.tif",
    "SCAN-000100.TIF",
    "000100",
    "scan_0001*",
    "file:scan_0001??.tif",
    "perov*",
    "*skite",
    "p?rovskite",
    "nano*",
    "scope-3",
    "instrument:scope-3",
    "instrument:scope-3 OR instrument:scope-8",
    "facility:east kind:raw",
    "element:Ti",
    "element:TiO2",
    "elements:Cs,Pb,Br",
    f'sample:"{SAMPLE["sample"][0]}"',
    f'person:"{SAMPLE["person"][0]}"',
    "category:nanowires",
    "category:nanowires@80",
    "verified:particles",
    "voltage:5..10kV",
    "voltage:5 .. 10 kV",
    "voltage>20kV",
    "voltage:5kV",
    "wd:2..5mm",
    "temperature:-200..-100°C",
    "temperature<77K",
    "pixel_size:..1nm",
    "pixel size under 1 nm",
    "wavelength:0.5..1.0Å",
    "has:voltage",
    "-has:voltage",
    "has:zeiss/gain",
    "date:2020",
    "date:2020-03..2021-06",
    "date:2020..",
    "registered:..2018-12-31",
    "licence:CC0-1.0",
    "format:TIFF",
    "doi:yes",
    "scale:1..10nm",
    "scale:1um..",
    "type:commissioning film",
    "film voltage:5..10kV date:2018..2024 -category:powder",
    "unobtainium",
    "*",
    "AND OR NOT",
    '"',
    "((((film",
    "-",
    "warp:9",
]
CHOSEN: dict[str, dict[str, list[str]]] = {
    "an instrument": {"instrument": ["scope-3"]},
    "two bins of scale": {"scale": ["..0.1nm", "10..100nm"]},
    "two instruments and a licence": {"instrument": ["scope-3", "scope-8"], "licence": ["CC-BY-4.0"]},
    "a broader technique": {"technique": ["https://example.org/technique/spectroscopy"]},
    "an element and a word": {"element": ["O"], "q": ["film"]},
    "labels that the model is sure of": {"category": ["nanowires", "particles"], "confidence": ["80..100"]},
    "labels that a person verified": {"category": ["nanowires"], "verified": ["yes"]},
    "anything that a person verified": {"verified": ["yes"]},
    "what is open": {"access": ["open"]},
    "what is closed": {"access": ["closed"], "q": ["measured"]},
    "what is mine": {"access": ["mine"]},
    "days of measurement": {"from": ["2019-03-01"], "to": ["2021-04-30"]},
    "a range": {"p.accelerating_voltage": ["5..10 kV"]},
    "two ranges": {"p.accelerating_voltage": ["5..20 kV"], "p.sample_temperature": ["..0 °C"]},
    "a histogram in another unit": {"histogram": ["sample_temperature|°C"], "q": ["film"]},
    "histograms without ranges": {"histogram": ["pixel_size_x", "stage_x", "zeiss/gain"]},
    "what has a parameter": {"has": ["stage_tilt"]},
    "all sorts of things": {
        "q": ["film OR oxide OR alloy"],
        "facility": ["east", "west"],
        "kind": ["raw"],
        "p.accelerating_voltage": ["2..25 kV"],
        "from": ["2016-01-01"],
    },
}


def agreed(asked: Plan, query: Query, index: Index, reference: Reference) -> int:
    """Both questions of a page: hits, total and facets, then the bins of its histograms."""
    found = assert_agrees(index, reference, asked.request)
    if asked.histograms:
        request, _ = bins_request(asked, found.ranges, query)
        assert_agrees(index, reference, request)
    return found.total


@pytest.mark.parametrize("text", TYPED)
def test_what_is_typed_finds_the_same(text: str, filled: Index, reference: Reference):
    for access in ACCESSES.values():
        query = Query(principal=ANONYMOUS, text=text)
        agreed(plan(query, access, facets=("instrument", "measured", "access")), query, filled, reference)


@pytest.mark.parametrize("access", ACCESSES.values(), ids=ACCESSES.keys())
@pytest.mark.parametrize("chosen", CHOSEN.values(), ids=CHOSEN.keys())
def test_what_is_chosen_finds_and_counts_the_same(
    chosen: dict, access: NeutralFilter, filled: Index, reference: Reference
):
    query = parse_query(chosen, ANONYMOUS).query
    total = agreed(plan(query, access, facets=PAGE_FACETS), query, filled, reference)
    assert total or access is not MEMBER


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_walks_through_all_hits(sort: str, filled: Index, reference: Reference):
    query = Query(principal=ANONYMOUS, text="film OR steel OR oxide", sort=sort, size=25)
    request = plan(query, MEMBER).request
    seen = [hit.dataset for hit in walk(filled, request)]
    assert len(seen) == len(set(seen)) == reference.search(request).total


FOUND = {
    "an id with hyphens": (VISIT, SAMPLE["investigation"]),
    "an id with other separators": (VISIT.replace("-", "/"), SAMPLE["investigation"]),
    "the beginning of an id": (VISIT[:7], SAMPLE["investigation"]),
    "the end of an id": (VISIT.partition("-")[2] + "-", None),
    "the name of a file": ("scan_000100.tif", SAMPLE["investigation"]),
    "the number in a file's name": ("000100", SAMPLE["investigation"]),
}


@pytest.mark.parametrize(("text", "investigation"), FOUND.values(), ids=FOUND.keys())
def test_ids_and_their_parts_are_found_by(text: str, investigation: int | None, filled: Index, reference: Reference):
    request = plan(Query(principal=ANONYMOUS, text=text, size=100), CURATOR).request
    found = assert_agrees(filled, reference, request)
    assert found.total
    if investigation:
        by_dataset = {number: rows[0]["investigation"] for number, rows in reference.by_dataset.items()}
        assert investigation in {by_dataset[hit.dataset] for hit in found.hits}


def test_a_whole_file_name_stands_first(filled: Index):
    for text in ("scan_000100.tif", "SCAN_000100.TIF"):
        assert filled.search(plan(Query(principal=ANONYMOUS, text=text), CURATOR).request).hits[0].dataset == 100


def test_subscripts_accents_and_plurals_make_no_difference(filled: Index):
    for one, other in (("TiO₂", "TiO2"), ("pérovskite", "perovskite"), ("perovskites", "perovskite"), ("FILM", "film")):
        counts = filled.totals([plan(Query(principal=ANONYMOUS, text=text), CURATOR).request for text in (one, other)])
        assert counts[0] == counts[1] > 0


def test_nothing_that_is_typed_opens_what_is_hidden(filled: Index):
    texts = [
        "document:full",
        "opens_at:0..",
        "canary",
        "canar*",
        "*anary*",
        "sample:canary",
        "category:canary",
        "-zzz canary",
    ]
    texts += [
        "has:canary",
        "canary OR document:full",
        "canary:1..",
        'person:"x" OR canary',
        "p.canary:1.. V",
        "rest:canaryium",
    ]
    for text in texts:
        request = plan(
            Query(principal=ANONYMOUS, text=text), VISITOR, facets=("category", "parameter", "sample")
        ).request
        found = filled.search(request)
        assert "canary" not in str(found.values).lower()
        hidden = filled.search(Request(request.access, request.scored, filters=(("x", plan_of("canary")),)))
        assert hidden.total == 0


def plan_of(text: str):
    return plan(Query(principal=ANONYMOUS, text=text), VISITOR).request.scored


PIECES = st.sampled_from(
    [
        *TYPED,
        "(",
        ")",
        '"',
        " OR ",
        " AND ",
        "-",
        "NOT ",
        "*",
        "?",
        ":",
        "..",
        ">",
        "<=",
        "kV",
        "title:",
        "date:",
        "[",
        "/",
        "\\",
        "µ",
    ]
)
typed = st.lists(st.one_of(PIECES, st.text(max_size=8)), min_size=1, max_size=6).map(" ".join) | st.text(max_size=30)


@given(text=typed, access=st.sampled_from(list(ACCESSES.values())), sort=st.sampled_from(["", *SORTS]))
@settings(QUICK, max_examples=100)
def test_anything_may_be_typed(text: str, access: NeutralFilter, sort: str, filled: Index, reference: Reference):
    query = Query(principal=ANONYMOUS, text=text, sort=sort)
    agreed(plan(query, access, facets=("technique", "access")), query, filled, reference)


addresses = st.fixed_dictionaries(
    {},
    optional={
        "q": st.lists(typed, max_size=1),
        "instrument": st.lists(st.sampled_from(["scope-3", "scope-8", "scope-20", "no such"]), max_size=3),
        "element": st.lists(st.sampled_from(["O", "Ti", "Au", "Xx"]), max_size=2),
        "category": st.lists(st.sampled_from(["nanowires", "particles"]), max_size=2),
        "verified": st.lists(st.sampled_from(["yes", "particles"]), max_size=1),
        "confidence": st.sampled_from([["50"], ["80..100"], ["..30"], ["nonsense"]]),
        "p.accelerating_voltage": st.sampled_from([["5..10 kV"], ["..3000 V"], ["20 kV.."], ["x"]]),
        "p.sample_temperature": st.sampled_from([["-200..-50 °C"], ["300"], ["0..1 K"]]),
        "has": st.lists(st.sampled_from(["stage_tilt", "zeiss/gain", "none"]), max_size=2),
        "histogram": st.lists(st.sampled_from(["pixel_size_x", "stage_x|mm", "sample_temperature|°C"]), max_size=2),
        "access": st.sampled_from([["open"], ["closed"], ["mine"]]),
        "from": st.dates(date(2014, 1, 1), date(2027, 1, 1)).map(lambda day: [day.isoformat()]),
        "to": st.dates(date(2014, 1, 1), date(2027, 1, 1)).map(lambda day: [day.isoformat()]),
        "sort": st.sampled_from([[sort] for sort in SORTS]),
    },
)


@given(
    address=addresses,
    access=st.sampled_from(list(ACCESSES.values())),
    facets=st.sets(st.sampled_from(list(FACETS)), max_size=5),
)
@settings(QUICK, max_examples=60)
def test_any_address_of_the_page_is_answered_alike(
    address: dict, access: NeutralFilter, facets: set[str], filled: Index, reference: Reference
):
    query = parse_query(address, ANONYMOUS).query
    agreed(plan(query, access, facets=sorted(facets)), query, filled, reference)
