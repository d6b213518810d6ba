"""Text encrypted at rest (storage passwords, keys) and a wrapper that keeps a secret out of logs and pages.

Keys are derived from the setting FAIRCAT_SECRET_KEYS: the first one encrypts, all of them decrypt, so that a key is
changed by putting the new one in front. No secret is stored, logged or chosen here.
"""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SecretUnreadable(Exception):
    """None of the site's keys opens this token."""

    code = "secret_unreadable"


class Secret:
    """A secret that prints as ***; only `reveal()` gives its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")


def encrypt(text: str) -> str:
    """A token for the database; the same text gives another token each time."""
    return _ciphers().encrypt(text.encode()).decode("ascii")


def decrypt(token: str) -> str:
    """The text of a token. Raises SecretUnreadable when its key was removed or the token was altered."""
    try:
        return _ciphers().decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "No key in FAIRCAT_SECRET_KEYS opens this secret: put its key back, or enter the secret again."
        ) from None


def _ciphers() -> MultiFernet:
    from django.conf import settings

    keys = settings.FAIRCAT_SECRET_KEYS
    if not keys:
        raise SecretUnreadable("FAIRCAT_SECRET_KEYS is empty: a site needs at least one key.")
    return MultiFernet([Fernet(_derived_key(key)) for key in keys])


def _derived_key(key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"faircat.secrets.v1")
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
