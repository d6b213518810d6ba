"""The question to principal investigators whether their closed data may be released with a collection, and their answers.

Every closed investigation that a collection concerns needs a granted consent before the collection is published; who
publishes as its principal investigator grants it in that act. What follows of an answer elsewhere is the listeners' matter.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from catalogue import access, events
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import Collection, Dataset, Investigation, ReleaseConsent
from catalogue.models.collections import CollectionState
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.services.collection_release import return_to_draft

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

    An investigation that said no before is asked again. The actor's own consent needs no question.
    """
    now = timezone.now()
    for investigation in missing_consents(collection, now=now):
        is_own = is_leader(investigation, actor)
        values = {
            "state": RequestState.GRANTED if is_own else RequestState.OPEN,
            "reason": reason or f"To be published in “{collection}”.",
            "requested_by_id": actor.user_id,
            "decided_at": now if is_own else None,
            "decided_by_id": actor.user_id if is_own else None,
            "decision_reason": OWN_WISH if is_own else "",
        }
        consent, _ = ReleaseConsent.objects.update_or_create(
            collection=collection, investigation=investigation, defaults=values
        )
        after = {"collection": str(collection.uid), "state": values["state"]}
        write_audit(actor=actor, action="ask-consent", record=investigation, after=after)
    return list(collection.consents.filter(state=RequestState.OPEN).select_related("investigation"))


def decide_consent(*, actor: Principal, consent: ReleaseConsent, agrees: bool, reason: str = "") -> None:
    """The answer of the principal investigator, or of a curator in their place, who says why. It is given once.

    A refusal turns the collection back into a draft.
    """
    investigation = consent.investigation
    is_leading = is_leader(investigation, actor)
    if not (is_leading or _may_curate(actor)):
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
        events.send_after_commit(events.collections_changed, uids=[collection.uid])
    consent.refresh_from_db()


def withdraw_questions(collection: Collection) -> None:
    """Take back what was asked and not answered, within the caller's transaction: nothing is to be published now."""
    collection.consents.filter(state=RequestState.OPEN).update(state=RequestState.WITHDRAWN)


def open_consents(principal: Principal) -> QuerySet[ReleaseConsent]:
    """The questions that `principal` may answer now, the oldest first; of published and given up collections none."""
    consents = ReleaseConsent.objects.filter(state=RequestState.OPEN, collection__state=CollectionState.PUBLISHING)
    if not _may_curate(principal):
        if principal.user_id is None or not principal.has_scope("register"):
            return consents.none()
        consents = consents.filter(
            Exists(_leaders(principal).filter(pk=OuterRef("investigation_id"))),
        )
    return consents.select_related("collection", "investigation", "requested_by").order_by("pk")


def is_leader(investigation: Investigation, actor: Principal) -> bool:
    """Whether `actor` has the right to release `investigation` as its principal investigator."""
    return actor.has_scope("register") and access.is_team_member(investigation, actor, roles=(TeamRole.PI,))


def _leaders(principal: Principal) -> QuerySet[Investigation]:
    return Investigation.objects.filter(team__person__user_id=principal.user_id, team__role=TeamRole.PI)


def _may_curate(actor: Principal) -> bool:
    return actor.user_id is not None and actor.has_scope("register") and (actor.is_curator or actor.is_administrator)
