"""The query string of a request -> the plain JSON values of `filter` and `where`, in JSON or in brackets. What they mean is
the matter of `filters.py`."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from catalogue.errors import InvalidInput

LONGEST = 60_000
MOST_BRACKETS = 16
MOST_PAIRS = 500
_KEYS = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?")


def read_argument(pairs: Sequence[tuple[str, str]], name: str) -> dict[str, Any]:
    """The object that the argument `name` gives: `name={...}` or `name[a][b]=c`. Absent and empty are an empty object.

    Raises InvalidInput for what is no object, too long or too deep.
    """
    if sum(len(value) for _, value in pairs) > LONGEST:
        raise InvalidInput(f"The query is longer than {LONGEST} characters. Ask for less at once.")
    whole = [value for key, value in pairs if key == name and value.strip()]
    parts = [(key, value) for key, value in pairs if key.startswith(f"{name}[")]
    if len(whole) > 1 or (whole and parts):
        raise InvalidInput(f"`{name}` is given more than once.")
    return _read_json(whole[0], name) if whole else _read_brackets(parts, name)


def _read_json(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidInput(f"Value is not an object. `{name}` is to be JSON.") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"Value is not an object. `{name}` is to be JSON, in braces.")
    return value


def _refuse(text: str) -> None:
    raise ValueError(text)


def _read_brackets(pairs: Iterable[tuple[str, str]], name: str) -> dict[str, Any]:
    """`filter[where][name]=LoKI`. Numbers as keys make lists, and so does a key that is given several times."""
    tree: dict[str, Any] = {}
    for place, (key, value) in enumerate(pairs):
        keys = _KEYS.findall(key[len(name) :])
        if place >= MOST_PAIRS or len(keys) > MOST_BRACKETS:
            raise InvalidInput(f"`{name}` in brackets has too many parts. Send it as JSON, and ask for less at once.")
        if "".join(f"[{one}]" for one in keys) != key[len(name) :]:
            raise InvalidInput(f"`{key[:100]}` is not written as {name}[where][title]=….")
        _put(tree, keys, value)
    found = _lists(tree)
    if not isinstance(found, dict):
        raise InvalidInput(f"Value is not an object. `{name}` is to have names in its brackets.")
    return found


def _put(tree: dict[str, Any], keys: Sequence[str], value: str) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise InvalidInput(f"`[{key[:100]}]` is given both as a value and in parts.")
    last = keys[-1]
    if last not in tree:
        tree[last] = value
    elif isinstance(tree[last], list):
        tree[last].append(value)
    elif isinstance(tree[last], str):
        tree[last] = [tree[last], value]
    else:
        raise InvalidInput(f"`[{last[:100]}]` is given both as a value and in parts.")


def _lists(tree: Any, *, is_quantity: bool = False) -> Any:
    """Objects whose keys are all numbers, or empty, become lists. Text that looks like a number is one where the value of a
    parameter is meant."""
    if isinstance(tree, list):
        return [_lists(part, is_quantity=is_quantity) for part in tree]
    if not isinstance(tree, dict):
        return float(tree) if is_quantity and _NUMBER.fullmatch(tree) else tree
    read = {key: _lists(part, is_quantity=is_quantity or key == "value") for key, part in tree.items()}
    if list(read) == [""]:
        return read[""] if isinstance(read[""], list) else [read[""]]
    if read and all(key.isdecimal() for key in read):
        return [read[key] for key in sorted(read, key=lambda text: (len(text), text))]
    return read
