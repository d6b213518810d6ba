"""Checks of identifiers and names that the forms of administrators apply; services check the same by `identifiers.py`."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError

from catalogue.identifiers import normalise_orcid, normalise_ror


def validate_orcid(text: str) -> None:
    """An ORCID iD in the form 0000-0002-1825-0097, check digit included."""
    _must_be_normal(text, normalise_orcid)


def validate_ror(text: str) -> None:
    """A ROR id in the form https://ror.org/05dxps055, check digits included."""
    _must_be_normal(text, normalise_ror)


def _must_be_normal(text: str, normalise: Callable[[str], str]) -> None:
    try:
        normal = normalise(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    if normal != text:
        raise ValidationError(f"Write it as {normal}.")


def validate_time_zone(name: str) -> None:
    """A name of the IANA time zone database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(f"{name[:60]!r} is no IANA time zone such as Europe/Rome.") from error
