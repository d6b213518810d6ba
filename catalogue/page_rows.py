"""The rows of one page of datasets with all that their records name, in two statements. No masking here, and no principal.

Instances are made as pickling makes them: their constructors would cost as much as reading the rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Max, Model, OuterRef, QuerySet, Subquery
from django.db.models.base import ModelState

from catalogue.kept_statements import KeptStatement
from catalogue.models import Annotation, Collection, Dataset, Investigation, TeamMember, Technique
from catalogue.models.collections import CollectionState
from catalogue.short_lists import ShortList

MOST_LABELS = 10


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
    """Makes instances out of rows of joined tables: of `model` and of what `paths` lead to."""

    def __init__(self, model: type[Model], *paths: str) -> None:
        self._models: dict[str, type[Model]] = {}
        self._parts: list[_Part] = []
        self.columns: list[str] = []
        for path in ("", *paths):
            self._add(path, model)

    def _add(self, path: str, root: type[Model]) -> None:
        parent, _, name = path.rpartition("__")
        model = self._models[parent]._meta.get_field(name).related_model if path else root
        assert isinstance(model, type)
        self._models[path] = model
        fields = model._meta.concrete_fields
        columns = tuple(field.attname for field in fields)
        start, key = len(self.columns), next(place for place, field in enumerate(fields) if field.primary_key)
        self._parts.append(_Part(path, parent, name, model, columns, start, start + len(fields), start + key))
        self.columns += [f"{path}__{column}" if path else column for column in columns]

    def instance(self, row: Sequence[Any], shared: dict[tuple[type[Model], Any], Any]) -> Any:
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


_DATASET = _Joined(
    Dataset, "investigation", "investigation__proposal", "instrument", "instrument__facility", "sample", "licence"
)
_MEMBER = _Joined(TeamMember, "person", "person__affiliation")


def _dataset_rows(keys: Sequence[int]) -> QuerySet[Dataset, Any]:
    lists = list_columns()
    rows = Dataset.objects.filter(pk__among=keys).order_by().annotate(**lists)
    return rows.values_list(*_DATASET.columns, *lists)


def _team_rows(keys: Sequence[int]) -> QuerySet[TeamMember, Any]:
    rows = TeamMember.objects.filter(investigation__pk__among=keys).order_by("position", "id")
    return rows.values_list(*_MEMBER.columns)


_DATASET_ROWS = KeptStatement(_dataset_rows, keys=[-1])
_TEAM_ROWS = KeptStatement(_team_rows, keys=[-1])


def rows_of(keys: Sequence[int], *, fetched: Iterable[Investigation] = ()) -> list[Dataset]:
    """The datasets with these primary keys, in this order, with what a record names.

    Datasets of one investigation share its row and its team; those of `fetched` came with their teams.
    """
    if not keys:
        return []
    shared: dict[tuple[type[Model], Any], Any] = {(Investigation, one.pk): one for one in fetched}
    found: dict[int, Dataset] = {}
    for row in _DATASET_ROWS.rows(keys=keys):
        one = _DATASET.instance(row, shared)
        one.own_doi, one.technique_terms, one.annotation_rows = row[len(_DATASET.columns) :]
        found[one.pk] = one
    _add_teams({one.investigation_id: one.investigation for one in found.values()})
    return [found[key] for key in keys if key in found]


def _add_teams(investigations: Mapping[int, Investigation]) -> None:
    """Fetch the teams of those that came without."""
    teams: dict[int, list[TeamMember]] = {
        key: [] for key, one in investigations.items() if "team" not in getattr(one, "_prefetched_objects_cache", ())
    }
    if not teams:
        return
    shared: dict[tuple[type[Model], Any], Any] = {}
    for row in _TEAM_ROWS.rows(keys=list(teams)):
        member = _MEMBER.instance(row, shared)
        member._state.fields_cache["investigation"] = investigations[member.investigation_id]
        teams[member.investigation_id].append(member)
    for key, team in teams.items():
        investigations[key].__dict__["_prefetched_objects_cache"] = {"team": team}
