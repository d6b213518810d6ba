"""What people type finds what they mean, is never refused, and is read in a moment, whatever it is."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis import elements, identifier_tokens, indexed
from search.backends.base import Document, Request
from search.clauses import All, Best, Clause, Either, Everything, Not, Weighted
from search.question.dates import microseconds, parse_days
from search.question.meanings import field_called
from search.question.parsing import LONGEST_TEXT, MOST_TERMS, read_text
from search.question.query_reading import LONGEST_TEXT as LONGEST_TYPED
from tests.search.reference import Reference

SEM = "https://w3id.org/faircat/technique/SEM"


def document(number: int, title: str, *, ids: tuple[str, ...] = (), formula: str = "", **values: Any) -> Document:
    return {
        "key": str(number),
        "dataset": number,
        "version": 1,
        "document": ["full"],
        "opens_at": 0,
        "by_registered": number,
        "title": indexed(title),
        "identifiers": " ".join(token for one in ids for token in identifier_tokens(one)),
        "element": elements(formula),
        **values,
    }


def day(text: str) -> int:
    days = parse_days(text)
    assert days
    assert days[0]
    return microseconds(datetime.combine(days[0], datetime.min.time(), UTC))


ARCHIVE = Reference()
ARCHIVE.write(
    [
        document(
            1,
            "Nanowires of TiO₂ on silicon",
            ids=("20210906-46", "scans/IMG_0001.tif", "10.5072/abcd-12"),
            formula="TiO2",
            abstract=indexed("Grown by Müller at 5 kV, sample Anatase A1"),
            rest=indexed("Ana Novak, scanning electron microscopy, SEM, Zeiss Gemini"),
            sample=["Anatase A1"],
            person=["Ana Novak"],
            technique=[SEM],
            kind=["raw"],
            format=["TIFF image"],
            licence=["CC-BY-4.0"],
            doi=["yes"],
            category=["Nanowires"],
            confidence=["Nanowires@091"],
            verified=["Nanowires"],
            measured_at=day("2024-01-15"),
            registered_at=day("2024-02-01"),
            parameter=["accelerating_voltage|V", "sample_temperature|K"],
            parameters={"accelerating_voltage|V": 5000.0, "sample_temperature|K": 298.15},
        ),
        document(
            2,
            "Porous sponge, α-Fe₂O₃ powder",
            ids=("MX-2345",),
            formula="Fe2O3",
            rest=indexed("Bo Berg, X-ray diffraction"),
            person=["Bo Berg"],
            kind=["processed"],
            format=["NeXus"],
            licence=["CC0-1.0"],
            doi=["no"],
            category=["Powders"],
            confidence=["Powders@055"],
            measured_at=day("2023-06-01"),
            registered_at=day("2023-06-02"),
            parameter=["accelerating_voltage|V", "working_distance|m"],
            parameters={"accelerating_voltage|V": 20000.0, "working_distance|m": 0.008},
        ),
        document(3, "Sponge of gold", formula="Au"),
    ]
)


def choices(facet: str, text: str) -> tuple[str, ...]:
    return {("technique", "SEM"): (SEM,), ("category", "nanowires"): ("Nanowires",)}.get((facet, text), ())


def found(text: str) -> set[int]:
    clause = read_text(text, choices).clause
    return {hit.dataset for hit in ARCHIVE.search(Request(access=Everything(), scored=clause or Everything())).hits}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {1, 2, 3}),
        ("*", {1, 2, 3}),
        ("nanowire", {1}),
        ("images of the nanowires", set()),
        ("nanowires of silicon", {1}),
        ("of", {1, 3}),
        ("sponge", {2, 3}),
        ("sponge gold", {3}),
        ("sponge AND gold", {3}),
        ("nanowires OR gold", {1, 3}),
        ("nanowires | gold", {1, 3}),
        ("sponge powder OR gold", {2, 3}),
        ("sponge (powder OR gold)", {2, 3}),
        ("sponge -gold", {2}),
        ("sponge NOT gold", {2}),
        ("-gold", {1, 2}),
        ("-(gold OR powder)", {1}),
        ('-"porous sponge"', {1, 3}),
        ('"porous sponge"', {2}),
        ("“porous sponge”", {2}),
        ("«sponge of gold»", {3}),
        ('"sponge porous"', set()),
        ('"porous sponge', {2}),
        ("TiO2", {1}),
        ("tio₂", {1}),
        ("alpha-Fe2O3", {2}),
        ("muller", {1}),
        ("5kV", {1}),
        ("nano*", {1}),
        ("nanowires*", {1}),
        ("*wires", {1}),
        ("*wire", {1}),
        ("nan?wire", {1}),
        ("nanowires?", {1}),
        ("2021090", {1}),
        ("20210906-46", {1}),
        ("20210906/46", {1}),
        ("0906-46", {1}),
        ("img_0001.tif", {1}),
        ("IMG_00*", {1}),
        ("IMG_*.tif", {1}),
        ("0001.tif", {1}),
        ("mx2345", {2}),
        ("MX 2345", {2}),
        ("10.5072/abcd-12", {1}),
        ("https://doi.org/10.5072/ABCD-12", {1}),
        ("doi:10.5072/abcd-12", {1}),
        ("doi:https://doi.org/10.5072/abcd-12", {1}),
        ("doi:yes", {1}),
        ("title:sponge", {2, 3}),
        ("title:(sponge of gold)", {3}),
        ('sample:"Anatase A1"', {1}),
        ("sample:anatase", {1}),
        ("person:novak", {1}),
        ('pi:"Bo Berg"', {2}),
        ("technique:SEM", {1}),
        ("technique:diffraction", {2}),
        ("element:Ti", {1}),
        ("element:ti", {1}),
        ("element:Fe,O", {2}),
        ("element:O -element:Fe", {1}),
        ("formula:TiO2", {1}),
        ("format:tiff", {1}),
        ("format:nexus", {2}),
        ("licence:cc-by-4.0", {1}),
        ("license:CC", {1, 2}),
        ("kind:RAW", {1}),
        ("category:nanowires", {1}),
        ("category:nanowires@90", {1}),
        ("category:nanowires@95", set()),
        ("verified:nanowires", {1}),
        ("file:IMG_*", {1}),
        ("visit:20210906", {1}),
        ("date:2024", {1}),
        ("date:2024-01", {1}),
        ("date:2024-01..", {1}),
        ("date:..2023", {2}),
        ("date:2023..2024", {1, 2}),
        ("date:2024..2023", {1, 2}),
        ("date>2023", {1}),
        ("date>=2023-06-01", {1, 2}),
        ("date<2024", {2}),
        ("registered:2024-02-01", {1}),
        ("voltage:5..10kV", {1}),
        ("voltage:5 .. 10 kV", {1}),
        ("voltage: 5 kV", {1}),
        ("voltage:5 kV nanowires", {1}),
        ("voltage:5", {1}),
        ("voltage > 10 kV", {2}),
        ("voltage<=20000 V", {1, 2}),
        ("accelerating_voltage:..6kV", {1}),
        ('voltage:"5 to 10 kV"', {1}),
        ("-voltage:5..10kV", {2, 3}),
        ("(voltage:5..10kV) OR gold", {1, 3}),
        ("wd:8mm", {2}),
        ("powder Working Distance: 7..9 mm sponge", {2}),
        ("gold OR working distance<9mm", {2, 3}),
        ("nanowires with a voltage between 4 and 6 kV", {1}),
        ("sponge with a working distance under 9 mm", {2}),
        ("accelerating voltage from 10 to 30 kV powder", {2}),
        ("voltage at least 10 kV", {2}),
        ("voltage of 5 kV", {1}),
        ("sponge of gold", {3}),
        ("working_distance:7..9 mm", {2}),
        ("temperature:20..30°C", {1}),
        ("temp:77°F", {1}),
        ("has:voltage", {1, 2}),
        ("has:wd", {2}),
        ("-has:voltage", {3}),
        (") sponge (((", {2, 3}),
        ("OR sponge AND", {2, 3}),
        ("- sponge -", {2, 3}),
        ("sponge !!! …", {2, 3}),
    ],
)
def test_what_is_typed_finds_what_is_meant(text: str, expected: set[int]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("voltage:5nm", "Accelerating voltage is not measured in nm but in V or kV"),
        ("voltage:5", "Accelerating voltage was read in kV."),
        ("voltage:soon", "“soon” is no range such as 5..10 kV"),
        ("date:soon", "“soon” is no date such as 2024-01..2024-06"),
        ("date:2024-02-30", "“2024-02-30” is no date"),
        ("element:Xx", "“Xx” is no chemical element such as Ti or Au"),
        ("n*", "“n*” needs 2 letters or digits beside its wildcard"),
        ("*no", "“*no” needs 3 letters or digits"),
        ("colour:red", "There is no field “colour”; “colour:red” was searched as text."),
        ("!!!", "“!!!” has no letters or digits to search for."),
        (" ".join(f"w{number}" for number in range(60)), f"Only the first {MOST_TERMS} words were searched for."),
    ],
)
def test_what_is_not_understood_is_told(text: str, note: str) -> None:
    assert any(told.startswith(note) for told in read_text(text).notes)


@pytest.mark.parametrize(
    "text", ["gold 10:30", "Er:YAG", "https://example.org/a:b", "P3HT:PCBM", "nanowires", "a-b", "", "what is gold?"]
)
def test_colons_and_signs_within_words_are_no_reason_for_notes(text: str) -> None:
    assert read_text(text).notes == ()


def test_what_is_negated_is_not_highlighted() -> None:
    assert read_text('nano* "porous sponge" -gold title:TiO₂').highlights == ("nano*", "porous", "sponge", "tio2")


def test_names_of_fields_are_known_however_they_are_written() -> None:
    assert field_called("Working-Distance") == field_called("working_distance") == "p"
    assert field_called("fileFormat") == "format"
    assert field_called("opens_at") == field_called("document") == field_called("investigation") == ""


def test_what_is_typed_never_reaches_the_fields_of_access() -> None:
    for text in (
        "document:full",
        "opens_at:0..",
        "investigation:1",
        "dataset:1",
        "instrument_key:3 OR document:summary",
    ):
        assert _fields(read_text(text).clause) <= {"title", "abstract", "rest", "identifiers"}


def _fields(clause: Clause | None) -> set[str]:
    if isinstance(clause, All | Either | Best):
        return set().union(*map(_fields, clause.clauses))
    if isinstance(clause, Not | Weighted):
        return _fields(clause.clause)
    return {getattr(clause, "field", "")} - {""}


PIECES = st.sampled_from(
    [
        "(",
        ")",
        '"',
        "-",
        "NOT",
        "OR",
        "AND",
        "*",
        "?",
        ":",
        "..",
        ">",
        "<=",
        "nano",
        "voltage:",
        "5",
        "kV",
        "date:",
        "2024",
    ]
    + [
        "title:",
        "element:",
        "category:a@",
        " ",
        "  ",
        "µ",
        "\x00",
        "\ud800",
        "[",
        "\\",
        "/",
        "a" * 300,
        "has:",
        "9" * 400,
    ]
)


@given(st.text(max_size=LONGEST_TYPED) | st.lists(PIECES, max_size=120).map("".join))
def test_any_text_is_read_soon_and_answered(text: str) -> None:
    started = time.process_time()
    reading = read_text(text, choices)
    assert time.process_time() - started < 1
    assert found(text) <= {1, 2, 3}
    assert len(reading.notes) <= 6


@pytest.mark.parametrize(
    "piece", ["(", "-", '"', "a:", "voltage:", "voltage:5 ", "* ", "NOT ", "OR ", "a(", "-(", "date:1", "aa*"]
)
def test_the_worst_text_is_read_in_a_moment(piece: str) -> None:
    started = time.process_time()
    read_text(piece * LONGEST_TEXT)
    assert time.process_time() - started < 1
