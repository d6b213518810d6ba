"""Scans of watch rules: a storage is walked, each file compared with its last sighting, and the difference written down.

A scan may be killed at any moment and started again: all that it knows stands in the database, every portion is one short
transaction, and registration answers a repetition with what exists. Files are never written, moved or removed here.
"""

import logging
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from catalogue import outbox
from catalogue.access import Principal
from catalogue.errors import DomainError, NotAllowed
from catalogue.models import ScanRun, WatchedFile, WatchRule
from catalogue.models.storages import StorageKind, WatchedState
from catalogue.services.storages import open_storage
from catalogue.services.watch_registration import register_waiting
from catalogue.storages.errors import StorageError
from catalogue.storages.protocol import Entry
from catalogue.watching.compare import NO_TIME, Change, Known, Seen, find_renames, judge
from catalogue.watching.groups import in_chunks
from catalogue.watching.rules import PathRule, RuleProblem

logger = logging.getLogger(__name__)

CHUNK = 500
LONGEST_PATH_BYTES = 1000
RUNS_ARE_KEPT = timedelta(days=30)
# An unfinished run that began so long ago belongs to a process that was killed.
RUN_IS_DEAD_AFTER = timedelta(minutes=15)
KNOWN_COLUMNS = ("pk", "path", "size", "modified_at", "etag", "state", "changed_at", "datafile_id")


class ScanStopped(Exception):
    """Somebody asked the process to end."""


class SeenRows:
    """Which rows were seen, one bit for each primary key of a range: 10 million files take little more than 1 MB."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self._bits = bytearray((last - first) // 8 + 1)

    def add(self, pk: int) -> None:
        place = pk - self.first
        if 0 <= place < len(self._bits) * 8:
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, pk: int) -> bool:
        place = pk - self.first
        return bool(self._bits[place >> 3] & (1 << (place & 7)))


def scan_rules(
    *, actor: Principal, should_stop: Callable[[], bool] = lambda: False, has_priority: bool = False
) -> list[ScanRun]:
    """Scan by every active rule; a rule that fails stops no other.

    A rule by which another process seems to be scanning is left to it, unless `has_priority`: two scans at once do no harm,
    but the same work twice.
    """
    runs = []
    rules = WatchRule.objects.filter(is_active=True, storage__is_active=True).order_by("pk")
    for rule in rules.select_related("storage", "instrument__facility", "acts_as"):
        if should_stop():
            break
        if has_priority or not _is_being_scanned(rule):
            runs.append(scan_rule(actor=actor, rule=rule, should_stop=should_stop))
    return runs


def _is_being_scanned(rule: WatchRule) -> bool:
    recent = timezone.now() - RUN_IS_DEAD_AFTER
    return ScanRun.objects.filter(rule=rule, ended_at__isnull=True, started_at__gt=recent).exists()


def scan_rule(*, actor: Principal, rule: WatchRule, should_stop: Callable[[], bool] = lambda: False) -> ScanRun:
    """Scan once by one rule. What went wrong stands in `error` of the run; nothing is lost by it, the next scan goes on."""
    if not actor.sees_everything:
        raise NotAllowed("Scans are started by curators and by the site itself.")
    scan = _Scan(rule, _begin_run(rule), should_stop)
    try:
        scan.run_through()
    except ScanStopped:
        scan.problems.append("The scan was stopped before its end; the next one goes on.")
    except (StorageError, DomainError, RuleProblem) as problem:
        scan.problems.append(str(problem))
    except Exception as problem:
        logger.exception("scan of rule %s failed", rule.pk)
        scan.problems.append(f"The scan failed ({type(problem).__name__}); the log has the details.")
    run = scan.run
    run.error = "\n".join(scan.problems)[:5000]
    run.ended_at = timezone.now()
    run.save()
    return run


def _begin_run(rule: WatchRule) -> ScanRun:
    now = timezone.now()
    runs = ScanRun.objects.filter(rule=rule)
    runs.filter(started_at__lt=now - RUNS_ARE_KEPT).delete()
    runs.filter(ended_at__isnull=True, started_at__lt=now - RUN_IS_DEAD_AFTER).update(
        ended_at=now, error="The process ended in the middle of this scan; later scans went on."
    )
    return ScanRun.objects.create(rule=rule, started_at=now)


class _Scan:
    """One pass over the files of one rule."""

    def __init__(self, rule: WatchRule, run: ScanRun, should_stop: Callable[[], bool]) -> None:
        self.rule = rule
        self.run = run
        self.now: datetime = run.started_at
        self.should_stop = should_stop
        self.problems: list[str] = []
        self.rows = WatchedFile.objects.filter(rule=rule)
        self.paths = path_rule(rule)
        self.has_times_as_tags = rule.storage.kind == StorageKind.POSIX

    def run_through(self) -> None:
        self.paths.check()
        bounds = self.rows.aggregate(first=Min("pk"), last=Max("pk"))
        seen = SeenRows(bounds["first"] or 0, bounds["last"] or 0)
        is_complete = self._walk(seen)
        if is_complete and bounds["first"] is not None:
            self._find_missing(seen, bounds["last"])
        self._find_renames()
        register_waiting(self.rule, self.paths, self.run, check_stop=self._check_stop)

    def _check_stop(self) -> None:
        if self.should_stop():
            raise ScanStopped

    def _walk(self, seen: SeenRows) -> bool:
        """Compare every file; True when the whole folder was read, so that what was not seen is not there."""
        try:
            for chunk in in_chunks(self._files(), CHUNK):
                self._check_stop()
                self._compare(chunk, seen)
        except StorageError as problem:
            self.problems.append(str(problem))
            return False
        if self.run.seen == 0 and self.rows.exclude(state=WatchedState.MISSING).exists():
            self.problems.append(
                "No file is there, though some were known. Is the storage mounted? Nothing was changed."
            )
            return False
        return True

    def _files(self) -> Iterator[Seen]:
        too_long = 0
        for entry in open_storage(self.rule.storage).walk(self.rule.folder):
            if not self.paths.concerns(entry.path):
                continue
            if len(entry.path.encode()) > LONGEST_PATH_BYTES:
                too_long += 1
                continue
            yield self._seen(entry)
        if too_long:
            self.run.refused += too_long
            self.problems.append(
                f"{too_long} files have paths of more than {LONGEST_PATH_BYTES} bytes and cannot be registered."
            )

    def _seen(self, entry: Entry) -> Seen:
        etag = "" if self.has_times_as_tags else (entry.etag or "")[:200]
        return Seen(entry.path, entry.size or 0, entry.modified_at or NO_TIME, etag)

    def _compare(self, chunk: Sequence[Seen], seen: SeenRows) -> None:
        known = {row.path: row for row in _known_rows(self.rows.filter(path__in=[file.path for file in chunk]))}
        new: list[WatchedFile] = []
        changed: list[tuple[Known, Seen, Change]] = []
        for file in chunk:
            row = known.get(file.path)
            if row is None:
                new.append(self._new_row(file))
                continue
            seen.add(row.pk)
            if (change := judge(row, file)) is not None:
                changed.append((row, file, change))
        self.run.seen += len(chunk)
        if new or changed:
            self._write(new, changed)

    def _new_row(self, file: Seen) -> WatchedFile:
        return WatchedFile(
            rule=self.rule,
            path=file.path,
            size=file.size,
            modified_at=file.modified_at,
            etag=file.etag,
            first_seen_at=self.now,
            changed_at=self.now,
        )

    def _write(self, new: Sequence[WatchedFile], changed: Sequence[tuple[Known, Seen, Change]]) -> None:
        rows = [
            WatchedFile(
                pk=known.pk,
                size=file.size,
                modified_at=file.modified_at,
                etag=file.etag,
                state=change.state,
                reason=change.reason,
                changed_at=self.now,
            )
            for known, file, change in changed
        ]
        checked = [known.datafile_id for known, _, change in changed if change.is_to_be_checked]
        with transaction.atomic():
            WatchedFile.objects.bulk_create(new, ignore_conflicts=True)
            WatchedFile.objects.bulk_update(
                rows, ["size", "modified_at", "etag", "state", "reason", "changed_at"], batch_size=100
            )
            _ask_for_checks(checked)
        self.run.changed += sum(change.state == WatchedState.CHANGED for _, _, change in changed)

    def _find_missing(self, seen: SeenRows, last: int) -> None:
        """What was not seen is missing when it was registered, and forgotten when it was not."""
        there = self.rows.filter(pk__lte=last).exclude(state=WatchedState.MISSING).order_by("pk")
        unseen = array(
            "q", (pk for pk in there.values_list("pk", flat=True).iterator(chunk_size=5000) if pk not in seen)
        )
        for chunk in in_chunks(unseen, CHUNK):
            self._check_stop()
            rows = [row for row in _known_rows(self.rows.filter(pk__in=chunk)) if self._is_in_view(row.path)]
            missing = [row for row in rows if row.datafile_id and row.state != WatchedState.RENAMED]
            kept = {row.pk for row in missing}
            with transaction.atomic():
                self.rows.filter(pk__in=[row.pk for row in rows if row.pk not in kept]).delete()
                self.rows.filter(pk__in=kept).update(
                    state=WatchedState.MISSING,
                    reason=f"It was not there at the scan of {self.now:%Y-%m-%d %H:%M} UTC.",
                    changed_at=self.now,
                )
                _ask_for_checks(row.datafile_id for row in missing)
            self.run.missing += len(missing)

    def _is_in_view(self, path: str) -> bool:
        """A rule that was narrowed does not see its old files any more; that does not make them missing."""
        folder = self.rule.folder
        return (not folder or path.startswith(folder + "/")) and self.paths.concerns(path)

    def _find_renames(self) -> None:
        """Files that wait and are what a vanished file was: noted for a curator instead of being registered again."""
        lost = self.rows.filter(state=WatchedState.MISSING, datafile__isnull=False).exclude(
            datafile__in=self.rows.filter(state=WatchedState.RENAMED).values("datafile")
        )
        if not lost.exists():
            return
        waiting = self.rows.filter(state=WatchedState.GROWING, size__gt=0).order_by("pk")
        last = 0
        while fresh := list(_known_rows(waiting.filter(pk__gt=last)[:CHUNK])):
            last = fresh[-1].pk
            self._check_stop()
            candidates = list(_known_rows(lost.filter(size__in={row.size for row in fresh})))
            pairs = list(find_renames(fresh, candidates))
            if pairs:
                self._note_renames(pairs)

    def _note_renames(self, pairs: Sequence[tuple[Known, Known]]) -> None:
        with transaction.atomic():
            for new, old in pairs:
                self.rows.filter(pk=new.pk).update(
                    state=WatchedState.RENAMED,
                    datafile_id=old.datafile_id,
                    reason=f"It is registered as {old.path}; a curator can accept its new place."[:2000],
                )
                self.rows.filter(pk=old.pk).update(reason=f"It seems to lie at {new.path} now."[:2000])
        self.run.changed += len(pairs)


def path_rule(rule: WatchRule) -> PathRule:
    return PathRule(
        pattern=rule.pattern,
        visit_template=rule.visit_template,
        group_template=rule.group_template,
        title_template=rule.title_template,
        sample_template=rule.sample_template,
    )


def _known_rows(rows: "QuerySet[WatchedFile]") -> Iterator[Known]:
    return (Known(*values) for values in rows.values_list(*KNOWN_COLUMNS))


def _ask_for_checks(datafiles: Iterable[int | None]) -> None:
    keys = [str(pk) for pk in datafiles if pk is not None]
    if keys:
        outbox.record_intents("check-file", keys)
