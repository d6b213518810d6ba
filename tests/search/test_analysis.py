"""Text becomes the same tokens however people write it, and formulae, ids and acronyms stay what they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis import (
    LONGEST_IDENTIFIER,
    LONGEST_TOKEN,
    MOST_IDENTIFIER_TOKENS,
    elements,
    folded_word,
    highlight,
    identifier,
    identifier_tokens,
    indexed,
    words,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TiO₂", "TiO2"),
        ("tio2", "TIO2"),
        ("α-Fe₂O₃", "alpha-Fe2O3"),
        ("αFe2O3", "Alpha Fe2O3"),
        ("β-Ga2O3", "beta Ga2O3"),
        ("nanowires", "Nanowire"),
        ("nano-wires", "nanowire"),
        ("batteries", "battery"),
        ("boxes", "box"),
        ("patches", "patch"),
        ("caches", "cache"),
        ("classes", "class"),
        ("spectra", "spectrum"),
        ("lenses", "lens"),
        ("analyses", "analysis"),
        ("X-rays", "xray"),
        ("5 µm", "5 \u03bcm"),
        ("5µm", "5 um"),
        ("10kV", "10 kV"),
        ("0.5 Å", "0.5 \u212b"),
        ("0.5 Å", "0.5 A\u030a"),
        ("0.5 Å", "0.5 Ångström"),
        ("µCT", "micro-CT"),
        ("\u03bc-XRF", "microXRF"),
        ("2θ", "2-theta"),
        ("Müller", "Mu\u0308ller"),
        ("Müller", "muller"),
        ("Łódź", "lodz"),
        ("ﬁne\u00adgrained", "finegrained"),
        ("sample_03/overview", "sample 03 overview"),
        ("cm²", "cm2"),
    ],
)
def test_two_spellings_of_one_thing_are_the_same_tokens(one: str, other: str) -> None:
    assert words(one)
    assert words(one) == words(other)


@pytest.mark.parametrize(
    "word",
    [
        "gaas",
        "inas",
        "algaas",
        "cuins",
        "eels",
        "saxs",
        "waxs",
        "exafs",
        "xanes",
        "gas",
        "lens",
        "bias",
        "glass",
        "virus",
    ]
    + ["analysis", "series", "species", "mos2", "zns", "fe2o3s", "canvas"],
)
def test_formulae_acronyms_and_singulars_that_end_in_s_keep_it(word: str) -> None:
    assert words(word) == words(word.upper()) == [word]


def test_words_that_differ_stay_different() -> None:
    assert words("organ") != words("organic")
    assert words("Co") == ["co"] != words("C o")
    assert words("Ελλάδα") == ["ελλαδα"]


@pytest.mark.parametrize("text", ["", " ", "--", "…", "\u0301", "\x00"])
def test_what_holds_no_letter_or_digit_has_no_tokens(text: str) -> None:
    assert indexed(text) == ""
    assert words(text) == []


@given(st.text(max_size=300))
def test_any_text_becomes_tokens_that_engines_split_at_spaces_as_they_are(text: str) -> None:
    tokens = words(text)
    assert indexed(text) == " ".join(tokens)
    assert indexed(text).split(" ") == tokens or not tokens
    assert all(len(token) <= LONGEST_TOKEN and token == token.lower() for token in tokens)


@given(st.text(max_size=60), st.text(max_size=60))
def test_tokens_of_two_texts_with_a_space_between_are_those_of_each(one: str, other: str) -> None:
    assert words(f"{one} {other}") == words(one) + words(other)


def test_a_word_without_end_is_cut_in_documents_and_questions_alike() -> None:
    assert words("a" * 1000) == ["a" * LONGEST_TOKEN] == words("A" * 900)


@pytest.mark.parametrize(
    ("typed", "id_"),
    [
        ("2021090", "20210906-46"),
        ("20210906", "20210906-46"),
        ("20210906-46", "20210906-46"),
        ("20210906_46", "20210906-46"),
        ("0906-46", "20210906-46"),
        ("46", "20210906-46"),
        ("mx2345", "MX-2345"),
        ("MX-23", "mx2345"),
        ("2345", "mx2345"),
        ("img_00", "scans/2021/IMG_0001.tif"),
        ("IMG_0001.tif", "scans/2021/IMG_0001.tif"),
        ("0001.tif", "scans/2021/IMG_0001.tif"),
        ("2021/img", "scans/2021/IMG_0001.tif"),
        ("10.5072", "10.5072/abcd-12"),
        ("abcd-12", "10.5072/abcd-12"),
        ("sud 1", "SÜD 1"),
    ],
)
def test_an_id_is_found_by_what_begins_at_one_of_its_parts(typed: str, id_: str) -> None:
    assert any(token.startswith(identifier(typed)) for token in identifier_tokens(id_))


def test_the_middle_of_a_part_does_not_find_an_id() -> None:
    assert not any(token.startswith(identifier("1090")) for token in identifier_tokens("20210906-46"))


@given(st.text(max_size=700))
def test_any_identifier_has_bounded_tokens_without_spaces_and_the_whole_comes_first(text: str) -> None:
    tokens = identifier_tokens(text)
    assert len(tokens) <= MOST_IDENTIFIER_TOKENS
    assert tokens[:1] == ([identifier(text)] if identifier(text) else [])
    assert all(token and " " not in token and len(token) <= 4 * LONGEST_IDENTIFIER for token in tokens)


@pytest.mark.parametrize(
    ("formula", "symbols"),
    [
        ("TiO2", "Ti O"),
        ("TiO₂", "Ti O"),
        ("CuSO4·5H2O", "Cu S O H"),
        ("[Fe(CN)6]4−", "Fe C N"),
        ("SO₄²⁻", "S O"),
        ("Fe3+", "Fe"),
        ("YBa2Cu3O7-δ", "Y Ba Cu O"),
        ("LaxSr1-xMnO3", "La Sr Mn O"),
        ("D2O", "H O"),
        ("Au@SiO2 on Si", "Au Si O"),
        ("GaAs/AlGaAs", "Ga As Al"),
        ("CO", "C O"),
        ("Co", "Co"),
        ("", ""),
        ("nanowires", ""),
        ("TiO2 nanowires", ""),
        ("Xx2", ""),
        ("tio2", ""),
        ("Sn" * 90 + "?", ""),
        ("?", ""),
        ("12", ""),
    ],
)
def test_the_elements_of_a_formula_are_read_and_nonsense_has_none(formula: str, symbols: str) -> None:
    assert elements(formula) == symbols.split()


@given(st.text(max_size=250))
def test_any_text_has_elements_or_none(text: str) -> None:
    found = elements(text)
    assert len(found) == len(set(found))


def test_matches_are_highlighted_in_the_text_as_it_was_written() -> None:
    text = "TiO₂ Nanowires, nano-wires and α-Fe2O3 in a café; Müller-Lüdenscheidt"
    spans = highlight(text, ["tio2", "nanowire", "caf*", "alpha", "mull?r"])
    assert [text[start:end] for start, end in spans] == ["TiO₂", "Nanowires", "nano-wires", "α", "café", "Müller"]


@given(st.text(max_size=100), st.lists(st.text(max_size=8), max_size=3))
def test_highlights_lie_in_the_text_one_after_the_other(text: str, tokens: list[str]) -> None:
    spans = highlight(text, tokens)
    ends = [0, *(bound for span in spans for bound in span), len(text)]
    assert ends == sorted(ends)


def test_the_beginning_of_a_word_is_folded_but_not_made_singular() -> None:
    assert folded_word("Nanowires") == "nanowires"
    assert folded_word("two words") == ""
