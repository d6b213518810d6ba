"""What a reader gives back: parameters with units, a picture, and notes about what could not be read.

Plain frozen data, no reading and no Django here. Values keep the number and the unit that the instrument wrote;
conversion to SI is the business of catalogue/units.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

Value = str | int | float | bool | tuple["str | int | float", ...] | datetime | date


@dataclass(frozen=True)
class RawParameter:
    """One metadata value as the file holds it.

    `group` is empty for a standard name of names.STANDARD_NAMES; otherwise it names the vendor's own place of the
    value, such as "zeiss", "fei/EBeam" or "nexus/entry/instrument". `is_personal` values (operators, serial numbers,
    paths on somebody's computer) must never reach public metadata.
    """

    name: str
    value: Value
    unit: str | None = None
    group: str = ""
    is_personal: bool = False


@dataclass(frozen=True)
class Note:
    """Something a person should know about the reading: a stable code, and a sentence that says what to do."""

    code: str
    message: str


@dataclass(frozen=True)
class Extraction:
    """All that one file says about itself.

    `acquired_at` without a zone is in the zone of the facility. `dimensions` is the shape of the main signal, slowest
    axis first; `picture_size` is (width, height) in pixels of the picture that `thumbnail` (WebP) was made from.
    `links` names the links to other files that were refused. `techniques` are keys of names.TECHNIQUES.
    """

    family: str
    format_label: str
    media_type: str
    techniques: tuple[str, ...] = ()
    instrument_model: str | None = None
    manufacturer: str | None = None
    acquired_at: datetime | None = None
    title_hint: str | None = None
    sample_hint: str | None = None
    dimensions: tuple[int, ...] = ()
    parameters: tuple[RawParameter, ...] = ()
    thumbnail: bytes | None = None
    picture_size: tuple[int, int] | None = None
    notes: tuple[Note, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How far a reader may go with one file, before it stops with a note.

    `memory_bytes`, `cpu_seconds` and `wall_seconds` are enforced by the sandbox from outside, the others by the
    readers themselves (`reading_seconds` is where long walks stop of their own accord).
    """

    pixels: int = 100_000_000
    parameters: int = 2_000
    text_length: int = 2_000
    text_bytes: int = 4_000_000
    sidecar_bytes: int = 1_000_000
    objects: int = 20_000
    depth: int = 24
    links: int = 100
    preview_bytes: int = 64_000_000
    copied_bytes: int = 500_000_000
    thumbnail_pixels: int = 512
    reading_seconds: float = 10.0
    cpu_seconds: int = 30
    wall_seconds: float = 45.0
    memory_bytes: int = 1_500_000_000


class UnreadableFile(Exception):  # a finding about the file, not a fault of the program
    """A reader cannot go on; what it found so far is kept and `code`, `message` become a note."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
