"""Telling of what has opened: the team by mail, the apps above by their signal.

Opening itself is the clock's work.

Whether this runs late, twice or never changes nothing of who may read what.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalogue import access, events
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit, write_audit_rows
from catalogue.models import AuditEntry, Dataset, Investigation
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.services.embargo_mails import tell_of_datasets, tell_of_opening
from catalogue.services.extensions import end_open_request
from catalogue.services.followers import follow_investigations, follow_raw_data

logger = logging.getLogger(__name__)

PORTION = 200
ANNOUNCED = "announce-opening"
# What opened longer ago, while the job did not run, is told of no more: it is no news.
TOLD_WITHIN = timedelta(days=30)
LAPSED = "The data opened before it was decided."


def due_investigations(*, now: datetime) -> QuerySet[Investigation]:
    """The active investigations that are open at `now` and of which nobody was told yet."""
    is_open = access.embargo_passed_q(now) | Q(released_at__lte=now)
    return Investigation.objects.filter(is_open, state=RecordState.ACTIVE, opening_announced_at__isnull=True)


def announce_openings(*, actor: Principal, now: datetime | None = None) -> int:
    """Tell of every investigation that has opened, each in a transaction of its own; how many were told of.

    One that fails is logged and tried again at the next run; it stops no other.
    """
    moment = now or timezone.now()
    due = due_investigations(now=moment).order_by("pk").values_list("pk", flat=True)
    announced, last = 0, 0
    while keys := list(due.filter(pk__gt=last)[:PORTION]):
        last = keys[-1]
        for key in keys:
            try:
                announced += _announce(actor, key, moment)
            except Exception:
                logger.exception("the opening of investigation %s was not announced", key)
    return announced


def _announce(actor: Principal, key: int, now: datetime) -> bool:
    with transaction.atomic():
        due = due_investigations(now=now).filter(pk=key)
        investigation = due.first()
        if investigation is None or not due.update(opening_announced_at=now):
            return False
        end_open_request(actor=actor, investigation=investigation, state=RequestState.LAPSED, reason=LAPSED)
        follow_investigations(actor=actor, investigation_ids=[key])
        write_audit(actor=actor, action=ANNOUNCED, record=investigation)
        tell_of_opening(investigation)
        events.send_after_commit(events.investigations_changed, uids=[investigation.uid])
    return True


def announce_datasets(*, actor: Principal, now: datetime | None = None) -> int:
    """Tell of every dataset that has opened by an embargo of its own, or by that of what it derives from; how many.

    One transaction and one mail for what opened together in one investigation. Which were told of stands in the audit log.
    """
    moment = now or timezone.now()
    due: dict[int, list[Dataset]] = defaultdict(list)
    for dataset in _untold_datasets(moment):
        due[dataset.investigation_id].append(dataset)
    announced = 0
    for datasets in due.values():
        try:
            announced += _announce_datasets(actor, datasets)
        except Exception:
            logger.exception(
                "the opening of datasets of investigation %s was not announced", datasets[0].investigation_id
            )
    return announced


def _untold_datasets(now: datetime) -> Iterator[Dataset]:
    opened = Dataset.objects.filter(
        embargo_until__range=(now - TOLD_WITHIN, now),
        state=RecordState.ACTIVE,
        released_at__isnull=True,
        investigation__state=RecordState.ACTIVE,
        investigation__released_at__isnull=True,
    )
    last = 0
    while rows := list(opened.filter(pk__gt=last).select_related("investigation").order_by("pk")[:PORTION]):
        last = rows[-1].pk
        names = [str(row.uid) for row in rows]
        told = AuditEntry.objects.filter(object_type="dataset", object_id__in=names, action=ANNOUNCED)
        known = set(told.values_list("object_id", flat=True))
        yield from (row for row in rows if str(row.uid) not in known)


def _announce_datasets(actor: Principal, datasets: list[Dataset]) -> int:
    with transaction.atomic():
        write_audit_rows(
            audit_entry(actor=actor, action=ANNOUNCED, record=row, before={}, after={}) for row in datasets
        )
        follow_raw_data(actor=actor, dataset_ids=[row.pk for row in datasets])
        tell_of_datasets(datasets[0].investigation, [row.title for row in datasets])
        events.send_after_commit(events.datasets_changed, uids=[row.uid for row in datasets])
    return len(datasets)
