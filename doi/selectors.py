"""Reads of DOIs: how many there are, which are not in agreement with DataCite, and how the delivery of one stands."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from catalogue.models import OutboxEntry, Statistic
from catalogue.models.collections import CollectionState
from catalogue.services.consents import missing_consents
from doi.delivery import with_records
from doi.intents import TOPIC
from doi.models import Identifier, IdentifierState, Problem

_COUNT = "doi_"
_UNSETTLED = Q(accepted_version__lt=F("wanted_version"))


@dataclass(frozen=True)
class DeliveryStatus:
    """How the owner sees a DOI. `next_attempt_at` is None when nothing waits; `waits_for` are titles of investigations."""

    doi: str
    state: str
    wanted: str
    is_settled: bool
    problem: str
    last_error: str
    problems: dict[str, list[str]]
    attempts: int
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    waits_for: tuple[str, ...] = ()

    @property
    def is_being_delivered(self) -> bool:
        """Whether the page is worth looking at again soon."""
        return not self.is_settled and self.problem != Problem.REFUSED and not self.waits_for

    @property
    def text(self) -> str:
        """One sentence for the owner."""
        if self.waits_for:
            return f"Waiting for the consent of the principal investigator of {', '.join(self.waits_for)}."
        if self.problem == Problem.REFUSED:
            return "DataCite refused this. Correct what is marked, then try again."
        if self.is_settled:
            return _SETTLED[IdentifierState(self.state)]
        return _UNDER_WAY.get(Problem(self.problem), "DataCite is being told.")


_SETTLED = {
    IdentifierState.NONE: "Not reserved yet.",
    IdentifierState.DRAFT: "Reserved: you can cite it in a manuscript; nobody else finds it yet.",
    IdentifierState.REGISTERED: "Hidden: the DOI leads to a page that says why, and is in no search.",
    IdentifierState.FINDABLE: "Findable: DataCite has it, and everybody can cite it.",
}
_UNDER_WAY = {
    Problem.LATER: "DataCite does not answer at the moment. It is tried again by itself; nothing is lost.",
    Problem.UNKNOWN: "DataCite was told, but its answer was lost. It is asked again by itself.",
    Problem.OPERATOR: "This site cannot talk to DataCite just now. Its operators see this too; nothing is lost.",
}


def delivery_status(identifier: Identifier) -> DeliveryStatus:
    """The state of a DOI with the delivery that waits for it, in three queries at most."""
    entry = OutboxEntry.objects.filter(topic=TOPIC, key=identifier.doi).order_by("available_at", "pk").first()
    collection = identifier.collection
    waits_for: tuple[str, ...] = ()
    if collection is not None and collection.state == CollectionState.PUBLISHING:
        waits_for = tuple(missing_consents(collection).values_list("title", flat=True)[:10])
    return DeliveryStatus(
        doi=identifier.doi,
        state=identifier.state,
        wanted=identifier.wanted,
        is_settled=identifier.is_settled,
        problem=identifier.problem,
        last_error=identifier.last_error,
        problems=identifier.problems,
        attempts=entry.attempts if entry else 0,
        last_attempt_at=identifier.last_attempt_at,
        next_attempt_at=entry.available_at if entry else None,
        waits_for=waits_for,
    )


def not_in_agreement() -> QuerySet[Identifier]:
    """For administrators: those of which DataCite has not confirmed what is wanted, the newest first."""
    return with_records(Identifier.objects.filter(_UNSETTLED)).order_by("-pk")


def measure_counts() -> dict[str, int]:
    """Count the DOIs by state and those not in agreement, and keep the figures. For a periodic job."""
    by_state = Identifier.objects.order_by().values_list("state").annotate(Count("pk"))
    figures = dict.fromkeys((state for state in IdentifierState.values if state != IdentifierState.NONE), 0)
    figures |= {state: count for state, count in by_state if state in figures}
    figures["not_in_agreement"] = Identifier.objects.filter(_UNSETTLED).count()
    now = timezone.now()
    rows = [Statistic(name=f"{_COUNT}{name}", value=value, measured_at=now) for name, value in figures.items()]
    Statistic.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["name"], update_fields=["value", "measured_at"]
    )
    return figures


def counts() -> dict[str, int]:
    """The kept figures: draft, registered, findable, not_in_agreement; empty before the first measurement."""
    rows = Statistic.objects.filter(name__startswith=_COUNT).values_list("name", "value")
    return {name.removeprefix(_COUNT): value for name, value in rows}
