"""The JSON of `filter` and `where` -> checked, frozen conditions. Pure: what does not exist is refused here, by name.

The grammar is that of LoopBack, as far as the specification of the PaNOSC search API has it (section 1.3). Two things are
read as they are meant and not as its reference server does: several operators under one key all hold, and `text` works
anywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from catalogue.errors import InvalidInput
from search.panosc.conditions import ANYTHING, All, Condition, Either, Filter, Include, Order, Scalar, Test, Value
from search.panosc.patterns import check_like, read_expression
from search.panosc.quantities import in_si, units_asked
from search.panosc.schema import MODELS, Holds, Model

MOST_NESTED = 12
MOST_CONDITIONS = 100
MOST_VALUES = 1_000
MOST_INCLUDES = 12
MOST_LEVELS = 2
MOST_SKIPPED = 1_000_000
LONGEST_TEXT = 1_000
LARGEST = 1e300

FILTER_KEYS = ("where", "include", "fields", "order", "limit", "skip", "offset", "query")
EQUALITIES = ("eq", "neq")
LISTS = ("inq", "nin")
COMPARISONS = ("gt", "gte", "lt", "lte", "between")
PATTERNS = ("like", "nlike", "ilike", "nilike", "regexp")
OPERATORS: Mapping[Holds, tuple[str, ...]] = {
    Holds.TEXT: (*EQUALITIES, *LISTS, *COMPARISONS, *PATTERNS),
    Holds.QUANTITY: (*EQUALITIES, *LISTS, *COMPARISONS, *PATTERNS),
    Holds.NUMBER: (*EQUALITIES, *LISTS, *COMPARISONS),
    Holds.DATE: (*EQUALITIES, *LISTS, *COMPARISONS),
    Holds.BOOLEAN: (*EQUALITIES, *LISTS),
}


def read_filter(data: Mapping[str, Any], model: str) -> Filter:
    """Raises InvalidInput with a sentence that names what is wrong."""
    return _Reading().filter(data, MODELS[model], level=0)


def read_where(data: Any, model: str) -> Condition:
    """The argument `where` of a count. Raises InvalidInput."""
    return _Reading().where(data, MODELS[model])


def refused(message: str) -> InvalidInput:
    return InvalidInput(message)


@dataclass
class _Reading:
    """Counts what was read of one request, so that no filter grows beyond what can be answered."""

    conditions: int = 0
    includes: int = 0
    values: int = 0

    def filter(self, data: Any, model: Model, *, level: int) -> Filter:
        if not isinstance(data, dict):
            raise refused("A filter (or the scope of an include) is an object.")
        for key in data:
            if key not in FILTER_KEYS:
                raise refused(f"A filter has no “{_cut(key)}”: it has {', '.join(FILTER_KEYS)}.")
        where = self.condition(data["where"], model) if "where" in data else ANYTHING
        is_parameter = model.name == "Parameter"
        shown, hidden = _fields(data.get("fields"), model)
        return Filter(
            where=in_si(where) if is_parameter else where,
            includes=self.include(data["include"], model, level=level) if "include" in data else (),
            fields=shown,
            without=hidden,
            order=_order(data.get("order"), model),
            limit=_count(data.get("limit"), "limit"),
            skip=_count(data.get("skip", data.get("offset")), "skip" if "skip" in data else "offset") or 0,
            query=_text(data.get("query", ""), "query"),
            units=units_asked(where) if is_parameter else (),
        )

    def where(self, data: Any, model: Model) -> Condition:
        condition = self.condition(data, model)
        return in_si(condition) if model.name == "Parameter" else condition

    def condition(self, data: Any, model: Model, *, depth: int = 0) -> Condition:
        if not isinstance(data, dict):
            raise refused('A `where` is an object, such as {"title": {"like": "steel"}}.')
        if depth > MOST_NESTED:
            raise refused(f"This `where` is nested more than {MOST_NESTED} deep.")
        parts = [self._part(key, value, model, depth) for key, value in data.items()]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _part(self, key: str, value: Any, model: Model, depth: int) -> Condition:
        if key in ("and", "or") and key not in model.properties:
            if not isinstance(value, list) or not value:
                raise refused(f"`{key}` takes a list of conditions.")
            parts = tuple(self.condition(one, model, depth=depth + 1) for one in value)
            return All(parts) if key == "and" else Either(parts)
        if key == "text":
            self._count_condition()
            return _anywhere(_text(value, "text"), model)
        if key not in model.properties:
            raise refused(f"A {model.name} has no “{_cut(key)}” to ask for: it has {', '.join(model.properties)}.")
        holds = model.properties[key]
        if not isinstance(value, dict):
            return self._test(key, "eq", value, holds)
        if not value:
            raise refused(f"“{key}” is asked for without an operator.")
        tests = tuple(self._test(key, op, operand, holds) for op, operand in value.items())
        return tests[0] if len(tests) == 1 else All(tests)

    def _count_condition(self) -> None:
        self.conditions += 1
        if self.conditions > MOST_CONDITIONS:
            raise refused(f"This asks for more than {MOST_CONDITIONS} conditions at once.")

    def _test(self, key: str, op: str, operand: Any, holds: Holds) -> Test:
        self._count_condition()
        if op not in OPERATORS[holds]:
            raise refused(f"“{_cut(op)}” cannot be asked of “{key}”: {', '.join(OPERATORS[holds])} can.")
        if op in LISTS:
            return Test(key, op, self._many(operand, holds, key))
        if op == "between":
            return Test(key, op, _pair(operand, holds, key))
        if op in PATTERNS:
            return Test(key, op, _pattern(op, operand))
        read = _compared if op in COMPARISONS else _maybe_nothing
        return Test(key, op, read(operand, holds, key))

    def _many(self, value: Any, holds: Holds, key: str) -> Value:
        values = value if isinstance(value, list) else [value]
        self.values += len(values)
        if self.values > MOST_VALUES:
            raise refused(f"Lists of more than {MOST_VALUES} values are not taken: ask in several requests.")
        return tuple(_compared(one, holds, key) for one in values)

    def include(self, data: Any, model: Model, *, level: int) -> tuple[Include, ...]:
        entries = data if isinstance(data, list) else [data]
        if level >= MOST_LEVELS:
            raise refused(f"Includes are at most {MOST_LEVELS} deep.")
        return tuple(self._one_include(one, model, level) for one in entries)

    def _one_include(self, data: Any, model: Model, level: int) -> Include:
        self.includes += 1
        if self.includes > MOST_INCLUDES:
            raise refused(f"At most {MOST_INCLUDES} includes are taken in one request.")
        entry = {"relation": data} if isinstance(data, str) else data
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("relation"), str)
            or set(entry) - {"relation", "scope"}
        ):
            raise refused('An include is the name of a relation, or {"relation": …, "scope": {…}}.')
        relation = entry["relation"]
        if relation not in model.relations:
            known = ", ".join(model.relations) or "none"
            raise refused(f"A {model.name} has no relation “{_cut(relation)}”: it has {known}.")
        scope = entry.get("scope")
        return Include(
            relation, self.filter({} if scope is None else scope, MODELS[model.relations[relation]], level=level + 1)
        )


def _maybe_nothing(value: Any, holds: Holds, key: str) -> Scalar:
    return None if value is None else _READERS[holds](value, key)


def _compared(value: Any, holds: Holds, key: str) -> Scalar:
    if value is None:
        raise refused(f"“{key}” is compared with a value, not with null.")
    return _READERS[holds](value, key)


def _pair(value: Any, holds: Holds, key: str) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or len(value) != 2:
        raise refused(f'`between` takes two values: {{"{key}": {{"between": [low, high]}}}}.')
    pair = tuple(_compared(one, holds, key) for one in value)
    if len({isinstance(one, str) for one in pair}) > 1:
        raise refused("`between` takes two numbers or two texts.")
    return pair


def _anywhere(text: str, model: Model) -> Condition:
    """The operator `text`: the whole phrase, in any of the properties that the specification names for the model."""
    if not model.texts:
        raise refused(f"A {model.name} has nothing that `text` looks in.")
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Either(tuple(Test(name, "ilike", escaped) for name in model.texts))


def _pattern(op: str, value: Any) -> str:
    text = _text(value, op)
    if op == "regexp":
        read_expression(text)
    else:
        check_like(text)
    return text


def _cut(text: Any) -> str:
    return str(text)[:60]


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise refused(f"“{_cut(what)}” takes a text.")
    if len(value) > LONGEST_TEXT:
        raise refused(f"“{_cut(what)}” takes a text of at most {LONGEST_TEXT} characters.")
    if "\x00" in value or any("\ud800" <= one <= "\udfff" for one in value):
        raise refused(f"“{_cut(what)}” holds a character that no text here can have.")
    return value


def _number(value: Any, key: str) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise refused(f"“{key}” is compared with a number.") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise refused(f"“{key}” is compared with a number.")
    return float(value)


def _boolean(value: Any, key: str) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise refused(f"“{key}” is true or false.")
    return value


def _date(value: Any, key: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value, key))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused(f"“{key}” is compared with a date, such as 2020-05-05T15:01:02.341Z.") from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _quantity(value: Any, key: str) -> str | float:
    return _text(value, key) if isinstance(value, str) else _number(value, key)


_READERS: Mapping[Holds, Callable[[Any, str], Scalar]] = {
    Holds.TEXT: _text,
    Holds.NUMBER: _number,
    Holds.BOOLEAN: _boolean,
    Holds.DATE: _date,
    Holds.QUANTITY: _quantity,
}


def _count(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise refused(f"The {name} parameter {_cut(value)} is not valid")
    if name != "limit" and value > MOST_SKIPPED:
        raise refused(f"The {name} parameter {_cut(value)} is not valid: at most {MOST_SKIPPED} can be passed over.")
    return value


def _order(value: Any, model: Model) -> tuple[Order, ...]:
    entries = value if isinstance(value, list) else [] if value in (None, "") else [value]
    if len(entries) > len(model.properties):
        raise refused("`order` names more properties than there are.")
    return tuple(_one_order(one, model) for one in entries)


def _one_order(value: Any, model: Model) -> Order:
    name, _, direction = _text(value, "order").strip().partition(" ")
    direction = direction.strip().upper() or "ASC"
    if name not in model.properties or direction not in ("ASC", "DESC"):
        raise refused(f"`order` is “name ASC” or “name DESC” of one of {', '.join(model.properties)}.")
    if model.properties[name] is Holds.QUANTITY:
        raise refused(f"“{name}” holds numbers and texts, which have no common order.")
    return Order(name, is_descending=direction == "DESC")


def _fields(value: Any, model: Model) -> tuple[frozenset[str] | None, frozenset[str]]:
    """What is to be shown (None: everything), and what is not."""
    if value is None:
        return None, frozenset()
    choice = dict.fromkeys(value, True) if _is_names(value) else value
    if not isinstance(choice, dict) or not all(isinstance(one, bool | str) for one in choice.values()):
        raise refused("`fields` is a list of names, or an object of names with true or false.")
    for name in choice:
        if name not in model.properties and name not in ("score", "keywords"):
            raise refused(f"A {model.name} has no “{_cut(name)}” to show: it has {', '.join(model.properties)}.")
    shown = frozenset(name for name, wanted in choice.items() if wanted not in (False, "false"))
    return shown or None, frozenset(choice) - shown


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def with_query(filter: Filter, query: str) -> Filter:
    """`query` as an argument of its own means the same as in the filter."""
    return replace(filter, query=_text(query, "query")) if query else filter
