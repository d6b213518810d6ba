"""Telling of what has opened: the team by mail, the apps above by their signal. Opening itself is the clock's work.

Whether this runs late, twice or never changes nothing of who may read what.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalogue import access, events
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.models import Investigation
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.services.embargo_mails import tell_of_opening
from catalogue.services.extensions import end_open_request
from catalogue.services.followers import follow_investigations

logger = logging.getLogger(__name__)

PORTION = 200
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
        write_audit(actor=actor, action="announce-opening", record=investigation)
        tell_of_opening(investigation)
        events.send_after_commit(events.investigations_changed, uids=[investigation.uid])
    return True
