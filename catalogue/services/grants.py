"""Leave for one person to read what is closed: given until a day or until the data open, and taken back."""

import re
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from catalogue import access, events, selectors
from catalogue.access import Level, Principal, principal_of
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.identifiers import normalise_orcid
from catalogue.models import AccessGrant, Dataset, Investigation, User
from catalogue.models.investigations import RecordState
from catalogue.services.mails import absolute_url, queue_mail

Closed = Investigation | Dataset

ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-?\d{4}-?\d{4}-?\d{3}[\dXx])")
NOBODY = (
    "Nobody with an account here is known by this. An e-mail address and an ORCID iD count once their owner has confirmed "
    "them by signing in; ask the person to do so, or for their user name."
)


def grant_access(
    *, actor: Principal, record: Closed, user: User, expires_at: datetime | None, reason: str = ""
) -> AccessGrant:
    """Let `user` read `record` while it is closed, until `expires_at` (None: until it opens). The person is told.

    A second grant to the same person for the same record takes the place of the first.
    """
    investigation = investigation_of(record)
    _check(investigation, actor)
    if access.is_withdrawn(record):
        raise Conflict("This record was withdrawn: nobody outside can be let in.", code="withdrawn")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput("The end lies in the past.", fields={"until": ["Give a day to come."]})
    if user.instrument_id is not None or not user.is_active:
        raise InvalidInput("This account cannot read closed data.", fields={"who": [NOBODY]})
    with transaction.atomic():
        names = {"dataset" if isinstance(record, Dataset) else "investigation": record}
        AccessGrant.objects.filter(user=user, **names).delete()
        grant = AccessGrant.objects.create(
            user=user, granted_by_id=actor.user_id, expires_at=expires_at, reason=reason.strip(), **names
        )
        write_audit(actor=actor, action="grant-access", record=record, after=_audited(grant))
        _tell_of_grant(grant, record)
        _announce(record)
    return grant


def revoke_grant(*, actor: Principal, grant: AccessGrant, reason: str = "") -> None:
    """End a grant at once; the person is told. A request that led to it stays granted, as it was."""
    record = record_of(grant)
    _check(investigation_of(record), actor)
    with transaction.atomic():
        deleted, _ = AccessGrant.objects.filter(pk=grant.pk).delete()
        if not deleted:
            raise Conflict("This grant was ended before.")
        write_audit(actor=actor, action="revoke-access", record=record, before=_audited(grant))
        if grant.user_id and (grant.expires_at is None or grant.expires_at > timezone.now()):
            subject = f"Your access has ended: {record.title}"
            body = f"Your access to “{record.title}” was ended by its team. {reason}".strip()
            queue_mail(user_id=grant.user_id, subject=subject, body=f"{body}\n\n{absolute_url(path_of(record))}")
        _announce(record)


def grants_of(investigation: Investigation, actor: Principal) -> QuerySet[AccessGrant]:
    """All grants for an investigation and its datasets, the newest first, for those who may give them."""
    _check(investigation, actor)
    grants = AccessGrant.objects.filter(Q(investigation=investigation) | Q(dataset__investigation=investigation))
    return grants.select_related(
        "user__person", "group", "investigation", "dataset__investigation", "granted_by"
    ).order_by("-id")


def find_grant(investigation: Investigation, actor: Principal, grant_id: int) -> AccessGrant:
    grant = grants_of(investigation, actor).filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such grant, or it was ended.")
    return grant


def find_account(text: str) -> User:
    """The account of a person by user name, confirmed e-mail address, or ORCID iD that a login vouched for.

    What somebody merely wrote into a profile counts for nothing: it could be another's. Raises InvalidInput.
    """
    text = text.strip()
    accounts = User.objects.filter(is_active=True, instrument__isnull=True)
    if "@" in text and (found := accounts.filter(emailaddress__email__iexact=text, emailaddress__verified=True)):
        return found[0]
    if match := ORCID.fullmatch(text):
        accounts = accounts.filter(person__orcid=_orcid(match[1]), person__orcid_verified_at__isnull=False)
    else:
        accounts = accounts.filter(username=text)
    user = accounts.first()
    if user is None:
        raise InvalidInput(NOBODY, fields={"who": [NOBODY]})
    return user


def is_read_in_full(record: Closed, user: User) -> bool:
    """Whether `user` reads `record` in full already."""
    find = selectors.find_dataset if isinstance(record, Dataset) else selectors.find_investigation
    try:
        return find(record.uid, principal_of(user))[1] == Level.FULL
    except NotFound:
        return False


def has_grant(investigation: Investigation, user: User) -> bool:
    return AccessGrant.objects.filter(investigation=investigation, user=user).exists()


def investigation_of(record: Closed) -> Investigation:
    return record if isinstance(record, Investigation) else record.investigation


def record_of(grant: AccessGrant) -> Closed:
    record = grant.investigation or grant.dataset
    assert record is not None, "the database holds that a grant names one record"
    return record


def path_of(record: Closed) -> str:
    return f"/{type(record).__name__.lower()}s/{record.uid}"


def _orcid(text: str) -> str:
    try:
        return normalise_orcid(text)
    except ValueError:
        raise InvalidInput(NOBODY, fields={"who": ["This is no ORCID iD."]}) from None


def _check(investigation: Investigation, actor: Principal) -> None:
    if actor.user_id is None or not access.may_share_in(investigation, actor):
        raise NotAllowed(
            "Only the principal investigator, the local contact and curators decide who else reads these data."
        )


def _audited(grant: AccessGrant) -> dict[str, str]:
    until = grant.expires_at.isoformat() if grant.expires_at else "until it opens"
    return {"reader": str(grant.user or grant.group), "until": until, "reason": grant.reason}


def _tell_of_grant(grant: AccessGrant, record: Closed) -> None:
    until = f"until {grant.expires_at:%Y-%m-%d %H:%M} UTC" if grant.expires_at else "until they are open to everyone"
    body = (
        f"You may now read the closed data of “{record.title}”, {until}.\n\n{absolute_url(path_of(record))}\n\n"
        "They are lent for what you said or were asked to do, and under the terms of use that you find with them: do not pass "
        "them on."
    )
    if grant.user_id:
        queue_mail(user_id=grant.user_id, subject=f"You have been given access: {record.title}", body=body)


def _announce(record: Closed) -> None:
    if isinstance(record, Investigation) or record.state != RecordState.ACTIVE:
        events.send_after_commit(events.investigations_changed, uids=[investigation_of(record).uid])
    else:
        events.send_after_commit(events.datasets_changed, uids=[record.uid])
