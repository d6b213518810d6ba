"""An embargo of its own for one dataset, in place of that of its investigation or of the data that it derives from."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput
from catalogue.models import Dataset
from catalogue.models.investigations import RecordState
from catalogue.policy import latest_embargo_end, policy_of
from catalogue.services.authority import check_leader_or_curator, is_curating
from catalogue.services.followers import follow_raw_data

IS_OVER = "This dataset is open or was withdrawn; its embargo is over."


def latest_own_end(dataset: Dataset, principal: Principal) -> datetime:
    """How late `principal` may let a closed dataset open, which comes with investigation and instrument.

    Who leads the investigation keeps it closed until the end of the embargo of the investigation, or of its own: beyond that
    a curator is asked for more time. Curators go to the maximum of the policy.
    """
    investigation = dataset.investigation
    policy = policy_of(dataset.instrument.facility, dataset.instrument)
    latest = latest_embargo_end(policy, investigation.started_at, investigation.ended_at)
    if is_curating(principal):
        return latest
    return max(investigation.embargo_until, dataset.embargo_until or investigation.embargo_until)


def set_dataset_embargo(*, actor: Principal, dataset: Dataset, until: datetime) -> None:
    """Let a closed dataset open at `until`, whatever its investigation says. From now on it follows no other data.

    `until` lies in the future and not after `latest_own_end`; to open it now, release it.
    """
    investigation = dataset.investigation
    check_leader_or_curator(investigation, actor, act="set the embargo of a dataset")
    now, latest = timezone.now(), latest_own_end(dataset, actor)
    if access.is_open(dataset, now=now) or access.is_withdrawn(dataset):
        raise Conflict(IS_OVER, code="already-open")
    if not now < until <= latest:
        raise InvalidInput(
            "The embargo cannot end then.",
            fields={"until": [f"Give a moment in the future, at the latest {latest:%Y-%m-%d, %H:%M} UTC."]},
        )
    with transaction.atomic():
        closed = Dataset.objects.filter(
            pk=dataset.pk, state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE
        ).exclude(access.open_q(now))
        values = {"embargo_until": until, "follows_raw_data": False, "version": F("version") + 1, "updated_at": now}
        if not closed.update(**values):
            raise Conflict(IS_OVER, code="already-open")
        before = {"embargo_until": dataset.embargo_until.isoformat() if dataset.embargo_until else None}
        after = {"embargo_until": until.isoformat()}
        write_audit(actor=actor, action="set-embargo", record=dataset, before=before, after=after)
        follow_raw_data(actor=actor, dataset_ids=[dataset.pk])
        changes.datasets_changed([dataset])
