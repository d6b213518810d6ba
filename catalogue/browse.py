"""Lists of datasets from the database: one filter, keyset pages, counts that stop at a ceiling.

Used by the API's lists and by the search app's database backend. A condition on something that the public may not see (sample,
file format) matches only datasets that the principal reads in full, so that no filter can reveal a hidden value.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import InvalidInput
from catalogue.models import Dataset, TechniqueAncestor

COUNT_CEILING = 1000
SORTS = ("newest", "oldest", "acquired")
ACCESS_CHOICES = ("open", "closed", "mine")
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class DatasetFilter:
    """What a list is narrowed to. Several values of one field are alternatives; both ends of a range are inclusive.

    Instruments and facilities by short name or uid. A date is a whole UTC day, a datetime that very moment.
    """

    text: str = ""
    techniques: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    access: str = ""
    investigation: UUID | None = None
    sample: UUID | None = None
    acquired_from: date | datetime | None = None
    acquired_to: date | datetime | None = None
    registered_from: date | datetime | None = None
    registered_to: date | datetime | None = None
    sort: str = "newest"


def filter_datasets(wanted: DatasetFilter, principal: Principal, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets that `principal` may list and that match, in no particular order yet."""
    datasets = access.listed_datasets(principal, now=now)
    if wanted.sample or wanted.formats:
        readable = access.full_datasets(principal, now=now)
        datasets = datasets.filter(pk__in=_masked_conditions(readable, wanted).values("pk"))
    datasets = datasets.filter(_public_conditions(wanted))
    for word in wanted.text.split()[:10]:
        datasets = datasets.filter(
            Q(title__icontains=word) | Q(investigation__title__icontains=word) | Q(description__icontains=word)
        )
    return _narrow_access(datasets, wanted.access, principal, now)


def _masked_conditions(readable: QuerySet[Dataset], wanted: DatasetFilter) -> QuerySet[Dataset]:
    if wanted.sample:
        readable = readable.filter(sample__uid=wanted.sample)
    return readable.filter(format_label__in=wanted.formats) if wanted.formats else readable


def _public_conditions(wanted: DatasetFilter) -> Q:
    condition = Q()
    if wanted.techniques:
        narrower = TechniqueAncestor.objects.filter(ancestor__iri__in=wanted.techniques).values("technique_id")
        rows = Dataset.techniques.through.objects.filter(technique_id__in=narrower).values("dataset_id")
        condition &= Q(pk__in=rows)
    if wanted.instruments:
        condition &= named_q("instrument", wanted.instruments)
    if wanted.facilities:
        condition &= named_q("instrument__facility", wanted.facilities)
    if wanted.kinds:
        condition &= Q(kind__in=wanted.kinds)
    if wanted.licences:
        condition &= Q(licence__in=wanted.licences)
    if wanted.investigation:
        condition &= Q(investigation__uid=wanted.investigation)
    return (
        condition
        & _days("acquired_at", wanted.acquired_from, wanted.acquired_to)
        & _days("created_at", wanted.registered_from, wanted.registered_to)
    )


def named_q(path: str, names: tuple[str, ...]) -> Q:
    """The instruments or facilities at `path` with these short names or uids."""
    uids = []
    for name in names:
        try:
            uids.append(UUID(name))
        except ValueError:
            continue
    return Q(**{f"{path}__short_name__in": names}) | Q(**{f"{path}__uid__in": uids})


def _days(column: str, first: date | datetime | None, last: date | datetime | None) -> Q:
    condition = Q()
    if first:
        condition &= Q(**{f"{column}__gte": _moment(first)})
    if isinstance(last, datetime):
        condition &= Q(**{f"{column}__lte": last})
    elif last:
        condition &= Q(**{f"{column}__lt": _moment(last) + timedelta(days=1)})
    return condition


def _moment(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time.min, UTC)


def _narrow_access(datasets: QuerySet[Dataset], choice: str, principal: Principal, now: datetime) -> QuerySet[Dataset]:
    if choice == "open":
        return datasets.filter(access.open_q(now))
    if choice == "closed":
        return datasets.exclude(access.open_q(now))
    if choice == "mine":
        return datasets.filter(access.closed_access_q(principal, now))
    return datasets


@dataclass(frozen=True)
class Slice:
    """One page of rows and the cursor of the next, empty at the end."""

    datasets: list[Dataset]
    next_cursor: str


def page_of(datasets: QuerySet[Dataset], *, sort: str, cursor: str, limit: int) -> Slice:
    """`limit` rows after `cursor` (the uid of the last row seen), by keys, so that page 10,000 costs what page 1 does."""
    if sort == "acquired":
        datasets = datasets.filter(acquired_at__isnull=False).order_by("-acquired_at", "-id")
    else:
        datasets = datasets.order_by("id" if sort == "oldest" else "-id")
    if cursor:
        datasets = datasets.filter(_after(_row_of(cursor), sort))
    rows = list(datasets[: limit + 1])
    next_cursor = str(rows[limit - 1].uid) if len(rows) > limit else ""
    return Slice(rows[:limit], next_cursor)


def _row_of(cursor: str) -> Dataset:
    try:
        row = Dataset.objects.only("id", "acquired_at").filter(uid=UUID(cursor)).first()
    except ValueError:
        row = None
    if row is None:
        message = "This cursor is not one of ours. Begin again without it."
        raise InvalidInput(message, code="bad-cursor", fields={"cursor": [message]})
    return row


def _after(row: Dataset, sort: str) -> Q:
    if sort == "oldest":
        return Q(pk__gt=row.pk)
    if sort == "acquired":
        return Q(acquired_at__lt=row.acquired_at) | Q(acquired_at=row.acquired_at, pk__lt=row.pk)
    return Q(pk__lt=row.pk)


def count_up_to(datasets: QuerySet[Dataset], ceiling: int = COUNT_CEILING) -> tuple[int, bool]:
    """How many rows there are, and whether that is exact: counting stops above `ceiling`."""
    found = datasets.order_by().values("pk")[: ceiling + 1].count()
    return min(found, ceiling), found <= ceiling
