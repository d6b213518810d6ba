"""What a collection holds in the end: datasets named one by one, those of whole investigations, those of other collections.

One statement each, however many members there are. Who may see what is asked elsewhere.
"""

from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum
from django.db.models.expressions import RawSQL

from catalogue.models import Collection, Concept, Dataset, Investigation
from catalogue.models.investigations import RecordState

# `> 0` says "not null" in a way that lets SQLite use its indexes; what stands twice is made one by the IN around it.
_TREE = """
    WITH RECURSIVE tree(id) AS (
        SELECT id FROM catalogue_collection WHERE id = %s
        UNION
        SELECT member.part_id FROM catalogue_collectionmember member
        JOIN tree ON member.collection_id = tree.id WHERE member.part_id > 0
    )
"""
_DATASETS = f"""
    {_TREE}
    SELECT member.dataset_id FROM catalogue_collectionmember member
    JOIN tree ON member.collection_id = tree.id WHERE member.dataset_id > 0
    UNION ALL
    SELECT dataset.id FROM catalogue_dataset dataset
    JOIN catalogue_collectionmember member ON member.investigation_id = dataset.investigation_id
    JOIN tree ON member.collection_id = tree.id WHERE member.investigation_id > 0
"""  # noqa: S608 - built of constants
_INVESTIGATIONS = f"""
    {_TREE}
    SELECT dataset.investigation_id FROM catalogue_dataset dataset
    JOIN catalogue_collectionmember member ON member.dataset_id = dataset.id
    JOIN tree ON member.collection_id = tree.id
    UNION ALL
    SELECT member.investigation_id FROM catalogue_collectionmember member
    JOIN tree ON member.collection_id = tree.id WHERE member.investigation_id > 0
"""  # noqa: S608 - built of constants


_CONCEPTS = f"""
    {_TREE}
    SELECT collection.concept_id FROM catalogue_collection collection JOIN tree ON collection.id = tree.id
"""  # noqa: S608 - built of constants


@dataclass(frozen=True)
class Contents:
    """How much there is: datasets, files and bytes, each dataset counted once."""

    datasets: int
    files: int
    size: int


def datasets_in(collection: Collection) -> QuerySet[Dataset]:
    """Every dataset that `collection` holds, once, whether it was named itself or came with something; not withdrawn ones."""
    return Dataset.objects.filter(
        pk__in=_keys(_DATASETS, collection),
        state=RecordState.ACTIVE,
        investigation__state=RecordState.ACTIVE,
    )


def investigations_in(collection: Collection) -> QuerySet[Investigation]:
    """The investigations that `collection` holds, wholly or in part."""
    return Investigation.objects.filter(pk__in=_keys(_INVESTIGATIONS, collection))


def contents_of(datasets: QuerySet[Dataset]) -> Contents:
    totals = datasets.order_by().aggregate(Count("pk"), Sum("file_count"), Sum("size"))
    return Contents(totals["pk__count"], totals["file_count__sum"] or 0, totals["size__sum"] or 0)


def concepts_in(collection: Collection) -> QuerySet[Concept]:
    """The concept of `collection` and of every collection within it."""
    return Concept.objects.filter(pk__in=_keys(_CONCEPTS, collection))


def _keys(statement: str, collection: Collection) -> RawSQL:
    return RawSQL(statement, [collection.pk])  # noqa: S611 - one of the constants above
