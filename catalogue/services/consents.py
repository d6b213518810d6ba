"""The question to principal investigators whether their closed data may be released with a collection, and their answers.

Every closed investigation that a collection concerns needs a granted consent before the collection is published; who
publishes as its principal investigator grants it in that act. What follows of an answer elsewhere is the listeners' matter.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from catalogue import access, events
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit, write_audit_rows
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import Collection, Dataset, Investigation, ReleaseConsent, TeamMember
from catalogue.models.collections import CollectionState
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.services.authority import is_curating, is_leader
from catalogue.services.collection_release import return_to_draft
from catalogue.services.mails import absolute_url, queue_mail, queue_mails

OWN_WISH = "Published by its principal investigator."


def concerned_investigations(collection: Collection, *, now: datetime) -> QuerySet[Investigation]:
    """The investigations of which publishing `collection` would open something that is closed at `now`."""
    closed = Dataset.objects.filter(state=RecordState.ACTIVE).exclude(access.open_q(now))
    named = closed.filter(memberships__collection=collection).values("investigation_id")
    is_open = access.embargo_passed_q(now) | Q(released_at__lte=now)
    whole = Investigation.objects.filter(memberships__collection=collection).filter(
        ~is_open | Exists(closed.filter(investigation=OuterRef("pk")))
    )
    return Investigation.objects.filter(
        Q(pk__in=named) | Q(pk__in=whole.order_by().values("pk")), state=RecordState.ACTIVE
    )


def missing_consents(collection: Collection, *, now: datetime | None = None) -> QuerySet[Investigation]:
    """The investigations whose principal investigator has not agreed yet: nothing is published while there is one."""
    granted = ReleaseConsent.objects.filter(collection=collection, state=RequestState.GRANTED)
    return concerned_investigations(collection, now=now or timezone.now()).exclude(
        pk__in=granted.values("investigation_id")
    )


def ask_consents(*, actor: Principal, collection: Collection, reason: str = "") -> list[ReleaseConsent]:
    """Ask for every consent that is missing, within the caller's transaction; the consents that are open afterwards.

    An investigation that said no before is asked again. The actor's own consent needs no question. A constant number of
    statements, and one mail to each leader, for any number of investigations.
    """
    missing = list(missing_consents(collection).order_by("pk"))
    led = set(_led_by(actor).values_list("pk", flat=True)) if missing else set()
    why = reason or f"To be published in “{collection}”."
    ReleaseConsent.objects.bulk_create(
        (_question(collection, one, actor, why, is_own=one.pk in led) for one in missing),
        update_conflicts=True,
        unique_fields=["collection", "investigation"],
        update_fields=["state", "reason", "requested_by", "decided_at", "decided_by", "decision_reason"],
        batch_size=500,
    )
    after = {"collection": str(collection.uid)}
    write_audit_rows(
        audit_entry(actor=actor, action="ask-consent", record=one, before={}, after=after) for one in missing
    )
    asked = list(collection.consents.filter(state=RequestState.OPEN).select_related("investigation").order_by("pk"))
    _tell_leaders(actor, collection, asked)
    return asked


def _question(
    collection: Collection, investigation: Investigation, actor: Principal, reason: str, *, is_own: bool
) -> ReleaseConsent:
    return ReleaseConsent(
        collection=collection,
        investigation=investigation,
        state=RequestState.GRANTED if is_own else RequestState.OPEN,
        reason=reason,
        requested_by_id=actor.user_id,
        decided_at=timezone.now() if is_own else None,
        decided_by_id=actor.user_id if is_own else None,
        decision_reason=OWN_WISH if is_own else "",
    )


def _tell_leaders(actor: Principal, collection: Collection, asked: Sequence[ReleaseConsent]) -> None:
    leaders = TeamMember.objects.filter(
        investigation__in=[consent.investigation_id for consent in asked],
        role=TeamRole.PI,
        person__user__is_active=True,
    )
    accounts = leaders.order_by("person__user_id").values_list("person__user_id", flat=True).distinct()
    body = (
        f"{actor.label} wants to publish “{collection}”. It holds data of yours that are under embargo and would become"
        f" public with it.\n\nAgree or refuse on your dashboard: {absolute_url('/me')}"
    )
    queue_mails(user_ids=accounts, subject=f"May your data be published? {collection}", body=body)


def decide_consent(*, actor: Principal, consent: ReleaseConsent, agrees: bool, reason: str = "") -> None:
    """The answer of the principal investigator, or of a curator in their place, who says why. It is given once.

    A refusal turns the collection back into a draft.
    """
    investigation = consent.investigation
    is_leading = is_leader(investigation, actor)
    if not (is_leading or is_curating(actor)):
        raise NotAllowed("Only the principal investigator and curators decide about the release.")
    if not reason.strip() and not (agrees and is_leading):
        raise InvalidInput("Please say why.", fields={"reason": ["Please say why."]})
    state = RequestState.GRANTED if agrees else RequestState.REFUSED
    with transaction.atomic():
        decided = ReleaseConsent.objects.filter(pk=consent.pk, state=RequestState.OPEN).update(
            state=state, decided_at=timezone.now(), decided_by_id=actor.user_id, decision_reason=reason.strip()
        )
        if not decided:
            raise Conflict("This question was answered or taken back before.", code="already-decided")
        collection = consent.collection
        after = {"collection": str(collection.uid), "state": state, "reason": reason.strip()}
        write_audit(actor=actor, action="decide-consent", record=investigation, after=after)
        if not agrees:
            why = f"The release of “{investigation}” was refused: {reason.strip()}"
            return_to_draft(actor=actor, collection=collection, reason=why)
        verb = "agreed to" if agrees else "refused"
        queue_mail(
            user_id=consent.requested_by_id,
            subject=f"{'Agreed' if agrees else 'Refused'}: {collection}",
            body=f"{actor.label} {verb} the release of “{investigation}”. {reason.strip()}",
        )
        events.send_after_commit(events.collections_changed, uids=[collection.uid])
    consent.refresh_from_db()


def open_consents(principal: Principal) -> QuerySet[ReleaseConsent]:
    """The questions that `principal` may answer now, the oldest first; of published and given up collections none."""
    consents = ReleaseConsent.objects.filter(state=RequestState.OPEN, collection__state=CollectionState.PUBLISHING)
    if not is_curating(principal):
        consents = consents.filter(Exists(_led_by(principal).filter(pk=OuterRef("investigation_id"))))
    return consents.select_related("collection", "investigation", "requested_by").order_by("pk")


def _led_by(principal: Principal) -> QuerySet[Investigation]:
    """The investigations that `principal` may release as their principal investigator."""
    if principal.user_id is None or not principal.has_scope("register"):
        return Investigation.objects.none()
    return Investigation.objects.filter(team__person__user_id=principal.user_id, team__role=TeamRole.PI)
