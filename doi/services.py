"""What people and the site decide about DOIs: reserve, publish, try again, call off. Intents only: nothing here calls DataCite.

After one of these, a view may call `doi.delivery.deliver_soon`, which tries within three seconds.
"""

from django.db import transaction
from django.db.models import Q, QuerySet

from catalogue import access
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.collection_selectors import check_editor, check_publisher, editable_collections, text_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, StaleVersion, Unavailable
from catalogue.interop.datacite import attributes_of
from catalogue.models import Collection, Dataset
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState
from catalogue.publication_checks import find_problems
from catalogue.services.collection_release import begin_publication, return_to_draft
from catalogue.services.consents import ask_consents
from doi import kernel
from doi.intents import announce, ensure_identifier, is_enabled, planned_identifier
from doi.metadata import publication_of
from doi.models import Identifier, IdentifierState, Problem
from doi.wanted import PUBLIC

NOT_DRAFT = "Only a draft is published; this collection is being published or was published before."


def reserve(*, actor: Principal, collection: Collection) -> Identifier:
    """Have a DOI for a draft, to be cited in a manuscript: known to DataCite, found by nobody until it is published."""
    check_editor(collection, actor)
    _check_enabled()
    with transaction.atomic():
        if not Collection.objects.filter(pk=collection.pk, state=CollectionState.DRAFT).exists():
            raise Conflict(NOT_DRAFT, code="collection-fixed")
        identifier = ensure_identifier(collection)
        if identifier.state == IdentifierState.NONE:
            announce(_row(identifier), is_urgent=True)
            write_audit(actor=actor, action="reserve-doi", record=collection, after={"doi": identifier.doi})
    identifier.refresh_from_db()
    return identifier


def publish(*, actor: Principal, collection: Collection, expected_version: int | None) -> Identifier:
    """Publish a draft with its DOI: its members open once DataCite has accepted and every leader concerned has agreed.

    For those who lead an investigation concerned, and for curators. Raises InvalidInput with the form's fields for what
    DataCite would refuse, before anything is sent. Consents that are missing are asked for; until they are given the DOI
    stays reserved and the data stay closed.
    """
    check_publisher(collection, actor)
    _check_enabled()
    collection.refresh_from_db()
    if expected_version is not None and expected_version != collection.version:
        raise StaleVersion("Somebody else changed this collection since you read it. Look at it again, then publish.")
    _check_publishable(collection)
    with transaction.atomic():
        begin_publication(actor=actor, collection=collection, expected_version=collection.version)
        identifier = ensure_identifier(collection)
        if ask_consents(actor=actor, collection=collection):
            _row(identifier).exclude(state__in=PUBLIC).update(wanted=IdentifierState.DRAFT)
        else:
            _row(identifier).update(wanted=IdentifierState.FINDABLE)
        announce(_row(identifier), is_urgent=True)
    identifier.refresh_from_db()
    return identifier


def cancel_publication(*, actor: Principal, collection: Collection) -> None:
    """Call a publication off while DataCite has not accepted it; the DOI stays reserved. Conflict when that is not sure."""
    check_editor(collection, actor)
    with transaction.atomic():
        identifier = Identifier.objects.filter(collection=collection)
        idle = identifier.filter(claimed_until__isnull=True).exclude(problem=Problem.UNKNOWN).exclude(state__in=PUBLIC)
        if not idle.update(wanted=IdentifierState.DRAFT):
            raise Conflict(
                "DataCite is being told at this moment, or may have accepted already. Look again in a minute.",
                code="being-delivered",
            )
        if not return_to_draft(actor=actor, collection=collection, reason="Called off."):
            raise Conflict("This collection is not being published.", code="collection-fixed")
        announce(identifier)


def retry(*, actor: Principal, identifier: Identifier) -> Identifier:
    """Try again now what waits or was refused. For those who may change the record, for curators and administrators."""
    if not may_retry(identifier, actor):
        raise NotAllowed("Only the owners of the record and curators may do this.")
    with transaction.atomic():
        announce(_row(identifier), is_urgent=True)
        write_audit(actor=actor, action="retry-doi", record=identifier.record, after={"doi": identifier.doi})
    identifier.refresh_from_db()
    return identifier


def may_retry(identifier: Identifier, actor: Principal) -> bool:
    if actor.is_administrator or (actor.is_curator and actor.has_scope("register")):
        return True
    if identifier.investigation is not None:
        return access.may_register_in(identifier.investigation, actor)
    collections = Collection.objects.filter(Q(pk=identifier.collection_id) | Q(concept=identifier.concept_id))
    return editable_collections(actor).filter(pk__in=collections.values("pk")).exists()


def resend_landing_urls(*, actor: Principal) -> int:
    """Tell DataCite the addresses of all landing pages anew, after the site has moved; how many there are."""
    if not actor.is_administrator:
        raise NotAllowed("Only administrators move the site.")
    _check_enabled()
    known = Identifier.objects.exclude(state=IdentifierState.NONE)
    count, last = 0, 0
    while keys := list(known.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:500]):
        with transaction.atomic():
            rows = Identifier.objects.filter(pk__in=keys)
            rows.update(accepted_hash="")
            count += announce(rows)
        last = keys[-1]
    return count


def _check_enabled() -> None:
    if not is_enabled():
        raise Unavailable("This site has no account at DataCite, so it makes no DOIs.", code="no-dois")


def _row(identifier: Identifier) -> QuerySet[Identifier]:
    return Identifier.objects.filter(pk=identifier.pk)


def _check_publishable(collection: Collection) -> None:
    """What people wrote, what DataCite's schema asks for, and whether the members can be published at all."""
    problems = find_problems(text_of(collection))
    if not problems:
        identifier = Identifier.objects.filter(collection=collection).first() or planned_identifier(collection)
        for problem in kernel.find_problems(attributes_of(publication_of(identifier))):
            problems.setdefault(problem.field, []).append(problem.message)
    if message := _problem_of_members(collection):
        problems.setdefault("members", []).append(message)
    if problems:
        raise InvalidInput("This cannot be published yet: please look at the marked fields.", fields=problems)


def _problem_of_members(collection: Collection) -> str:
    if not collection.members.exists():
        return "There is nothing in it yet."
    withdrawn = Dataset.objects.filter(memberships__collection=collection, state=RecordState.WITHDRAWN)
    sessions = collection.members.filter(investigation__state=RecordState.WITHDRAWN)
    of_sessions = collection.members.filter(dataset__investigation__state=RecordState.WITHDRAWN)
    if withdrawn.exists() or sessions.exists() or of_sessions.exists():
        return "Something in it was withdrawn meanwhile; please take it out."
    unpublished = collection.members.filter(part__isnull=False).exclude(part__state=CollectionState.PUBLISHED)
    return "A collection in it is not published any more; please take it out." if unpublished.exists() else ""
