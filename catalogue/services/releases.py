"""Ends the embargo of an investigation before its time. Asking for a longer one is another matter."""

from django.db import transaction
from django.utils import timezone

from catalogue import access, events
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import NotAllowed
from catalogue.models import Investigation
from catalogue.models.investigations import TeamRole
from catalogue.services.versions import write_version


def release_investigation(*, actor: Principal, investigation: Investigation) -> None:
    """Open the investigation with all its datasets to everyone, now and for good. For its PI and for curators."""
    may_curate = actor.has_scope("register") and (actor.is_curator or actor.is_administrator)
    is_pi = actor.has_scope("register") and access.is_team_member(investigation, actor, roles=(TeamRole.PI,))
    if not (may_curate or is_pi):
        raise NotAllowed("Only the principal investigator and curators may release an investigation.")
    now = timezone.now()
    if access.is_open(investigation, now=now):
        return
    with transaction.atomic():
        write_version(investigation, {"released_at": now}, investigation.version)
        write_audit(
            actor=actor,
            action="release",
            record=investigation,
            before={"embargo_until": investigation.embargo_until.isoformat()},
            after={"released_at": now.isoformat()},
        )
        events.send_after_commit(events.investigations_changed, uids=[investigation.uid])
