"""Lists of datasets from the database: one filter, keyset pages, counts that stop at a ceiling.

Used by the API's lists and by the search app's database backend. A condition on something that the public may not see (sample,
file format) matches only datasets that the principal reads in full, so that no filter can reveal a hidden value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Value

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import InvalidInput
from catalogue.models import Dataset, Instrument, Investigation, TechniqueAncestor
from catalogue.page_rows import rows_of

MOST_COUNTED = 1000
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


@dataclass(frozen=True)
class Slice:
    """One page of rows and the cursor of the next, empty at the end. `count` is that of all pages where it is known."""

    datasets: list[Dataset]
    next_cursor: str
    count: int | None = None


class Lists:
    """The lists of one principal at one moment.

    Instruments, techniques and investigations that filters name are looked up first, and each once: a database that knows
    the keys reads the right index from its end, and a search without hits is asked again without each of its filters.
    Investigations that the caller has `fetched` with their teams are not fetched again.
    """

    def __init__(self, principal: Principal, *, now: datetime, fetched: Sequence[Investigation] = ()) -> None:
        self._principal = principal
        self._now = now
        self._fetched = fetched
        self._listed = access.listed_datasets(principal, now=now)
        self._keys: dict[tuple, list[int]] = {}

    def matching(self, wanted: DatasetFilter) -> QuerySet[Dataset]:
        """The datasets that the principal may list and that match, in no particular order yet."""
        datasets = self._listed
        if wanted.sample or wanted.formats:
            datasets = datasets & _masked_conditions(access.full_datasets(self._principal, now=self._now), wanted)
        datasets = datasets.filter(self._public_conditions(wanted))
        if wanted.techniques:
            datasets = self._with_techniques(datasets, wanted.techniques)
        for word in wanted.text.split()[:MOST_WORDS]:
            datasets = self._with_word(datasets, word)
        if wanted.sort == "acquired":
            datasets = datasets.filter(acquired_at__isnull=False)
        return self._narrow_access(datasets, wanted.access)

    def page(self, wanted: DatasetFilter, *, cursor: str = "", limit: int, is_counted: bool = False) -> Slice:
        """`limit` rows after `cursor` (the uid of the last row seen), by keys, so that page 10,000 costs what page 1 does.

        The keys are found first, the rows with all that they refer to by these keys: joins of many tables take a database
        longer to plan than to answer. `is_counted`: the first page is cut off what is looked through for the count.
        """
        last = _row_of(cursor) if cursor else None
        matching = self.matching(wanted)
        count = None
        keys = self._keys_by_investigation(matching, wanted, last, limit + 1)
        if keys is None:
            most = MOST_COUNTED + 1 if is_counted and not cursor else limit + 1
            keys = list(_ordered(matching, wanted.sort, last).values_list("pk", flat=True)[:most])
            count = len(keys) if is_counted and not cursor else None
        rows = rows_of(keys[:limit], fetched=self._fetched)
        return Slice(rows, str(rows[-1].uid) if len(keys) > limit else "", count)

    def count(self, wanted: DatasetFilter) -> int:
        """How many match; one more than MOST_COUNTED stands for all that are more."""
        return len(_likely_first(self.matching(wanted), wanted).values_list("pk")[: MOST_COUNTED + 1])

    def counts(self, filters: Sequence[DatasetFilter]) -> list[int]:
        """`count` for each of `filters`, in one query."""
        parts = []
        for place, wanted in enumerate(filters):
            some = _likely_first(self.matching(wanted), wanted).values("pk")[: MOST_COUNTED + 1]
            counted = Dataset.objects.filter(pk__in=some).order_by().values(place=Value(place))
            parts.append(counted.annotate(count=Count("pk")).values_list("place", "count"))
        found = dict(parts[0].union(*parts[1:], all=True)) if parts else {}
        return [found.get(place, 0) for place in range(len(filters))]

    def _public_conditions(self, wanted: DatasetFilter) -> Q:
        condition = Q()
        if wanted.instruments or wanted.facilities:
            condition &= Q(instrument_id__in=self._instrument_keys(wanted))
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

    def _instrument_keys(self, wanted: DatasetFilter) -> list[int]:
        instruments = Instrument.objects.order_by()
        if wanted.instruments:
            instruments = instruments.filter(named_q("", wanted.instruments))
        if wanted.facilities:
            instruments = instruments.filter(named_q("facility__", wanted.facilities))
        return self._once(("instruments", wanted.instruments, wanted.facilities), instruments.values_list("pk"))

    def _with_techniques(self, datasets: QuerySet[Dataset], iris: tuple[str, ...]) -> QuerySet[Dataset]:
        """Datasets of these techniques or narrower ones."""
        narrower = TechniqueAncestor.objects.filter(ancestor__iri__in=iris).order_by("technique_id")
        keys = self._once(("techniques", iris), narrower.values_list("technique_id").distinct())
        if len(keys) == 1:
            return datasets.filter(techniques=keys[0])
        links = Dataset.techniques.through.objects.filter(technique_id__in=keys)
        return datasets.filter(pk__in=links.values("dataset_id"))

    def _with_word(self, datasets: QuerySet[Dataset], word: str) -> QuerySet[Dataset]:
        """Datasets with `word` in the title, the description or the investigation's title.

        Where its investigations are few, PostgreSQL finds it by their keys and the trigram indexes; where they are many, it
        is found soon without.
        """
        named = Investigation.objects.filter(title__icontains=word).order_by()
        keys = self._once(("word", word), named.values_list("pk")[: MOST_KEYS + 1])
        of_investigation = Q(investigation_id__in=keys if len(keys) <= MOST_KEYS else named.values("pk"))
        return datasets.filter(of_investigation | Q(title__icontains=word) | Q(description__icontains=word))

    def _narrow_access(self, datasets: QuerySet[Dataset], choice: str) -> QuerySet[Dataset]:
        if choice == "open":
            return datasets.filter(access.open_q(self._now))
        if choice == "closed":
            return datasets.exclude(access.open_q(self._now))
        return datasets.filter(self._is_own) if choice == "mine" else datasets

    @cached_property
    def _is_own(self) -> Q:
        if self._principal.share_link_ids:
            return access.closed_access_q(self._principal, self._now)
        investigations, datasets = access.own_keys(self._principal, now=self._now)
        return Q(investigation_id__in=investigations) | Q(pk__in=datasets)

    def _once(self, name: tuple, rows: QuerySet) -> list[int]:
        if name not in self._keys:
            self._keys[name] = [key for (key,) in rows]
        return self._keys[name]

    def _keys_by_investigation(
        self, matching: QuerySet[Dataset], wanted: DatasetFilter, last: Dataset | None, many: int
    ) -> list[int] | None:
        """The first `many` keys of `matching`, found in the investigations that come first; None where that is no way.

        What is newest is mostly closed, and what is oldest open: to find the newest open data the database would walk by
        everything under embargo. Investigations are few, and they keep the keys of their first and last dataset. Nothing
        lies before `begin`; `edge` is where the next investigation begins, and only keys before it are certain.
        """
        holders = access.investigations_that_hold(self._asked_access(wanted), now=self._now)
        if holders is None or wanted.sort not in ("newest", "oldest"):
            return None
        is_newest = wanted.sort == "newest"
        near, far = (
            ("last_dataset_key", "first_dataset_key") if is_newest else ("first_dataset_key", "last_dataset_key")
        )
        if last:
            holders = holders.filter(**{f"{far}__{'lt' if is_newest else 'gt'}": last.pk})
        order = F(near).desc() if is_newest else F(near).asc()
        found = list(holders.filter(**{f"{near}__isnull": False}).order_by(order).values_list("pk", near)[: many + 1])
        if not found:
            return []
        begin = Q(pk__lte=found[0][1]) if is_newest else Q(pk__gte=found[0][1])
        inside = matching.filter(begin, investigation_id__in=[key for key, _ in found[:many]])
        keys = list(_ordered(inside, wanted.sort, last).values_list("pk", flat=True)[:many])
        if len(found) <= many:
            return keys
        edge = found[many][1]
        is_certain = len(keys) == many and (keys[-1] > edge if is_newest else keys[-1] < edge)
        return keys if is_certain else None

    def _asked_access(self, wanted: DatasetFilter) -> str:
        """Who asks for a file format or a sample is answered from what they read in full, a visitor from open data."""
        is_masked = bool(wanted.formats) and not wanted.access and not wanted.sample
        return "open" if is_masked and self._principal == access.ANONYMOUS else wanted.access


def _masked_conditions(readable: QuerySet[Dataset], wanted: DatasetFilter) -> QuerySet[Dataset]:
    if wanted.sample:
        readable = readable.filter(sample__uid=wanted.sample)
    return readable.filter(format_label__in=wanted.formats) if wanted.formats else readable


def _likely_first(datasets: QuerySet[Dataset], wanted: DatasetFilter) -> QuerySet[Dataset]:
    """In the order in which counting comes soonest to its end: what is closed is mostly new, what is open mostly old."""
    return datasets.order_by(*{"open": ["id"], "closed": ["-id"]}.get(wanted.access, []))


def _ordered(datasets: QuerySet[Dataset], sort: str, last: Dataset | None) -> QuerySet[Dataset]:
    """`datasets` in the order of `sort`, those after `last`."""
    if sort == "acquired":
        datasets = datasets.order_by("-acquired_at", "-id")
    else:
        datasets = datasets.order_by("id" if sort == "oldest" else "-id")
    return datasets.filter(_after(last, sort)) if last else datasets


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
