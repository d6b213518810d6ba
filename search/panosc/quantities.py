"""Values of parameters with units: conditions with a unit are put into SI, answers into the unit that was asked for. Pure.

A unit holds for the values it stands beside: `{"name": …, "value": …, "unit": "keV"}`, the same parts in an `and`, and
whatever is nested in these. It then means any unit of the same dimension. A unit that nobody knows is compared as a text, and
values beside it as they were given.
"""

from collections.abc import Iterable
from dataclasses import replace

from catalogue.units import convert, to_si
from search.panosc.conditions import All, Condition, Either, Scalar, Test


def in_si(condition: Condition, unit: str | None = None) -> Condition:
    """The condition with every value that has a unit in SI, and units compared by their dimension."""
    if isinstance(condition, All):
        own = next((one.value for one in _conjunction(condition) if _is_unit(one)), None)
        within = own if isinstance(own, str) else unit
        return All(tuple(in_si(part, within) for part in condition.parts))
    if isinstance(condition, Either):
        return Either(tuple(in_si(part, unit) for part in condition.parts))
    if _is_unit(condition):
        return _same_dimension(condition)
    return _value_in_si(condition, unit) if condition.name == "value" and unit is not None else condition


def units_asked(condition: Condition) -> tuple[str, ...]:
    """Every known unit that the condition asks for, in its order: what answers are to be in."""
    if isinstance(condition, Test):
        is_known = _is_unit(condition) and to_si(1.0, str(condition.value)) is not None
        return (str(condition.value),) if is_known else ()
    return tuple(unit for part in condition.parts for unit in units_asked(part))


def as_asked(value: float, unit: str, asked: Iterable[str]) -> tuple[float, str]:
    """A stored quantity in the first of the `asked` units that fits, else as it is."""
    for other in asked:
        converted = convert(value, unit, other)
        if converted is not None:
            return converted, other
    return value, unit


def _conjunction(condition: Condition) -> Iterable[Test]:
    """The tests that all hold together, however their `and`s are nested."""
    if isinstance(condition, Test):
        yield condition
    elif isinstance(condition, All):
        for part in condition.parts:
            yield from _conjunction(part)


def _is_unit(condition: Condition) -> bool:
    return isinstance(condition, Test) and (condition.name, condition.op) == ("unit", "eq")


def _same_dimension(condition: Test) -> Condition:
    in_si = to_si(1.0, str(condition.value)) if isinstance(condition.value, str) else None
    return condition if in_si is None else replace(condition, unit_si=in_si.unit)


def _value_in_si(condition: Test, unit: str) -> Test:
    """Unchanged where the value is a text, or the unit unknown."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    converted = [_number_in_si(value, unit) for value in values]
    if not converted or any(one is None for one in converted):
        return condition
    numbers: list[Scalar] = [one[0] for one in converted if one is not None]
    value = tuple(numbers) if isinstance(condition.value, tuple) else numbers[0]
    return replace(condition, value=value, unit_si=converted[0][1] if converted[0] else None)


def _number_in_si(value: Scalar, unit: str) -> tuple[float, str] | None:
    found = to_si(value, unit) if isinstance(value, float) else None
    return None if found is None else (found.value, found.unit)
