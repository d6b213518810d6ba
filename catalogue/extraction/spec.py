"""SPEC data files: scans in one text file. Format: the control lines #F #E #D #C #O #S #P #L of certif.com's SPEC.

Only the beginning of a large file is read. Of the data columns nothing is kept but a line drawing of one scan.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from catalogue.extraction import text, thumbnails
from catalogue.extraction.draft import Draft
from catalogue.extraction.source import SourceFile

_MOST_ROWS = 20_000


@dataclass
class _Scan:
    """One #S block: its command, motor positions, column labels and rows of numbers."""

    command: str
    date: str = ""
    positions: dict[int, list[str]] = field(default_factory=dict)
    metadata: dict[int, list[str]] = field(default_factory=dict)
    count_time: str = ""
    labels: list[str] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)


@dataclass
class _File:
    """The header of a file and its scans."""

    header: dict[str, str] = field(default_factory=dict)
    motors: dict[int, list[str]] = field(default_factory=dict)
    metadata_names: dict[int, list[str]] = field(default_factory=dict)
    scans: list[_Scan] = field(default_factory=list)


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from a SPEC file."""
    limit = draft.limits.text_bytes
    with source.open() as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        draft.note("text-limited", f"Only the first {limit // 1_000_000} MB of this text file were read.")
    file = _parse(content[:limit].decode("utf-8", errors="replace"))
    _add_header(file, draft)
    if file.scans:
        _add_scans(file, draft)
        _draw(max(file.scans, key=lambda scan: len(scan.rows)), draft)


def _parse(content: str) -> _File:
    file = _File()
    for line in content.splitlines():
        if line.startswith("#"):
            _parse_control(line, file)
        elif file.scans and len(file.scans[-1].rows) < _MOST_ROWS and line[:1] not in {"@", ""}:
            row = [text.number(word) for word in line.split()]
            if row and None not in row:
                file.scans[-1].rows.append([value for value in row if value is not None])
    return file


def _parse_control(line: str, file: _File) -> None:
    match = re.match(r"#([A-Za-z]+)(\d*)\s*(.*)", line)
    if match is None:
        return
    key, index, rest = match[1], int(match[2][:6] or 0), match[3].strip()
    words = [word for word in re.split(r"\s{2,}|\t", rest) if word]
    if key == "S":
        file.scans.append(_Scan(rest))
    elif key in {"O", "H"}:
        (file.motors if key == "O" else file.metadata_names).setdefault(index, words)
    elif not file.scans:
        file.header.setdefault(key, rest)
    else:
        _parse_scan_line(file.scans[-1], key, index, rest, words)


def _parse_scan_line(scan: _Scan, key: str, index: int, rest: str, words: list[str]) -> None:
    if key == "D":
        scan.date = rest
    elif key == "L":
        scan.labels = words
    elif key == "P":
        scan.positions[index] = rest.split()
    elif key == "V":
        scan.metadata[index] = rest.split()
    elif key == "T":
        scan.count_time = rest


def _add_header(file: _File, draft: Draft) -> None:
    epoch = text.number(file.header.get("E"))
    if epoch and 0 < epoch < 4e9:
        draft.acquired(datetime.fromtimestamp(epoch, UTC))
    draft.acquired(text.spec_moment(file.header.get("D", "")))
    comment = file.header.get("C", "")
    title, _, user = comment.partition("User =")
    draft.standard("title", title.strip())
    draft.standard("operator", user.strip())
    draft.vendor("spec", "file_name_at_acquisition", file.header.get("F"))
    draft.title_hint = title.strip()


def _add_scans(file: _File, draft: Draft) -> None:
    first = file.scans[0]
    draft.dimensions = (len(file.scans),)
    draft.standard("scan_count", len(file.scans))
    draft.standard("scan_command", re.sub(r"^\d+\s+", "", first.command))
    draft.acquired(text.spec_moment(first.date))
    if count_time := text.number_and_unit(first.count_time):
        draft.standard("exposure_time", count_time[0] if "second" in first.count_time.lower() else None, "s")
    draft.vendor("spec", "columns", tuple(first.labels))
    draft.vendor("spec", "scans", tuple(scan.command for scan in file.scans[:64]))
    for group, names, values in (
        ("spec/motors", file.motors, first.positions),
        ("spec/metadata", file.metadata_names, first.metadata),
    ):
        for index, row in sorted(names.items()):
            for name, value in zip(row, values.get(index, ()), strict=False):
                draft.vendor(group, name, text.number(value) if text.number(value) is not None else value)


def _draw(scan: _Scan, draft: Draft) -> None:
    """The last column (by SPEC's convention the main detector) over the first (the motor)."""
    width = len(scan.rows[0]) if scan.rows else 0
    rows = [row for row in scan.rows if len(row) == width]
    if width >= 2 and len(rows) >= 2:
        table = np.asarray(rows)
        draft.thumbnail = thumbnails.line(table[:, -1], table[:, 0], draft.limits.thumbnail_pixels)
