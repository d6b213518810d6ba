"""What a collection holds in the end: datasets named one by one, those of whole investigations, those of other collections.

A few statements, however many members there are. Who may see what is asked elsewhere.
"""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from catalogue.models import Collection, CollectionMember, Concept, Dataset, Investigation
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState


@dataclass(frozen=True)
class Contents:
    """How much there is: datasets, files and bytes, each dataset counted once."""

    datasets: int
    files: int
    size: int


def datasets_in(collection: Collection) -> QuerySet[Dataset]:
    """Every dataset that `collection` holds, once, whether it was named itself or came with something; not withdrawn ones.

    The query is made of what is there: a database plans a simple one well, and one for all cases badly.
    """
    members = members_in(collection)
    named = members.filter(dataset_id__gt=0).order_by().values("dataset_id")
    active = Dataset.objects.filter(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    if not members.filter(investigation_id__gt=0).exists():
        return active.filter(pk__in=named)
    whole = members.filter(investigation_id__gt=0).order_by().values("investigation_id")
    if not members.filter(dataset_id__gt=0).exists():
        return active.filter(investigation__in=whole)
    of_whole = Dataset.objects.filter(investigation__in=whole).order_by().values("pk")
    return active.filter(pk__in=named.union(of_whole, all=True))


def investigations_in(collection: Collection) -> QuerySet[Investigation]:
    """The investigations that `collection` holds, wholly or in part."""
    members = members_in(collection)
    partly = members.filter(dataset_id__gt=0).order_by().values("dataset__investigation_id")
    whole = members.filter(investigation_id__gt=0).order_by().values("investigation_id")
    return Investigation.objects.filter(pk__in=partly.union(whole))


def whole_investigations_in(collection: Collection) -> QuerySet[Investigation]:
    """Those that are members themselves, with all their datasets."""
    whole = members_in(collection).filter(investigation_id__gt=0).order_by()
    return Investigation.objects.filter(pk__in=whole.values("investigation_id"))


def contents_of(datasets: QuerySet[Dataset]) -> Contents:
    totals = datasets.order_by().aggregate(Count("pk"), Sum("file_count"), Sum("size"))
    return Contents(totals["pk__count"], totals["file_count__sum"] or 0, totals["size__sum"] or 0)


def concepts_in(collection: Collection) -> QuerySet[Concept]:
    """The concept of `collection` and of every collection within it."""
    return Concept.objects.filter(versions__in=_tree(collection))


def members_in(collection: Collection) -> QuerySet[CollectionMember]:
    """The members of `collection` and of every collection within it. `> 0` below says "not null" so that SQLite uses an index."""
    return CollectionMember.objects.filter(collection__in=_tree(collection))


def collections_that_hold(members: Q) -> QuerySet[Collection]:
    """The published collections with such `members` (conditions on CollectionMember), themselves or in a collection within."""
    found: set[int] = set()
    level = set(CollectionMember.objects.filter(members).order_by().values_list("collection_id", flat=True))
    while level:
        found |= level
        holders = CollectionMember.objects.filter(part__in=level).order_by()
        level = set(holders.values_list("collection_id", flat=True)) - found
    return Collection.objects.filter(pk__in=found, state=CollectionState.PUBLISHED)


def _tree(collection: Collection) -> set[int]:
    """The keys of `collection` and of all collections within it, found level by level."""
    found = level = {collection.pk}
    while level:
        parts = CollectionMember.objects.filter(collection__in=level, part_id__gt=0).order_by()
        level = set(parts.values_list("part_id", flat=True)) - found
        found = found | level
    return found
