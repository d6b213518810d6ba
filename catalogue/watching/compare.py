"""What a scan found, against what was known: unchanged, growing, changed, back again, or renamed.

Two sightings are of the same content when size, time and ETag agree. Storages without times or ETags leave them out.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalogue.models.storages import WatchedState

# Stands for "this storage keeps no times".
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
# A time of modification so far back is believed: no clock of an instrument is wrong by a day while a file grows.
LONG_AGO = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as the storage shows it. `etag` is empty for folders of this machine: their time is finer than it."""

    path: str
    size: int
    modified_at: datetime
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """One file as it was seen last. `changed_at` is when it was first seen like this."""

    pk: int
    path: str
    size: int
    modified_at: datetime
    etag: str
    state: str
    changed_at: datetime
    datafile_id: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What to write of a known file. `is_to_be_checked`: its checksum decides whether the content is another one."""

    state: str
    reason: str = ""
    is_to_be_checked: bool = False


def is_same(known: Known, seen: Seen) -> bool:
    is_etag_same = not known.etag or not seen.etag or known.etag == seen.etag
    return known.size == seen.size and known.modified_at == seen.modified_at and is_etag_same


def judge(known: Known, seen: Seen) -> Change | None:
    """What became of a known file that was seen again; None when there is nothing to write."""
    same = is_same(known, seen)
    if same and known.state != WatchedState.MISSING:
        return None
    if known.datafile_id is None:
        return Change(WatchedState.GROWING)
    if same:
        return Change(WatchedState.REGISTERED, is_to_be_checked=True)
    return Change(WatchedState.CHANGED, _difference(known, seen), is_to_be_checked=True)


def is_settled(known: Known, *, now: datetime, settle_seconds: int) -> bool:
    """Whether a file has stopped growing: seen unchanged for so long, or last written a day ago or earlier."""
    is_old = known.modified_at != NO_TIME and now - known.modified_at >= LONG_AGO
    return is_old or now - known.changed_at >= timedelta(seconds=settle_seconds)


def find_renames(fresh: Sequence[Known], lost: Sequence[Known]) -> Iterator[tuple[Known, Known]]:
    """Pairs of a new file and the vanished one that it was, where there is no second candidate on either side.

    The same content is recognised by size and ETag, else by size and time; among equals the file's name decides.
    """
    for kind in (_by_etag, _by_time, _by_time_and_name):
        taken = set()
        for new, old in _unique_pairs(fresh, lost, kind):
            taken |= {new.pk, old.pk}
            yield new, old
        fresh = [row for row in fresh if row.pk not in taken]
        lost = [row for row in lost if row.pk not in taken]


def _unique_pairs(
    fresh: Iterable[Known], lost: Iterable[Known], kind: Callable[[Known], Hashable]
) -> Iterator[tuple[Known, Known]]:
    by_key: dict[Hashable, tuple[list[Known], list[Known]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((fresh, lost)):
        for row in rows:
            if row.size and (key := kind(row)) is not None:
                by_key[key][side].append(row)
    for news, olds in by_key.values():
        if len(news) == len(olds) == 1:
            yield news[0], olds[0]


def _by_etag(row: Known) -> Hashable:
    return (row.size, row.etag) if row.etag else None


def _by_time(row: Known) -> Hashable:
    return (row.size, row.modified_at) if row.modified_at != NO_TIME else None


def _by_time_and_name(row: Known) -> Hashable:
    return (row.size, row.modified_at, row.path.rpartition("/")[2]) if row.modified_at != NO_TIME else None


def _difference(known: Known, seen: Seen) -> str:
    if known.size != seen.size:
        return f"It had {known.size} bytes and has {seen.size} now. What was registered is kept as it is."
    return (
        f"It was written again ({seen.modified_at:%Y-%m-%d %H:%M:%S} UTC) with the same size; its checksum is compared."
    )
