"""Requests of people to read closed data: asked with a reason, decided once by those who may share them, told by mail."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import AccessRequest, Dataset, Investigation, TeamMember
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.services.authority import accounts_of_curators, accounts_of_team
from catalogue.services.grants import Closed, grant_access, investigation_of, path_of
from catalogue.services.mails import absolute_url, queue_mail, queue_mails
from catalogue.sharing import SHARERS

MOST_OPEN = 20
LONGEST_REASON = 4000
LAPSES_AFTER = timedelta(days=180)
LAPSED = "The request was not decided in time, or the data have opened."
DECIDED = "This request was decided or taken back before."


def request_access(
    *, actor: Principal, record: Closed, level: Level, reason: str, accepts_terms: bool
) -> AccessRequest:
    """Ask to read `record`, which the actor sees at `level` only. Those who may share it are told.

    One request of a person for a record is open at a time.
    """
    _check_asker(actor, record, level)
    fields: dict[str, list[str]] = {}
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        fields["reason"] = [f"Say in at most {LONGEST_REASON} characters what you need the data for."]
    if not accepts_terms:
        fields["accepts_terms"] = ["The data can be lent only under these terms."]
    if fields:
        raise InvalidInput("The request cannot be sent as it is.", fields=fields)
    name = "dataset" if isinstance(record, Dataset) else "investigation"
    try:
        with transaction.atomic():
            request = AccessRequest.objects.create(
                **{name: record},
                requested_by_id=actor.user_id,
                reason=reason.strip(),
                terms_accepted_at=timezone.now(),
            )
            write_audit(actor=actor, action="request-access", record=record, after={"request": str(request.uid)})
            _tell_deciders(request, record)
    except IntegrityError:
        raise Conflict(
            "You have asked for this already; the answer is not there yet.", code="already-requested"
        ) from None
    return request


def grant_request(*, actor: Principal, request: AccessRequest, expires_at: datetime | None, reason: str = "") -> None:
    """Let the person in until `expires_at` (None: until the data open). Decided once, whoever is quicker."""
    record = record_of(request)
    _check_decider(actor, request)
    with transaction.atomic():
        grant = grant_access(
            actor=actor, record=record, user=request.requested_by, expires_at=expires_at, reason=request.reason
        )
        _decide(actor, request, RequestState.GRANTED, reason, grant=grant)


def refuse_request(*, actor: Principal, request: AccessRequest, reason: str) -> None:
    _check_decider(actor, request)
    if not reason.strip():
        raise InvalidInput("A refusal needs a reason.", fields={"reason": ["Say why; the person reads it."]})
    with transaction.atomic():
        _decide(actor, request, RequestState.REFUSED, reason)
        record = record_of(request)
        body = f"Your request to read “{record.title}” was refused.\n\nReason: {reason.strip()}"
        queue_mail(
            user_id=request.requested_by_id,
            subject=f"Your request was refused: {record.title}",
            body=f"{body}\n\n{absolute_url(page_of(request))}",
        )


def take_back_request(*, actor: Principal, request: AccessRequest) -> None:
    if actor.user_id != request.requested_by_id or actor.scopes is not None:
        raise NotAllowed("Only who asked can take the request back.")
    with transaction.atomic():
        _decide(actor, request, RequestState.WITHDRAWN, "")


def lapse_requests(*, actor: Principal) -> int:
    """End the requests that nobody decided for half a year, and those for data that have opened or were withdrawn."""
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself ends requests that nobody decided.")
    now = timezone.now()
    opened = Q(dataset__in=Dataset.objects.filter(access.open_q(now))) | Q(
        investigation__in=Investigation.objects.filter(access.embargo_passed_q(now) | Q(released_at__lte=now))
    )
    gone = Q(investigation__state=RecordState.WITHDRAWN) | Q(dataset__state=RecordState.WITHDRAWN)
    late = Q(created_at__lt=now - LAPSES_AFTER)
    waiting = AccessRequest.objects.filter(state=RequestState.OPEN).filter(opened | gone | late)
    keys = list(waiting.values_list("pk", flat=True))
    rows = AccessRequest.objects.filter(pk__in=keys, state=RequestState.OPEN)
    return rows.update(state=RequestState.LAPSED, decided_at=now, decision_reason=LAPSED)


def find_request(uid: UUID, principal: Principal) -> AccessRequest:
    """A request, for who asked and for those who decide; for everybody else it does not exist."""
    rows = AccessRequest.objects.select_related(
        "investigation__facility", "investigation__instrument__facility", "dataset__investigation__facility",
        "dataset__instrument__facility", "requested_by__person", "decided_by", "grant",
    )  # fmt: skip
    request = rows.filter(uid=uid).first()
    is_known = request is not None and principal.user_id is not None and principal.has_scope("read")
    if (
        request is None
        or not is_known
        or not (request.requested_by_id == principal.user_id or may_decide(request, principal))
    ):
        raise NotFound("There is no such request, or none that you may see.")
    return request


def may_decide(request: AccessRequest, principal: Principal) -> bool:
    """Whether `principal` shares the data asked for; nobody answers a request of their own."""
    return principal.user_id != request.requested_by_id and access.may_share_in(
        investigation_of(record_of(request)), principal
    )


def requests_to_decide(principal: Principal) -> QuerySet[AccessRequest]:
    """The open requests for data of investigations that the principal leads, the oldest first."""
    if principal.user_id is None or not principal.has_scope("register"):
        return AccessRequest.objects.none()
    led = TeamMember.objects.filter(person__user_id=principal.user_id, role__in=SHARERS).values("investigation_id")
    rows = AccessRequest.objects.filter(Q(investigation__in=led) | Q(dataset__investigation__in=led))
    return _listed(rows.filter(state=RequestState.OPEN)).exclude(requested_by_id=principal.user_id).order_by("id")


def requests_for(investigation: Investigation) -> QuerySet[AccessRequest]:
    """The open requests for one investigation and its datasets, the oldest first."""
    rows = AccessRequest.objects.filter(Q(investigation=investigation) | Q(dataset__investigation=investigation))
    return _listed(rows.filter(state=RequestState.OPEN)).order_by("id")


def own_requests(principal: Principal) -> QuerySet[AccessRequest]:
    """What the principal asked for, the newest first."""
    if principal.user_id is None:
        return AccessRequest.objects.none()
    return _listed(AccessRequest.objects.filter(requested_by_id=principal.user_id)).order_by("-id")


def open_request(record: Closed, principal: Principal) -> AccessRequest | None:
    """The principal's own request for `record` that waits for an answer."""
    name = "dataset" if isinstance(record, Dataset) else "investigation"
    return own_requests(principal).filter(state=RequestState.OPEN, **{name: record}).first()


def record_of(request: AccessRequest) -> Closed:
    record = request.investigation or request.dataset
    assert record is not None, "the database holds that a request names one record"
    return record


def page_of(request: AccessRequest) -> str:
    return f"/access-requests/{request.uid}"


def _listed(rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    return rows.select_related("investigation", "dataset__investigation", "requested_by", "grant")


def _check_asker(actor: Principal, record: Closed, level: Level) -> None:
    if actor.user_id is None or actor.instrument_id is not None or actor.scopes is not None:
        raise NotAllowed("Access is asked for by a person, signed in on the site.")
    if level == Level.FULL:
        raise Conflict("You can read this already.")
    if access.is_withdrawn(record):
        raise Conflict("This record was withdrawn: its data are given to nobody.", code="withdrawn")
    if own_requests(actor).filter(state=RequestState.OPEN).count() >= MOST_OPEN:
        message = f"{MOST_OPEN} of your requests wait for an answer. Ask again when some are decided."
        raise Conflict(message)


def _check_decider(actor: Principal, request: AccessRequest) -> None:
    if actor.user_id is None or not may_decide(request, actor):
        raise NotAllowed("Only the principal investigator, the local contact and curators decide about this request.")


def _decide(actor: Principal, request: AccessRequest, state: RequestState, reason: str, **values: Any) -> None:
    """Move an open request to `state`, or roll the caller's transaction back with Conflict."""
    is_taken_back = state == RequestState.WITHDRAWN
    moved = AccessRequest.objects.filter(pk=request.pk, state=RequestState.OPEN).update(
        state=state,
        decided_at=timezone.now(),
        decided_by_id=None if is_taken_back else actor.user_id,
        decision_reason=reason.strip(),
        **values,
    )
    if not moved:
        raise Conflict(DECIDED, code="already-decided")
    after = {"request": str(request.uid), "state": state, "reason": reason.strip()}
    write_audit(actor=actor, action="decide-access-request", record=record_of(request), after=after)
    request.refresh_from_db(fields=["state", "decided_at", "decided_by", "decision_reason", "grant"])


def _tell_deciders(request: AccessRequest, record: Closed) -> None:
    """Tell those who may decide; the curators where none of them has an account."""
    accounts = accounts_of_team(investigation_of(record), roles=SHARERS) or accounts_of_curators()
    body = (
        f"Somebody asks to read the closed data of “{record.title}” ({absolute_url(path_of(record))}).\n\n"
        f"Who it is, why, and the answer: {absolute_url(page_of(request))}"
    )
    queue_mails(user_ids=accounts, subject=f"A request for access: {record.title}", body=body)
