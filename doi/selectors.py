"""Reads of DOIs: how many there are, and which are not in agreement with DataCite."""

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from catalogue.models import Statistic
from doi.delivery import with_records
from doi.models import Identifier, IdentifierState

_COUNT = "doi_"
_UNSETTLED = Q(accepted_version__lt=F("wanted_version"))


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
