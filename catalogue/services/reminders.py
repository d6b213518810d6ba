"""Reminds principal investigators 90, 30 and 7 days before an embargo ends. Nothing opens by it or waits for it."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.models import EmbargoReminder, Investigation
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.services.authority import accounts_of_team
from catalogue.services.mails import absolute_url, queue_mails

logger = logging.getLogger(__name__)

STAGES = (90, 30, 7)
BATCH = 500


def send_reminders(*, actor: Principal, now: datetime) -> int:
    """Queue the reminders that are due at `now`; how many. Each is one transaction, and a failing one stops no other.

    Of each investigation only the most urgent stage is due: after a pause of the job nobody gets three mails at once.
    """
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself sends reminders.")
    sent = 0
    for days, next_days in zip(STAGES, (*STAGES[1:], 0), strict=True):
        for investigation in _in_batches(_due(days, next_days, now)):
            try:
                sent += _remind(investigation, days, now)
            except Exception:
                logger.exception("the reminder of investigation %s failed", investigation.uid)
    return sent


def _due(days: int, next_days: int, now: datetime) -> QuerySet[Investigation]:
    """Investigations whose embargo ends within `days`, but not within `next_days`, and who heard nothing of this stage."""
    told = EmbargoReminder.objects.filter(
        investigation=OuterRef("pk"), embargo_until=OuterRef("embargo_until"), days_before__lte=days
    )
    is_closed = Q(released_at__isnull=True) | Q(released_at__gt=now)
    ends_soon = Q(embargo_until__gt=now + timedelta(days=next_days), embargo_until__lte=now + timedelta(days=days))
    return Investigation.objects.filter(is_closed, ends_soon, ~Exists(told), state=RecordState.ACTIVE)


def _in_batches(rows: QuerySet[Investigation]) -> Iterator[Investigation]:
    last = 0
    while part := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from part
        last = part[-1].pk


def _remind(investigation: Investigation, days: int, now: datetime) -> int:
    with transaction.atomic():
        _, is_new = EmbargoReminder.objects.get_or_create(
            investigation=investigation, embargo_until=investigation.embargo_until, days_before=days
        )
        if not is_new:
            return 0
        accounts = accounts_of_team(investigation, roles=(TeamRole.PI,)) or accounts_of_team(
            investigation, roles=(TeamRole.LOCAL_CONTACT,)
        )
        queue_mails(user_ids=accounts, subject=_subject(investigation, now), body=_body(investigation))
    return 1


def _subject(investigation: Investigation, now: datetime) -> str:
    days = max(1, (investigation.embargo_until - now).days)
    return f"Open to everyone in {days} day{'s' if days > 1 else ''}: {investigation.title}"


def _body(investigation: Investigation) -> str:
    end = investigation.embargo_until
    page = absolute_url(f"/investigations/{investigation.uid}")
    return (
        f"The embargo of your investigation “{investigation.title}” ({investigation.visit_id}) ends on {end.day} "
        f"{end:%B %Y at %H:%M} UTC. From that moment on its data are open to everyone. "
        "You need to do nothing.\n\n"
        f"Open them now: {page}/release\nAsk for more time, before that day: {page}/extension\nThe investigation: {page}"
    )
