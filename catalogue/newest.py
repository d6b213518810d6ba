"""Open data in the order in which what everybody sees of them changed, the last first: an opening by the clock counts too.

For feeds. What an entry shows is the business of records.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from catalogue.access import open_q
from catalogue.errors import InvalidInput
from catalogue.models import Dataset, DatasetRevision

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """A dataset by its key, its uid, the number of its revision, and when what everybody sees of it changed last."""

    key: int
    uid: UUID
    number: int
    at: datetime

    @property
    def cursor(self) -> str:
        """Where the page that ends here goes on."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.uid.hex}"


def newest_changes(*, now: datetime, cursor: str = "", limit: int) -> list[Change]:
    """At most `limit` changes, those before `cursor` where there is one, by one walk along an index."""
    rows = DatasetRevision.objects.filter(open_q(now, "dataset__"), stamped_open_at__lte=now)
    if cursor:
        at, uid = _read(cursor)
        last = Dataset.objects.filter(uid=uid).order_by().values("pk")
        is_before = Q(stamped_open_at__lt=at) | Q(stamped_open_at=at, dataset_id__lt=last)
        rows = rows.filter(is_before, stamped_open_at__lte=at)
    ordered = rows.order_by("-stamped_open_at", "-dataset_id")
    return [
        Change(*row) for row in ordered.values_list("dataset_id", "dataset__uid", "number", "stamped_open_at")[:limit]
    ]


def _read(cursor: str) -> tuple[datetime, UUID]:
    microseconds, _, uid = cursor.partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds)), UUID(uid)
    except (ValueError, OverflowError):
        message = "This cursor is not one of ours. Begin again without it."
        raise InvalidInput(message, code="bad-cursor", fields={"cursor": [message]}) from None
