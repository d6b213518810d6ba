"""What a reader has gathered so far. Kept when the reader fails half-way, so that no finding is lost.

The draft cleans values, marks personal ones and holds the limits; it knows no file format.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import numpy as np

from catalogue.extraction.model import Extraction, Limits, Note, RawParameter, UnreadableFile, Value
from catalogue.extraction.names import STANDARD_NAMES, TECHNIQUES
from catalogue.extraction.privacy import is_personal

_LONGEST_TUPLE = 64


class Draft:
    """A growing Extraction. Readers set the plain attributes and call `standard`, `vendor`, `note`, `technique`."""

    def __init__(self, limits: Limits, family: str, format_label: str, media_type: str) -> None:
        self.limits = limits
        self.family = family
        self.format_label = format_label
        self.media_type = media_type
        self.instrument_model: str | None = None
        self.manufacturer: str | None = None
        self.acquired_at: datetime | None = None
        self.title_hint: str | None = None
        self.sample_hint: str | None = None
        self.dimensions: tuple[int, ...] = ()
        self.thumbnail: bytes | None = None
        self.picture_size: tuple[int, int] | None = None
        self._techniques: dict[str, None] = {}
        self._standard: dict[str, RawParameter] = {}
        self._vendor: list[RawParameter] = []
        self._notes: dict[str, Note] = {}
        self._links: dict[str, None] = {}
        self._stops_at = time.monotonic() + limits.reading_seconds

    def identify(self, family: str, format_label: str, media_type: str) -> None:
        """Say more exactly what the file is, once its content is known."""
        self.family, self.format_label, self.media_type = family, format_label, media_type

    def standard(self, name: str, value: Any, unit: str | None = None) -> bool:
        """Add a value under a standard name; blank values and repetitions are left out. True when it was added."""
        cleaned = clean(value, self.limits)
        if cleaned is None or name in self._standard:
            return False
        if name not in STANDARD_NAMES:
            raise KeyError(f"{name} is not a standard name")
        personal = name in {"operator", "serial_number"} or is_personal("", cleaned)
        self._standard[name] = RawParameter(name, cleaned, unit, "", personal)
        return True

    def vendor(self, group: str, name: str, value: Any, unit: str | None = None, *, personal: bool = False) -> None:
        """Keep a value under the vendor's own name; blank values are left out, the number of values is limited."""
        cleaned = clean(value, self.limits)
        if cleaned is None or self.is_full():
            return
        personal = personal or is_personal(name, cleaned)
        self._vendor.append(RawParameter(name[:200], cleaned, unit, group[:300], personal))

    def note(self, code: str, message: str) -> None:
        """Add a note; the first note of a code stands."""
        self._notes.setdefault(code, Note(code, message))

    def technique(self, *keys: str) -> None:
        for key in keys:
            if key not in TECHNIQUES:
                raise KeyError(f"{key} is not a technique key")
            self._techniques[key] = None

    def refuse_link(self, name: str) -> None:
        """Record a link to another file that was not followed."""
        if len(self._links) < self.limits.links:
            self._links[name[:300]] = None
        self.note(
            "links-refused",
            "The file refers to data in other files. Such links are not followed; register those files as well.",
        )

    def acquired(self, when: datetime | date | None) -> None:
        """Set the moment of acquisition, as standard parameter too; a bare date counts from its midnight."""
        if when is None or not self.standard("date_time", when):
            return
        self.acquired_at = when if isinstance(when, datetime) else datetime(when.year, when.month, when.day)

    def model(self, model: Any, manufacturer: str | None = None) -> None:
        cleaned = clean(model, self.limits)
        if cleaned is not None and self.instrument_model is None:
            self.instrument_model = str(cleaned)
            self.standard("instrument_model", self.instrument_model)
        if manufacturer and self.manufacturer is None:
            self.manufacturer = manufacturer
            self.standard("manufacturer", manufacturer)

    def has(self, name: str) -> bool:
        """Whether a standard value is known already."""
        return name in self._standard

    def is_full(self) -> bool:
        """Whether no more of the maker's values will be kept; asking means that there is one more."""
        if len(self._vendor) < self.limits.parameters:
            return False
        self.note(
            "parameters-limited",
            f"The file holds more than {self.limits.parameters} metadata values; the first ones were kept.",
        )
        return True

    def is_out_of_time(self) -> bool:
        if time.monotonic() < self._stops_at:
            return False
        self.note("reading-stopped", "Reading the metadata took too long and was stopped; what was found is kept.")
        return True

    def check_pixels(self, count: int) -> None:
        """Raise UnreadableFile when a picture has more pixels than a preview may cost."""
        if count > self.limits.pixels:
            raise UnreadableFile(
                "picture-too-large", f"The picture has {count:,} pixels; no preview was made of it. The data are kept."
            )

    def build(self) -> Extraction:
        if self.picture_size and self.thumbnail:
            self.standard("image_width", self.picture_size[0], "px")
            self.standard("image_height", self.picture_size[1], "px")
        return Extraction(
            family=self.family,
            format_label=self.format_label,
            media_type=self.media_type,
            techniques=tuple(self._techniques),
            instrument_model=self.instrument_model,
            manufacturer=self.manufacturer,
            acquired_at=self.acquired_at,
            title_hint=self.title_hint or None,
            sample_hint=self.sample_hint or None,
            dimensions=self.dimensions,
            parameters=(*self._standard.values(), *self._vendor),
            thumbnail=self.thumbnail,
            picture_size=self.picture_size,
            notes=tuple(self._notes.values()),
            links=tuple(self._links),
        )


def clean(value: Any, limits: Limits) -> Value | None:
    """A value in plain Python types and bounded length; None for blanks, NaN, and what is no metadata value."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        value = tuple(value.ravel()[: _LONGEST_TUPLE + 1].tolist())
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, str):
        return _clean_text(value, limits)
    if isinstance(value, bool | datetime | date):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, list | tuple):
        return _clean_items(value, limits)
    return None


def _clean_text(text: str, limits: Limits) -> str | None:
    text = text[: limits.text_length].replace("\x00", " ")
    printable = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    return printable.strip() or None


def _clean_items(items: Iterable[Any], limits: Limits) -> Value | None:
    kept = [clean(item, limits) for item in items]
    if len(kept) == 1:
        return kept[0]
    plain = tuple(item for item in kept if isinstance(item, str | int | float))
    return plain if 0 < len(plain) <= _LONGEST_TUPLE and len(plain) == len(kept) else None
