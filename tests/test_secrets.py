"""Secrets are unreadable at rest, survive a change of keys, and never print."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.secrets import Secret, SecretUnreadable, decrypt, encrypt

TEXT = "app-password with ümläuts"


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(text: str) -> None:
    assert decrypt(encrypt(text)) == text


def test_a_token_shows_nothing_and_differs_each_time(settings) -> None:
    settings.FAIRCAT_SECRET_KEYS = ["first"]

    tokens = {encrypt(TEXT), encrypt(TEXT)}

    assert len(tokens) == 2
    assert not any("password" in token for token in tokens)


def test_old_tokens_stay_readable_when_a_key_is_put_in_front(settings) -> None:
    settings.FAIRCAT_SECRET_KEYS = ["old"]
    token = encrypt(TEXT)

    settings.FAIRCAT_SECRET_KEYS = ["new", "old"]

    assert decrypt(token) == TEXT
    fresh = encrypt(TEXT)
    settings.FAIRCAT_SECRET_KEYS = ["new"]
    assert decrypt(fresh) == TEXT
    with pytest.raises(SecretUnreadable, match="FAIRCAT_SECRET_KEYS"):
        decrypt(token)


@pytest.mark.parametrize("token", ["", "nonsense", "gAAAAA" + "A" * 100])
def test_an_altered_token_is_refused(settings, token: str) -> None:
    settings.FAIRCAT_SECRET_KEYS = ["first"]

    with pytest.raises(SecretUnreadable):
        decrypt(token)


def test_a_site_without_keys_encrypts_nothing(settings) -> None:
    settings.FAIRCAT_SECRET_KEYS = []

    with pytest.raises(SecretUnreadable, match="empty"):
        encrypt(TEXT)


def test_a_secret_never_prints_and_is_not_serialised() -> None:
    secret = Secret(TEXT)

    assert {str(secret), repr(secret), f"{secret}", "%s" % secret, repr([secret])[1:-1]} == {"***"}  # noqa: UP031
    assert secret.reveal() == TEXT
    assert secret == Secret(TEXT) and secret != Secret("other") and secret != TEXT
    with pytest.raises(TypeError):
        pickle.dumps(secret)
