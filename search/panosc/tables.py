"""Where the models of the PaNOSC search API lie in this catalogue: rows, columns, and how rows refer to each other.

A Document is an investigation (a proposal) or a published collection (a publication). Every query here is over rows that the
asker reads in full and over nothing else, so that no condition, include or count can tell of what is closed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateTimeField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Concat, Trim

from catalogue import access
from catalogue.access import Principal
from catalogue.models import (
    Collection,
    Datafile,
    ForeignIdentifier,
    ForeignMember,
    ForeignTechnique,
    Instrument,
    Organisation,
    Parameter,
    Person,
    Sample,
    TeamMember,
    Technique,
    User,
)
from catalogue.models.collections import CollectionState
from catalogue.models.foreign import ForeignKind
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.services.panosc_context import ACCOUNT, NO_PROPOSAL
from catalogue.stamps import opening
from catalogue.vocabularies.techniques import PANET
from search.panosc import pids
from search.panosc.expressions import FirstDate, UidText, Unindexed, optional


@dataclass(frozen=True)
class Asker:
    """Who asks, and when."""

    principal: Principal
    now: datetime

    @cached_property
    def has_imports(self) -> bool:
        """Whether anything came from another server, so that its names for things are looked for. One query at most."""
        return User.objects.filter(username=ACCOUNT).exists()


KEY = Cast("pk", CharField())
Column = Any  # an expression, or None for what this catalogue does not keep


@dataclass(frozen=True)
class Table:
    """`columns` by the names of the API; `beside` are columns that values are made of. `exact` finds rows by the exact values of
    a property, with an index. Small rows come in the query of what they belong to, in the `usual_order` for which there is one.
    """

    name: str
    model: str
    rows: Callable[[Asker], QuerySet]
    columns: Callable[[Asker], Mapping[str, Column]]
    exact: Mapping[str, Callable[[Sequence[str]], Q]]
    is_small: bool = True
    beside: tuple[str, ...] = ()
    usual_order: tuple[str, ...] = ("pk",)


def _datasets(asker: Asker) -> QuerySet:
    """Who sees everything sees withdrawn data too, which are in no list."""
    rows = access.full_datasets(asker.principal, now=asker.now).order_by()
    active = {"state": RecordState.ACTIVE, "investigation__state": RecordState.ACTIVE}
    return rows.filter(**active) if asker.principal.sees_everything else rows


def _investigations(asker: Asker) -> QuerySet:
    found = access.full_investigations(asker.principal, now=asker.now).filter(state=RecordState.ACTIVE).order_by()
    return found.exclude(investigation_type=NO_PROPOSAL)


def _collections(asker: Asker) -> QuerySet:
    return Collection.objects.filter(state=CollectionState.PUBLISHED).order_by()


def _all(model: Any) -> Callable[[Asker], QuerySet]:
    return lambda asker: model.objects.order_by()


def _parameters(asker: Asker) -> QuerySet:
    return Parameter.objects.filter(is_personal=False).order_by()


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _dataset_columns(asker: Asker) -> Mapping[str, Column]:
    return {
        "pid": pids.dataset_pid() if asker.has_imports else UidText("uid"),
        "title": F("title"),
        "isPublic": _whether(access.open_q(asker.now)),
        "creationDate": FirstDate("acquired_at", "created_at"),
        "size": F("size"),
        "instrumentId": pids.instrument_pid("instrument__"),
    }


def _investigation_columns(asker: Asker) -> Mapping[str, Column]:
    is_open = access.embargo_passed_q(asker.now) | Q(released_at__lte=asker.now)
    return {
        "pid": pids.investigation_pid(),
        "isPublic": _whether(is_open),
        "type": Value("proposal", output_field=CharField()),
        "title": F("title"),
        "summary": optional("abstract"),
        "doi": F("doi"),
        "startDate": F("started_at"),
        "endDate": F("ended_at"),
        "releaseDate": ExpressionWrapper(opening(), output_field=DateTimeField()),
        "license": F("licence_id"),
    }


def _collection_columns(asker: Asker) -> Mapping[str, Column]:
    return {
        "pid": Coalesce("doi", UidText("uid"), output_field=CharField()),
        "isPublic": Value(True, output_field=BooleanField()),
        "type": Value("publication", output_field=CharField()),
        "title": F("title"),
        "summary": optional(KeyTextTransform("abstract", "text")),
        "doi": F("doi"),
        "startDate": None,
        "endDate": None,
        "releaseDate": F("published_at"),
        "license": optional(KeyTextTransform("licence_id", "text")),
        "keywords": KeyTransform("subjects", "text"),
    }


def _fixed(**columns: Column) -> Callable[[Asker], Mapping[str, Column]]:
    return lambda asker: columns


def _told(columns: Mapping[str, Column], **elsewhere: Column) -> Callable[[Asker], Mapping[str, Column]]:
    """With the columns that say what another server says, where anything came from one: they cost most of such a query."""
    told = {**columns, **elsewhere}
    return lambda asker: told if asker.has_imports else columns


def uids_in(values: Sequence[str]) -> list[UUID]:
    """Those of `values` that are uids as this API writes them."""
    found = []
    for value in values:
        try:
            uid = UUID(value)
        except ValueError:
            continue
        if str(uid) == value:
            found.append(uid)
    return found


def _by_uid(values: Sequence[str]) -> Q:
    return Q(uid__in=uids_in(values))


def _by_uid_or_kept(kind: ForeignKind) -> Callable[[Sequence[str]], Q]:
    return lambda values: _by_uid(values) | pids.with_kept(kind, values)


def _by_sample_name(values: Sequence[str]) -> Q:
    renamed = ForeignIdentifier.objects.filter(kind=ForeignKind.SAMPLE_NAME).order_by()
    own = Q(name__in=list(values)) & ~Q(pk__in=renamed.values("object_id"))
    return own | pids.with_kept(ForeignKind.SAMPLE_NAME, values)


def _by_dataset_pid(values: Sequence[str]) -> Q:
    return _by_uid(values) | pids.with_dataset_pids(values)


def _by_investigation_pid(values: Sequence[str]) -> Q:
    return _by_doi_or_uid(values) | pids.with_investigation_pids(values)


def _by_doi_or_uid(values: Sequence[str]) -> Q:
    return Q(doi__in=list(values)) | Q(doi__isnull=True, uid__in=uids_in(values))


def _by_pid_or_uid(values: Sequence[str]) -> Q:
    return pids.with_instrument_pids(values) | Q(pid="", uid__in=uids_in(values))


def _by_instrument(values: Sequence[str]) -> Q:
    return Q(instrument__in=Instrument.objects.filter(_by_pid_or_uid(values)).order_by().values("pk"))


_ROLE = Case(
    *(When(role=role, then=Value(role.label)) for role in TeamRole), default=F("role"), output_field=CharField()
)

DATASET = Table(
    "dataset",
    "Dataset",
    _datasets,
    _dataset_columns,
    {"pid": _by_dataset_pid, "instrumentId": _by_instrument},
    is_small=False,
)
INVESTIGATION = Table(
    "investigation", "Document", _investigations, _investigation_columns, {"pid": _by_investigation_pid}, is_small=False
)
COLLECTION = Table("collection", "Document", _collections, _collection_columns, {"pid": _by_doi_or_uid}, is_small=False)
INSTRUMENT = Table(
    "instrument",
    "Instrument",
    _all(Instrument),
    _fixed(pid=pids.instrument_pid(), name=F("name"), facility=F("facility__short_name")),
    {"pid": _by_pid_or_uid},
    is_small=False,
)
SAMPLE = Table(
    "sample",
    "Sample",
    _all(Sample),
    _told(
        {"pid": UidText("uid"), "name": F("name"), "description": optional("description")},
        pid=pids.kept(ForeignKind.SAMPLE, UidText("uid")),
        name=pids.kept(ForeignKind.SAMPLE_NAME, F("name")),
    ),
    {"pid": _by_uid_or_kept(ForeignKind.SAMPLE), "name": _by_sample_name},
)
TECHNIQUE = Table(
    "technique",
    "Technique",
    _all(Technique),
    _fixed(
        pid=F("iri"),
        name=F("label"),
        panetId=Case(When(iri__startswith=PANET, then=F("iri")), output_field=CharField()),
    ),
    {"pid": lambda values: Q(iri__in=list(values))},
)
# As another server calls it.
FOREIGN_TECHNIQUE = Table(
    "foreign_technique",
    "Technique",
    _all(ForeignTechnique),
    _fixed(
        pid=F("identifier"),
        name=F("name"),
        panetId=Case(When(technique__iri__startswith=PANET, then=F("technique__iri")), output_field=CharField()),
    ),
    {},
)
FILE = Table(
    "file",
    "File",
    _all(Datafile),
    _told(
        {"id": KEY, "name": F("name"), "path": None, "size": F("size"), "datasetId": UidText("dataset__uid")},
        id=pids.kept(ForeignKind.FILE, KEY),
        datasetId=pids.dataset_pid("dataset__"),
    ),
    {},
    usual_order=("name",),
)


def _parameter_columns(**columns: Column) -> Callable[[Asker], Mapping[str, Column]]:
    return _told(
        {
            "id": KEY,
            "name": F("name"),
            "unit": F("unit"),
            "datasetId": pids.of_own_parameter(UidText("dataset__uid")),
            "documentId": pids.STATING_DOCUMENT,
            **columns,
        },
        id=pids.kept(ForeignKind.PARAMETER, KEY),
        datasetId=pids.of_own_parameter(pids.dataset_pid("dataset__")),
    )


PARAMETER = Table(
    "parameter", "Parameter", _parameters, _parameter_columns(), {}, beside=("kind", "text", "value", "unit")
)
# Of one dataset: they are found by the dataset, and not by their names among those of all.
OWN_PARAMETER = replace(PARAMETER, columns=_parameter_columns(name=Unindexed("name")))


def _members(rows: QuerySet) -> QuerySet:
    """Each member of a team, and as often as another server names somebody, as that server does: then `part` is its key."""
    return rows.annotate(
        part=F("foreign_members"),
        identifier=F("foreign_members__identifier"),
        told_role=F("foreign_members__role"),
        person_identifier=F("foreign_members__person_identifier"),
        affiliation_identifier=F("foreign_members__affiliation_identifier"),
        told_affiliation=F("foreign_members__affiliation"),
    ).order_by()


MEMBER = Table(
    "member",
    "Member",
    lambda asker: _members(TeamMember.objects.all()),
    _fixed(
        id=Coalesce("identifier", KEY, output_field=CharField()),
        role=Case(When(part__isnull=True, then=_ROLE), default=optional("told_role"), output_field=CharField()),
    ),
    {},
    usual_order=("part", "pk"),
)
# Of a collection, which is public though what it holds may not be.
STATED_PARAMETER = replace(
    OWN_PARAMETER, rows=lambda asker: _parameters(asker).filter(dataset__in=_datasets(asker).values("pk"))
)
KNOWN_MEMBER = replace(
    MEMBER,
    rows=lambda asker: _members(
        TeamMember.objects.filter(
            investigation__in=access.full_investigations(asker.principal, now=asker.now).values("pk")
        )
    ),
)
# Of a collection that came from another server.
FOREIGN_MEMBER = Table(
    "foreign_member",
    "Member",
    _all(ForeignMember),
    _fixed(id=F("identifier"), role=optional("role")),
    {},
)
# Both are of a member, who may be told of by another server.
PERSON = Table(
    "person",
    "Person",
    _all(Person),
    _fixed(
        id=Coalesce(OuterRef("person_identifier"), UidText("uid"), output_field=CharField()),
        fullName=Trim(Concat("given_name", Value(" "), "family_name", output_field=CharField())),
        orcid=F("orcid"),
        researcherId=None,
        firstName=optional("given_name"),
        lastName=F("family_name"),
    ),
    {},
)
AFFILIATION = Table(
    "affiliation",
    "Affiliation",
    _all(Organisation),
    _fixed(
        id=Coalesce(OuterRef("affiliation_identifier"), KEY, output_field=CharField()),
        name=F("name"),
        address=optional("address"),
        city=optional("city"),
        country=optional("country"),
    ),
    {},
)
TABLES_OF: Mapping[str, tuple[Table, ...]] = {
    "Dataset": (DATASET,),
    "Document": (INVESTIGATION, COLLECTION),
    "Instrument": (INSTRUMENT,),
}
