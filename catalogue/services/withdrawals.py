"""Withdrawal by a curator: the record stays as a tombstone with its reason, its files and pictures are gone from view at once.

Nothing is deleted, and nothing is ever brought back by the site: that is a decision for its administrators.
"""

from typing import TypeVar

from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone

from catalogue import changes
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit, write_audit_rows
from catalogue.collection_contents import datasets_in
from catalogue.errors import Conflict, InvalidInput
from catalogue.models import Collection, Dataset, Investigation
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.services.authority import check_curator
from catalogue.services.extensions import end_open_request

Row = TypeVar("Row", bound=Model)
LONGEST_REASON = 2000
PORTION = 2_000


def withdraw_investigation(*, actor: Principal, investigation: Investigation, reason: str) -> None:
    """Take an investigation with all its datasets from view. `reason` is public."""
    check_curator(actor, act="withdraw an investigation")
    text = _checked(reason)
    with transaction.atomic():
        _withdraw(Investigation.objects.filter(pk=investigation.pk), text)
        write_audit(actor=actor, action="withdraw", record=investigation, after={"reason": text})
        end_open_request(
            actor=actor,
            investigation=investigation,
            state=RequestState.LAPSED,
            reason="The investigation was withdrawn.",
        )
        changes.investigation_changed(investigation)


def withdraw_dataset(*, actor: Principal, dataset: Dataset, reason: str) -> None:
    """Take one dataset from view. `reason` is public."""
    check_curator(actor, act="withdraw a dataset")
    text = _checked(reason)
    with transaction.atomic():
        _withdraw(Dataset.objects.filter(pk=dataset.pk), text)
        write_audit(actor=actor, action="withdraw", record=dataset, after={"reason": text})
        changes.datasets_changed([dataset])


def withdraw_datasets_in(*, actor: Principal, collection: Collection, reason: str) -> int:
    """Take all datasets of a collection from view, within the caller's transaction, whatever else they belong to."""
    check_curator(actor, act="withdraw datasets")
    count = 0
    # What is withdrawn is no longer among them.
    while datasets := list(datasets_in(collection).order_by("pk")[:PORTION]):
        _withdraw(Dataset.objects.filter(pk__in=[one.pk for one in datasets]), reason)
        after = {"reason": reason, "collection": str(collection.uid)}
        write_audit_rows(
            audit_entry(actor=actor, action="withdraw", record=one, before={}, after=after) for one in datasets
        )
        changes.datasets_changed(datasets)
        count += len(datasets)
    return count


def _checked(reason: str) -> str:
    text = reason.strip()
    if not text or len(text) > LONGEST_REASON:
        message = f"Say why, in at most {LONGEST_REASON} characters. The reason is public."
        raise InvalidInput("A withdrawal needs a reason.", fields={"reason": [message]})
    return text


def _withdraw(rows: QuerySet[Row], reason: str) -> None:
    values = {"state": RecordState.WITHDRAWN, "withdrawal_reason": reason, "version": F("version") + 1}
    if not rows.filter(state=RecordState.ACTIVE).update(**values, updated_at=timezone.now()):
        raise Conflict("This record was withdrawn before.", code="withdrawn")
