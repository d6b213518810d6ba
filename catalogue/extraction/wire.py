"""An Extraction as JSON and back, for the way out of the sandbox.

What comes back is checked like any foreign input: the sandbox may have been taken over by the file it read.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from catalogue.extraction.model import Extraction, Note, RawParameter, Value
from catalogue.extraction.names import STANDARD_NAMES, TECHNIQUES

_TEXTS = ("instrument_model", "manufacturer", "title_hint", "sample_hint")
_LONGEST_TEXT = 10_000
_MOST_PARAMETERS = 20_000
_LARGEST_THUMBNAIL = 1_000_000


def to_json(extraction: Extraction) -> dict[str, Any]:
    """Plain JSON types; the thumbnail as base64, moments as {"at": ISO}, days as {"on": ISO}, tuples as {"of": []}."""
    found = {field.name: getattr(extraction, field.name) for field in dataclasses.fields(extraction)}
    found["parameters"] = [
        [p.name, _value_to_json(p.value), p.unit, p.group, p.is_personal] for p in extraction.parameters
    ]
    found["notes"] = [[note.code, note.message] for note in extraction.notes]
    found["acquired_at"] = extraction.acquired_at.isoformat() if extraction.acquired_at else None
    found["thumbnail"] = base64.b64encode(extraction.thumbnail).decode() if extraction.thumbnail else None
    return found


def from_json(found: Mapping[str, Any]) -> Extraction:
    """The Extraction again. Raises ValueError, KeyError or TypeError for anything that is not one."""
    parameters = tuple(_parameter(*item) for item in found["parameters"][:_MOST_PARAMETERS])
    techniques = tuple(_text(key) for key in found["techniques"])
    if not set(techniques) <= TECHNIQUES.keys():
        raise ValueError("unknown technique")
    size = found["picture_size"]
    return Extraction(
        family=_text(found["family"]),
        format_label=_text(found["format_label"]),
        media_type=_text(found["media_type"]),
        techniques=techniques,
        acquired_at=datetime.fromisoformat(found["acquired_at"]) if found["acquired_at"] else None,
        dimensions=tuple(int(n) for n in found["dimensions"]),
        parameters=parameters,
        thumbnail=_thumbnail(found["thumbnail"]),
        picture_size=(int(size[0]), int(size[1])) if size else None,
        notes=tuple(Note(_text(code), _text(message)) for code, message in found["notes"]),
        links=tuple(_text(link) for link in found["links"]),
        **{name: _text(found[name]) if found[name] is not None else None for name in _TEXTS},
    )


def _value_to_json(value: Value) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"on": value.isoformat()}
    return {"of": list(value)} if isinstance(value, tuple) else value


def _parameter(name: Any, value: Any, unit: Any, group: Any, personal: Any) -> RawParameter:
    if group == "" and name not in STANDARD_NAMES:
        raise ValueError("unknown standard name")
    unit = None if unit is None else _text(unit)
    return RawParameter(_text(name), _value_from_json(value), unit, _text(group), bool(personal))


def _value_from_json(value: Any) -> Value:
    if isinstance(value, dict):
        if "at" in value:
            return datetime.fromisoformat(_text(value["at"]))
        if "on" in value:
            return date.fromisoformat(_text(value["on"]))
        return tuple(_scalar(item) for item in value["of"])
    return _scalar(value)


def _scalar(value: Any) -> str | int | float:
    if not isinstance(value, str | int | float):
        raise TypeError("not a value")
    return value if not isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise TypeError("not a text")
    return value


def _thumbnail(encoded: Any) -> bytes | None:
    if encoded is None:
        return None
    data = base64.b64decode(encoded, validate=True)
    if len(data) > _LARGEST_THUMBNAIL or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("not a thumbnail")
    return data
