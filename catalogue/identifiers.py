"""Identifiers of records, people and organisations: made, checked and brought into one form.

Pure functions without Django. DOIs have an application of their own and do not belong here.
"""

import re
import uuid

from uuid_utils import compat

_ORCID_PATTERN = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dX])", re.ASCII)
_ORCID_PREFIX = re.compile(r"^(?:https?://)?(?:(?:www|sandbox)\.)?orcid\.org/|^orcid:\s*", re.IGNORECASE)
_ROR_PATTERN = re.compile(r"0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}", re.ASCII)
_ROR_PREFIX = re.compile(r"^(?:https?://)?(?:www\.)?ror\.org/|^ror:\s*", re.IGNORECASE)
_CROCKFORD_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LONGEST_INPUT = 200


def new_uid() -> uuid.UUID:
    """A new public id of a record: UUID version 7, ordered by time of creation and not guessable."""
    return compat.uuid7()


def orcid_check_digit(base: str) -> str:
    """The check digit, 0-9 or X, of the first 15 digits of an ORCID iD (ISO 7064 MOD 11-2)."""
    total = 0
    for digit in base:
        total = (total + int(digit)) * 2
    remainder = (12 - total % 11) % 11
    return "X" if remainder == 10 else str(remainder)


def normalise_orcid(text: str) -> str:
    """Return an ORCID iD as `0000-0002-1825-0097`, from that form, a link or bare digits.

    Raises ValueError with a message for people when the form or the check digit is wrong.
    """
    bare = _without_prefix(text, _ORCID_PREFIX).upper()
    match = _ORCID_PATTERN.fullmatch(bare)
    if match is None:
        raise ValueError("An ORCID iD has 16 digits, such as 0000-0002-1825-0097 (the last may be X).")
    digits = "".join(match.groups())
    if orcid_check_digit(digits[:15]) != digits[15]:
        raise ValueError(
            "The last character of this ORCID iD does not fit the others: please check for a typing error."
        )
    return "-".join(match.groups())


def is_valid_orcid(text: str) -> bool:
    """Whether the text is an ORCID iD in any accepted form, with a right check digit."""
    try:
        normalise_orcid(text)
    except ValueError:
        return False
    return True


def orcid_url(orcid: str) -> str:
    """The address of an ORCID iD, as DataCite and schema.org want it."""
    return f"https://orcid.org/{normalise_orcid(orcid)}"


def ror_check_digits(base: str) -> str:
    """The two check digits of the first seven characters of a ROR id.

    The characters are a number in Crockford's base 32; the digits are 98 minus a hundred times that
    number modulo 97 (ISO 7064 MOD 97-10).
    """
    number = 0
    for character in base:
        number = number * 32 + _CROCKFORD_ALPHABET.index(character)
    return f"{98 - number * 100 % 97:02d}"


def normalise_ror(text: str) -> str:
    """Return a ROR id as `https://ror.org/02feahw73`, the form that ROR itself asks for.

    Takes the link, with or without scheme, or the nine characters alone. Raises ValueError with a message for
    people when the form or the check digits are wrong.
    """
    bare = _without_prefix(text, _ROR_PREFIX).lower()
    if _ROR_PATTERN.fullmatch(bare) is None:
        raise ValueError("A ROR id has nine characters and starts with 0, such as https://ror.org/02feahw73.")
    if ror_check_digits(bare[:7]) != bare[7:]:
        raise ValueError("The last two digits of this ROR id do not fit the others: please check for a typing error.")
    return f"https://ror.org/{bare}"


def _without_prefix(text: str, prefix: re.Pattern[str]) -> str:
    if not isinstance(text, str) or len(text) > _LONGEST_INPUT:
        return ""
    return prefix.sub("", text.strip()).strip().rstrip("/")
