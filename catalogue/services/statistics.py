"""Figures about the whole archive, counted by a periodic job and read from one small table by pages and metrics."""

from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.models import Instrument, Investigation, Statistic

# Names of the figures; `bytes` is the size of all registered files.
NAMES = ("datasets", "open_datasets", "embargoed_datasets", "images", "files", "bytes", "investigations", "instruments")


def measure_statistics(*, actor: Principal, now: datetime | None = None) -> dict[str, int]:
    """Count the archive anew and keep the figures. Takes seconds for millions of datasets: for periodic jobs only."""
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself counts the archive.")
    now = now or timezone.now()
    active = access.listed_datasets(actor, now=now)
    kept = Investigation.objects.aggregate(investigations=Count("pk"), files=Sum("file_count"), bytes=Sum("size"))
    datasets, open_datasets = active.count(), active.filter(access.open_q(now)).count()
    figures = {
        "datasets": datasets,
        "open_datasets": open_datasets,
        "embargoed_datasets": datasets - open_datasets,
        "images": active.filter(has_thumbnail=True).count(),
        "instruments": Instrument.objects.count(),
        **{name: value or 0 for name, value in kept.items()},
    }
    rows = [Statistic(name=name, value=figures[name], measured_at=now) for name in NAMES]
    Statistic.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["name"], update_fields=["value", "measured_at"]
    )
    return figures


def read_statistics(*, newer_than: timedelta | None = None) -> dict[str, int]:
    """The kept figures by name; empty before the first measurement."""
    rows = Statistic.objects.all()
    if newer_than is not None:
        rows = rows.filter(measured_at__gte=timezone.now() - newer_than)
    return dict(rows.values_list("name", "value"))
