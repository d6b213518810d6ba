"""DOIs of investigations, which they get by the policy of their instrument, and the clock's part in it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.models import Dataset, Investigation
from catalogue.models.facilities import SessionDoi
from doi.intents import is_enabled, queue
from doi.models import Identifier, IdentifierState
from doi.names import doi_name
from doi.wanted import PUBLIC, foreign_q, plan_of_session

AT_ONCE = 500


def ensure_session_dois(*, actor: Principal, investigations: Sequence[UUID]) -> int:
    """See that these investigations have the DOI that their policy wants, and that DataCite hears of their changes.

    Every investigation gets a row, be it for the clock to look at later. How many deliveries were intended.
    """
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself gives DOIs to investigations.")
    if not is_enabled():
        return 0
    return sum(
        _ensure(list(investigations[start : start + AT_ONCE])) for start in range(0, len(investigations), AT_ONCE)
    )


def heed_first_datasets(*, actor: Principal, datasets: Sequence[UUID]) -> int:
    """Datasets were registered or changed: those investigations that waited for their first one get their DOI."""
    if not is_enabled():
        return 0
    first = SessionDoi.FIRST_DATASET
    by_policy = Q(instrument__session_doi=first) | Q(instrument__session_doi="", facility__session_doi=first)
    waiting = Investigation.objects.filter(by_policy, identifier__wanted=IdentifierState.NONE)
    count = 0
    for start in range(0, len(datasets), AT_ONCE):
        measured = Dataset.objects.filter(uid__in=list(datasets[start : start + AT_ONCE])).values("investigation_id")
        uids = list(waiting.filter(pk__in=measured).values_list("uid", flat=True))
        count += ensure_session_dois(actor=actor, investigations=uids)
    return count


def heed_clock(*, actor: Principal) -> int:
    """Tell DataCite what became different by the mere passing of time: sessions that began, embargoes that ended."""
    if not is_enabled():
        return 0
    now, count = timezone.now(), 0
    due = Identifier.objects.filter(changes_at__lte=now, investigation__isnull=False).order_by("changes_at")
    while uids := list(due.values_list("investigation__uid", flat=True)[:AT_ONCE]):
        count += ensure_session_dois(actor=actor, investigations=uids)
    return count


def _ensure(uids: list[UUID]) -> int:
    now = timezone.now()
    rows = Investigation.objects.filter(~foreign_q(), uid__in=uids).select_related("facility", "instrument__facility")
    investigations = list(rows.order_by("pk"))
    known = {one.investigation_id: one for one in Identifier.objects.filter(investigation__in=investigations)}
    with transaction.atomic():
        _create([one for one in investigations if one.pk not in known])
        known = {one.investigation_id: one for one in Identifier.objects.filter(investigation__in=investigations)}
        told = [known[one.pk].doi for one in investigations if _plan(known[one.pk], one, now)]
        queue(told)
    return len(told)


def _create(investigations: Iterable[Investigation]) -> None:
    prefix = settings.DATACITE_PREFIX
    Identifier.objects.bulk_create(
        (Identifier(investigation=one, doi=doi_name(prefix, one.uid)) for one in investigations), ignore_conflicts=True
    )


def _plan(identifier: Identifier, investigation: Investigation, now: datetime) -> bool:
    """Write what is wanted of one; whether there is something to tell."""
    plan = plan_of_session(investigation, is_public=identifier.state in PUBLIC, now=now)
    rows = Identifier.objects.filter(pk=identifier.pk, state=identifier.state)
    if plan.wanted == identifier.wanted == IdentifierState.NONE:
        rows.update(changes_at=plan.changes_at)
        return False
    rows.update(
        wanted=plan.wanted,
        changes_at=plan.changes_at,
        wanted_version=F("wanted_version") + 1,
    )
    return True
