"""Resumption tokens: where a list was left, signed and valid for days, so that nothing is kept on the server.

A token holds its whole question and the place of the last row that was sent. What may be seen is decided anew on each page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing

from catalogue.oaipmh.protocol import ProtocolError, Question

_SALT = "catalogue.oaipmh.tokens"


@dataclass(frozen=True)
class Token:
    """`question` without a token; `place` of the last row that was sent, a list of plain values.

    `cursor` rows were sent before, of `size` in all, counted when the list began.
    """

    question: Question
    place: tuple[Any, ...]
    cursor: int
    size: int


def write_token(token: Token) -> str:
    question = token.question
    content = [question.verb, dict(question.arguments), token.place, token.cursor, token.size]
    return signing.dumps(content, salt=_SALT)


def read_token(text: str, verb: str) -> Token:
    """Raises ProtocolError for a token that is not ours, has expired, or belongs to another verb."""
    try:
        content = signing.loads(text, salt=_SALT, max_age=lifetime())
    except signing.SignatureExpired:
        raise _refused("This resumptionToken has expired.") from None
    except signing.BadSignature:
        raise _refused("This resumptionToken is none of ours.") from None
    asked, arguments, place, cursor, size = content
    if asked != verb:
        raise _refused(f"This resumptionToken continues {asked}, not {verb}.")
    return Token(Question(asked, arguments), tuple(place), cursor, size)


def _refused(message: str) -> ProtocolError:
    return ProtocolError("badResumptionToken", f"{message} Begin the list again.")


def lifetime() -> timedelta:
    return timedelta(days=settings.OAI_TOKEN_DAYS)


def expiry(now: datetime) -> datetime:
    """When a token that is given now ceases to be valid."""
    return now + lifetime()
