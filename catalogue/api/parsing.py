"""From the JSON of a request to the entries that the services take, with the exact place of each mistake.

One table of readers for each kind of entry: it reads the JSON and describes it to OpenAPI, so that the two cannot differ.
No database and no permission here; what a value refers to is checked by the services.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime

from catalogue.errors import InvalidInput

Problems = dict[str, list[str]]
Reader = Callable[[Any], Any]
MOST_PROBLEMS = 50
LONGEST_TEXT = 20_000
LARGEST_INTEGER = 2**63 - 1
# Escapes that JSON allows and no database stores: NUL, and halves of surrogate pairs.
SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class Unreadable(Exception):
    """A value that does not fit; `problems` maps the place below the value (empty for itself) to messages."""

    def __init__(self, problems: Problems | str):
        super().__init__(problems)
        self.problems = {"": [problems]} if isinstance(problems, str) else problems


@dataclass(frozen=True)
class Kind:
    """How one value is read, and its JSON Schema."""

    read: Reader
    schema: Mapping[str, Any]


def load_json(body: bytes) -> Any:
    """The JSON of a request's body; InvalidInput for what is no JSON or cannot be stored."""
    try:
        document = json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        text = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInput(f"The body is not the JSON that was expected: {text}.", code="malformed") from error
    if SUSPICIOUS.search(body):
        _check_storable(document)
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number; leave the value out or send it as text")


def _check_storable(document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("A text holds half of a surrogate pair, which is no character.", code="malformed") from None
    if re.search(r"(?<!\\)(?:\\\\)*\\u0000", text):
        raise InvalidInput("A text holds a NUL character, which cannot be stored.", code="malformed")


def text(longest: int = LONGEST_TEXT, *, is_required: bool = False, **schema: Any) -> Kind:
    def read(value: Any) -> str:
        if type(value) is not str:
            raise Unreadable("Must be a text.")
        if len(value) > longest:
            raise Unreadable(f"Has at most {longest} characters.")
        if is_required and not value.strip():
            raise Unreadable("Must not be empty.")
        return value

    least = {"minLength": 1} if is_required else {}
    return Kind(read, {"type": "string", "maxLength": longest} | least | schema)


def choice(*values: str, **schema: Any) -> Kind:
    def read(value: Any) -> str:
        if value not in values:
            raise Unreadable(f"Must be one of {', '.join(values)}.")
        return value

    return Kind(read, {"type": "string", "enum": list(values)} | schema)


def _read_flag(value: Any) -> bool:
    if type(value) is not bool:
        raise Unreadable("Must be true or false.")
    return value


def _read_count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_INTEGER:
        raise Unreadable("Must be a whole number from 0.")
    return value


def parse_day(value: str) -> date | None:
    """The day of a text that is a date without a time, else None; ValueError for a day that no calendar has."""
    return parse_date(value) if len(value) <= len("2026-05-03") else None


def _read_moment(value: Any) -> datetime:
    try:
        moment = parse_datetime(value) if type(value) is str else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Unreadable("Must be a time with its zone, such as 2026-05-03T10:00:00+02:00.")
    try:
        moment.timestamp()
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        raise Unreadable("This time is beyond the calendar.") from None


def _read_uid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise Unreadable("Must be a uid, such as 0197a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b.") from None


def nullable(kind: Kind) -> Kind:
    def read(value: Any) -> Any:
        return None if value is None else kind.read(value)

    return Kind(read, {**kind.schema, "nullable": True})


def list_of(item: Kind, most: int | None = None) -> Kind:
    def read(value: Any) -> tuple:
        if type(value) is not list:
            raise Unreadable("Must be a list.")
        if most is not None and len(value) > most:
            raise Unreadable(f"Has at most {most} items; these are {len(value)}.")
        problems: Problems = {}
        items = []
        for place, given in enumerate(value):
            try:
                items.append(item.read(given))
            except Unreadable as error:
                collect(problems, str(place), error.problems)
        if problems:
            raise Unreadable(problems)
        return tuple(items)

    limit = {} if most is None else {"maxItems": most}
    return Kind(read, {"type": "array", "items": item.schema} | limit)


def collect(problems: Problems, place: str, below: Mapping[str, list[str]]) -> None:
    """Add the problems found `below` a place to those of what contains it, up to a number that a person still reads."""
    for path, messages in below.items():
        if len(problems) >= MOST_PROBLEMS:
            return
        problems[f"{place}.{path}" if path else place] = list(messages)


@dataclass(frozen=True)
class Shape:
    """A JSON object that becomes `make(**members)`. `name` is its name in OpenAPI, `example` a body that is accepted."""

    name: str
    make: Callable[..., Any]
    members: Mapping[str, Kind]
    example: Mapping[str, Any]
    required: frozenset[str] = field(default_factory=frozenset)

    @property
    def kind(self) -> Kind:
        return Kind(self.read, {"$ref": f"#/components/schemas/{self.name}"})

    @property
    def schema(self) -> dict[str, Any]:
        properties = {name: dict(kind.schema) for name, kind in self.members.items()}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"required": sorted(self.required)} if self.required else {})

    def read(self, value: Any) -> Any:
        if type(value) is not dict:
            raise Unreadable("Must be an object.")
        problems: Problems = {}
        values = {}
        for name, given in value.items():
            kind = self.members.get(name)
            if kind is None:
                collect(problems, name[:60], {"": [self._unknown(name)]})
                continue
            try:
                values[name] = kind.read(given)
            except Unreadable as error:
                collect(problems, name, error.problems)
        for name in self.required - value.keys():
            collect(problems, name, {"": ["Required."]})
        if problems:
            raise Unreadable(problems)
        return self.make(**values)

    def _unknown(self, name: str) -> str:
        close = difflib.get_close_matches(name[:60], self.members, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(self.members)}."
        return f"There is no such field; {hint}"


def shape_of(entry: type, name: str, members: Mapping[str, Kind], example: Mapping[str, Any]) -> Shape:
    """The shape of a dataclass, whose fields without a default are required."""
    required = {one.name for one in fields(entry) if one.default is MISSING and one.default_factory is MISSING}
    return Shape(name, entry, members, example, frozenset(required))


def read_body(shape: Shape, body: bytes) -> Any:
    """What `shape` makes of a request's body; InvalidInput with the place of each mistake."""
    try:
        return shape.read(load_json(body))
    except Unreadable as error:
        raise InvalidInput(
            "Some values cannot be accepted; `fields` says which and why.",
            fields={path or "body": messages for path, messages in error.problems.items()},
        ) from None


FLAG = Kind(_read_flag, {"type": "boolean"})
COUNT = Kind(_read_count, {"type": "integer", "minimum": 0})
MOMENT = Kind(_read_moment, {"type": "string", "format": "date-time"})
UID = Kind(_read_uid, {"type": "string", "format": "uuid"})
