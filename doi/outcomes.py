"""What follows when a delivery ended: written by compare-and-set on the deliverer's lease, in one transaction each.

This is the only place where a collection becomes published and its members open, and where a DOI is written to a record.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalogue.access import SYSTEM
from catalogue.models import Collection, Concept, Investigation
from catalogue.models.collections import CollectionState
from catalogue.publication import RelatedIdentifier
from catalogue.services.collection_release import publish_collection, record_doi, return_to_draft
from doi.comparison import Fingerprints
from doi.intents import announce, ensure_identifier, queue
from doi.models import Identifier, IdentifierState, Problem
from doi.relations import neighbours_of, write_links
from doi.wanted import PUBLIC, Plan

LONGEST_WORDS = 2_000
SETTLED = {"problem": Problem.NONE, "problems": {}, "last_error": ""}


class LeaseLost(Exception):
    """Another deliverer took over meanwhile; what this one was told is not written."""


def settle(identifier: Identifier, claim: datetime, plan: Plan) -> None:
    """Nothing is to be told."""
    _write(
        identifier,
        claim,
        wanted=plan.wanted,
        changes_at=plan.changes_at,
        accepted_version=_version(identifier),
        **SETTLED,
    )


def confirm(
    identifier: Identifier,
    claim: datetime,
    plan: Plan,
    *,
    state: IdentifierState,
    fingerprints: Fingerprints,
    related: tuple[RelatedIdentifier, ...],
) -> None:
    """DataCite has the DOI in `state`, with the attributes of these `fingerprints` (empty when they are not ours).

    `related` are the relations that the record's own authors state.
    """
    was_findable = identifier.state == IdentifierState.FINDABLE
    now = timezone.now()
    values: dict[str, object] = {"wanted": plan.wanted, "changes_at": plan.changes_at}
    if state == plan.wanted:
        values["accepted_version"] = _version(identifier)
    elif state in PUBLIC and plan.wanted not in PUBLIC:
        # It became public although that was called off: it is hidden by the next delivery.
        values["wanted"] = IdentifierState.REGISTERED
    with transaction.atomic():
        _write(
            identifier,
            claim,
            state=state,
            accepted_hash=str(fingerprints),
            accepted_at=now,
            checked_at=now,
            **values,
            **SETTLED,
        )
        if state == plan.wanted == IdentifierState.FINDABLE:
            _follow(identifier, is_new=not was_findable)
            announce(Identifier.objects.filter(pk__in=write_links(identifier, related)))


def refuse(identifier: Identifier, claim: datetime, problems: dict[str, list[str]], words: str) -> None:
    """DataCite will not take it, however often it is sent: a collection is a draft again, with the reason."""
    values = {} if identifier.state in PUBLIC else {"wanted": IdentifierState.DRAFT}
    with transaction.atomic():
        _write(
            identifier,
            claim,
            problem=Problem.REFUSED,
            problems=problems,
            last_error=words[:LONGEST_WORDS],
            **values,
        )
        if identifier.collection is not None:
            return_to_draft(actor=SYSTEM, collection=identifier.collection, reason=words)


def note_problem(identifier: Identifier, claim: datetime, problem: Problem, words: str) -> None:
    """Keep why it did not succeed; the outbox keeps when it is tried again."""
    _write(identifier, claim, problem=problem, problems={}, last_error=words[:LONGEST_WORDS])


def send_again(identifier: Identifier) -> None:
    """A deliverer that lost its lease may have sent older attributes over newer ones: the newest are sent once more."""
    with transaction.atomic():
        Identifier.objects.filter(pk=identifier.pk).update(wanted_version=F("wanted_version") + 1, accepted_hash="")
        queue([identifier.doi])


def _follow(identifier: Identifier, *, is_new: bool) -> None:
    record = identifier.record
    if isinstance(record, Collection):
        if record.state != CollectionState.PUBLISHING:
            return
        publish_collection(actor=SYSTEM, collection=record, doi=identifier.doi)
        ensure_identifier(record.concept)
        announce(neighbours_of(identifier))
    elif isinstance(record, Investigation | Concept):
        record_doi(actor=SYSTEM, record=record, doi=identifier.doi)
        if is_new:
            announce(neighbours_of(identifier))


def _version(identifier: Identifier) -> int:
    """The version that the rows were read at, before anything was built of them."""
    return identifier.wanted_version


def _write(identifier: Identifier, claim: datetime, **values: object) -> None:
    if not Identifier.objects.filter(pk=identifier.pk, claimed_until=claim).update(**values):
        raise LeaseLost
