"""What is wanted of a DOI at DataCite now, and when the clock alone will change that. Reads rows, writes none.

The answer follows from the record, the policy of its instrument and the time; the column `wanted` only keeps it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from catalogue import access
from catalogue.models import Collection, Concept, Investigation
from catalogue.models.collections import CollectionState
from catalogue.models.facilities import EmbargoMetadata, SessionDoi
from catalogue.policy import Policy, policy_of
from catalogue.services.consents import missing_consents
from doi.models import Identifier, IdentifierState
from doi.names import form_of_names

PUBLIC = (IdentifierState.REGISTERED, IdentifierState.FINDABLE)


def foreign_q() -> Q:
    """Records that came with a DOI which somebody else registered: nothing is wanted of it at DataCite, and of no other."""
    is_ours = Q(doi__regex=form_of_names(settings.DATACITE_PREFIX)) | Q(identifier__isnull=False)
    return Q(doi__isnull=False) & ~is_ours


@dataclass(frozen=True)
class Plan:
    """`changes_at` is the next moment at which the clock changes the plan or the metadata; None when it never does."""

    wanted: IdentifierState
    changes_at: datetime | None = None


def plan_of(identifier: Identifier, *, now: datetime) -> Plan:
    """The plan for an identifier whose record is fetched with it."""
    record = identifier.record
    is_public = identifier.state in PUBLIC
    if isinstance(record, Investigation):
        return plan_of_session(record, is_public=is_public, now=now)
    wanted = _of_collection(record, now) if isinstance(record, Collection) else _of_concept(record)
    if is_public and wanted not in PUBLIC:
        # DataCite knows no way back to a draft: what was public and is wanted no more is hidden.
        wanted = IdentifierState.REGISTERED
    return Plan(wanted)


def plan_of_session(investigation: Investigation, *, is_public: bool, now: datetime) -> Plan:
    """The plan for an investigation; `instrument.facility` is fetched with it. What is public stays so until withdrawn."""
    if access.is_withdrawn(investigation):
        return Plan(IdentifierState.REGISTERED if is_public else IdentifierState.NONE)
    policy = policy_of(investigation.facility, investigation.instrument)
    opens_at = access.opens_at(investigation)
    opens_later = opens_at if opens_at > now else None
    if not is_public:
        due_at = _due_at(investigation, policy, now)
        if due_at is None or due_at > now:
            return Plan(IdentifierState.NONE, due_at)
        if policy.embargo_metadata == EmbargoMetadata.NONE and opens_later is not None:
            return Plan(IdentifierState.DRAFT, opens_later)
    return Plan(IdentifierState.FINDABLE, opens_later)


def _due_at(investigation: Investigation, policy: Policy, now: datetime) -> datetime | None:
    """The moment from which an investigation has a DOI by the policy; None when only an event can tell."""
    if policy.session_doi == SessionDoi.FIRST_DATASET:
        return now if investigation.dataset_count else None
    return investigation.ended_at if policy.session_doi == SessionDoi.END else investigation.started_at


def _of_collection(collection: Collection, now: datetime) -> IdentifierState:
    if collection.state == CollectionState.WITHDRAWN:
        return IdentifierState.REGISTERED if collection.doi else IdentifierState.DRAFT
    if collection.state == CollectionState.PUBLISHED:
        return IdentifierState.FINDABLE
    is_being_published = collection.state == CollectionState.PUBLISHING
    if is_being_published and not missing_consents(collection, now=now).exists():
        return IdentifierState.FINDABLE
    return IdentifierState.DRAFT


def _of_concept(concept: Concept) -> IdentifierState:
    if concept.versions.filter(state=CollectionState.PUBLISHED).exists():
        return IdentifierState.FINDABLE
    return IdentifierState.NONE
