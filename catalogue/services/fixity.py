"""Whether files still are what was registered: checksums computed, verified later, and what is wrong told to curators.

A registered checksum is never replaced. Files are read outside transactions, in portions, with bounded memory.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalogue import changes, outbox
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit_rows
from catalogue.errors import NotAllowed, Unavailable
from catalogue.models import AuditEntry, Datafile, Dataset, Investigation, Storage, WatchedFile
from catalogue.models.datasets import Fixity
from catalogue.models.storages import WatchedState
from catalogue.services.storages import open_storage
from catalogue.storages.errors import StorageError, StorageFileMissing, StorageUnavailable

CHECKED_EVERY = timedelta(days=90)
PROBLEMS_CHECKED_EVERY = timedelta(days=1)
MOST_FILES = 1000
MOST_SECONDS = 600.0
PORTION_FILES = 100
PORTION_SECONDS = 20.0
CLOCK_TOLERANCE = timedelta(seconds=2)
PROBLEMS = (Fixity.CHANGED, Fixity.MISSING, Fixity.UNREADABLE)


@dataclass(frozen=True)
class Finding:
    """What a check of one file found. The checksums are those of its content now, empty when it could not be read."""

    file: Datafile
    fixity: Fixity
    checked_at: datetime
    reason: str = ""
    size: int | None = None
    sha256: str = ""
    crc32: int | None = None


def checksum_dataset(*, actor: Principal, uid: UUID, most_seconds: float = MOST_SECONDS) -> None:
    """Check the files of a dataset that were never checked. What is left after `most_seconds` becomes a new intent."""
    _authorise(actor)
    files = Datafile.objects.filter(dataset__uid=uid, fixity=Fixity.UNKNOWN).order_by("pk")
    _check_all(actor, _in_portions(files, stops_at=time.monotonic() + most_seconds))
    if files.exists():
        with transaction.atomic():
            outbox.record_intents("checksum", [str(uid)])


def check_file(*, actor: Principal, datafile_id: int) -> None:
    """Check one file now, for instance because the watcher saw it change."""
    _authorise(actor)
    _check_all(actor, Datafile.objects.filter(pk=datafile_id).select_related("dataset", "storage"))


def check_oldest_files(
    *, actor: Principal, most_files: int = MOST_FILES, most_seconds: float = MOST_SECONDS
) -> Counter[str]:
    """Check the files whose last check is longest ago, the same share of time for each storage; returns what was found.

    A storage that does not answer costs its own share only, and says nothing about its files.
    """
    _authorise(actor)
    found: Counter[str] = Counter()
    storages = list(Storage.objects.filter(is_active=True).order_by("pk"))
    for storage in storages:
        due = list(_due_files(storage).values_list("pk", flat=True)[: max(1, most_files // len(storages))])
        stops_at = time.monotonic() + most_seconds / len(storages)
        try:
            found += _check_all(actor, _until(_by_key(due), stops_at))
        except Unavailable:
            found["unavailable"] += 1
    return found


def _authorise(actor: Principal) -> None:
    if not actor.sees_everything:
        raise NotAllowed("Only curators and the site itself check files.")


def _due_files(storage: Storage) -> QuerySet[Datafile]:
    now = timezone.now()
    is_due = Q(checked_at__lt=now - CHECKED_EVERY)
    is_problem = Q(fixity__in=PROBLEMS, checked_at__lt=now - PROBLEMS_CHECKED_EVERY)
    return Datafile.objects.filter(is_due | is_problem, storage=storage).order_by("checked_at")


def _by_key(keys: Sequence[int]) -> Iterator[Datafile]:
    """The files of `keys` in their order. No query stays open between portions: a failing storage abandons them."""
    for start in range(0, len(keys), PORTION_FILES):
        portion = keys[start : start + PORTION_FILES]
        files = Datafile.objects.select_related("dataset", "storage").in_bulk(portion)
        yield from (files[key] for key in portion if key in files)


def _in_portions(files: QuerySet[Datafile], *, stops_at: float) -> Iterator[Datafile]:
    """Unchecked files by key, asked for again and again, so that no query stays open while files are read."""
    last = 0
    while time.monotonic() < stops_at:
        portion = list(files.filter(pk__gt=last).select_related("dataset", "storage")[:PORTION_FILES])
        if not portion:
            return
        last = portion[-1].pk
        yield from _until(portion, stops_at)


def _until(files: Iterable[Datafile], stops_at: float) -> Iterator[Datafile]:
    for file in files:
        if time.monotonic() >= stops_at:
            return
        yield file


def _check_all(actor: Principal, files: Iterable[Datafile]) -> Counter[str]:
    """Examine files and write what was found in portions, so that a stop loses little."""
    counts: Counter[str] = Counter()
    waiting = iter(files)
    while portion := _examine_portion(waiting):
        findings, failure = portion
        if findings:
            _record(actor, findings)
        counts.update(str(finding.fixity) for finding in findings)
        if failure is not None:
            raise failure
    return counts


def _examine_portion(files: Iterator[Datafile]) -> tuple[list[Finding], Unavailable | None] | None:
    """The next findings, and the failure of a storage that ended them; None when no file is left."""
    findings: list[Finding] = []
    stops_at = time.monotonic() + PORTION_SECONDS
    for file in islice(files, PORTION_FILES):
        try:
            findings.append(examine(file))
        except Unavailable as failure:
            return findings, failure
        if time.monotonic() >= stops_at:
            break
    return (findings, None) if findings else None


def examine(file: Datafile) -> Finding:
    """Read one file and compare it with its registration. Raises Unavailable when the storage does not answer."""
    storage = open_storage(file.storage)
    now = timezone.now()
    try:
        entry = storage.stat(file.path)
        sums = storage.checksum(file.path)
    except StorageFileMissing:
        _require_answer(file.storage)
        return Finding(file, Fixity.MISSING, now, "It is not in its place in the storage any more.")
    except StorageUnavailable as error:
        raise Unavailable(f"{file.storage.name} does not answer: {error}") from None
    except StorageError as error:
        return Finding(file, Fixity.UNREADABLE, now, f"It could not be read: {error}"[:500])
    size, sha256, crc32 = sums["size"], sums["sha256"], sums["crc32"]
    reason = _difference(file, size, sha256, entry.modified_at)
    fixity = Fixity.CHANGED if reason else Fixity.INTACT
    return Finding(file, fixity, now, reason, size, sha256, crc32)


def _require_answer(row: Storage) -> None:
    """A folder that is not mounted has no files either: that proves nothing."""
    try:
        is_empty = not open_storage(row).list_page("", limit=1).entries
    except StorageError as error:
        raise Unavailable(f"{row.name} does not answer: {error}") from None
    if is_empty:
        raise Unavailable(f"{row.name} is empty. Is it mounted?")


def _difference(file: Datafile, size: int, sha256: str, modified_at: datetime | None) -> str:
    if file.sha256:
        return "" if file.sha256 == sha256 else "Its content is not the one that was registered."
    if file.size is not None and file.size != size:
        return f"It was registered with {file.size} bytes and has {size}."
    if file.modified_at and modified_at and modified_at > file.modified_at + CLOCK_TOLERANCE:
        return "It was written after its registration, before its checksum was known."
    return ""


def _record(actor: Principal, findings: Sequence[Finding]) -> None:
    with transaction.atomic():
        audits: list[AuditEntry] = []
        changed: dict[int, Dataset] = {}
        for finding in findings:
            if _store(finding):
                changed[finding.file.dataset_id] = finding.file.dataset
            if (entry := _audit(actor, finding)) is not None:
                audits.append(entry)
        write_audit_rows(audits)
        _settle_watched([finding.file.pk for finding in findings if finding.fixity == Fixity.INTACT])
        if changed:
            Dataset.objects.filter(pk__in=changed).update(version=F("version") + 1, updated_at=timezone.now())
            changes.datasets_changed(changed.values())


def _store(finding: Finding) -> bool:
    """Write one finding, unless the file was registered anew meanwhile; True when readers can see a difference."""
    file = finding.file
    values: dict[str, Any] = {"fixity": finding.fixity, "checked_at": finding.checked_at}
    if finding.fixity == Fixity.INTACT:
        values |= {"sha256": finding.sha256, "crc32": finding.crc32, "size": finding.size}
    rows = Datafile.objects.filter(pk=file.pk, sha256=file.sha256, path=file.path, size=file.size)
    if not rows.update(**values):
        return False
    if finding.fixity == Fixity.INTACT and file.size is None and finding.size:
        _add_size(file, finding.size)
    return (file.fixity, file.sha256) != (finding.fixity, values.get("sha256", file.sha256))


def _add_size(file: Datafile, size: int) -> None:
    Dataset.objects.filter(pk=file.dataset_id).update(size=F("size") + size)
    Investigation.objects.filter(pk=file.dataset.investigation_id).update(size=F("size") + size)


def _settle_watched(intact: Sequence[int]) -> None:
    """A file that the watcher saw written again has, after all, the content that was registered."""
    WatchedFile.objects.filter(datafile__in=intact, state=WatchedState.CHANGED).update(
        state=WatchedState.REGISTERED, reason="It was written again with the same content."
    )


def _audit(actor: Principal, finding: Finding) -> AuditEntry | None:
    """A row when a file turned bad, or good again. A first checksum of an intact file is no news."""
    before = finding.file.fixity
    if before == finding.fixity or (before == Fixity.UNKNOWN and finding.fixity == Fixity.INTACT):
        return None
    return audit_entry(
        actor=actor,
        action="check-file",
        record=finding.file.dataset,
        before={"file": finding.file.name, "fixity": before, "sha256": finding.file.sha256, "size": finding.file.size},
        after={
            "file": finding.file.name,
            "fixity": str(finding.fixity),
            "sha256": finding.sha256,
            "size": finding.size,
            "reason": finding.reason,
        },
    )
