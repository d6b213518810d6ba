"""The audit log: one row for each change, written by the service in the transaction of the change."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils import timezone

from catalogue.access import Principal
from catalogue.context import current_request_id
from catalogue.models import AuditEntry
from catalogue.services.rows import insert_rows

COLUMNS = tuple(field.attname for field in AuditEntry._meta.concrete_fields if not field.primary_key)


def audit_entry(
    *, actor: Principal, action: str, record: models.Model, before: Mapping[str, Any], after: Mapping[str, Any]
) -> AuditEntry:
    """An unsaved row; `before` and `after` hold JSON values of what changed, and never a secret."""
    return AuditEntry(
        at=timezone.now(),
        actor_id=actor.user_id,
        actor_label=actor.label,
        action=action,
        object_type=record._meta.model_name or "",
        object_id=str(getattr(record, "uid", record.pk)),
        object_label=str(record)[:300],
        before=dict(before),
        after=dict(after),
        request_id=current_request_id.get(),
    )


def write_audit(
    *,
    actor: Principal,
    action: str,
    record: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit_entry(actor=actor, action=action, record=record, before=before or {}, after=after or {}).save(
        force_insert=True
    )


def write_audit_rows(rows: Iterable[AuditEntry]) -> None:
    insert_rows(AuditEntry, COLUMNS, [[getattr(row, name) for name in COLUMNS] for row in rows])
