"""How a DOI stands, in words: for the page of its owners, who can act on it, and for administrators. Reads only."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from catalogue.models import Collection, Investigation, OutboxEntry, Person, User
from catalogue.models.collections import CollectionState
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import TeamRole
from catalogue.services.consents import missing_consents
from doi.intents import TOPIC
from doi.models import Identifier, IdentifierState, Problem

SOON, LATER = 2, 30
MOST_DECLINED = 20
SETTLED = {
    IdentifierState.NONE: ("Not asked for", "Nobody knows of it yet.", ""),
    IdentifierState.DRAFT: ("Reserved", "It may be cited in a manuscript, and leads nowhere yet.", "open"),
    IdentifierState.REGISTERED: ("Hidden", "It leads to a page that says why, and is in no search.", "stop"),
    IdentifierState.FINDABLE: ("Findable", "It leads everybody to its landing page.", "open"),
}
PROBLEMS = {
    Problem.LATER: "DataCite does not answer at present. It is tried again of itself.",
    Problem.UNKNOWN: "The connection broke while DataCite was being told. It is asked what it has, then tried again.",
    Problem.REFUSED: "DataCite refused the latest change of the description. Put right what is named below.",
    Problem.OPERATOR: "This site cannot talk to DataCite at present. Its administrators see this too.",
}


@dataclass(frozen=True)
class Status:
    """`kind` is "open", "wait", "stop" or empty; `polls_every` is in seconds, 0 when nothing will change of itself."""

    title: str
    text: str = ""
    kind: str = ""
    polls_every: int = 0
    next_attempt_at: datetime | None = None
    last_error: str = ""
    may_retry: bool = False
    may_cancel: bool = False

    @property
    def key(self) -> str:
        """Differs whenever the page would look different."""
        attempt = self.next_attempt_at.isoformat() if self.next_attempt_at else ""
        return f"{self.title}|{self.text}|{attempt}"


def status_of(identifier: Identifier) -> Status:
    """The status of any DOI, its record fetched with it."""
    if identifier.collection is not None:
        return status_of_collection(identifier.collection, identifier)
    return _delivered(identifier, Status(*SETTLED[IdentifierState(identifier.state)]))


def status_of_collection(collection: Collection, identifier: Identifier | None) -> Status:
    """The status of a collection, which has no DOI before one is reserved."""
    if collection.state == CollectionState.WITHDRAWN:
        return _delivered(identifier, Status("Withdrawn", "Its DOI leads to a page that says so and why.", "stop"))
    if collection.state == CollectionState.PUBLISHED:
        done = Status("Published", "The DOI leads everybody to its landing page.", "open")
        return _delivered(identifier, done)
    if collection.state == CollectionState.PUBLISHING:
        return _publishing(collection, identifier)
    if identifier is None:
        return Status("Draft", "Nobody but you, your team and the curators knows of it.")
    if identifier.problem == Problem.REFUSED:
        text = "Nothing was published, and the DOI stays reserved. Put right what is named below, then publish again."
        return Status("DataCite refused it", text, "stop", last_error=identifier.last_error)
    if identifier.state == IdentifierState.NONE:
        return _delivered(identifier, Status("The DOI is being reserved", "This takes a few seconds.", "wait", SOON))
    text = "The DOI is yours and may be cited in a manuscript. It leads nowhere until you publish."
    return _delivered(identifier, Status("Reserved", text, "open"))


def _publishing(collection: Collection, identifier: Identifier | None) -> Status:
    waiting = list(missing_consents(collection).order_by("pk")[:10])
    if waiting:
        names = "; ".join(f"{leader_of(one)} for “{one.title}”" for one in waiting)
        text = f"Asked: {names}. Nothing is public until they have agreed."
        return Status("Waiting for consent", text, "wait", LATER, may_cancel=True)
    text = "DataCite is being told. You can leave this page; it goes on without you."
    return _delivered(identifier, Status("Being registered", text, "wait", SOON, may_cancel=True))


def _delivered(identifier: Identifier | None, status: Status) -> Status:
    """`status`, with what is still to be told to DataCite and why it has not been yet."""
    if identifier is None or (identifier.is_settled and not identifier.problem):
        return status
    entry = OutboxEntry.objects.filter(topic=TOPIC, key=identifier.doi).order_by("available_at").first()
    next_attempt_at = entry.available_at if entry and entry.available_at > timezone.now() else None
    is_refused = identifier.problem == Problem.REFUSED
    text = PROBLEMS.get(Problem(identifier.problem), status.text)
    if identifier.claimed_until is not None and identifier.claimed_until > timezone.now():
        text = f"{text} At this moment it is being tried."
    return replace(
        status,
        text=text,
        kind="stop" if is_refused else "wait",
        polls_every=0 if is_refused else SOON,
        next_attempt_at=None if is_refused else next_attempt_at,
        last_error=identifier.last_error,
        may_retry=bool(identifier.problem),
    )


def declined_of(collection: Collection) -> list[dict[str, str]]:
    """Who did not agree that a draft be published, and why."""
    if collection.state != CollectionState.DRAFT:
        return []
    refused = collection.consents.filter(state=RequestState.REFUSED).select_related("investigation", "decided_by")
    return [
        {"who": name_of(one.decided_by), "title": one.investigation.title, "reason": one.decision_reason}
        for one in refused[:MOST_DECLINED]
        if one.decided_by is not None
    ]


def name_of(user: User) -> str:
    """How colleagues know the owner of an account."""
    person = Person.objects.filter(user=user).first()
    return str(person) if person else user.get_full_name() or user.get_username()


def leader_of(investigation: Investigation) -> str:
    """The principal investigator by name."""
    person = Person.objects.filter(memberships__investigation=investigation, memberships__role=TeamRole.PI).first()
    return str(person) if person else "a curator, as it has no principal investigator"
