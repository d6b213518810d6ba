"""Which published collections hold a record, be it by way of other collections: for a whole page in a few queries."""

from collections import defaultdict
from collections.abc import Collection as Keys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from catalogue.models import Collection, CollectionMember
from catalogue.models.collections import CollectionState


@dataclass(frozen=True)
class Memberships:
    """The uids of the published collections that hold each dataset and each investigation, by primary key.

    `own_dois` are those of datasets that are published alone.
    """

    datasets: Mapping[int, tuple[UUID, ...]] = field(default_factory=dict)
    investigations: Mapping[int, tuple[UUID, ...]] = field(default_factory=dict)
    own_dois: Mapping[int, str] = field(default_factory=dict)


def memberships_of(datasets: Mapping[int, int], investigations: Keys[int], *, named: Keys[int]) -> Memberships:
    """Of `datasets` (each with the key of its investigation) and `investigations`, which hold the former too.

    `named` are the datasets that are members of some collection themselves.
    """
    members = CollectionMember.objects.order_by("collection_id")
    singles = list(members.filter(dataset__in=named).values_list("dataset_id", "collection_id")) if named else []
    wholes = list(members.filter(investigation__in=investigations).values_list("investigation_id", "collection_id"))
    if not singles and not wholes:
        return Memberships()
    published = _Published({collection for _, collection in (*singles, *wholes)})
    of_datasets, of_whole = _grouped(singles), _grouped(wholes)
    return Memberships(
        datasets={
            key: published.holding({*of_datasets[key], *of_whole[investigation]})
            for key, investigation in datasets.items()
        },
        investigations={key: published.holding(of_whole[key]) for key in investigations},
        own_dois={key: published.alone[collection] for key, collection in singles if collection in published.alone},
    )


def _grouped(rows: Iterable[tuple[int | None, int]]) -> dict[int | None, set[int]]:
    found: dict[int | None, set[int]] = defaultdict(set)
    for key, collection in rows:
        found[key].add(collection)
    return found


class _Published:
    """The published ones among `keys` and among the collections that these are part of.

    `alone` are the DOIs of those with a single member, by primary key.
    """

    def __init__(self, keys: set[int]) -> None:
        self.parents: dict[int, set[int]] = defaultdict(set)
        known = level = keys
        while level:
            links = CollectionMember.objects.filter(part__in=level).order_by().values_list("part_id", "collection_id")
            for part, parent in links:
                if part is not None:
                    self.parents[part].add(parent)
            level = {parent for part in level for parent in self.parents[part]} - known
            known = known | level
        rows = Collection.objects.filter(pk__in=known, state=CollectionState.PUBLISHED).order_by()
        found = list(rows.values_list("pk", "uid", "doi", "member_count"))
        self.uids = {key: uid for key, uid, _, _ in found}
        self.alone = {key: doi for key, _, doi, count in found if count == 1 and doi}

    def holding(self, keys: Iterable[int]) -> tuple[UUID, ...]:
        """The published ones among `keys` and above them."""
        waiting, seen = list(keys), set(keys)
        while waiting:
            above = self.parents[waiting.pop()] - seen
            seen |= above
            waiting.extend(above)
        return tuple(sorted(self.uids[key] for key in seen if key in self.uids))


def in_published_collections() -> Q:
    """The members of all published collections and of the collections within them, as a condition on members."""
    found: set[int] = set()
    parts = CollectionMember.objects.filter(part_id__gt=0).exclude(part__state=CollectionState.PUBLISHED).order_by()
    level = set(parts.filter(collection__state=CollectionState.PUBLISHED).values_list("part_id", flat=True))
    while level:
        found |= level
        level = set(parts.filter(collection__in=level).values_list("part_id", flat=True)) - found
    return Q(collection__state=CollectionState.PUBLISHED) | Q(collection__in=found)
