"""How rows of the tables of the PaNOSC search API refer to each other. What the rows are stands in `tables.py`."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.lookups import IsNull

from catalogue.models import Collection, CollectionMember, ForeignTechnique
from catalogue.services.panosc_context import ACCOUNT
from search.panosc import pids
from search.panosc.tables import (
    AFFILIATION,
    COLLECTION,
    DATASET,
    FILE,
    FOREIGN_MEMBER,
    FOREIGN_TECHNIQUE,
    INSTRUMENT,
    INVESTIGATION,
    KNOWN_MEMBER,
    MEMBER,
    OWN_PARAMETER,
    PERSON,
    SAMPLE,
    STATED_PARAMETER,
    TECHNIQUE,
    Asker,
    Table,
)

Link = tuple[Table, Q]


def links(table: Table, relation: str, asker: Asker) -> tuple[Link, ...]:
    """The tables that a relation leads to, each with what ties its rows to the row outside."""
    return (_WITH_IMPORTS if asker.has_imports else _LINKS).get((table.name, relation), ())


def _members(**of: Any) -> QuerySet:
    return CollectionMember.objects.filter(**of).order_by()


def _of_dataset() -> Q:
    """Collections that hold the dataset outside: itself, its investigation, or a collection that holds one of them."""
    holding = Q(dataset=OuterRef(OuterRef("pk"))) | Q(investigation=OuterRef(OuterRef("investigation_id")))
    inner = Q(dataset=OuterRef(OuterRef(OuterRef("pk")))) | Q(
        investigation=OuterRef(OuterRef(OuterRef("investigation_id")))
    )
    parts = CollectionMember.objects.filter(inner).order_by().values("collection_id")
    return Q(pk__in=CollectionMember.objects.filter(holding).order_by().values("collection_id")) | Q(
        pk__in=_members(part__in=parts).values("collection_id")
    )


def _in_collection() -> Q:
    """Datasets that the collection outside holds: named themselves, with an investigation, or by a part of it."""
    own = {"collection": OuterRef(OuterRef("pk"))}
    of_part = {"collection__memberships__collection": OuterRef(OuterRef("pk"))}
    return (
        Q(pk__in=_members(dataset__isnull=False, **own).values("dataset_id"))
        | Q(investigation__in=_members(investigation__isnull=False, **own).values("investigation_id"))
        | Q(pk__in=_members(dataset__isnull=False, **of_part).values("dataset_id"))
        | Q(investigation__in=_members(investigation__isnull=False, **of_part).values("investigation_id"))
    )


def _behind_collection() -> Q:
    """The people of the investigations whose data the collection outside holds itself."""
    own = _members(collection=OuterRef(OuterRef("pk")))
    return Q(investigation__in=own.filter(dataset__isnull=False).values("dataset__investigation_id")) | Q(
        investigation__in=own.filter(investigation__isnull=False).values("investigation_id")
    )


def _as_it_came() -> Exists:
    """Whether the dataset outside has the term under the name of another server."""
    told = ForeignTechnique.objects.filter(datasets=OuterRef(OuterRef("pk")), technique=OuterRef("pk"))
    return Exists(told.order_by())


def _is_imported() -> Exists:
    """Whether the collection outside came with members of its own, or with none."""
    return Exists(Collection.objects.filter(pk=OuterRef(OuterRef("pk")), created_by__username=ACCOUNT).order_by())


def _of_member() -> Q:
    """Where the member outside works: as the other server has it, where the member came from one."""
    return Q(pk=OuterRef("told_affiliation")) | Q(IsNull(OuterRef("part"), True), pk=OuterRef("person__affiliation_id"))


_LINKS: Mapping[tuple[str, str], tuple[Link, ...]] = {
    ("dataset", "documents"): ((INVESTIGATION, Q(pk=OuterRef("investigation_id"))), (COLLECTION, _of_dataset())),
    ("dataset", "techniques"): ((TECHNIQUE, Q(datasets=OuterRef("pk"))),),
    ("dataset", "instrument"): ((INSTRUMENT, Q(pk=OuterRef("instrument_id"))),),
    ("dataset", "files"): ((FILE, Q(dataset=OuterRef("pk"))),),
    ("dataset", "parameters"): ((OWN_PARAMETER, Q(dataset=OuterRef("pk")) & ~pids.IS_STATED_BY_DOCUMENT),),
    ("dataset", "samples"): ((SAMPLE, Q(pk=OuterRef("sample_id"))),),
    ("investigation", "datasets"): ((DATASET, Q(investigation=OuterRef("pk"))),),
    ("investigation", "members"): ((MEMBER, Q(investigation=OuterRef("pk"))),),
    ("investigation", "parameters"): ((STATED_PARAMETER, pids.stated_by_investigation()),),
    ("collection", "members"): ((KNOWN_MEMBER, _behind_collection()),),
    ("collection", "parameters"): ((STATED_PARAMETER, pids.stated_by_collection()),),
    ("collection", "datasets"): ((DATASET, _in_collection()),),
    ("instrument", "datasets"): ((DATASET, Q(instrument=OuterRef("pk"))),),
    ("member", "person"): ((PERSON, Q(pk=OuterRef("person_id"))),),
    ("member", "affiliation"): ((AFFILIATION, _of_member()),),
}
_WITH_IMPORTS: Mapping[tuple[str, str], tuple[Link, ...]] = {
    **_LINKS,
    ("dataset", "techniques"): (
        (TECHNIQUE, Q(datasets=OuterRef("pk")) & Q(~_as_it_came())),
        (FOREIGN_TECHNIQUE, Q(datasets=OuterRef("pk"), technique__datasets=OuterRef("pk"))),
    ),
    ("collection", "members"): (
        (KNOWN_MEMBER, _behind_collection() & Q(~_is_imported())),
        (FOREIGN_MEMBER, Q(collection=OuterRef("pk"))),
    ),
    ("foreign_member", "person"): ((PERSON, Q(pk=OuterRef("person_id"))),),
    ("foreign_member", "affiliation"): ((AFFILIATION, Q(pk=OuterRef("affiliation_id"))),),
}
TO_ONE = frozenset({"instrument", "person", "affiliation"})
