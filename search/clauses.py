"""What an engine is asked, as a tree of a few plain conditions over index fields. Both engines and the tests' reference
translate exactly these, so that equal answers need no more than equal translation.

Values only: no engine, no Django, no user text. A word here is one token of `search.analysis`, a value is compared as it is.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Everything:
    """Every document."""


@dataclass(frozen=True)
class Term:
    """Documents whose `field` has exactly this value: a keyword, a number, or one token of a text."""

    field: str
    value: str | int


@dataclass(frozen=True)
class AnyOf:
    """Documents whose `field` has at least one of `values`; none has where `values` is empty."""

    field: str
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Prefix:
    """Documents with a token or keyword of `field` that begins with `text`. Scores as a constant."""

    field: str
    text: str


@dataclass(frozen=True)
class Glob:
    """Documents with a token of `field` that matches `pattern` as a whole: * is any text, ? one character."""

    field: str
    pattern: str


@dataclass(frozen=True)
class Phrase:
    """Documents in whose text `field` these tokens stand one after the other."""

    field: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Between:
    """Documents with a number in `field` from `low` to `high`, both included; None is no bound. No number, no match."""

    field: str
    low: int | float | None = None
    high: int | float | None = None


@dataclass(frozen=True)
class ParameterBetween:
    """Documents whose parameter `key` (see `search.fields.parameter_key`) is from `low` to `high` in SI, both included."""

    key: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class All:
    """Documents that meet every clause; every document does where there is none. Scores add up."""

    clauses: tuple["Clause", ...]


@dataclass(frozen=True)
class Either:
    """Documents that meet at least one clause; none does where there is none. Scores add up."""

    clauses: tuple["Clause", ...]


@dataclass(frozen=True)
class Best:
    """As `Either`, but the best score counts alone: one word looked for in several fields."""

    clauses: tuple["Clause", ...]


@dataclass(frozen=True)
class Not:
    """Documents that do not meet `clause`. Scores nothing."""

    clause: "Clause"


@dataclass(frozen=True)
class Weighted:
    """As `clause`, its score multiplied by `weight`."""

    clause: "Clause"
    weight: float


Clause = (
    Everything
    | Term
    | AnyOf
    | Prefix
    | Glob
    | Phrase
    | Between
    | ParameterBetween
    | All
    | Either
    | Best
    | Not
    | Weighted
)
