"""Locks between processes that die with their holder: nothing is left behind by one that was killed.

PostgreSQL keeps them for a whole site, with the session of the holder. Beside SQLite all processes are on one machine, and
its kernel keeps them. They guard against waste, not against loss: engines refuse what is older than what they hold.
"""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

INDEXER = "indexer"
REBUILD = "rebuild"


@contextmanager
def process_lock(name: str, *, waits: bool = False) -> Iterator[bool]:
    """Hold the lock called `name`, and say whether it is ours: without `waits` it may be somebody else's."""
    lock = _session_lock if connection.vendor == "postgresql" else _file_lock
    with lock(name, waits) as is_ours:
        yield is_ours


@contextmanager
def _session_lock(name: str, waits: bool) -> Iterator[bool]:
    number = zlib.crc32(f"faircat.search.{name}".encode())
    function = "pg_advisory_lock" if waits else "pg_try_advisory_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        is_ours = waits or bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


@contextmanager
def _file_lock(name: str, waits: bool) -> Iterator[bool]:
    folder = settings.DATA_DIR / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"search-{name}").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
