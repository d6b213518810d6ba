"""The filters' form as a browser sends it, put into the parameters of an address: pure functions over lists of values.

A form sends empty fields, two numbers and a unit for each numeric parameter, and looks for values by `find.FACET`. An
address has none of the first, one parameter for a range, and no cursor of another question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogue import units
from search.question.parameters import number_text, parse_interval
from search.question.query import PARAMETER_PREFIX

FIND_PREFIX = "find."
LONGEST_FIND = 60
_PARTS = (".from", ".to", ".unit", ".was")
Lists = Mapping[str, list[str]]


@dataclass(frozen=True)
class Sent:
    """What was sent: `values` for `parse_query`, `finds` by facet, `is_form` where an address would look different."""

    values: dict[str, list[str]] = field(default_factory=dict)
    finds: dict[str, str] = field(default_factory=dict)
    is_form: bool = False


def read_form(lists: Lists) -> Sent:
    finds = {
        name.removeprefix(FIND_PREFIX): text.replace("\x00", "").strip()[:LONGEST_FIND]
        for name, texts in lists.items()
        if name.startswith(FIND_PREFIX) and (text := next((one for one in texts if one.strip()), ""))
    }
    is_form = any(value == "" for texts in lists.values() for value in texts) or any(_stem(name) for name in lists)
    values = {
        name: kept
        for name, texts in lists.items()
        if not name.startswith(FIND_PREFIX) and not _stem(name) and (kept := [text for text in texts if text != ""])
    }
    for stem in dict.fromkeys(stem for name in lists if (stem := _stem(name))):
        _add_range(values, stem, lists)
    return Sent(values, finds, is_form)


def _stem(name: str) -> str:
    """`p.NAME` of the part of a range that `name` is, "" for all other names."""
    if not name.startswith(PARAMETER_PREFIX):
        return ""
    return next((name.removesuffix(part) for part in _PARTS if name.endswith(part) and len(name) > len(part) + 2), "")


def _add_range(values: dict[str, list[str]], stem: str, lists: Lists) -> None:
    """One range of two numbers and a unit. Another unit with the same numbers keeps their meaning, not the numbers."""
    low, high, unit, was = (_first(lists, stem + part) for part in _PARTS)
    if (low or high) and stem not in values:
        old = parse_interval(was) if was else None
        is_same = old is not None and (low, high) == (number_text(old.low), number_text(old.high))
        if old is not None and is_same and old.unit != unit:
            low, high = (_converted(bound, old.unit, unit) for bound in (old.low, old.high))
        values[stem] = [f"{low}..{high} {unit}".rstrip()]
    if unit:
        _set_histogram_unit(values, stem.removeprefix(PARAMETER_PREFIX), unit)


def _set_histogram_unit(values: dict[str, list[str]], name: str, unit: str) -> None:
    """A unit without numbers is that of the histogram, where one is drawn."""
    drawn = values.get("histogram", [])
    if any(one.partition("|")[0] == name for one in drawn):
        values["histogram"] = [f"{name}|{unit}" if one.partition("|")[0] == name else one for one in drawn]


def _converted(number: float | None, from_unit: str, to_unit: str) -> str:
    return "" if number is None else number_text(units.convert(number, from_unit, to_unit))


def _first(lists: Lists, name: str) -> str:
    return next(iter(lists.get(name) or [""])).strip()
