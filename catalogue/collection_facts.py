"""What the row of a collection does not tell: whether all its data are open, and the facility that publishes it.

A few queries for any number of collections. Nothing here looks at who asks: both are public as soon as the collection is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, Exists, Max, Min, OuterRef

from catalogue import access
from catalogue.collection_contents import datasets_in
from catalogue.models import Collection, CollectionMember, Dataset, Facility
from catalogue.models.investigations import RecordState
from catalogue.stamps import opening_of_dataset


@dataclass(frozen=True)
class CollectionFacts:
    """`facility` comes as the row; it is None where nothing but other collections is held."""

    holds_closed_data: bool
    facility: Facility | None


def facts_of(collections: Sequence[Collection], *, now: datetime) -> dict[int, CollectionFacts]:
    """By primary key; in six queries, and one more for every level of collections within collections."""
    if not collections:
        return {}
    closed = _with_closed_data([row.pk for row in collections], now)
    facilities = facilities_of(collections)
    return {row.pk: CollectionFacts(row.pk in closed, facilities.get(row.pk)) for row in collections}


def _with_closed_data(keys: Iterable[int], now: datetime) -> set[int]:
    """Those that hold a dataset that is neither open nor withdrawn, be it in a collection within them.

    `> 0` says "not null" so that SQLite uses an index.
    """
    holders = _holders(keys)
    active = Dataset.objects.filter(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    closed = active.exclude(access.open_q(now)).order_by()
    members = CollectionMember.objects.filter(collection__in=holders).order_by().distinct()
    named = members.filter(dataset_id__gt=0).filter(Exists(closed.filter(pk=OuterRef("dataset_id"))))
    whole = members.filter(investigation_id__gt=0).filter(
        Exists(closed.filter(investigation=OuterRef("investigation_id")))
    )
    found = {*named.values_list("collection_id", flat=True), *whole.values_list("collection_id", flat=True)}
    return {holder for key in found for holder in holders[key]}


def opening_of_collection(collection: Collection) -> datetime | None:
    """When the last of the data that it holds opens, or has opened; None where it holds none."""
    last = Max(opening_of_dataset(), output_field=DateTimeField())
    return datasets_in(collection).order_by().aggregate(last=last)["last"]


def _holders(keys: Iterable[int]) -> Mapping[int, set[int]]:
    """Each of `keys` and every collection within them, with those of `keys` that hold it, found level by level."""
    holders: dict[int, set[int]] = defaultdict(set)
    level = {key: {key} for key in keys}
    while level:
        for key, found in level.items():
            holders[key] |= found
        parts = CollectionMember.objects.filter(collection__in=level, part_id__gt=0).order_by()
        below: dict[int, set[int]] = defaultdict(set)
        for key, part in parts.values_list("collection_id", "part_id"):
            if new := level[key] - holders[part]:
                below[part] |= new
        level = below
    return holders


def facilities_of(collections: Iterable[Collection]) -> dict[int, Facility]:
    """The publishers by primary key of the collection: the facility of the home investigation, else of the first member's."""
    found = {row.pk: row.home.facility for row in collections if row.home is not None}
    homeless = [row.pk for row in collections if row.home is None]
    if not homeless:
        return found
    members = CollectionMember.objects.filter(collection__in=homeless, part__isnull=True).order_by()
    first = members.values("collection_id").annotate(first=Min("pk")).values("first")
    rows = CollectionMember.objects.filter(pk__in=first)
    for row in rows.select_related("investigation__facility", "dataset__investigation__facility"):
        holder = row.dataset or row
        if holder.investigation is not None:
            found[row.collection_id] = holder.investigation.facility
    return found
