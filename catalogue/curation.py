"""What curators look at: the audit log and everything that went wrong. Reads only, but for retrying a delivery."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalogue import events
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import NotAllowed, NotFound
from catalogue.models import AuditEntry, Datafile, Dataset, OutboxEntry, ScanRun, Storage, WatchedFile, WatchRule
from catalogue.models.datasets import ExtractionState, Fixity
from catalogue.models.storages import StorageState, WatchedState
from catalogue.short_lists import ShortList

ENTRIES_ON_A_PAGE = 50
MOST_PROBLEMS = 50
# One step through the index for each action, however long the log is.
ACTIONS_OF_LOG = """
WITH RECURSIVE found(action) AS (
    SELECT MIN(action) FROM {table}
    UNION ALL
    SELECT (SELECT MIN(action) FROM {table} WHERE action > found.action) FROM found WHERE found.action IS NOT NULL
)
SELECT action FROM found WHERE action IS NOT NULL
"""


@dataclass(frozen=True)
class Problem:
    """Something that a curator should look at: what, in which record, why, since when, and what to do: `action` at its URL."""

    title: str
    record: str
    reason: str
    since: datetime | None
    url: str = ""
    action_url: str = ""
    action: str = "Try again"


def _check(principal: Principal) -> None:
    if not principal.sees_everything:
        raise NotAllowed("This is for the curators of the site.")


def audit_entries(principal: Principal, *, who: str = "", action: str = "", record: str = "") -> QuerySet[AuditEntry]:
    """The audit log, narrowed to an actor, an action, or a record (uid)."""
    _check(principal)
    entries = AuditEntry.objects.order_by("-id")
    if who:
        entries = entries.filter(actor_label=who)
    if action:
        entries = entries.filter(action=action)
    if record:
        entries = entries.filter(object_id=record.strip())
    return entries


def audit_page(principal: Principal, *, who: str, action: str, record: str, cursor: str) -> dict[str, Any]:
    """One page of the audit log for people, newest first."""
    entries = audit_entries(principal, who=who, action=action, record=record)
    if cursor.isdecimal():
        entries = entries.filter(pk__lt=int(cursor[:18]))
    rows = list(entries[: ENTRIES_ON_A_PAGE + 1])
    next_cursor = str(rows[ENTRIES_ON_A_PAGE - 1].pk) if len(rows) > ENTRIES_ON_A_PAGE else ""
    return {"records": rows[:ENTRIES_ON_A_PAGE], "next_cursor": next_cursor}


def audit_actions(principal: Principal) -> list[str]:
    """What has been done so far, in words of the log."""
    _check(principal)
    table = connection.ops.quote_name(AuditEntry._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(ACTIONS_OF_LOG.format(table=table))
        return [action for (action,) in cursor.fetchall()]


def problems(principal: Principal) -> list[Problem]:
    """What went wrong, of each kind the newest 50: files, storages, deliveries, extractions, watched files."""
    _check(principal)
    found = [*_storages(), *_deliveries(), *_files(), *_extractions(), *_watched()]
    return found[: 4 * MOST_PROBLEMS]


def _storages() -> list[Problem]:
    """Storages that do not answer, and watch rules whose last scan did not go well."""
    runs = ScanRun.objects.filter(rule=OuterRef("pk"), ended_at__isnull=False).order_by("-started_at")
    last = {"error": Subquery(runs.values("error")[:1]), "scanned_at": Subquery(runs.values("ended_at")[:1])}
    rules = WatchRule.objects.filter(storage=OuterRef("pk"), is_active=True).annotate(**last)
    failed = rules.exclude(error="").filter(error__isnull=False).order_by("name")
    rows = Storage.objects.filter(Q(state=StorageState.UNAVAILABLE) | Exists(failed), is_active=True)
    columns = {"failed_scans": ShortList(failed[:MOST_PROBLEMS], "name", "error", "scanned_at")}
    return [problem for row in rows.annotate(**columns)[:MOST_PROBLEMS] for problem in _storage_problems(row)]


def _storage_problems(row: Storage) -> list[Problem]:
    silent = [Problem("Storage does not answer", row.name, row.state_text, row.checked_at)]
    scans = [
        Problem("Scan of a storage had problems", scan["name"], scan["error"], parse_datetime(scan["scanned_at"]))
        for scan in row.failed_scans
    ]
    return [*(silent if row.state == StorageState.UNAVAILABLE else ()), *scans]


def _deliveries() -> list[Problem]:
    rows = OutboxEntry.objects.exclude(last_error="").order_by("-id")[:MOST_PROBLEMS]
    return [
        Problem(
            title=f"Delivery of “{row.topic}” failed {row.attempts} times",
            record=row.key,
            reason=row.last_error,
            since=row.created_at,
            action_url=reverse("curate-retry", args=[row.pk]),
        )
        for row in rows
    ]


def _files() -> list[Problem]:
    bad = (Fixity.CHANGED, Fixity.MISSING, Fixity.UNREADABLE)
    rows = Datafile.objects.select_related("dataset").filter(fixity__in=bad).order_by("-checked_at")[:MOST_PROBLEMS]
    return [
        Problem(
            f"File {row.get_fixity_display()}",
            row.dataset.title,
            row.name,
            row.checked_at,
            f"/datasets/{row.dataset.uid}",
        )
        for row in rows
    ]


def _extractions() -> list[Problem]:
    rows = Dataset.objects.filter(extraction_state=ExtractionState.FAILED).order_by("-id")[:MOST_PROBLEMS]
    return [
        Problem(
            title="Metadata could not be read",
            record=row.title,
            reason="; ".join(note.get("message", "") for note in row.extraction_notes[:3]),
            since=row.updated_at,
            url=f"/datasets/{row.uid}",
        )
        for row in rows
    ]


def _watched() -> list[Problem]:
    states = (WatchedState.REFUSED, WatchedState.CHANGED, WatchedState.MISSING, WatchedState.RENAMED)
    rows = WatchedFile.objects.filter(state__in=states).order_by("-changed_at")[:MOST_PROBLEMS]
    return [
        Problem(
            title=f"Watched file {row.get_state_display()}",
            record=row.path,
            reason=row.reason,
            since=row.changed_at,
            action_url=reverse("curate-accept-rename", args=[row.pk]) if row.state == WatchedState.RENAMED else "",
            action="Accept the new place",
        )
        for row in rows
    ]


def retry_now(*, actor: Principal, entry_id: int) -> None:
    """Make a failed delivery due at once."""
    _check(actor)
    entry = OutboxEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("This delivery has arrived in the meantime.")
    with transaction.atomic():
        OutboxEntry.objects.filter(pk=entry.pk).update(available_at=timezone.now())
        write_audit(actor=actor, action="retry-delivery", record=entry, after={"topic": entry.topic, "key": entry.key})
        events.send_after_commit(events.outbox_filled)
