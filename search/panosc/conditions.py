"""What a filter of the PaNOSC search API asks, as frozen values. No reading, no database."""

from dataclasses import dataclass
from datetime import datetime

Scalar = str | float | bool | datetime | None
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Test:
    """`op` is an operator of the specification (section 1.3). A list comes with inq and nin, a pair with between.

    Dates are of whole milliseconds, in UTC. `unit_si` is for numbers of a parameter that were asked for with a unit:
    `value` is then in SI, to be compared in SI.
    """

    name: str
    op: str
    value: Value
    unit_si: str | None = None


@dataclass(frozen=True)
class All:
    """Every part holds; so it does where there is none."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True)
class Either:
    """At least one part holds; none does where there is none."""

    parts: tuple["Condition", ...] = ()


Condition = Test | All | Either
ANYTHING = All()


@dataclass(frozen=True)
class Order:
    name: str
    is_descending: bool = False


@dataclass(frozen=True)
class Include:
    relation: str
    filter: "Filter"

    @property
    def is_required(self) -> bool:
        """Whether it is an inner join: things without a related one that fits are left out."""
        return self.filter.where != ANYTHING or any(one.is_required for one in self.filter.includes)


@dataclass(frozen=True)
class Filter:
    """`limit` None is the usual one, 0 as many as there may be. `fields` empty are all. `units` are those asked for."""

    where: Condition = ANYTHING
    includes: tuple[Include, ...] = ()
    fields: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    skip: int = 0
    query: str = ""
    units: tuple[str, ...] = ()
