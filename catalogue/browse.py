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
from catalogue.models import Dataset, Instrument, Investigation, TechniqueAncestor

COUNT_CEILING = 1000
MOST_WORDS = 10
MOST_KEYS = 500
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
        datasets = datasets & _masked_conditions(access.full_datasets(principal, now=now), wanted)
    datasets = _with_techniques(datasets.filter(_public_conditions(wanted)), wanted.techniques)
    datasets = _with_words(datasets, wanted.text.split()[:MOST_WORDS])
    return _narrow_access(datasets, wanted.access, principal, now)


def _masked_conditions(readable: QuerySet[Dataset], wanted: DatasetFilter) -> QuerySet[Dataset]:
    if wanted.sample:
        readable = readable.filter(sample__uid=wanted.sample)
    return readable.filter(format_label__in=wanted.formats) if wanted.formats else readable


def _public_conditions(wanted: DatasetFilter) -> Q:
    condition = Q()
    if wanted.instruments or wanted.facilities:
        condition &= Q(instrument_id__in=_instrument_keys(wanted))
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


def _instrument_keys(wanted: DatasetFilter) -> list[int]:
    """The instruments meant, looked up first: a database that knows the keys reads the right index from its end."""
    instruments = Instrument.objects.order_by()
    if wanted.instruments:
        instruments = instruments.filter(named_q("", wanted.instruments))
    if wanted.facilities:
        instruments = instruments.filter(named_q("facility__", wanted.facilities))
    return list(instruments.values_list("pk", flat=True))


def _with_techniques(datasets: QuerySet[Dataset], iris: tuple[str, ...]) -> QuerySet[Dataset]:
    """Datasets of these techniques or narrower ones; their keys are looked up first, as those of instruments are."""
    if not iris:
        return datasets
    narrower = TechniqueAncestor.objects.filter(ancestor__iri__in=iris).order_by("technique_id")
    keys = list(narrower.values_list("technique_id", flat=True).distinct())
    if len(keys) == 1:
        return datasets.filter(techniques=keys[0])
    return datasets.filter(pk__in=Dataset.techniques.through.objects.filter(technique_id__in=keys).values("dataset_id"))


def _with_words(datasets: QuerySet[Dataset], words: list[str]) -> QuerySet[Dataset]:
    """Datasets with each word in the title, the description or the investigation's title.

    The investigations of a word are looked up first, unless they are many: with their keys PostgreSQL finds a word by its
    trigram indexes, and a word of many investigations is found soon without.
    """
    for word in words:
        named = Investigation.objects.filter(title__icontains=word).order_by()
        keys = list(named.values_list("pk", flat=True)[: MOST_KEYS + 1])
        of_investigation = Q(investigation_id__in=keys if len(keys) <= MOST_KEYS else named.values("pk"))
        datasets = datasets.filter(of_investigation | Q(title__icontains=word) | Q(description__icontains=word))
    return datasets


def named_q(prefix: str, names: tuple[str, ...]) -> Q:
    """Those with these short names or uids; `prefix` leads to them, such as "instrument__"."""
    uids = []
    for name in names:
        try:
            uids.append(UUID(name))
        except ValueError:
            continue
    return Q(**{f"{prefix}short_name__in": names}) | Q(**{f"{prefix}uid__in": uids})


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
    """How many rows there are, and whether that is exact: counting stops above `ceiling`.

    An order of `datasets` is kept: it says at which end the rows are likely to be.
    """
    found = len(datasets.values_list("pk")[: ceiling + 1])
    return min(found, ceiling), found <= ceiling
