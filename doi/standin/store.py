"""The names that the stand-in holds, in an SQLite file of its own, and the count of what was done to each.

One connection, one writer: every change is one transaction, seen by the next request and still there after a restart.
A crash of the machine may cost the last moments, which a stand-in may: the file is not synchronised with the disk.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doi.standin.rules import Record

_TABLES = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
CREATE TABLE IF NOT EXISTS dois (
  doi TEXT PRIMARY KEY, owner TEXT NOT NULL, state TEXT NOT NULL, metadata TEXT NOT NULL, created TEXT NOT NULL,
  updated TEXT NOT NULL, registered TEXT, reads_left INTEGER NOT NULL, version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (
  doi TEXT PRIMARY KEY, writes INTEGER NOT NULL, creations INTEGER NOT NULL, mints INTEGER NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS = "doi, owner, state, metadata, created, updated, registered, reads_left, version"
_VALUES = ":" + _COLUMNS.replace(", ", ", :")


class Store:
    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within happens at once or not at all, and nothing of another thread in between."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def read(self, doi: str) -> Record | None:
        with self._lock:
            row = self._connection.execute(f"SELECT {_COLUMNS} FROM dois WHERE doi = ?", [doi]).fetchone()  # noqa: S608
        return _record(row) if row else None

    def write(self, record: Record) -> None:
        values = vars(record) | {"metadata": json.dumps(record.metadata)}
        with self._lock:
            self._connection.execute(f"REPLACE INTO dois ({_COLUMNS}) VALUES ({_VALUES})", values)  # noqa: S608

    def delete(self, doi: str) -> None:
        with self._lock:
            self._connection.execute("DELETE FROM dois WHERE doi = ?", [doi])

    def find(self, *, owner: str | None, filters: dict[str, str], after: str, limit: int, offset: int) -> list[Record]:
        """Records that are findable or the owner's, in order of their names, beginning behind `after`."""
        where, values = _condition(owner, filters)
        statement = f"SELECT {_COLUMNS} FROM dois WHERE {where} AND doi > ? ORDER BY doi LIMIT ? OFFSET ?"  # noqa: S608
        with self._lock:
            rows = self._connection.execute(statement, [*values, after, limit, offset]).fetchall()
        return [_record(row) for row in rows]

    def count(self, *, owner: str | None, filters: dict[str, str]) -> int:
        where, values = _condition(owner, filters)
        with self._lock:
            return int(self._connection.execute(f"SELECT count(*) FROM dois WHERE {where}", values).fetchone()[0])  # noqa: S608

    def note(self, doi: str, *, is_creation: bool, is_mint: bool) -> None:
        """Count a change that was accepted; `is_mint` when the name went to the handle system with it."""
        statement = (
            "INSERT INTO counts VALUES (?, 1, ?, ?) ON CONFLICT (doi) DO UPDATE SET writes = writes + 1, "
            "creations = creations + excluded.creations, mints = mints + excluded.mints"
        )
        with self._lock:
            self._connection.execute(statement, [doi, is_creation, is_mint])

    def counts(self) -> dict[str, dict[str, int]]:
        """Of every name ever written, also of those deleted since: accepted writes, creations and mints."""
        with self._lock:
            rows = self._connection.execute("SELECT doi, writes, creations, mints FROM counts ORDER BY doi").fetchall()
        return {doi: {"writes": writes, "creations": made, "mints": mints} for doi, writes, made, mints in rows}


def _condition(owner: str | None, filters: dict[str, str]) -> tuple[str, list[str]]:
    """`filters`: state, prefix, client-id (exact), query (a part of the name or of the metadata)."""
    where, values = ["(state = 'findable' OR owner = ?)"], [owner or ""]
    if "state" in filters:
        where.append("state = ?")
        values.append(filters["state"])
    if "client-id" in filters:
        where.append("lower(owner) = ?")
        values.append(filters["client-id"].lower())
    if "prefix" in filters:
        where.append("substr(doi, 1, length(?) + 1) = ? || '/'")
        values += [filters["prefix"], filters["prefix"]]
    if "query" in filters:
        where.append("instr(lower(doi || ' ' || metadata), ?) > 0")
        values.append(filters["query"].strip('"').lower())
    return " AND ".join(where), values


def _record(row: tuple) -> Record:
    doi, owner, state, metadata, *rest = row
    return Record(doi, owner, state, json.loads(metadata), *rest)
