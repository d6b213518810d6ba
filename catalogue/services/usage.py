"""The log of downloads and the counts that follow from it, by the rules of `catalogue.downloads.usage`.

A row counts unless a robot made it, or the same visitor asked for the same thing again within 30 seconds: of such a chain
the last row counts (COUNTER Code of Practice 5.1, section 7.2). So the counts are a function of the log alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BooleanField, Case, Count, F, Q, Value, When, Window
from django.db.models.functions import Lead
from django.utils import timezone

from catalogue.changes import raise_revisions
from catalogue.downloads.usage import DOUBLE_CLICK, is_machine, is_robot, visitor_digest
from catalogue.models import Dataset, Download

BATCH = 2000
# Longer than from one counting to the next.
ORDER_IS_KEPT = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request for files at a moment (UTC), by the address and the User-Agent that it came with."""

    at: datetime
    address: str
    agent: str


def log_downloads(*, visit: Visit, sizes: Mapping[int, int], file_name: str = "") -> None:
    """Log what one request was sent: `sizes` in bytes by dataset key; `file_name` is empty for a dataset as a whole."""
    visitor = visitor_digest(
        secret_key=settings.SECRET_KEY, day=visit.at.date(), address=visit.address, agent=visit.agent
    )
    same = Download.objects.filter(dataset_id__in=sizes, visitor=visitor, file_name=file_name, is_robot=False)
    by_robot = is_robot(visit.agent)
    with transaction.atomic():
        list(Dataset.objects.select_for_update().filter(pk__in=sizes).order_by("pk").values_list("pk"))
        repeated_later: set[int] = set()
        taken_back: set[int] = set()
        if not by_robot:
            later = same.filter(at__gt=visit.at, at__lte=visit.at + DOUBLE_CLICK)
            repeated_later = set(later.values_list("dataset_id", flat=True))
            earlier = same.filter(at__lte=visit.at, at__gte=visit.at - DOUBLE_CLICK, is_counted=True)
            taken_back = set(earlier.values_list("dataset_id", flat=True))
            earlier.update(is_counted=False)
        counted = set() if by_robot else set(sizes) - repeated_later
        Download.objects.bulk_create(
            Download(
                at=visit.at,
                dataset_id=key,
                file_name=file_name,
                visitor=visitor,
                is_robot=by_robot,
                is_machine=is_machine(visit.agent),
                is_counted=key in counted,
                size=size,
            )
            for key, size in sizes.items()
        )
        Dataset.objects.filter(pk__in=counted - taken_back).update(download_count=F("download_count") + 1)
        Dataset.objects.filter(pk__in=taken_back - counted).update(download_count=F("download_count") - 1)


def recount_downloads() -> int:
    """Judge every row of the log anew and set the counts of all datasets; how many datasets had a wrong count.

    Search, which sorts by these counts, hears of all that were downloaded lately here rather than of each download.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {connection.ops.quote_name(Download._meta.db_table)} IN EXCLUSIVE MODE")
        _judge_rows()
        count = _set_counts()
        lately = Download.objects.filter(at__gte=timezone.now() - ORDER_IS_KEPT, is_counted=True).order_by()
        raise_revisions(Dataset.objects.filter(pk__in=lately.values("dataset")), is_seen_by_harvesters=False)
    return count


def _judge_rows() -> None:
    following = Window(
        Lead("at"), partition_by=["dataset_id", "visitor", "file_name", "is_robot"], order_by=[F("at"), F("id")]
    )
    is_counted = Case(
        When(is_robot=True, then=Value(False)),
        When(next_at__lte=F("at") + DOUBLE_CLICK, then=Value(False)),
        default=Value(True),
        output_field=BooleanField(),
    )
    judged = Download.objects.annotate(next_at=following).annotate(judgement=is_counted)
    rows = judged.values_list("pk", "is_counted", "judgement").iterator(chunk_size=BATCH)
    wrong = [(key, judgement) for key, was_counted, judgement in rows if was_counted != judgement]
    for start in range(0, len(wrong), BATCH):
        part = wrong[start : start + BATCH]
        Download.objects.filter(pk__in=[key for key, judgement in part if judgement]).update(is_counted=True)
        Download.objects.filter(pk__in=[key for key, judgement in part if not judgement]).update(is_counted=False)


def _set_counts() -> int:
    counts = Download.objects.filter(is_counted=True).values("dataset_id").annotate(count=Count("pk")).order_by()
    right = {row["dataset_id"]: row["count"] for row in counts.iterator(chunk_size=BATCH)}
    stated = Dataset.objects.filter(Q(download_count__gt=0) | Q(pk__in=Download.objects.values("dataset_id")))
    wrong = [
        (key, right.get(key, 0))
        for key, count in stated.values_list("pk", "download_count").iterator(chunk_size=BATCH)
        if count != right.get(key, 0)
    ]
    for key, count in wrong:
        Dataset.objects.filter(pk=key).update(download_count=count)
    return len(wrong)
