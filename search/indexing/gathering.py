"""What the documents of many datasets are made of, read in a constant number of queries. No masking and no engine here.

Nothing is kept from one call to the next: a document is never older than the revision that was read before it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db.models import Max, OuterRef, Prefetch, Q, prefetch_related_objects

from catalogue.models import (
    Annotation,
    CollectionMember,
    Datafile,
    Dataset,
    Instrument,
    Investigation,
    Licence,
    Parameter,
    Sample,
    TeamMember,
    Technique,
    TechniqueAncestor,
)
from catalogue.models import Collection as PublishedCollection
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState
from catalogue.services.annotations import CATEGORY
from catalogue.short_lists import ShortList

MOST_FILES = 200
# What is read by a range of keys may be as many times the rows that are wanted.
MOST_OF_RANGE = 1.5

Row = TypeVar("Row", bound=tuple)


class ParameterRow(NamedTuple):
    """The columns of a parameter that documents need, in the shape that `catalogue.masking` takes."""

    dataset_id: int
    group: str
    name: str
    source: str
    kind: str
    text: str
    value_si: float | None
    unit_si: str
    is_personal: bool
    value: float | None = None
    unit: str = ""
    date: datetime | None = None
    items: tuple = ()


@dataclass(frozen=True)
class Term:
    """A technique: its label with its other names, and the IRIs of it and of all its broader terms."""

    names: str
    broader: list[str]


@dataclass(frozen=True)
class Gathered:
    """By primary key of the dataset, but for `terms`, which are by IRI. `published` are in a published collection."""

    datasets: dict[int, Dataset]
    parameters: dict[int, list[ParameterRow]]
    files: dict[int, list[str]]
    terms: dict[str, Term]
    published: set[int]


def gather(keys: Collection[int]) -> Gathered:
    """The active ones among the datasets with these primary keys, with all that a record names."""
    datasets = _active_datasets(keys)
    _add_labels(datasets)
    return Gathered(
        datasets=datasets,
        parameters=_parameters(datasets),
        files=_files(datasets),
        terms=_techniques(datasets),
        published=_published(datasets),
    )


def _among(column: str, keys: Collection[int]) -> Q:
    """Rows with these keys. Keys that lie close together are asked for by their bounds, which costs a tenth of naming
    a thousand of them; rows of others in between come too.
    """
    if not keys or max(keys) - min(keys) >= MOST_OF_RANGE * len(keys):
        return Q(**{f"{column}__in": keys})
    return Q(**{f"{column}__gte": min(keys), f"{column}__lte": max(keys)})


def _active_datasets(keys: Collection[int]) -> dict[int, Dataset]:
    """Rows of investigations, instruments and the like are shared, which is what makes it quick."""
    rows = Dataset.objects.filter(_among("pk", keys), state=RecordState.ACTIVE).order_by()
    found = [one for one in rows if one.pk in keys]
    whole = Investigation.objects.select_related("proposal").in_bulk({one.investigation_id for one in found})
    team = Prefetch("team", TeamMember.objects.select_related("person__affiliation"))
    prefetch_related_objects(list(whole.values()), team)
    instruments = Instrument.objects.select_related("facility").in_bulk({one.instrument_id for one in found})
    samples = Sample.objects.in_bulk({one.sample_id for one in found if one.sample_id})
    licences = Licence.objects.in_bulk({one.licence_id for one in found})
    datasets = {}
    for dataset in found:
        investigation = whole[dataset.investigation_id]
        if investigation.state != RecordState.ACTIVE:
            continue
        dataset.investigation = investigation
        dataset.instrument = instruments[dataset.instrument_id]
        dataset.sample = samples[dataset.sample_id] if dataset.sample_id else None
        dataset.licence = licences[dataset.licence_id]
        dataset.own_doi, dataset.technique_terms, dataset.annotation_rows = None, [], []
        datasets[dataset.pk] = dataset
    return datasets


def _by_dataset(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Rows whose first column is the key of their dataset."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _parameters(datasets: Collection[int]) -> dict[int, list[ParameterRow]]:
    columns = ("dataset_id", "group", "name", "source", "kind", "text", "value_si", "unit_si", "is_personal")
    rows = Parameter.objects.filter(_among("dataset", datasets)).order_by("dataset_id", "group", "name", "source")
    return _by_dataset(map(ParameterRow._make, (row + _UNREAD for row in rows.values_list(*columns))))


_UNREAD = (None, "", None, ())


def _add_labels(datasets: dict[int, Dataset]) -> None:
    """What models and people say that the images of each dataset show, each label once."""
    said = Annotation.objects.filter(_among("dataset", datasets), kind=CATEGORY).order_by("dataset_id", "label")
    columns = said.values_list("dataset_id", "kind", "label")
    for key, kind, label, best, verified in columns.annotate(best=Max("confidence"), verified=Max("verified_at")):
        row = {"kind": kind, "label": label, "best": best, "verified": verified}
        if key in datasets:
            datasets[key].annotation_rows.append(row)


def _files(datasets: Collection[int]) -> dict[int, list[str]]:
    """The names of the first files: a dataset may have a million of them."""
    files = Datafile.objects.filter(dataset=OuterRef("pk")).order_by("name")[:MOST_FILES]
    rows = Dataset.objects.filter(_among("pk", datasets)).order_by().values_list("pk", ShortList(files, "name"))
    return {key: [file["name"] for file in listed] for key, listed in rows}


def _techniques(datasets: dict[int, Dataset]) -> dict[str, Term]:
    """Name the techniques of each dataset, and return what is said of them."""
    rows = Dataset.techniques.through._default_manager.filter(_among("dataset", datasets)).order_by()
    links = [link for link in rows.values_list("dataset_id", "technique_id") if link[0] in datasets]
    techniques = Technique.objects.order_by("label").in_bulk({technique for _, technique in links})
    named = {key: {"iri": one.iri, "label": one.label} for key, one in techniques.items()}
    places = {key: place for place, key in enumerate(techniques)}
    for key, technique_id in sorted(links, key=lambda link: places[link[1]]):
        datasets[key].technique_terms.append(named[technique_id])
    broader: dict[int, list[str]] = defaultdict(list)
    ancestors = TechniqueAncestor.objects.filter(technique__in=techniques).order_by("ancestor__iri")
    for technique_id, iri in ancestors.values_list("technique_id", "ancestor__iri"):
        broader[technique_id].append(iri)
    return {
        technique.iri: Term(" ".join([technique.label, *technique.alternative_labels]), broader[key])
        for key, technique in techniques.items()
    }


def _published(datasets: dict[int, Dataset]) -> set[int]:
    """The datasets in a published collection, be it by way of other collections; those with a DOI of their own get it."""
    named = list(
        CollectionMember.objects.filter(_among("dataset", datasets), dataset__isnull=False)
        .order_by("collection_id")
        .values_list("dataset_id", "collection_id")
    )
    wholes = list(
        CollectionMember.objects.filter(investigation__in={one.investigation_id for one in datasets.values()})
        .order_by()
        .values_list("investigation_id", "collection_id")
    )
    published = _published_collections({collection for _, collection in [*named, *wholes]})
    for key, collection in named:
        if key in datasets and collection in published and published[collection].member_count == 1:
            datasets[key].own_doi = published[collection].doi
    whole = {investigation for investigation, collection in wholes if collection in published}
    found = {key for key, collection in named if collection in published}
    return found | {key for key, one in datasets.items() if one.investigation_id in whole}


class Publication(NamedTuple):
    doi: str
    member_count: int


def _published_collections(collections: set[int]) -> dict[int, Publication]:
    """Those that are published themselves or part of one that is. The DOI is the collection's own, empty while it has none."""
    if not collections:
        return {}
    parents: dict[int, set[int]] = defaultdict(set)
    level, known = collections, set(collections)
    while links := list(
        CollectionMember.objects.filter(part__in=level).order_by().values_list("part_id", "collection_id")
    ):
        for part, parent in links:
            parents[part].add(parent)
        level = {parent for _, parent in links} - known
        known |= level
        if not level:
            break
    rows = PublishedCollection.objects.filter(pk__in=known, state=CollectionState.PUBLISHED).order_by()
    own = {key: Publication(doi or "", count) for key, doi, count in rows.values_list("pk", "doi", "member_count")}
    without = Publication("", 0)
    return {key: own.get(key, without) for key in collections if key in own or _is_reached(key, parents, set(own))}


def _is_reached(key: int, parents: dict[int, set[int]], published: set[int]) -> bool:
    seen: set[int] = set()
    waiting: Sequence[int] = [key]
    while waiting:
        seen.update(waiting)
        waiting = [parent for child in waiting for parent in parents[child] if parent not in seen]
        if published.intersection(waiting):
            return True
    return False
