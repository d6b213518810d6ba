"""Where records stand in a harvest: one list of everything, in the order of their datestamps, and the walk through it.

The list is merged from sections, each of which is in the order of one index (see `catalogue/stamps.py`): what is closed stands
where it was changed last, what is open where it was opened or changed last. So a record that changes, or opens while a harvest
runs, moves behind every place that was reached: a walk meets it late rather than never. A page costs the same wherever it is.
Which records everybody may know of is decided here as far as the database can, and again for each row that was read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, DateTimeField, Exists, F, Func, Min, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.lookups import GreaterThan

from catalogue import access
from catalogue.collection_selectors import PUBLIC_STATES
from catalogue.models import Collection, DatasetRevision, Investigation
from catalogue.oaipmh.protocol import Span


class Kind(IntEnum):
    DATASET = 0
    INVESTIGATION = 1
    COLLECTION = 2


class Place(NamedTuple):
    """A record by its primary key, with its datestamp. Places are ordered as they are harvested."""

    stamp: datetime
    kind: int
    key: int
    is_open: bool = True


@dataclass(frozen=True)
class Selection:
    """What is in a set: for each kind that is in it, a condition on its rows (of datasets: on their revisions)."""

    kinds: Mapping[Kind, Q | Exists]
    is_open: bool = False


EVERYTHING = Selection(kinds={kind: Q() for kind in Kind})


@dataclass(frozen=True)
class _Section:
    """Rows of one kind in the order of `column`, their datestamp; `key` is the column of their primary keys."""

    kind: Kind
    rows: QuerySet[Any]
    column: str
    key: str
    is_open: bool

    def within(self, span: Span) -> QuerySet[Any]:
        rows = self.rows
        if span.since:
            rows = rows.filter(**{f"{self.column}__gte": span.since})
        return rows.filter(**{f"{self.column}__lt": span.before}) if span.before else rows

    def places(self, after: Place | None, span: Span, *, last: datetime | None, limit: int) -> Iterator[Place]:
        """The first `limit` behind `after`; none with a datestamp later than `last`."""
        rows = self.within(span)
        if after is not None and self.kind == after.kind:
            rows = rows.filter(GreaterThan(_pair(F(self.column), F(self.key)), _pair(*_values(after))))
        elif after is not None:
            lookup = "gte" if self.kind > after.kind else "gt"
            rows = rows.filter(**{f"{self.column}__{lookup}": after.stamp})
        if last is not None:
            rows = rows.filter(**{f"{self.column}__lte": last})
        for stamp, key in rows.order_by(self.column, self.key).values_list(self.column, self.key)[:limit]:
            yield Place(stamp, self.kind, key, self.is_open)


def _pair(first: Combinable, second: Combinable) -> Func:
    """A row value, which both databases compare as a whole and look up in an index of both columns."""
    return Func(first, second, template="(%(expressions)s)", output_field=DateTimeField())


def _values(place: Place) -> tuple[Value, Value]:
    return Value(place.stamp, output_field=DateTimeField()), Value(place.key, output_field=BigIntegerField())


def next_places(selection: Selection, span: Span, *, after: Place | None, limit: int, now: datetime) -> list[Place]:
    """The first `limit` places behind `after`, in order. A section is asked for nothing that others come before."""
    found: list[Place] = []
    for section in _sections(selection, now):
        last = found[-1].stamp if len(found) == limit else None
        found = sorted([*found, *section.places(after, span, last=last, limit=limit)])[:limit]
    return found


def count_places(selection: Selection, span: Span, *, now: datetime) -> int:
    return sum(section.within(span).count() for section in _sections(selection, now))


def _sections(selection: Selection, now: datetime) -> Iterator[_Section]:
    """What is open comes first: it is mostly more, and bounds what is looked for among the closed."""
    kinds = selection.kinds
    hidden = access.hidden_instruments()
    if Kind.DATASET in kinds:
        rows = DatasetRevision.objects.filter(kinds[Kind.DATASET])
        known = ~Q(dataset__instrument__in=hidden) if hidden else Q()
        yield from _stamped(Kind.DATASET, rows, known, "dataset_id", selection, now)
    if Kind.INVESTIGATION in kinds:
        whole = Investigation.objects.filter(kinds[Kind.INVESTIGATION])
        known = ~Q(instrument__in=hidden) if hidden else Q()
        yield from _stamped(Kind.INVESTIGATION, whole, known, "pk", selection, now)
    if Kind.COLLECTION in kinds:
        collections = Collection.objects.filter(kinds[Kind.COLLECTION], state__in=PUBLIC_STATES)
        yield from _stamped(Kind.COLLECTION, collections, Q(), "pk", selection, now)


def _stamped(
    kind: Kind, rows: QuerySet[Any], known: Q, key: str, selection: Selection, now: datetime
) -> Iterator[_Section]:
    """What is open, and what is closed and `known`: records under a policy that hides them are in no list until they open."""
    yield _Section(kind, rows.filter(stamped_open_at__lte=now), "stamped_open_at", key, is_open=True)
    if not selection.is_open:
        closed = rows.filter(known, stamped_open_at__gt=now)
        yield _Section(kind, closed, "stamped_at", key, is_open=False)


_KINDS = {DatasetRevision: Kind.DATASET, Investigation: Kind.INVESTIGATION, Collection: Kind.COLLECTION}


def place_of(row: DatasetRevision | Investigation | Collection, now: datetime) -> Place:
    """Where one row stands at this moment."""
    kind = _KINDS[type(row)]
    is_open = row.stamped_open_at <= now
    return Place(row.stamped_open_at if is_open else row.stamped_at, kind, row.pk, is_open)


def earliest_stamp(now: datetime) -> datetime:
    """No record has a datestamp before it."""
    models = (DatasetRevision, Investigation, Collection)
    stamps = (model._default_manager.aggregate(first=Min("stamped_at"))["first"] for model in models)
    return min((stamp for stamp in stamps if stamp), default=now)
