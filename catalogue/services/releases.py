"""Ends the embargo of an investigation, or of some of its datasets, before its time. What was released never closes again.

Set-based: a release writes the rows of investigations and datasets, never those of files.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit, write_audit_rows
from catalogue.errors import Conflict, InvalidInput, NotFound
from catalogue.models import Dataset, Investigation
from catalogue.models.datasets import DatasetKind
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.services.authority import check_leader_or_curator
from catalogue.services.embargo_mails import tell_of_opening
from catalogue.services.extensions import end_open_request
from catalogue.services.followers import follow_investigations, follow_raw_data

MOST_DATASETS = 10_000
RELEASED = "The investigation was released."


def release_investigation(*, actor: Principal, investigation: Investigation) -> None:
    """Open the investigation with all its datasets to everyone, now and for good. For its PI and for curators.

    An open request for an extension ends with it. Does nothing where all of it is open already.
    """
    check_leader_or_curator(investigation, actor, act="release an investigation")
    now = timezone.now()
    with transaction.atomic():
        rows = Investigation.objects.filter(pk=investigation.pk, state=RecordState.ACTIVE, released_at__isnull=True)
        still_closed = ~access.embargo_passed_q(now) | Exists(
            _closed(Dataset.objects.filter(investigation=OuterRef("pk")), now)
        )
        values = {"released_at": now, "opening_announced_at": now, "updated_at": now}
        if not rows.filter(still_closed).update(**values, version=F("version") + 1):
            check_not_withdrawn(investigation)
            return
        after = {"released_at": now.isoformat()}
        before = {"embargo_until": investigation.embargo_until.isoformat()}
        write_audit(actor=actor, action="release", record=investigation, before=before, after=after)
        settle_release(actor=actor, investigation=investigation)


def settle_release(*, actor: Principal, investigation: Investigation) -> None:
    """What follows when `released_at` was written, within the same transaction: requests, followers, news."""
    end_open_request(actor=actor, investigation=investigation, state=RequestState.WITHDRAWN, reason=RELEASED)
    follow_investigations(actor=actor, investigation_ids=[investigation.pk])
    tell_of_opening(investigation)
    changes.investigation_changed(investigation)


def release_datasets(
    *, actor: Principal, investigation: Investigation, uids: Collection[UUID], stays_closed: Collection[UUID] = ()
) -> int:
    """Open up to 10,000 datasets of the investigation to everyone, for good; how many were closed until now.

    Processed data that derive from them open with them, but for `stays_closed`, which keep the embargo of the
    investigation. A constant number of statements for any number of datasets.
    """
    check_leader_or_curator(investigation, actor, act="release datasets")
    if not uids or len(uids) > MOST_DATASETS:
        raise InvalidInput(
            f"Release 1 to {MOST_DATASETS} datasets at once, or the whole investigation.",
            fields={"datasets": [f"Choose 1 to {MOST_DATASETS}."]},
        )
    check_not_withdrawn(investigation)
    datasets = Dataset.objects.filter(investigation=investigation)
    chosen = datasets.filter(uid__in=uids)
    if chosen.count() < len(set(uids)):
        raise NotFound("One of these datasets does not exist in this investigation.")
    now = timezone.now()
    with transaction.atomic():
        kept = _closed(datasets.filter(uid__in=set(stays_closed) - set(uids), kind=DatasetKind.PROCESSED), now)
        kept.update(follows_raw_data=False)
        _closed(chosen, now).update(released_at=now, version=F("version") + 1, updated_at=now)
        released = list(chosen.filter(released_at=now).only("uid", "title"))
        if released:
            _record(actor, investigation, released, now)
            follow_raw_data(actor=actor, dataset_ids=[one.pk for one in released])
    return len(released)


def _closed(datasets: QuerySet[Dataset], now: datetime) -> QuerySet[Dataset]:
    active = datasets.filter(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    return active.exclude(access.open_q(now))


def _record(actor: Principal, investigation: Investigation, released: list[Dataset], now: datetime) -> None:
    after: dict[str, Any] = {"released_at": now.isoformat()}
    write_audit_rows(audit_entry(actor=actor, action="release", record=one, before={}, after=after) for one in released)
    count = after | {"datasets": len(released)}
    write_audit(actor=actor, action="release-datasets", record=investigation, after=count)
    changes.datasets_changed(released)


def check_not_withdrawn(investigation: Investigation) -> None:
    if Investigation.objects.filter(pk=investigation.pk, state=RecordState.WITHDRAWN).exists():
        raise Conflict("This investigation was withdrawn and is not changed any more.", code="withdrawn")
