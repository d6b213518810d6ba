"""Identifiers are accepted in the forms that people paste, and refused when a digit is wrong."""

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.identifiers import (
    is_valid_orcid,
    new_uid,
    normalise_orcid,
    normalise_ror,
    orcid_check_digit,
    orcid_url,
    ror_check_digits,
)

REAL_ORCIDS = ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"]
REAL_RORS = [
    "02feahw73",
    "05gzmn429",
    "01y2jtd41",
    "03yrm5c26",
    "00cvxb145",
    "0316ej306",
    "02550n020",
    "01js2sh04",
]
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def test_new_ids_are_version_7_of_the_standard_library_and_ascend():
    uids = [new_uid() for _ in range(1000)]
    assert all(type(uid) is uuid.UUID and uid.version == 7 for uid in uids)
    assert len(set(uids)) == 1000
    assert uids == sorted(uids)


@pytest.mark.parametrize("orcid", REAL_ORCIDS)
def test_known_orcids_are_valid(orcid):
    assert normalise_orcid(orcid) == orcid


@pytest.mark.parametrize(
    "text",
    [
        "0000-0002-1694-233x",
        "000000021694233X",
        "https://orcid.org/0000-0002-1694-233X",
        "http://orcid.org/0000-0002-1694-233X/",
        "orcid.org/0000-0002-1694-233X",
        "https://sandbox.orcid.org/0000-0002-1694-233X",
        "ORCID: 0000-0002-1694-233X",
        "  0000-0002-1694-233X\n",
    ],
)
def test_an_orcid_is_understood_in_every_form_that_people_paste(text):
    assert normalise_orcid(text) == "0000-0002-1694-233X"
    assert orcid_url(text) == "https://orcid.org/0000-0002-1694-233X"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000-0002-1694-233",
        "0000-0002-1694-233XX",
        "abcd-0002-1694-233X",
        "０000-0002-1694-233X",
        "1" * 10_000,
    ],
)
def test_text_that_is_no_orcid_is_refused_with_the_right_form(text):
    with pytest.raises(ValueError, match="16 digits, such as"):
        normalise_orcid(text)
    assert not is_valid_orcid(text)


def test_a_wrong_check_digit_of_an_orcid_is_told_apart_from_a_wrong_form():
    with pytest.raises(ValueError, match="typing error"):
        normalise_orcid("0000-0002-1825-0098")


@given(
    base=st.text(string.digits, min_size=15, max_size=15),
    position=st.integers(0, 14),
    shift=st.integers(1, 9),
)
def test_any_single_wrong_digit_of_an_orcid_is_noticed(base, position, shift):
    check = orcid_check_digit(base)
    assert is_valid_orcid(base + check)
    wrong_digit = str((int(base[position]) + shift) % 10)
    assert not is_valid_orcid(base[:position] + wrong_digit + base[position + 1 :] + check)


@pytest.mark.parametrize("ror", REAL_RORS)
def test_known_rors_are_valid(ror):
    assert normalise_ror(ror) == f"https://ror.org/{ror}"


@pytest.mark.parametrize(
    "text",
    [
        "02FEAHW73",
        "ror.org/02feahw73",
        "http://ror.org/02feahw73",
        "https://ror.org/02feahw73/",
        " ror:02feahw73",
    ],
)
def test_a_ror_is_understood_in_every_form_that_people_paste(text):
    assert normalise_ror(text) == "https://ror.org/02feahw73"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "02feahw7",
        "12feahw73",
        "02feahwu3",
        "02feahl73",
        "https://example.org/02feahw73",
    ],
)
def test_text_that_is_no_ror_is_refused_with_the_right_form(text):
    with pytest.raises(ValueError, match="nine characters"):
        normalise_ror(text)


def test_wrong_check_digits_of_a_ror_are_told_apart_from_a_wrong_form():
    with pytest.raises(ValueError, match="typing error"):
        normalise_ror("02feahw74")


@given(
    tail=st.text(CROCKFORD, min_size=6, max_size=6),
    position=st.integers(1, 6),
    shift=st.integers(1, 31),
)
def test_any_single_wrong_character_of_a_ror_is_noticed(tail, position, shift):
    base = "0" + tail
    check = ror_check_digits(base)
    assert normalise_ror(base + check).endswith(base + check)
    wrong = CROCKFORD[(CROCKFORD.index(base[position]) + shift) % 32]
    with pytest.raises(ValueError, match="typing error"):
        normalise_ror(base[:position] + wrong + base[position + 1 :] + check)
