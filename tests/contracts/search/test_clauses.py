"""Each condition, alone and in company: both engines find what the reference finds."""

import pytest

from search.backends.base import Index, Request
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
from tests.search.agreement import ALL_OF_THEM, assert_agrees, datasets
from tests.search.askers import CURATOR
from tests.search.corpus import COMMON_WORD, NOW, ROOT, Archive, microseconds
from tests.search.reference import Reference
from tests.search.strange import FIRST, ODD_KEYWORDS, ODD_PARAMETERS, ODD_TOKENS

SAMPLE = Archive(720).documents(100)[0]
SCAN = "scan-000100-tif"
XANES = "https://example.org/technique/xanes"
SPECTROSCOPY = "https://example.org/technique/spectroscopy"
TITLE = Term("title", "tio2")
STRANGE = Term("instrument_key", 99)
VOLTAGE, TILT = "accelerating_voltage|V", "stage_tilt|rad"

FINDS_SOME: dict[str, Clause] = {
    "a word of the title": TITLE,
    "a word of the abstract": Term("abstract", COMMON_WORD),
    "a word of the rest": Term("rest", "nanowire"),
    "a whole file name among the identifiers": Term("identifiers", SCAN),
    "a part of a visit's number": Term("identifiers", SAMPLE["identifiers"].split()[1]),
    "a keyword with spaces": Term("sample", SAMPLE["sample"][0]),
    "a keyword that is an IRI": Term("technique", XANES),
    "a broader technique": Term("technique", SPECTROSCOPY),
    "the second of several keywords": Term("person", SAMPLE["person"][1]),
    "a number": Term("year", 2020),
    "a primary key": Term("dataset", 100),
    "a negative number": Term("size", -1),
    "zero": Term("size", 0),
    "the biggest number": Term("size", 2**62),
    "any of two keywords": AnyOf("instrument", ("scope-3", "scope-8")),
    "any of keywords of which one is nowhere": AnyOf("instrument", ("scope-3", "no such")),
    "any of some numbers": AnyOf("investigation", (1, 4, 9, 60)),
    "any of some words": AnyOf("title", ("tio2", "gaas")),
    "any of five thousand numbers": AnyOf("dataset", tuple(range(0, 50_000, 10))),
    "the beginning of a word": Prefix("title", "perov"),
    "the beginning of a word that is the whole word": Prefix("title", "perovskite"),
    "the beginning of a visit's number": Prefix("identifiers", SAMPLE["identifiers"][:9]),
    "the beginning of a file name": Prefix("identifiers", "scan-0001"),
    "the beginning of a keyword": Prefix("sample", SAMPLE["sample"][0][:7]),
    "the beginning of a word of the abstract": Prefix("abstract", "ka"),
    "any beginning, which is any value at all": Prefix("verified", ""),
    "any beginning of a word": Prefix("identifiers", ""),
    "the beginning of a parameter's key": Prefix("parameter", "stage_tilt|"),
    "numbers between the widest bounds": Between("measured_at", -(2**63), 2**63 - 1),
    "numbers between bounds wider than any number": Between("measured_at", -1e30, 1e30),
    "a pattern with its end open": Glob("title", "mem*"),
    "a pattern with its start open": Glob("title", "*brane"),
    "a pattern open at both ends": Glob("identifiers", "*0010*"),
    "a pattern with one character open": Glob("title", "ti?2"),
    "a pattern with several characters open": Glob("identifiers", "scan-0001??-*"),
    "a pattern without anything open": Glob("title", "tio2"),
    "a phrase of two words": Phrase("abstract", ("structure", "of")),
    "a phrase of three words": Phrase("abstract", ("structure", "of", "steel")),
    "a phrase of one word": Phrase("title", ("tio2",)),
    "a phrase that repeats a word": Phrase("abstract", ("same", "same", "same")),
    "a phrase across a repeated word": Phrase("abstract", ("same", "word", "same")),
    "a phrase after three thousand other words": Phrase("title", ("word", "last")),
    "a phrase that begins where another one breaks off": Phrase("title", ("one", "two", "three")),
    "numbers from a bound": Between("year", low=2021),
    "numbers up to a bound": Between("year", high=2018),
    "numbers between two bounds": Between("month", 201703, 202011),
    "numbers where both bounds are one number": Between("month", 202001, 202001),
    "numbers where a bound is what the index has": Between("opens_at", high=microseconds(NOW)),
    "numbers up to the microsecond before": Between("opens_at", high=microseconds(NOW) - 1),
    "numbers from the microsecond after": Between("opens_at", low=microseconds(NOW) + 1),
    "numbers between fractions": Between("year", 2018.5, 2020.5),
    "numbers before 1970": Between("measured_at", high=-1),
    "numbers beyond what a float can tell apart": Between(
        "by_registered", SAMPLE["by_registered"], SAMPLE["by_registered"]
    ),
    "any number at all": Between("measured_at"),
    "a parameter between two bounds": ParameterBetween(VOLTAGE, 5_000, 10_000),
    "a parameter from a bound": ParameterBetween(VOLTAGE, low=20_000),
    "a parameter up to a bound": ParameterBetween("pixel_size_x|m", high=5e-9),
    "a parameter of exactly this value": ParameterBetween(TILT, 0.5, 0.5),
    "a parameter of zero": ParameterBetween("dose|Gy", 0, 5),
    "a parameter with negative values": ParameterBetween("stage_x|m", -0.02, -0.01),
    "a parameter with any value": ParameterBetween("zeiss/gain|"),
    "a key of a parameter": Term("parameter", "zeiss/gain|"),
    "all of two conditions": All((TITLE, Term("year", 2020))),
    "all of two words in different fields": All((TITLE, Term("abstract", COMMON_WORD))),
    "either of two conditions": Either((TITLE, Term("year", 2020))),
    "the best of several fields": Best((Term("title", "film"), Term("abstract", "film"), Term("rest", "film"))),
    "all but one condition": Not(TITLE),
    "all but what has a number": Not(Between("measured_at")),
    "all but what has a parameter": Not(ParameterBetween(VOLTAGE)),
    "not the opposite": Not(Not(TITLE)),
    "one condition without another": All((TITLE, Not(Term("abstract", COMMON_WORD)))),
    "only conditions that exclude": All((Not(TITLE), Not(Term("year", 2020)))),
    "either of conditions that exclude": Either((Not(Term("year", 2020)), Not(Term("facility", "east")))),
    "either a condition or the opposite of another": Either((TITLE, Not(Term("facility", "east")))),
    "a weighted condition": Weighted(TITLE, 7.5),
    "a weighted condition among others": All(
        (Weighted(Best((TITLE, Weighted(Term("rest", "sem"), 0.1))), 3), Everything())
    ),
    "conditions six deep": All(
        (Either((All((Not(Either((All((TITLE,)), Term("year", 2019)))),)), Term("kind", "processed"))),)
    ),
    "either of two hundred words": Either(tuple(Term("title", str(number)) for number in range(0, 2_000, 10))),
    "fifty words that may be anywhere": All(
        tuple(Either((Term("title", str(number)), Not(Term("year", 1990 + number)))) for number in range(50))
    ),
    "ids with hyphens in any of the fields": Best(
        (Term("identifiers", SCAN), Phrase("title", ("scan", "000100", "tif")))
    ),
    "words of another script": Term("title", "日本語"),
    "the beginning of a word of another script": Prefix("title", "ελλ"),
    "a pattern over another script": Glob("title", "кир?лли*"),
}

FINDS_ALL: dict[str, Clause] = {
    "everything": Everything(),
    "all of no condition": All(()),
    "what does not meet nothing": Not(Either(())),
    "a condition or its opposite": Either((TITLE, Not(TITLE))),
    "everything, weighted": Weighted(Everything(), 2.0),
    "either of everything and a condition": Either((Everything(), TITLE)),
    "what is not of a value that nothing has": Not(AnyOf("format", ("no such format",))),
}

FINDS_NOTHING: dict[str, Clause] = {
    "a word that is nowhere": Term("title", "unobtainium"),
    "a word of another field": Term("title", COMMON_WORD),
    "two words as one": Term("title", f"{SAMPLE['title'].split()[0]} {SAMPLE['title'].split()[1]}"),
    "a word in capitals, since tokens are compared as they are": Term("title", "TIO2"),
    "a keyword in capitals": Term("facility", "EAST"),
    "a part of a keyword": Term("sample", "TiO2"),
    "a number that is nowhere": Term("year", 1776),
    "any of no values": AnyOf("instrument", ()),
    "any of no numbers": AnyOf("investigation", ()),
    "a middle taken for a beginning": Prefix("title", "erovskite"),
    "a beginning in capitals": Prefix("title", "PEROV"),
    "a pattern that fits only a part": Glob("title", "perov"),
    "a pattern with a character too many": Glob("title", "tio2?"),
    "a pattern that stretches over two words": Glob("abstract", "structure*of"),
    "a pattern whose dot is a dot": Glob("identifiers", "scan.0001*"),
    "a phrase backwards": Phrase("abstract", ("of", "structure")),
    "a phrase with a word between": Phrase("abstract", ("structure", "steel")),
    "a phrase over two fields": Phrase("title", ("three", "two", "one")),
    "numbers between bounds that are the wrong way round": Between("year", 2021, 2018),
    "numbers between neighbours": Between("year", 2018.2, 2018.8),
    "numbers of a field that no document has between": Between("month", 1, 100),
    "a parameter that no dataset has": ParameterBetween("warp_factor|1"),
    "a parameter of the same name in another unit": ParameterBetween("accelerating_voltage|kV"),
    "a parameter between bounds the wrong way round": ParameterBetween(VOLTAGE, 10_000, 5_000),
    "a parameter beyond all values": ParameterBetween(VOLTAGE, low=1e200),
    "either of no condition": Either(()),
    "the best of no condition": Best(()),
    "what does not meet everything": Not(Everything()),
    "a condition and its opposite": All((TITLE, Not(TITLE))),
    "all of a condition and nothing": All((TITLE, Either(()))),
    "a condition of each kind that excludes the others": All((Term("kind", "raw"), Term("kind", "processed"))),
}


def request_of(clause: Clause, **more: object) -> Request:
    return Request(access=CURATOR.access, scored=clause, limit=ALL_OF_THEM, **more)


@pytest.mark.parametrize("clause", FINDS_SOME.values(), ids=FINDS_SOME.keys())
def test_engines_find_what_meets(clause: Clause, filled: Index, reference: Reference):
    """As a filter too, which finds the same."""
    found = assert_agrees(filled, reference, request_of(clause))
    assert 0 < found.total < reference.count()
    filtered = filled.search(Request(access=CURATOR.access, filters=(("x", clause),), limit=ALL_OF_THEM))
    assert datasets(filtered) == datasets(found)


@pytest.mark.parametrize("clause", FINDS_ALL.values(), ids=FINDS_ALL.keys())
def test_engines_find_all_datasets_by(clause: Clause, filled: Index, reference: Reference):
    assert assert_agrees(filled, reference, request_of(clause)).total == reference.count()


@pytest.mark.parametrize("clause", FINDS_NOTHING.values(), ids=FINDS_NOTHING.keys())
def test_engines_find_nothing_by(clause: Clause, filled: Index, reference: Reference):
    assert assert_agrees(filled, reference, request_of(clause)).total == 0


@pytest.mark.parametrize("field", ["title", "identifiers"])
def test_odd_characters_are_no_syntax_in_a_text(field: str, filled: Index, reference: Reference):
    for token in set(ODD_TOKENS.split()):
        for clause in (Term(field, token), Prefix(field, token), Phrase("title", (token,))):
            found = assert_agrees(filled, reference, request_of(All((clause, STRANGE))))
            assert FIRST + 1 in datasets(found)


@pytest.mark.parametrize("value", ODD_KEYWORDS, ids=lambda value: value[:30])
def test_odd_characters_are_no_syntax_in_a_keyword(value: str, filled: Index, reference: Reference):
    for clause in (Term("sample", value), AnyOf("sample", ("no such", value)), Prefix("sample", value[:100])):
        found = assert_agrees(filled, reference, request_of(clause))
        assert [hit.dataset for hit in found.hits] == [FIRST + 2]


@pytest.mark.parametrize("key", ODD_PARAMETERS, ids=lambda key: key[:30])
def test_odd_keys_and_extreme_values_of_parameters_are_kept_exactly(key: str, filled: Index, reference: Reference):
    value = ODD_PARAMETERS[key]
    for clause in (ParameterBetween(key), ParameterBetween(key, value, value), Term("parameter", key)):
        found = assert_agrees(filled, reference, request_of(clause))
        assert [hit.dataset for hit in found.hits] == [FIRST + 3]
    assert (
        assert_agrees(filled, reference, request_of(ParameterBetween(key, low=value + abs(value) / 1e6 + 1e-320))).total
        == 0
    )


def test_every_dataset_has_the_root_of_all_techniques(filled: Index, reference: Reference):
    found = assert_agrees(filled, reference, request_of(Term("technique", ROOT)))
    assert found.total == reference.count() - 10
