"""The names of DOIs, which derive from uids: the same record has the same name however often it is sent."""

import hashlib
import re
from uuid import UUID

# Crockford's base 32 has no i, l, o and u, which are misread: https://www.crockford.com/base32.html
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP_LENGTH, _BITS_OF_A_DIGIT = 3, 4, 5


def doi_name(prefix: str, uid: UUID) -> str:
    """`prefix`/xxxx-xxxx-xxxx in lower case: 60 bits of the SHA-256 of `uid`, so that nobody guesses the neighbours."""
    bits = _GROUPS * _GROUP_LENGTH * _BITS_OF_A_DIGIT
    number = int.from_bytes(hashlib.sha256(uid.bytes).digest(), "big") >> (256 - bits)
    digits = [_DIGITS[number >> shift & 31] for shift in range(bits - _BITS_OF_A_DIGIT, -1, -_BITS_OF_A_DIGIT)]
    groups = ("".join(digits[start : start + _GROUP_LENGTH]) for start in range(0, len(digits), _GROUP_LENGTH))
    return f"{prefix.lower()}/{'-'.join(groups)}"


def form_of_names(prefix: str) -> str:
    """A regular expression that every `doi_name` with this prefix fits, for databases."""
    group = f"[{_DIGITS}]{{{_GROUP_LENGTH}}}"
    return f"^{re.escape(prefix.lower())}/{'-'.join([group] * _GROUPS)}$"
