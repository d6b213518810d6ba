"""What a filter of the PaNOSC search API asks, as frozen values. No reading, no database."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

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
    """`among` are the keys of the only things that meet it, where these were looked up (see `narrowing.py`)."""

    relation: str
    filter: "Filter"
    among: frozenset[int] | None = None

    @property
    def is_required(self) -> bool:
        """Whether it is an inner join: things without a related one that fits are left out."""
        return self.filter.where != ANYTHING or any(one.is_required for one in self.filter.includes)

    @property
    def is_narrow(self) -> bool:
        return self.among is not None or any(one.is_narrow for one in self.filter.includes)


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

    @cached_property
    def related(self) -> tuple["Related", ...]:
        """The relations that it includes, each once."""
        scopes: dict[str, tuple[Filter, ...]] = {}
        for include in self.includes:
            scopes[include.relation] = (*scopes.get(include.relation, ()), include.filter)
        return tuple(Related(relation, filters) for relation, filters in scopes.items())

    def shows(self, name: str) -> bool:
        return name not in self.without and (self.fields is None or name in self.fields)


@dataclass(frozen=True)
class Related:
    """A relation with every scope that it was given: what meets one of them is shown, as all of them together say."""

    relation: str
    scopes: tuple[Filter, ...]

    @cached_property
    def shown(self) -> Filter:
        return replace(
            self.scopes[0],
            includes=tuple(one for scope in self.scopes for one in scope.includes),
            units=tuple(unit for scope in self.scopes for unit in scope.units),
        )
