"""What the PaNOSC search API is to answer, by brute force over what it shows: plain loops over plain dictionaries.

It follows the specification (sections 1.3 and 1.7) and knows nothing of databases, and nothing of the code that it judges
but the units.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from catalogue.units import to_si

Item = dict[str, Any]
DATES = {"creationDate", "startDate", "endDate", "releaseDate"}
TEXTS = {
    "Dataset": ("title",),
    "Document": ("title", "summary"),
    "Instrument": ("name", "facility"),
    "File": ("name",),
    "Sample": ("name", "description"),
    "Technique": ("name",),
    "Person": ("firstName", "lastName", "fullName"),
    "Affiliation": ("name", "address", "city", "country"),
}
MODEL_OF = {
    "datasets": "Dataset", "documents": "Document", "instrument": "Instrument", "files": "File", "samples": "Sample",
    "techniques": "Technique", "parameters": "Parameter", "members": "Member", "person": "Person",
    "affiliation": "Affiliation",
}  # fmt: skip
DENIED = {"neq": "eq", "nin": "inq", "nlike": "like", "nilike": "ilike"}


def found(items: Iterable[Item], model: str, filter: dict[str, Any], narrower: dict[str, set[str]]) -> list[Item]:
    """The items that fit, in their order. `narrower` are the names of each technique and of those below it."""
    return [item for item in items if fits(item, model, filter, narrower)]


def fits(item: Item, model: str, filter: dict[str, Any], narrower: dict[str, set[str]]) -> bool:
    if not holds(filter.get("where", {}), item, model):
        return False
    return all(_is_met(item, include, narrower) for include in filter.get("include", []) if is_required(include))


def is_required(include: dict[str, Any]) -> bool:
    scope = include.get("scope", {})
    return bool(scope.get("where")) or any(is_required(one) for one in scope.get("include", []))


def _is_met(item: Item, include: dict[str, Any], narrower: dict[str, set[str]]) -> bool:
    relation, scope = include["relation"], include.get("scope", {})
    related = item.get(relation, [])
    related = related if isinstance(related, list) else [related]
    if relation == "techniques":
        return bool(related) and _techniques_hold(scope.get("where", {}), related, narrower)
    return any(fits(one, MODEL_OF[relation], scope, narrower) for one in related)


def _techniques_hold(where: dict[str, Any], tags: list[Item], narrower: dict[str, set[str]]) -> bool:
    def leaf(name: str, op: str, value: Any) -> bool:
        if op in DENIED:
            return not leaf(name, DENIED[op], value)
        if op in ("eq", "inq"):
            wanted = set().union(*(narrower.get(one, set()) for one in (value if op == "inq" else [value])))
            return any(tag["name"] in wanted for tag in tags)
        return any(compare(op, tag.get(name), value, name) for tag in tags)

    def tree(where: dict[str, Any]) -> bool:
        parts = []
        for key, value in where.items():
            if key in ("and", "or"):
                parts.append((all if key == "and" else any)(tree(one) for one in value))
            elif isinstance(value, dict):
                parts += [leaf(key, op, operand) for op, operand in value.items()]
            else:
                parts.append(leaf(key, "eq", value))
        return all(parts)

    return tree(where)


def holds(where: dict[str, Any], item: Item, model: str, unit: str | None = None) -> bool:
    unit = _unit_in(where) or unit if model == "Parameter" else None
    parts = []
    for key, value in where.items():
        if key in ("and", "or"):
            parts.append((all if key == "and" else any)(holds(one, item, model, unit) for one in value))
        elif key == "text":
            parts.append(any(value.lower() in item.get(name, "").lower() for name in TEXTS[model]))
        elif model == "Parameter" and key in ("value", "unit"):
            tests = value if isinstance(value, dict) else {"eq": value}
            parts += [_quantity_holds(item, key, op, operand, unit) for op, operand in tests.items()]
        else:
            tests = value if isinstance(value, dict) else {"eq": value}
            parts += [compare(op, item.get(key), operand, key) for op, operand in tests.items()]
    return all(parts)


def _unit_in(where: dict[str, Any]) -> str | None:
    """The unit of a conjunction, however its parts are nested."""
    if "unit" in where:
        return where["unit"] if isinstance(where["unit"], str) else where["unit"].get("eq")
    return next((unit for one in where.get("and", []) if (unit := _unit_in(one))), None)


def _quantity_holds(item: Item, key: str, op: str, operand: Any, unit: str | None) -> bool:
    if op in DENIED:
        return not _quantity_holds(item, key, DENIED[op], operand, unit)
    own = to_si(item["value"], item["unit"]) if isinstance(item["value"], float | int) else None
    known = to_si(1.0, unit) if unit is not None else None
    if key == "unit":
        if op == "eq" and (asked := to_si(1.0, operand)):
            return (own is not None and own.unit == asked.unit) or (asked.unit == "" and item["unit"] == operand)
        return compare(op, item["unit"], operand, key)
    numbers = operand if isinstance(operand, list) else [operand]
    if known is None or any(isinstance(one, str) for one in numbers):
        return compare(op, item["value"], operand, key)
    in_si = [to_si(one, unit).value for one in numbers]
    return (
        own is not None
        and own.unit == known.unit
        and compare(op, own.value, in_si if isinstance(operand, list) else in_si[0], key)
    )


def compare(op: str, value: Any, operand: Any, name: str) -> bool:
    if op in DENIED:
        return not compare(DENIED[op], value, operand, name)
    if op == "eq" and operand is None:
        return value is None
    if value is None:
        return False
    if op == "inq":
        return any(compare("eq", value, one, name) for one in operand)
    if name in DATES:
        value, operand = _moment(value), [_moment(one) for one in operand] if op == "between" else _moment(operand)
    if op in ("like", "ilike"):
        return isinstance(value, str) and bool(
            re.search(_like(operand), value, re.DOTALL | (re.I if op == "ilike" else 0))
        )
    if op == "regexp":
        inner, flags = (operand[1:-2], re.I) if operand.startswith("/") else (operand, 0)
        return isinstance(value, str) and bool(re.search(inner, value, re.DOTALL | flags))
    return _ordered(op, value, operand)


def _ordered(op: str, value: Any, operand: Any) -> bool:
    if op == "between":
        return _ordered("gte", value, operand[0]) and _ordered("lte", value, operand[1])
    if isinstance(value, str) != isinstance(operand, str):
        return False
    return {
        "eq": value == operand,
        **(
            {}
            if isinstance(value, bool)
            else {"gt": value > operand, "gte": value >= operand, "lt": value < operand, "lte": value <= operand}
        ),
    }[op]


def _like(pattern: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in pattern)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment - timedelta(microseconds=moment.microsecond % 1000)
