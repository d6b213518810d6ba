"""The rows of one page of a harvest with all that their records name, in a number of queries that does not grow with the page.

What many records name (investigations with their teams, instruments, samples, licences) is read once for a page and shared.
No masking here.
"""

from collections import defaultdict
from collections.abc import Collection as Keys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Model, OuterRef, QuerySet, prefetch_related_objects
from django.db.models.base import ModelState
from django.db.models.expressions import Combinable

from catalogue import access
from catalogue.access import ANONYMOUS
from catalogue.collection_selectors import PUBLIC_STATES
from catalogue.models import (
    Collection,
    CollectionMember,
    Dataset,
    Facility,
    Instrument,
    Investigation,
    Licence,
    Person,
    Relation,
    Sample,
    Technique,
    TechniqueAncestor,
)
from catalogue.oaipmh.memberships import Memberships, memberships_of
from catalogue.page_rows import technique_terms
from catalogue.selectors import MOST_RELATED, RELATED, RELATION
from catalogue.short_lists import ShortList

_UNREAD = {"extraction_notes", "extraction_state", "registration_key", "follows_raw_data"}
_COLUMNS = [field.attname for field in Dataset._meta.concrete_fields if field.name not in _UNREAD]


@dataclass(frozen=True)
class Rows:
    """By primary key. `techniques` are the IRIs of each dataset's techniques and of all that are broader."""

    datasets: Mapping[int, Dataset]
    investigations: Mapping[int, Investigation]
    collections: Mapping[int, Collection]
    techniques: Mapping[int, tuple[str, ...]]
    memberships: Memberships


def read_rows(datasets: Keys[int], investigations: Keys[int], collections: Keys[int], *, now: datetime) -> Rows:
    """The rows with these primary keys; one that is gone is left out."""
    found, linked, named = _datasets(datasets)
    wholes = _investigations({*investigations, *(one.investigation_id for one in found.values())})
    _share(found.values(), wholes.values())
    _add_relations(wholes, investigations)
    memberships = memberships_of({key: one.investigation_id for key, one in found.items()}, wholes, named=named)
    for key, doi in memberships.own_dois.items():
        found[key].own_doi = doi
    _add_related(found, linked, now)
    for one in found.values():
        _refer(one, investigation=wholes[one.investigation_id])
    return Rows(
        datasets=found,
        investigations=wholes,
        collections=_collections(collections),
        techniques=_add_techniques(found),
        memberships=memberships,
    )


def _datasets(keys: Keys[int]) -> tuple[dict[int, Dataset], list[int], list[int]]:
    """The rows; the keys of those that other datasets or relations are linked with, and of those that collections name.

    What no outward form tells of is not read, and is empty here, so that nothing asks for it later. Instances are made as
    pickling makes them: the constructor would cost as much as reading the rows.
    """
    columns: tuple[str | Combinable, ...] = (
        *_COLUMNS,
        _is_linked(),
        Exists(CollectionMember.objects.filter(dataset=OuterRef("pk"))),
    )
    found: dict[int, Dataset] = {}
    linked, named = [], []
    rows = Dataset.objects.filter(pk__in=keys).order_by().values_list(*columns) if keys else ()
    for *values, is_linked, is_named in rows:
        one = Dataset.__new__(Dataset)
        one._state = ModelState()
        one._state.adding, one._state.db = False, connection.alias
        one.__dict__.update(zip(_COLUMNS, values, strict=True))
        one.extraction_notes, one.extraction_state = [], ""
        one.annotation_rows, one.technique_terms, one.own_doi = [], [], None
        one.sources, one.results, one.relation_rows = [], [], []
        found[one.pk] = one
        linked += [one.pk] if is_linked else []
        named += [one.pk] if is_named else []
    return found, linked, named


def _is_linked() -> Combinable:
    """Whether it derives from others, led to others, or has relations."""
    links = Dataset.derived_from.through._default_manager
    return (
        Exists(links.filter(from_dataset=OuterRef("pk")))
        | Exists(links.filter(to_dataset=OuterRef("pk")))
        | Exists(Relation.objects.filter(dataset=OuterRef("pk")))
    )


def _investigations(keys: Keys[int]) -> dict[int, Investigation]:
    """With their proposals and teams; people who are in several teams are read once."""
    found = Investigation.objects.select_related("proposal").order_by().in_bulk(keys) if keys else {}
    prefetch_related_objects(list(found.values()), "team")
    members = [member for one in found.values() for member in one.team.all()]
    people = _all_of(Person.objects.select_related("affiliation"), (member.person_id for member in members))
    for member in members:
        _refer(member, person=people[member.person_id])
    for one in found.values():
        one.relation_rows = []
    return found


def _share(datasets: Iterable[Dataset], investigations: Iterable[Investigation]) -> None:
    """Give each row what it names, one object for all that name the same."""
    rows: list[Dataset | Investigation] = [*datasets, *investigations]
    columns = {"technique_terms": technique_terms(instruments=OuterRef("pk"))}
    instruments = _all_of(Instrument.objects.annotate(**columns), (one.instrument_id for one in rows))
    licences = _all_of(Licence.objects, (one.licence_id for one in rows))
    samples = _all_of(Sample.objects, (one.sample_id for one in datasets))
    places = (one.facility_id for one in (*investigations, *instruments.values()))
    facilities = _all_of(Facility.objects, places)
    for instrument in instruments.values():
        _refer(instrument, facility=facilities[instrument.facility_id])
    for one in rows:
        _refer(one, instrument=instruments[one.instrument_id], licence=licences[one.licence_id])
    for investigation in investigations:
        _refer(investigation, facility=facilities[investigation.facility_id])
        investigation.technique_terms = investigation.instrument.technique_terms
    for dataset in datasets:
        _refer(dataset, sample=samples[dataset.sample_id] if dataset.sample_id else None)


def _refer(row: Model, **named: Model | None) -> None:
    """Give `row` what it names, as Django does it with what it prefetched: without the checks of an assignment."""
    row._state.fields_cache.update(named)


def _all_of(rows: Any, keys: Iterable[Any]) -> dict[Any, Any]:
    wanted = {key for key in keys if key is not None}
    return rows.order_by().in_bulk(wanted) if wanted else {}


def _add_relations(investigations: Mapping[int, Investigation], keys: Keys[int]) -> None:
    """What the investigations themselves relate to, for those with a record of their own on the page."""
    own = Relation.objects.filter(investigation=OuterRef("pk")).order_by("id")[:MOST_RELATED]
    wanted = Investigation.objects.filter(pk__in=keys).order_by() if keys else Investigation.objects.none()
    for key, rows in wanted.values_list("pk", ShortList(own, *RELATION)):
        investigations[key].relation_rows = rows


def _add_related(datasets: Mapping[int, Dataset], linked: Keys[int], now: datetime) -> None:
    """The datasets that these derive from or led to, and relations. Few have any: the `linked` alone are asked for them."""
    if not linked:
        return
    known = access.listed_datasets(ANONYMOUS, now=now).order_by("id")
    relations = Relation.objects.filter(dataset=OuterRef("pk")).order_by("id")
    columns = (
        ShortList(known.filter(derivatives=OuterRef("pk"))[:MOST_RELATED], *RELATED),
        ShortList(known.filter(derived_from=OuterRef("pk"))[:MOST_RELATED], *RELATED),
        ShortList(relations[:MOST_RELATED], *RELATION),
    )
    rows = Dataset.objects.filter(pk__in=linked).order_by().values_list("pk", *columns)
    for key, sources, results, related in rows:
        one = datasets[key]
        one.sources, one.results, one.relation_rows = sources, results, related


def _collections(keys: Keys[int]) -> dict[int, Collection]:
    public: QuerySet[Collection] = Collection.objects.filter(state__in=PUBLIC_STATES).select_related(
        "concept", "home__facility"
    )
    return public.order_by().in_bulk(keys) if keys else {}


def _add_techniques(datasets: Mapping[int, Dataset]) -> dict[int, tuple[str, ...]]:
    """Name the techniques of each dataset; gives the IRIs of these and of all that are broader, one tuple for equal lists."""
    links: dict[int, list[int]] = defaultdict(list)
    rows = Dataset.techniques.through._default_manager.filter(dataset__in=datasets).order_by()
    for key, technique in rows.values_list("dataset_id", "technique_id"):
        links[key].append(technique)
    keys = {technique for own in links.values() for technique in own}
    named = Technique.objects.filter(pk__in=keys).order_by("label").values_list("pk", "iri", "label")
    terms = {technique: {"iri": iri, "label": label} for technique, iri, label in named}
    places = {technique: place for place, technique in enumerate(terms)}
    used = {key: tuple(sorted(own, key=places.__getitem__)) for key, own in links.items()}
    lists = {own: [terms[technique] for technique in own] for own in set(used.values())}
    for key, own in used.items():
        datasets[key].technique_terms = lists[own]
    return _with_broader(used, keys)


def _with_broader(used: Mapping[int, tuple[int, ...]], keys: Keys[int]) -> dict[int, tuple[str, ...]]:
    broader: dict[int, list[str]] = defaultdict(list)
    ancestors = TechniqueAncestor.objects.filter(technique__in=keys).order_by("ancestor__iri")
    for technique, iri in ancestors.values_list("technique_id", F("ancestor__iri")):
        broader[technique].append(iri)
    lists = {own: tuple(dict.fromkeys(iri for one in own for iri in broader[one])) for own in set(used.values())}
    return {key: lists[own] for key, own in used.items()}
