"""Domain errors: what went wrong, under a stable `code`. HTTP statuses are the portal's business (`portal/errors.py`)."""

from collections.abc import Mapping, Sequence
from typing import Any


class DomainError(Exception):
    """Base of all refusals that a person can act upon. `message` says what happened and what to do next."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, Sequence[str]] | None = None):
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = dict(fields or {})


class InvalidInput(DomainError):
    """Input that cannot be accepted; `fields` maps each field's name to its messages."""

    code = "invalid"


class NotFound(DomainError):
    """No such record, or none that the asker may know of."""

    code = "not-found"


class NotAcceptable(DomainError):
    """There is no form of the record that the asker takes; `fields["accept"]` lists those that there are."""

    code = "not-acceptable"


class NotAllowed(DomainError):
    """The actor is known but lacks the right."""

    code = "not-allowed"


class Conflict(DomainError):
    """The record exists already, or is not in a state that permits this."""

    code = "conflict"


class StaleVersion(DomainError):
    """The record was changed by somebody else since it was read."""

    code = "stale-version"


class PreconditionMissing(DomainError):
    """A change that does not say from which version of the record it was made."""

    code = "precondition-required"


class Gone(DomainError):
    """The record was withdrawn."""

    code = "gone"


class NotIntact(DomainError):
    """Files are not as they were registered; only their owner or facility can put that right."""

    code = "files-not-intact"


class Unavailable(DomainError):
    """A part of the house does not answer at present; trying again later is right, after `wait` seconds where that is known."""

    code = "unavailable"

    def __init__(self, message: str, *, wait: int = 0, **more: Any):
        super().__init__(message, **more)
        self.wait = wait
