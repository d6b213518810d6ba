"""Datasets with all that their records name, a page of them in two statements. No masking here, and no principal.

Instances are made as pickling makes them: their constructors would cost as much as reading the rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Max, Model, OuterRef, QuerySet, Subquery
from django.db.models.base import ModelState

from catalogue.kept_statements import KeptStatement, StandIn
from catalogue.models import Annotation, Collection, Dataset, Investigation, TeamMember, Technique
from catalogue.models.collections import CollectionState
from catalogue.short_lists import ShortList

MOST_LABELS = 10
Shared = dict[tuple[type[Model], Any], Any]


@dataclass(frozen=True)
class _Part:
    """The columns of one table in a row: from `start` to `end`, the primary key at `key`. `parent` names it `name`."""

    path: str
    parent: str
    name: str
    model: type[Model]
    columns: tuple[str, ...]
    start: int
    end: int
    key: int


class _Joined:
    """Makes instances out of rows of joined tables: of `model`, of which `only` some columns may be wanted, and of what
    `paths` lead to."""

    def __init__(self, model: type[Model], *paths: str, only: Sequence[str] = ()) -> None:
        self._models: dict[str, type[Model]] = {}
        self._only = only
        self._parts: list[_Part] = []
        self.columns: list[str] = []
        for path in ("", *paths):
            self._add(path, model)

    def _add(self, path: str, root: type[Model]) -> None:
        parent, _, name = path.rpartition("__")
        model = self._models[parent]._meta.get_field(name).related_model if path else root
        assert isinstance(model, type)
        self._models[path] = model
        fields = list(model._meta.concrete_fields)
        if self._only and not path:
            fields = [field for field in fields if field.primary_key or field.attname in self._only]
        columns = tuple(field.attname for field in fields)
        start, key = len(self.columns), next(place for place, field in enumerate(fields) if field.primary_key)
        self._parts.append(_Part(path, parent, name, model, columns, start, start + len(fields), start + key))
        self.columns += [f"{path}__{column}" if path else column for column in columns]

    def instance(self, row: Sequence[Any], shared: Shared) -> Any:
        """The instance of `model` in `row`. Each row of a table becomes one instance, which is kept in `shared`."""
        found: dict[str, Any] = {}
        for part in self._parts:
            known = (part.model, row[part.key])
            one = shared.get(known)
            if one is None and row[part.key] is not None:
                one = shared[known] = _instance(part.model, part.columns, row[part.start : part.end])
            if part.path and found[part.parent] is not None:
                found[part.parent]._state.fields_cache[part.name] = one
            found[part.path] = one
        return found[""]


def _instance(model: type[Model], columns: Sequence[str], values: Sequence[Any]) -> Model:
    one = model.__new__(model)
    one._state = ModelState()
    one._state.adding, one._state.db = False, connection.alias
    one.__dict__.update(zip(columns, values, strict=True))
    return one


def own_doi() -> Subquery:
    """The DOI of the published collection that holds a row of datasets and nothing else."""
    alone = Collection.objects.filter(
        members__dataset=OuterRef("pk"), member_count=1, state=CollectionState.PUBLISHED
    ).order_by("-id")
    return Subquery(alone.values("doi")[:1])


def technique_terms(**of: OuterRef) -> ShortList:
    """The techniques of a row: `of` leads from a technique to rows of that kind."""
    return ShortList(Technique.objects.filter(**of).order_by("label"), "iri", "label")


def _annotation_rows() -> ShortList:
    """The labels of a dataset's images, each once: the verified first, then the surest."""
    labels = Annotation.objects.filter(dataset=OuterRef("pk")).values("kind", "label")
    best = labels.annotate(best=Max("confidence"), verified=Max("verified_at"))
    order = (F("verified").desc(nulls_last=True), F("best").desc(nulls_last=True), "label")
    return ShortList(best.order_by(*order)[:MOST_LABELS], "kind", "label", "best", "verified")


def list_columns() -> dict[str, Subquery]:
    """What a row of datasets has beside its own columns, so that a record can be made of it."""
    return {
        "own_doi": own_doi(),
        "technique_terms": technique_terms(datasets=OuterRef("pk")),
        "annotation_rows": _annotation_rows(),
    }


class KeptRows:
    """A kept statement whose rows are instances of `model`, with what `paths` lead to and the columns `more`.

    `make` returns the queryset for the stand-ins of a `KeptStatement`, annotated with `more`. Where `only` some columns of
    `model` are named, the others are read when they are asked for, as Django does it.
    """

    def __init__(
        self,
        model: type[Model],
        paths: Sequence[str],
        make: Callable[..., QuerySet[Any]],
        *more: str,
        only: Sequence[str] = (),
        **stand_ins: StandIn,
    ) -> None:
        self._joined, self._more = _Joined(model, *paths, only=only), more

        def columns(**values: Any) -> QuerySet[Any, Any]:
            return make(**values).values_list(*self._joined.columns, *more)

        self._statement = KeptStatement(columns, **stand_ins)

    def read(self, shared: Shared | None = None, **given: StandIn) -> list[Any]:
        """The instances, in one query. Those in `shared` stand for their rows, and all others are added to it."""
        shared = {} if shared is None else shared
        found = []
        for row in self._statement.rows(**given):
            one = self._joined.instance(row, shared)
            one.__dict__.update(zip(self._more, row[len(self._joined.columns) :], strict=True))
            found.append(one)
        return found


NAMED = ("investigation", "investigation__proposal", "instrument", "instrument__facility", "sample", "licence")
LISTS = ("own_doi", "technique_terms", "annotation_rows")


def _dataset_rows(keys: Sequence[int]) -> QuerySet[Dataset]:
    return Dataset.objects.filter(pk__among=keys).order_by().annotate(**list_columns())


def _team_rows(keys: Sequence[int]) -> QuerySet[TeamMember]:
    return TeamMember.objects.filter(investigation__pk__among=keys).order_by("position", "id")


_DATASETS = KeptRows(Dataset, NAMED, _dataset_rows, *LISTS, keys=[-1])
_TEAMS = KeptRows(TeamMember, ("person", "person__affiliation"), _team_rows, keys=[-1])


def rows_of(keys: Sequence[int], *, fetched: Iterable[Investigation] = ()) -> list[Dataset]:
    """The datasets with these primary keys, in this order, with what a record names.

    Datasets of one investigation share its row and its team; those of `fetched` came with their teams.
    """
    if not keys:
        return []
    shared: Shared = {(Investigation, one.pk): one for one in fetched}
    found = {one.pk: one for one in _DATASETS.read(shared, keys=keys)}
    add_teams(one.investigation for one in found.values())
    return [found[key] for key in keys if key in found]


def add_teams(rows: Iterable[Investigation]) -> None:
    """Fetch the teams of those that came without."""
    investigations = {one.pk: one for one in rows}
    teams: dict[int, list[TeamMember]] = {
        key: [] for key, one in investigations.items() if "team" not in getattr(one, "_prefetched_objects_cache", ())
    }
    if not teams:
        return
    for member in _TEAMS.read(keys=list(teams)):
        member._state.fields_cache["investigation"] = investigations[member.investigation_id]
        teams[member.investigation_id].append(member)
    for key, team in teams.items():
        investigations[key].__dict__["_prefetched_objects_cache"] = {"team": team}
