"""The records of a harvest as everybody may see them, with their datestamps and sets. No XML and no HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from catalogue import access
from catalogue.access import ANONYMOUS, Level
from catalogue.collection_selectors import collection_records
from catalogue.masking import References, dataset_record, investigation_record
from catalogue.models import Collection, Dataset, Investigation
from catalogue.models.collections import CollectionState
from catalogue.oaipmh.places import Kind, Place
from catalogue.oaipmh.rows import Rows, read_rows
from catalogue.oaipmh.sets import OPEN, technique_name
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord

Record = DatasetRecord | InvestigationRecord | CollectionRecord


class Item(NamedTuple):
    """One record of a harvest; `record` is None where it was withdrawn. `local_name` ends its identifier."""

    local_name: str
    stamp: datetime
    set_specs: tuple[str, ...]
    record: Record | None


def items_at(places: Sequence[Place], *, now: datetime) -> list[Item]:
    """What stands at `places`, in their order; what nobody may know of at this moment is left out."""
    keys: dict[int, list[int]] = {kind: [] for kind in Kind}
    for place in places:
        keys[place.kind].append(place.key)
    rows = read_rows(keys[Kind.DATASET], keys[Kind.INVESTIGATION], keys[Kind.COLLECTION], now=now)
    page = _Page(rows, now)
    return [item for place in places if (item := page.item(place)) is not None]


class _Page:
    """Makes the items of one page. What many of them say is made once."""

    def __init__(self, rows: Rows, now: datetime) -> None:
        self.rows = rows
        self.now = now
        self.levels = access.dataset_levels(list(rows.datasets.values()), ANONYMOUS, now=now)
        self.shared = References()
        self.sets: dict[tuple[Any, ...], tuple[str, ...]] = {}
        published = [row for row in rows.collections.values() if row.state == CollectionState.PUBLISHED]
        self.collections = {one.uid: one for one in collection_records(published, ANONYMOUS, now=now)}

    def item(self, place: Place) -> Item | None:
        if place.kind == Kind.DATASET:
            dataset = self.rows.datasets.get(place.key)
            return self._of_dataset(place, dataset) if dataset else None
        if place.kind == Kind.INVESTIGATION:
            whole = self.rows.investigations.get(place.key)
            return self._of_investigation(place, whole) if whole else None
        collection = self.rows.collections.get(place.key)
        return self._of_collection(place, collection) if collection else None

    def _of_dataset(self, place: Place, row: Dataset) -> Item | None:
        level = self.levels[place.key]
        if level == Level.NOTHING:
            return None
        record = None
        if level != Level.TOMBSTONE:
            record = dataset_record(
                row,
                level,
                now=self.now,
                shared=self.shared,
                derived_from=row.sources,
                derivatives=row.results,
                relations=row.relation_rows,
            )
        broader = self.rows.techniques.get(place.key, ())
        sets = self._sets(place, row, broader, self.rows.memberships.datasets.get(place.key, ()))
        return Item(f"datasets/{row.uid}", place.stamp, sets, record)

    def _of_investigation(self, place: Place, row: Investigation) -> Item | None:
        """A session whose policy hides closed records is unknown until it opens, whatever else is known of it."""
        if access.public_level(row) == Level.NOTHING and access.opens_at(row) > self.now:
            return None
        level = access.investigation_level(row, ANONYMOUS, now=self.now)
        record = None
        if level != Level.TOMBSTONE:
            record = investigation_record(row, level, now=self.now, relations=row.relation_rows)
        sets = self._sets(place, row, (), self.rows.memberships.investigations.get(place.key, ()))
        return Item(f"investigations/{row.uid}", place.stamp, sets, record)

    def _of_collection(self, place: Place, row: Collection) -> Item:
        sets = ("type:collection", OPEN) if place.is_open else ("type:collection",)
        return Item(f"collections/{row.uid}", place.stamp, sets, self.collections.get(row.uid))

    def _sets(
        self, place: Place, row: Dataset | Investigation, techniques: tuple[str, ...], collections: tuple[UUID, ...]
    ) -> tuple[str, ...]:
        """What was open when it was withdrawn stays in the set of what is open, so that its deletion is heard of there."""
        known = (place.kind, place.is_open, row.instrument_id, techniques, collections)
        if known not in self.sets:
            specs = [f"type:{Kind(place.kind).name.lower()}", f"facility:{row.instrument.facility.uid}"]
            specs += [f"instrument:{row.instrument.uid}", *([OPEN] if place.is_open else [])]
            specs += [f"technique:{name}" for iri in techniques if (name := technique_name(iri))]
            specs += [f"collection:{uid}" for uid in collections]
            self.sets[known] = tuple(specs)
        return self.sets[known]
