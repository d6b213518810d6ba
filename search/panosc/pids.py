"""The ids of what came from another PaNOSC server, as columns and conditions of the database. Everything else has its DOI or uid.

`catalogue/services/panosc_import.py` puts them there: an instrument's stands in its address, a dataset's in its registration key,
a document's that is no DOI in a relation, and those of everything smaller in a table of their own.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, Replace, Substr

from catalogue.interop.panosc_database import DOIS, HANDLES, LOCAL, address_of
from catalogue.models import CollectionMember, Dataset, ForeignIdentifier, Instrument, Relation
from catalogue.models.foreign import ForeignKind
from catalogue.services.panosc_context import ACCOUNT, SAME_AS, STATED_BY
from search.panosc.expressions import UidText, optional

_RESOLVERS = (HANDLES, DOIS, LOCAL)


def kept(kind: ForeignKind, usual: Any) -> Coalesce:
    """What the row was called where it came from, else its `usual` name. An index answers it in the query of the row."""
    own = ForeignIdentifier.objects.filter(kind=kind, object_id=OuterRef("pk")).order_by()
    return Coalesce(Subquery(own.values("identifier")), usual, output_field=CharField())


def with_kept(kind: ForeignKind, names: Sequence[str]) -> Q:
    found = ForeignIdentifier.objects.filter(kind=kind, identifier__in=list(names)).order_by()
    return Q(pk__in=found.values("object_id"))


def dataset_pid(prefix: str = "") -> Case:
    """Of datasets, or of what belongs to one, to which `prefix` leads."""
    came = {f"{prefix}registered_by__username": ACCOUNT, f"{prefix}registration_key__isnull": False}
    return Case(
        When(Q(**came), then=F(f"{prefix}registration_key")), default=UidText(f"{prefix}uid"), output_field=CharField()
    )


def with_dataset_pids(pids: Sequence[str]) -> Q:
    """By the key of each instrument, as the index has them."""
    instruments = Instrument.objects.order_by().values("pk")
    came = Dataset.objects.filter(
        registered_by__username=ACCOUNT, instrument__in=instruments, registration_key__in=list(pids)
    )
    return Q(pk__in=came.order_by().values("pk"))


def instrument_pid(prefix: str = "") -> Coalesce:
    """The DOI or handle that its address leads to, the address, or its uid."""
    pid: Any = F(f"{prefix}pid")
    for resolver in _RESOLVERS:
        pid = Replace(pid, Value(resolver), Value(""))
    return Coalesce(optional(pid), UidText(f"{prefix}uid"), output_field=CharField())


def with_instrument_pids(pids: Sequence[str]) -> Q:
    return Q(pid__in=[text for pid in pids if pid for text in (pid, address_of(pid))])


def investigation_pid() -> Coalesce:
    stated = _stated().filter(investigation=OuterRef("pk")).order_by("id").values("identifier")[:1]
    pid = Replace(Subquery(stated), Value(LOCAL), Value(""))
    return Coalesce("doi", pid, UidText("uid"), output_field=CharField())


def with_investigation_pids(pids: Sequence[str]) -> Q:
    names = [text for pid in pids for text in (pid, address_of(pid))]
    stated = _stated().filter(identifier__in=names, investigation__isnull=False)
    return Q(doi__isnull=True, pk__in=stated.values("investigation"))


def _stated() -> QuerySet:
    return Relation.objects.filter(relation_type=SAME_AS).order_by()


IS_STATED_BY_DOCUMENT = Q(group__startswith=STATED_BY)
STATING_DOCUMENT = Case(When(IS_STATED_BY_DOCUMENT, then=Substr("group", len(STATED_BY) + 1)), output_field=CharField())


def of_own_parameter(pid: Any) -> Case:
    """The pid of the dataset of a parameter that no document states."""
    return Case(When(~IS_STATED_BY_DOCUMENT, then=pid), output_field=CharField())


def stated_by_investigation() -> Q:
    """What a document states stands at each of its datasets: here it is read from the first."""
    datasets = Dataset.objects.filter(investigation=OuterRef(OuterRef("pk"))).order_by("id")
    return Q(dataset=Subquery(datasets.values("pk")[:1]), group=Concat(Value(STATED_BY), OuterRef("doi")))


def stated_by_collection() -> Q:
    members = CollectionMember.objects.filter(collection=OuterRef(OuterRef("pk")), dataset__isnull=False)
    return Q(
        dataset=Subquery(members.order_by("id").values("dataset_id")[:1]),
        group=Concat(Value(STATED_BY), OuterRef("doi")),
    )
