"""Which edition of a record its reader is shown: known in a query or two, before anything is read that a form is made of.

A form that was made of the same edition says the same; the access of its reader is a part of it. Selectors only.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.errors import NotFound
from catalogue.interop.description import MOST_MEMBERS
from catalogue.kept_statements import KeptStatement
from catalogue.masking import hides_counts
from catalogue.member_rows import listed_members
from catalogue.models import Collection, Dataset, Investigation
from catalogue.models.collections import CollectionState
from catalogue.page_rows import KeptRows
from catalogue.selectors import has_related

MOST_RELATED = 200


@dataclass(frozen=True)
class Edition:
    """`key` (hex) moves with everything that a form of the record shows to this reader. `stamped_at` is when that changed last."""

    key: str
    stamped_at: datetime
    is_tombstone: bool = False


def dataset_edition(uid: UUID, principal: Principal, *, now: datetime) -> Edition:
    """In one query for strangers, two where other datasets come from it or it from them: these may open by the clock."""
    row = next(iter(_ROWS.read(uid=uid, now=now)), None)
    level = access.dataset_level(row, principal, now=now) if row else Level.NOTHING
    if row is None or level == Level.NOTHING:
        raise NotFound("There is no such dataset, or none that you may see.")
    related = _related(row, principal, now) if row.has_related else ()
    return Edition(
        key=_key(principal, level, access.is_open(row, now=now), uid, row.number, related),
        stamped_at=row.stamp or row.updated_at,
        is_tombstone=level == Level.TOMBSTONE,
    )


def _rows(uid: UUID, now: datetime) -> QuerySet[Dataset]:
    rows = Dataset.objects.filter(uid=uid).order_by()
    columns = {"number": F("revision__number"), "stamp": _stamp("revision__", now), "has_related": has_related()}
    return rows.annotate(**columns)


def _related(dataset: Dataset, principal: Principal, now: datetime) -> list[tuple]:
    known = access.listed_datasets(principal, now=now).filter(Q(derivatives=dataset) | Q(derived_from=dataset))
    return list(known.order_by("id").values_list("uid", "title", "kind").distinct()[:MOST_RELATED])


def edition_of_investigation(
    investigation: Investigation, level: Level, principal: Principal, *, now: datetime
) -> Edition:
    """Of an investigation that `principal` sees at `level`; its datasets belong to it, those that hide do not count."""
    if principal == access.ANONYMOUS:
        members = _MEMBERS.rows(investigation=investigation.pk, now=now)
    else:
        members = list(_members(investigation.pk, principal, now))
    counts = () if hides_counts(investigation, level) else (investigation.dataset_count, investigation.file_count)
    is_open = access.is_open(investigation, now=now)
    opened_at = investigation.stamped_open_at
    own_stamp = opened_at if opened_at <= now else investigation.stamped_at
    values = (investigation.uid, investigation.version, investigation.stamped_at, own_stamp, counts)
    return Edition(
        key=_key(principal, level, is_open, *values, members),
        stamped_at=max(filter(None, (own_stamp, *(stamp for *_, stamp in members)))),
        is_tombstone=level == Level.TOMBSTONE,
    )


def _members(investigation: int, principal: Principal, now: datetime) -> QuerySet[Dataset, Any]:
    members = listed_members(investigation, principal, now=now).annotate(
        number=F("revision__number"), opened=_counted(access.open_q(now)), stamp=_stamp("revision__", now)
    )
    return members.values_list("pk", "number", "opened", "stamp")[:MOST_MEMBERS]


def edition_of_collection(collection: Collection, principal: Principal, *, now: datetime) -> Edition:
    """Of a collection that `principal` may see, with its first members."""
    # Each for itself: a database would make a list of the whole archive to look them up in.
    listed = access.listed_datasets(principal, now=now).filter(pk=OuterRef("dataset"))
    rows = collection.members.order_by("id").annotate(
        numbers=Coalesce(F("dataset__revision__number"), F("investigation__version"), F("part__version")),
        opened=_counted(access.open_q(now, "dataset__") | access.embargo_passed_q(now, "investigation__")),
        listed=_counted(Q(Exists(listed))),
        stamp=Coalesce(_stamp("dataset__revision__", now), _stamp("investigation__", now), _stamp("part__", now)),
    )[:MOST_MEMBERS]
    state = rows.aggregate(Count("pk"), Sum("numbers"), Sum("opened"), Sum("listed"), Max("stamp"))
    is_withdrawn = collection.state == CollectionState.WITHDRAWN
    opened_at = collection.stamped_open_at
    own_stamp = opened_at if opened_at <= now else collection.stamped_at
    values = (collection.uid, collection.version, collection.state, own_stamp, sorted(state.items()))
    return Edition(
        key=_key(principal, *values),
        stamped_at=max(filter(None, (own_stamp, state["stamp__max"]))),
        is_tombstone=is_withdrawn,
    )


def _stamp(prefix: str, now: datetime) -> Case:
    """The moment of `stamps.py`, in SQL."""
    opened = f"{prefix}stamped_open_at"
    return Case(When(**{f"{opened}__lte": now}, then=F(opened)), default=F(f"{prefix}stamped_at"))


def _counted(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def _key(principal: Principal, *values: object) -> str:
    """What people with access of their own are shown is an edition of theirs alone."""
    asker = () if principal.is_public else (principal.user_id, principal.share_link_ids, principal.hides_people)
    return hashlib.sha256(repr((asker, principal.sees_everything, values)).encode("utf-8", "replace")).hexdigest()


def with_more(edition: Edition, *values: object) -> Edition:
    """The edition of something that shows more than the record: `values`, whose `repr` tells them apart."""
    key = hashlib.sha256(repr((edition.key, values)).encode("utf-8", "replace")).hexdigest()
    return Edition(key, edition.stamped_at, edition.is_tombstone)


_ROWS = KeptRows(
    Dataset,
    ("investigation", "instrument", "instrument__facility"),
    _rows,
    *("number", "stamp", "has_related"),
    uid=UUID(int=1),
    now=datetime(1, 1, 1, tzinfo=UTC),
)
_MEMBERS = KeptStatement(
    lambda investigation, now: _members(investigation, access.ANONYMOUS, now),
    investigation=-1,
    now=datetime(1, 1, 1, tzinfo=UTC),
)
