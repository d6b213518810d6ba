"""The records of a query one after another, as CSV and JSON Lines, and for feeds: bounded, masked page by page as they are read.

What a query finds is the business of `asking`; what a record holds, of the catalogue.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.conf import settings

from catalogue.api.documents import to_json
from catalogue.record import DatasetRecord
from catalogue.services.annotations import CATEGORY
from search.question.plan import cursor_after
from search.question.query import Query
from search.results.asking import Asker, records_with

MOST_EXPORTED = 10_000
MOST_IN_FEED = 100
PAGE = 500
COLUMNS = (
    "uid", "url", "title", "doi", "kind", "access", "opens_at", "investigation", "people", "facility", "instrument",
    "techniques", "sample", "formula", "measured_at", "registered_at", "licence", "format", "files", "bytes", "shows",
)  # fmt: skip
# Spreadsheets take a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def walk(query: Query, asker: Asker, *, most: int = MOST_EXPORTED) -> Iterator[DatasetRecord]:
    """The first `most` datasets found, in the order of `query`, as far as the engine goes in that order."""
    query = replace(query, size=min(PAGE, most), histograms=())
    asked = 0
    while asked < most:
        hits = asker.index.search(asker.plan(query).request).hits[: most - asked]
        yield from records_with([hit.dataset for hit in hits], query.principal, now=asker.now)
        asked += len(hits)
        cursor = cursor_after(query, hits[-1].position) if len(hits) == query.size else ""
        if not cursor:
            return
        query = replace(query, cursor=cursor)


def csv_lines(records: Iterable[DatasetRecord]) -> Iterator[str]:
    yield _csv_line(COLUMNS)
    for record in records:
        yield _csv_line(_cells(record))


def json_lines(records: Iterable[DatasetRecord]) -> Iterator[str]:
    """Each record as /api/v1/datasets gives it."""
    for record in records:
        yield to_json(record) + "\n"


def _cells(record: DatasetRecord) -> list[object]:
    sample = record.sample
    return [
        record.uid,
        f"{settings.SITE_URL}{record.path}",
        record.title,
        record.doi,
        record.kind,
        "open" if record.access.is_open else "closed",
        record.access.opens_at.isoformat(),
        record.investigation.title,
        "; ".join(person.name for person in record.people),
        record.facility.short_name,
        record.instrument.name,
        "; ".join(technique.label for technique in record.techniques),
        sample.name if sample else "",
        sample.formula if sample else "",
        record.acquired_at.isoformat() if record.acquired_at else "",
        record.registered_at.isoformat(),
        record.licence.spdx_id,
        record.format_label,
        record.file_count,
        record.size,
        "; ".join(one.label for one in record.annotations if one.kind == CATEGORY),
    ]


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_safe_cell(cell) for cell in cells])
    return line.getvalue()


def _safe_cell(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
