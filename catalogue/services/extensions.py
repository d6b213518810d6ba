"""Requests for a longer embargo: asked by the principal investigator before the end, decided by a curator, once.

While a request is open the data stay closed (`held_until`), for as many days as the policy allows. What has opened in the
meantime never closes again: the request lapses. Each state is moved by compare-and-set.
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import ExtensionRequest, Investigation
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.policy import latest_embargo_end, policy_of
from catalogue.services.authority import check_curator, check_leader
from catalogue.services.embargo_mails import tell_curators_of_request, tell_of_decision
from catalogue.services.followers import follow_investigations

OPENED = "The data are open, and what is open never closes again."
DECIDED = "This request was decided or taken back before."


def request_extension(
    *, actor: Principal, investigation: Investigation, until: datetime, reason: str
) -> ExtensionRequest:
    """Ask that the data stay closed until `until`, as the principal investigator, before the embargo has ended.

    Until it is decided the data stay closed, at most as long past the embargo as the policy says.
    """
    check_leader(investigation, actor, act="ask for a longer embargo")
    now = timezone.now()
    investigation.refresh_from_db()
    _check_wish(investigation, until, reason, now)
    hold = policy_of(investigation.facility, investigation.instrument).extension_hold
    held_until = investigation.embargo_until + hold if hold else None
    try:
        with transaction.atomic():
            rows = closed_investigations(now=now).filter(pk=investigation.pk, embargo_until__gt=now)
            if not _write(rows.filter(embargo_until=investigation.embargo_until), held_until=held_until):
                raise Conflict(OPENED, code="already-open")
            request = ExtensionRequest.objects.create(
                investigation=investigation, until=until, reason=reason.strip(), requested_by_id=actor.user_id
            )
            _settle(actor, investigation, "request-extension", until=until.isoformat(), reason=reason.strip())
            tell_curators_of_request(request)
    except IntegrityError as error:
        raise Conflict("A request for this investigation waits for its decision.", code="already-requested") from error
    return request


def grant_extension(
    *, actor: Principal, request: ExtensionRequest, until: datetime | None = None, reason: str = ""
) -> None:
    """Keep the data closed until `until`, by default as long as was asked for. A shorter time needs a reason.

    Raises Conflict, and lets the request lapse, where the data have opened before it was decided.
    """
    _check_decider(actor, request)
    granted_until = until or request.until
    now = timezone.now()
    _check_grant(request, granted_until, reason, now)
    with transaction.atomic():
        rows = closed_investigations(now=now).filter(pk=request.investigation_id, embargo_until__lt=granted_until)
        is_closed = bool(_write(rows, embargo_until=granted_until, held_until=None))
        if is_closed:
            _decide(actor, request, RequestState.GRANTED, reason, granted_until=granted_until)
            until_text = granted_until.isoformat()
            _settle(actor, request.investigation, "grant-extension", until=until_text, reason=reason.strip())
            tell_of_decision(request)
    if not is_closed:
        end_open_request(actor=actor, investigation=request.investigation, state=RequestState.LAPSED, reason=OPENED)
        raise Conflict(OPENED, code="already-open")


def refuse_extension(*, actor: Principal, request: ExtensionRequest, reason: str) -> None:
    """Leave the embargo as it is, with a reason. Where it has passed while the request was open, the data open now."""
    _check_decider(actor, request)
    if not reason.strip():
        raise InvalidInput("A refusal needs a reason.", fields={"reason": ["Say why."]})
    with transaction.atomic():
        _end_hold(request)
        _decide(actor, request, RequestState.REFUSED, reason)
        _settle(actor, request.investigation, "refuse-extension", reason=reason.strip())
        tell_of_decision(request)


def take_back_extension(*, actor: Principal, request: ExtensionRequest) -> None:
    """For the principal investigator. Where the embargo has passed while the request was open, the data open now."""
    check_leader(request.investigation, actor, act="take back the request")
    with transaction.atomic():
        _end_hold(request)
        if not _close(request, RequestState.WITHDRAWN):
            raise Conflict(DECIDED, code="already-decided")
        _settle(actor, request.investigation, "take-back-extension")


def end_open_request(*, actor: Principal, investigation: Investigation, state: RequestState, reason: str) -> None:
    """End the open request, if there is one, because something else decided it; who asked is told when it lapsed."""
    with transaction.atomic():
        request = investigation.extension_requests.filter(state=RequestState.OPEN).first()
        if request is None or not _close(request, state, decision_reason=reason):
            return
        write_audit(actor=actor, action="end-extension-request", record=investigation, after={"reason": reason})
        if state == RequestState.LAPSED:
            tell_of_decision(request)


def closed_investigations(*, now: datetime) -> QuerySet[Investigation]:
    """The active investigations that are not open at `now`, those included that only a request keeps closed."""
    rows = Investigation.objects.filter(Q(released_at__isnull=True) | Q(released_at__gt=now), state=RecordState.ACTIVE)
    return rows.exclude(access.embargo_passed_q(now))


def _check_wish(investigation: Investigation, until: datetime, reason: str, now: datetime) -> None:
    if access.is_withdrawn(investigation):
        raise Conflict("This investigation was withdrawn.", code="withdrawn")
    if access.opens_at(investigation) <= now or investigation.embargo_until <= now:
        raise Conflict("A longer embargo is asked for before the end, which has passed.", code="already-open")
    fields: dict[str, list[str]] = {}
    latest = latest_embargo_end(
        policy_of(investigation.facility, investigation.instrument), investigation.started_at, investigation.ended_at
    )
    if not investigation.embargo_until < until <= latest:
        fields["until"] = [f"Give a day after the present end, and at the latest {latest:%Y-%m-%d}."]
    if not reason.strip():
        fields["reason"] = ["Say why more time is needed."]
    if fields:
        raise InvalidInput("The request cannot be accepted as it is.", fields=fields)


def _check_decider(actor: Principal, request: ExtensionRequest) -> None:
    check_curator(actor, act="decide about a longer embargo")
    if actor.user_id is None or actor.user_id == request.requested_by_id:
        raise NotAllowed("Nobody decides about a request of their own. Another curator has to.")


def _check_grant(request: ExtensionRequest, until: datetime, reason: str, now: datetime) -> None:
    earliest = max(request.investigation.embargo_until, now)
    if not earliest < until <= request.until:
        raise InvalidInput(
            "The data cannot be kept closed until this day.",
            fields={"until": [f"Give a day after {earliest:%Y-%m-%d}, and at the latest {request.until:%Y-%m-%d}."]},
        )
    if until < request.until and not reason.strip():
        raise InvalidInput("A shorter time needs a reason.", fields={"reason": ["Say why it is shorter."]})


def _decide(actor: Principal, request: ExtensionRequest, state: RequestState, reason: str, **values: Any) -> None:
    if not _close(request, state, decided_by_id=actor.user_id, decision_reason=reason.strip(), **values):
        raise Conflict(DECIDED, code="already-decided")


def _close(request: ExtensionRequest, state: RequestState, **values: Any) -> bool:
    """Move an open request to `state`; False when it is open no more."""
    rows = ExtensionRequest.objects.filter(pk=request.pk, state=RequestState.OPEN)
    if not rows.update(state=state, decided_at=timezone.now(), **values):
        return False
    request.refresh_from_db()
    return True


def _write(rows: QuerySet[Investigation], **values: Any) -> int:
    return rows.update(**values, version=F("version") + 1, updated_at=timezone.now())


def _end_hold(request: ExtensionRequest) -> None:
    """From now on only the embargo keeps the data closed. Where it has passed they open now, and `held_until` says so."""
    now = timezone.now()
    held = Investigation.objects.filter(pk=request.investigation_id, held_until__gt=now)
    if not _write(held.filter(embargo_until__gte=now), held_until=None):
        _write(held, held_until=now)


def _settle(actor: Principal, investigation: Investigation, action: str, **after: str) -> None:
    """Audit row, followers and signal, after the investigation was written."""
    before = {"embargo_until": investigation.embargo_until.isoformat()}
    investigation.refresh_from_db()
    write_audit(actor=actor, action=action, record=investigation, before=before, after=after)
    follow_investigations(actor=actor, investigation_ids=[investigation.pk])
    changes.investigation_changed(investigation)
