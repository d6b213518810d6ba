"""The list of sets, in pages: what each is called and what is in it. Which records these are says `sets.py`.

All techniques of the vocabularies are sets, be there data of them or not: which of them have any could tell of hidden records.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from catalogue.models import Collection, Facility, Instrument, Technique
from catalogue.models.collections import CollectionState
from catalogue.oaipmh.sets import OPEN, technique_name


@dataclass(frozen=True)
class SetEntry:
    """A set as ListSets tells of it."""

    spec: str
    name: str
    description: str


ROOTS = (
    SetEntry("access", "Access", "What everybody may read in full."),
    SetEntry(OPEN, "Open access", "Datasets, investigations and collections that are open to everybody."),
    SetEntry("collection", "Collections", "Datasets and investigations that are part of a published collection."),
    SetEntry("facility", "Facilities", "Datasets and investigations by the facility where they were measured."),
    SetEntry("instrument", "Instruments", "Datasets and investigations by their instrument."),
    SetEntry("technique", "Techniques", "Datasets whose experimental technique is known."),
    SetEntry("type", "Types", "Everything, by its type."),
    SetEntry("type:collection", "Published collections", "Collections that a DOI names."),
    SetEntry("type:dataset", "Datasets", "Single datasets."),
    SetEntry("type:investigation", "Investigations", "Sessions of an experiment at an instrument."),
)

# A part of the list, by its number, and a primary key (of the first part: a number) in it.
Position = tuple[int, int]
Numbered = Iterable[tuple[int, SetEntry]]


def next_sets(after: Position | None, *, limit: int) -> list[tuple[Position, SetEntry]]:
    """The first `limit` sets behind `after`, each with its position."""
    first, key = after or (0, -1)
    found: list[tuple[Position, SetEntry]] = []
    for part in range(first, len(_PARTS)):
        rows = _PARTS[part](key, limit - len(found))
        found += [((part, number), entry) for number, entry in rows]
        key = -1
    return found


def count_sets() -> int:
    own = len(ROOTS) + sum(model.objects.count() for model in (Facility, Instrument))
    fitting = sum(1 for iri in Technique.objects.values_list("iri", flat=True) if technique_name(iri))
    return own + fitting + _published().count()


def _roots(key: int, limit: int) -> Numbered:
    return list(enumerate(ROOTS))[key + 1 :][:limit]


def _facilities(key: int, limit: int) -> Numbered:
    for row in Facility.objects.filter(pk__gt=key).order_by("pk")[:limit]:
        about = f"Datasets and investigations of {row.name}. {row.description}".strip()
        yield row.pk, SetEntry(f"facility:{row.uid}", row.name, about)


def _instruments(key: int, limit: int) -> Numbered:
    rows = Instrument.objects.select_related("facility").filter(pk__gt=key).order_by("pk")
    for row in rows[:limit]:
        about = f"Datasets and investigations of {row.name} at {row.facility.name}. {row.description}".strip()
        yield row.pk, SetEntry(f"instrument:{row.uid}", f"{row.name}, {row.facility.name}", about)


def _techniques(key: int, limit: int) -> Numbered:
    """Two terms of the same last name are one set, told of twice; none of the vocabularies has such."""
    rows = Technique.objects.filter(pk__gt=key).order_by("pk").values_list("pk", "iri", "label", "definition")
    for number, iri, label, definition in rows[:limit]:
        if name := technique_name(iri):
            about = f"Datasets measured by {label} ({iri}) or a narrower technique. {definition}".strip()
            yield number, SetEntry(f"technique:{name}", label, about)


def _collections(key: int, limit: int) -> Numbered:
    for row in _published().filter(pk__gt=key).order_by("pk").only("pk", "uid", "title", "doi")[:limit]:
        about = f"Datasets and investigations in “{row.title}”, doi:{row.doi}."
        yield row.pk, SetEntry(f"collection:{row.uid}", row.title, about)


def _published() -> QuerySet[Collection]:
    return Collection.objects.filter(state=CollectionState.PUBLISHED)


_PARTS: tuple[Callable[[int, int], Numbered], ...] = (_roots, _facilities, _instruments, _techniques, _collections)
