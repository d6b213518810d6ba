"""Records as JSON: the one place where the frozen, already masked records of `catalogue/record.py` are written out.

Models never come here. JSON Schemas for OpenAPI are derived from the same dataclasses.
"""

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from catalogue.access import Level
from catalogue.publication import PublicationText

# Named by a record as text, since it is itself made of records.
LATER = {"PublicationText": PublicationText}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {name: getattr(value, name) for name in _names(type(value))}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def to_json(document: Any) -> str:
    return json.dumps(document, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    dict: {"type": "object", "additionalProperties": True},
    tuple: {"type": "array", "items": {}},
    Level: {"type": "string", "enum": [level.value for level in Level]},
}


def schema_of(kind: Any, components: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a type; dataclasses are put into `components` by their name and referred to."""
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if dataclasses.is_dataclass(kind):
        return _reference(kind, components)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _nullable(schema_of(next(one for one in arguments if one is not type(None)), components))
    if origin is tuple or origin is list:
        return {"type": "array", "items": schema_of(arguments[0], components)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(arguments[1], components)}
    raise TypeError(f"No JSON Schema for {kind!r}")


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [schema], "nullable": True} if "$ref" in schema else schema | {"nullable": True}


def _reference(kind: Any, components: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in components:
        components[kind.__name__] = {}
        hints = get_type_hints(kind, localns=LATER)
        names = _names(kind)
        components[kind.__name__] = {
            "type": "object",
            "properties": {name: schema_of(hints[name], components) for name in names},
            "required": list(names),
        }
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
