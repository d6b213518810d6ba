"""What the pages of releases and extensions show: what becomes public, requests, and the history of an embargo.

Reads only. Who may decide stands in `services/authority.py`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils.dateparse import parse_datetime

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import NotAllowed, NotFound
from catalogue.models import AuditEntry, Dataset, ExtensionRequest, Investigation, TeamMember
from catalogue.models.datasets import DatasetKind
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.policy import latest_embargo_end, policy_of
from catalogue.selectors import HistoryEvent
from catalogue.services.authority import is_curating, is_leader

MOST_TITLES = 20
MOST_ROWS = 100
ENDS_SOON = timedelta(days=120)


@dataclass(frozen=True)
class Opening:
    """What a release makes public: how many datasets and files, `size` in bytes, and the first 20 titles."""

    dataset_count: int
    file_count: int
    size: int
    titles: tuple[str, ...]


def closed_datasets(investigation: Investigation, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets of the investigation that only its readers see at `now`."""
    rows = Dataset.objects.filter(investigation=investigation, state=RecordState.ACTIVE)
    return rows.filter(investigation__state=RecordState.ACTIVE).exclude(access.open_q(now))


def what_becomes_public(
    investigation: Investigation, *, principal: Principal, now: datetime, uids: Collection[UUID] | None = None
) -> Opening:
    """What a release would open: of the whole investigation, or of the datasets `uids` alone. For who may release."""
    check_may_release(investigation, principal)
    datasets = closed_datasets(investigation, now=now)
    if uids is not None:
        datasets = datasets.filter(uid__in=uids)
    sums = datasets.aggregate(files=Sum("file_count"), size=Sum("size"))
    titles = datasets.order_by("id").values_list("title", flat=True)
    return Opening(datasets.count(), sums["files"] or 0, sums["size"] or 0, tuple(titles[:MOST_TITLES]))


def check_may_release(investigation: Investigation, principal: Principal) -> None:
    if not may_release(investigation, principal):
        raise NotAllowed("Only the principal investigator and curators may release data.")


def may_release(investigation: Investigation, principal: Principal) -> bool:
    return is_curating(principal) or is_leader(investigation, principal)


def followers_within(investigation: Investigation, uids: Collection[UUID], *, now: datetime) -> list[Dataset]:
    """Closed processed data of the investigation that derive from the datasets `uids`, also by way of others.

    They open with them unless somebody says otherwise. At most as many steps as provenance is long.
    """
    closed = closed_datasets(investigation, now=now).filter(kind=DatasetKind.PROCESSED, follows_raw_data=True)
    found: dict[int, Dataset] = {}
    wave = list(Dataset.objects.filter(investigation=investigation, uid__in=uids).values_list("pk", flat=True))
    while wave:
        rows = closed.filter(derived_from__in=wave).exclude(uid__in=uids).order_by("pk").distinct()
        new = {row.pk: row for row in rows if row.pk not in found}
        found |= new
        wave = list(new)
    return list(found.values())


def find_extension_request(uid: UUID, principal: Principal) -> ExtensionRequest:
    """A request with its investigation, for curators."""
    if not principal.sees_everything:
        raise NotAllowed("Only curators decide about a longer embargo.")
    request = _requests().filter(uid=uid).first()
    if request is None:
        raise NotFound("There is no such request.")
    return request


def open_extension_requests(principal: Principal) -> list[ExtensionRequest]:
    """What waits for a curator's decision, that first which opens first."""
    if not principal.sees_everything:
        raise NotAllowed("Only curators decide about a longer embargo.")
    rows = _requests().filter(state=RequestState.OPEN).order_by("investigation__embargo_until", "pk")
    return list(rows[:MOST_ROWS])


def extension_requests_of(investigation: Investigation, principal: Principal) -> list[ExtensionRequest]:
    """The requests for one investigation, the newest first, for its team and curators."""
    if not sees_embargo(investigation, principal):
        return []
    return list(_requests().filter(investigation=investigation)[:MOST_ROWS])


def own_extension_requests(principal: Principal, *, decided_since: datetime) -> list[ExtensionRequest]:
    """Those that wait or were decided since, of the investigations that the principal leads."""
    if principal.user_id is None:
        return []
    leads = Q(investigation__team__person__user_id=principal.user_id, investigation__team__role=TeamRole.PI)
    recent = Q(state=RequestState.OPEN) | Q(decided_at__gte=decided_since)
    return list(_requests().filter(leads, recent).exclude(state=RequestState.WITHDRAWN)[:MOST_ROWS])


def _requests() -> QuerySet[ExtensionRequest]:
    return ExtensionRequest.objects.select_related(
        "investigation__facility", "investigation__instrument__facility", "requested_by", "decided_by"
    )


@dataclass(frozen=True)
class EndingEmbargo:
    """An investigation that opens soon. `is_led`: the reader decides about it; `is_held`: a request for more time waits."""

    uid: UUID
    title: str
    opens_at: datetime
    is_held: bool
    is_led: bool


def ending_soon(principal: Principal, *, now: datetime) -> list[EndingEmbargo]:
    """The investigations of the principal's teams whose data open within 120 days, the first to open first."""
    if principal.user_id is None:
        return []
    own = TeamMember.objects.filter(person__user_id=principal.user_id)
    ending = Investigation.objects.filter(
        pk__in=own.values("investigation_id"),
        state=RecordState.ACTIVE,
        released_at__isnull=True,
        embargo_until__lte=now + ENDS_SOON,
    ).exclude(access.embargo_passed_q(now))
    leads = Exists(own.filter(investigation=OuterRef("pk"), role=TeamRole.PI))
    rows = ending.annotate(is_led=leads).order_by("embargo_until", "pk")[:MOST_ROWS]
    return [
        EndingEmbargo(row.uid, row.title, access.opens_at(row), row.held_until is not None, row.is_led) for row in rows
    ]


@dataclass(frozen=True)
class EmbargoPanel:
    """What those who may know see of an embargo: when it ends, what they may do, how it came about.

    `latest` is the moment beyond which the policy lets no extension go; `held_until` is None unless a request waits.
    """

    opens_at: datetime
    embargo_until: datetime
    held_until: datetime | None
    latest: datetime
    hold: timedelta
    is_over: bool
    may_release: bool
    may_ask: bool
    request: ExtensionRequest | None
    history: tuple[HistoryEvent, ...]


def embargo_panel(investigation: Investigation, principal: Principal, *, now: datetime) -> EmbargoPanel | None:
    """The panel for the team and curators, None for everybody else; `investigation` comes with facility and instrument."""
    if not sees_embargo(investigation, principal):
        return None
    policy = policy_of(investigation.facility, investigation.instrument)
    latest = latest_embargo_end(policy, investigation.started_at, investigation.ended_at)
    is_active = investigation.state == RecordState.ACTIVE
    waiting = _requests().filter(investigation=investigation, state=RequestState.OPEN).first()
    may_decide = is_active and may_release(investigation, principal)
    is_over = access.opens_at(investigation) <= now
    return EmbargoPanel(
        opens_at=access.opens_at(investigation),
        embargo_until=investigation.embargo_until,
        held_until=investigation.held_until if waiting else None,
        latest=latest,
        hold=policy.extension_hold,
        is_over=is_over,
        may_release=may_decide and (not is_over or closed_datasets(investigation, now=now).exists()),
        may_ask=(
            is_active
            and waiting is None
            and now < investigation.embargo_until < latest
            and not is_over
            and is_leader(investigation, principal)
        ),
        request=waiting,
        history=tuple(embargo_history(investigation, principal)),
    )


def sees_embargo(investigation: Investigation, principal: Principal) -> bool:
    """Whether the principal may know how the embargo came about: the team and those who see everything."""
    return principal.sees_everything or (
        principal.reads_closed_data and access.is_team_member(investigation, principal)
    )


# The audit log's actions in words; {until} and {datasets} are values of the entry.
TOLD = {
    "create": "Registered, closed until {embargo_until}",
    "release": "Released by decision",
    "release-datasets": "{datasets} datasets released by decision",
    "request-extension": "Longer embargo asked for, until {until}",
    "grant-extension": "Longer embargo granted, until {until}",
    "refuse-extension": "Longer embargo refused",
    "take-back-extension": "Request for a longer embargo taken back",
    "end-extension-request": "Request for a longer embargo ended",
    "announce-opening": "Opened",
    "withdraw": "Withdrawn",
}


def embargo_history(investigation: Investigation, principal: Principal) -> list[HistoryEvent]:
    """How the embargo came to be what it is, the newest first, for the team and curators; names for curators only."""
    if not sees_embargo(investigation, principal):
        return []
    rows = AuditEntry.objects.filter(
        object_type="investigation", object_id=str(investigation.uid), action__in=TOLD
    ).order_by("-id")
    return [
        HistoryEvent(row.at, _told(row), row.actor_label if principal.sees_everything else "")
        for row in rows[:MOST_ROWS]
    ]


def _told(row: AuditEntry) -> str:
    values = {name: _in_words(value) for name, value in row.after.items()}
    for name in ("until", "embargo_until", "datasets"):
        values.setdefault(name, "?")
    text = TOLD[row.action].format(**values)
    reason = row.after.get("reason")
    return f"{text}: {reason}" if reason else text


def _in_words(value: object) -> object:
    moment = parse_datetime(value) if isinstance(value, str) else None
    return f"{moment.day} {moment:%B %Y}" if moment else value
