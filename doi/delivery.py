"""Telling DataCite what is wanted of one DOI: the handler of the outbox topic `doi`.

One deliverer at a time holds the lease of an identifier. It reads the rows anew, sends a PUT that is safe to repeat, and
hands the answer to `doi/outcomes.py`, which writes it. No network call is made within a transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalogue import outbox
from catalogue.interop.datacite import attributes_of
from catalogue.outbox import Retry
from doi import kernel, outcomes
from doi.client import Accepted, DataCiteClient, DataCiteError, Refused, TryLater, UnknownOutcome, client_from_settings
from doi.comparison import Fingerprints, differences, fingerprint_found, fingerprint_sent
from doi.intents import TOPIC, is_enabled
from doi.metadata import publication_of
from doi.models import Identifier, IdentifierState, Problem
from doi.relations import stated_relations
from doi.wanted import PUBLIC, Plan, plan_of

LONGEST_PAUSE = timedelta(minutes=5)
# Of a request that somebody waits for, each spent at most three times: to connect, for the answer to begin, for all of it.
# First it is heard whether DataCite answers at all. Together they are less than three seconds, and soon over where it is dead.
PROBE_TIMEOUT = 0.2
QUICK_TIMEOUT = 0.75
# More than these are released by the queue: it takes as long as there are members.
QUICK_MEMBERS = 100
TROUBLE = timedelta(minutes=1)
EVENTS = {IdentifierState.FINDABLE: "publish", IdentifierState.REGISTERED: "hide"}


@dataclass(frozen=True)
class Answer:
    """What DataCite has: the state, its attributes, and whether they are those that were sent."""

    state: IdentifierState
    attributes: Mapping[str, Any]
    is_ours: bool = True


@dataclass(frozen=True)
class Attempt:
    """One delivery under way. `claim` is the end of its lease, by which it writes."""

    identifier: Identifier
    claim: datetime
    client: DataCiteClient
    is_quick: bool


def lease() -> timedelta:
    """Longer than any delivery takes: two requests, each waiting to connect, to send, for an answer and for its end."""
    return timedelta(seconds=8 * settings.DATACITE_TIMEOUT + 20)


def with_records(identifiers: QuerySet[Identifier]) -> QuerySet[Identifier]:
    """With what a plan and a publication read of them."""
    return identifiers.select_related(
        "investigation__facility",
        "investigation__instrument__facility",
        "investigation__proposal",
        "collection__concept",
        "collection__home__facility",
        "concept",
    )


def deliver(key: str, payload: dict, *, client: DataCiteClient | None = None, is_quick: bool = False) -> None:
    """`key` is a DOI. Returns when DataCite has what is wanted or refused it; raises Retry when it is to be tried again."""
    if not is_enabled():
        raise Retry("This site has no account at DataCite (DATACITE_URL).")
    identifier, claim = _claim(key)
    attempt = Attempt(identifier, claim, client or client_from_settings(), is_quick)
    try:
        _tell(attempt)
    except outcomes.LeaseLost:
        outcomes.send_again(identifier)
    except Exception as error:
        if not isinstance(error, Retry):
            words = f"The site could not prepare what it tells DataCite ({type(error).__name__})."
            _held(identifier, claim).update(problem=Problem.OPERATOR, last_error=words)
        raise
    finally:
        _held(identifier, claim).update(claimed_until=None)


def deliver_soon(identifier: Identifier) -> Identifier:
    """Try within a request, after its transaction: at most three seconds, none while DataCite is known not to answer.

    Whatever comes of it, the delivery is the queue's when it did not succeed, and at once that of a collection with many
    members. Gives the identifier as it is then.
    """
    is_small = identifier.collection is None or identifier.collection.member_count <= QUICK_MEMBERS
    if is_enabled() and is_small and not is_in_trouble():
        client = client_from_settings(timeout=QUICK_TIMEOUT)
        outbox.deliver_now(TOPIC, identifier.doi, partial(deliver, client=client, is_quick=True))
    identifier.refresh_from_db()
    return identifier


def is_in_trouble() -> bool:
    """Whether any worker found DataCite dead in the last minute."""
    failed = Identifier.objects.filter(
        accepted_version__lt=F("wanted_version"),
        problem__in=[Problem.LATER, Problem.UNKNOWN],
        last_attempt_at__gt=timezone.now() - TROUBLE,
    )
    return failed.exists()


def _claim(doi: str) -> tuple[Identifier, datetime]:
    now = timezone.now()
    until = now + lease()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    if not Identifier.objects.filter(free, doi=doi).update(claimed_until=until, last_attempt_at=now):
        busy = Identifier.objects.filter(doi=doi).values_list("claimed_until", flat=True).first()
        raise Retry("Another worker is telling DataCite about it.", after=(busy or now) - now)
    return with_records(Identifier.objects.filter(doi=doi)).get(), until


def _held(identifier: Identifier, claim: datetime) -> QuerySet[Identifier]:
    return Identifier.objects.filter(pk=identifier.pk, claimed_until=claim)


def _tell(attempt: Attempt) -> None:
    identifier, claim = attempt.identifier, attempt.claim
    now = timezone.now()
    plan = plan_of(identifier, now=now)
    if plan.wanted == IdentifierState.NONE:
        outcomes.settle(identifier, claim, plan)
        return
    attributes = attributes_of(publication_of(identifier, now=now))
    known, fingerprint = Fingerprints.from_text(identifier.accepted_hash), fingerprint_sent(attributes)
    conclude = partial(outcomes.confirm, identifier, claim, plan, related=stated_relations(identifier))
    if (identifier.state, known.ours) == (plan.wanted, fingerprint):
        conclude(state=plan.wanted, fingerprints=known)
        return
    if plan.wanted == IdentifierState.FINDABLE and (found := kernel.find_problems(attributes)):
        answer = _refuse(attempt, found, _told(found), attributes)
    else:
        answer = _send(attempt, plan, attributes)
    if answer is None:
        return
    conclude(state=answer.state, fingerprints=_fingerprints(attempt, answer, fingerprint, known))
    if answer.state != plan.wanted:
        raise Retry(f"DataCite has the DOI as {answer.state}; wanted is {plan.wanted}.")


def _fingerprints(attempt: Attempt, answer: Answer, sent: str, known: Fingerprints) -> Fingerprints:
    if not answer.is_ours:
        return Fingerprints()
    attributes = answer.attributes
    if known.theirs and not known.ours:
        # It differed at night. What it is now is read as the night reads it, lest DataCite's own ways are sent every night.
        found = _ask(attempt, Problem.LATER)
        attributes = found.attributes if found else {}
    return Fingerprints(sent, fingerprint_found(attributes))


def _send(attempt: Attempt, plan: Plan, attributes: dict[str, Any]) -> Answer | None:
    """What DataCite has after the PUT; None when it refused, which is written then."""
    if attempt.is_quick and not client_from_settings(timeout=PROBE_TIMEOUT).heartbeat():
        raise _put_off(attempt, Problem.LATER, TryLater("DataCite does not answer at once."))
    event = {"event": EVENTS[plan.wanted]} if plan.wanted in EVENTS else {}
    if plan.wanted == IdentifierState.REGISTERED:
        event["reason"] = getattr(attempt.identifier.record, "withdrawal_reason", "")
    try:
        accepted = attempt.client.put(attempt.identifier.doi, attributes | event)
    except Refused as error:
        return _after_refusal(attempt, error, attributes)
    except UnknownOutcome as error:
        return _after_silence(attempt, error, plan, attributes)
    except TryLater as error:
        raise _put_off(attempt, Problem.LATER, error) from error
    return Answer(IdentifierState(accepted.state), accepted.attributes)


def _after_refusal(attempt: Attempt, error: Refused, attributes: dict[str, Any]) -> Answer | None:
    if error.is_our_fault:
        raise _put_off(attempt, Problem.OPERATOR, error, after=LONGEST_PAUSE) from error
    told = [{"source": one.source, "title": one.title} for one in error.problems]
    return _refuse(attempt, kernel.map_refusal(told), str(error), attributes)


def _refuse(
    attempt: Attempt, problems: Sequence[kernel.Problem], words: str, attributes: dict[str, Any]
) -> Answer | None:
    """Before a publication is called off, DataCite is asked whether an earlier attempt, whose answer was lost, succeeded."""
    identifier = attempt.identifier
    if identifier.collection is not None and identifier.state not in PUBLIC:
        found = _ask(attempt, Problem.UNKNOWN)
        if found is not None and found.state == IdentifierState.FINDABLE:
            is_ours = not differences(attributes, found.attributes)
            return Answer(IdentifierState.FINDABLE, found.attributes, is_ours)
    outcomes.refuse(identifier, attempt.claim, _by_field(problems), words)
    return None


def _after_silence(attempt: Attempt, error: UnknownOutcome, plan: Plan, attributes: dict[str, Any]) -> Answer:
    """A write was sent and no answer came: what DataCite has is read and compared, or it is sent again later."""
    outcomes.note_problem(attempt.identifier, attempt.claim, Problem.UNKNOWN, str(error))
    if attempt.is_quick:
        raise Retry(str(error)) from error
    found = _ask(attempt, Problem.UNKNOWN)
    if found is None or found.state != plan.wanted or differences(attributes, found.attributes):
        raise Retry(str(error)) from error
    return Answer(plan.wanted, found.attributes)


def _ask(attempt: Attempt, problem: Problem) -> Accepted | None:
    try:
        return attempt.client.get(attempt.identifier.doi)
    except DataCiteError as error:
        raise _put_off(attempt, problem, error) from error


def _put_off(attempt: Attempt, problem: Problem, error: DataCiteError, *, after: timedelta | None = None) -> Retry:
    outcomes.note_problem(attempt.identifier, attempt.claim, problem, str(error))
    return Retry(str(error), after=getattr(error, "retry_after", None) or after)


def _by_field(found: Iterable[kernel.Problem]) -> dict[str, list[str]]:
    """Messages by form field; under the empty name those that no author can mend."""
    problems: dict[str, list[str]] = {}
    for problem in found:
        problems.setdefault(problem.field, []).append(problem.message)
    return problems


def _told(found: Iterable[kernel.Problem]) -> str:
    return "DataCite would refuse this: " + "; ".join(f"{one.source}: {one.message}" for one in found)
