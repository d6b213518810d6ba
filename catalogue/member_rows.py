"""Datasets as members of what holds them, masked for who asks: a few columns of each, since there may be a thousand of them.

How members are chosen and put in order is the matter of `collection_selectors.py` and `descriptions.py`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from django.db.models import QuerySet

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.masking import access_of
from catalogue.models import Dataset, Instrument, Investigation
from catalogue.page_rows import KeptRows, own_doi
from catalogue.record import MemberRef

_COLUMNS = (
    "uid", "title", "state", "file_count", "size", "embargo_until", "released_at", "withdrawal_reason",
    "investigation_id", "instrument_id",
)  # fmt: skip
# What the rule of access looks at.
_OF_INVESTIGATION = ("state", "embargo_until", "held_until", "released_at", "withdrawal_reason")


def listed_members(investigation: int, principal: Principal, *, now: datetime) -> QuerySet[Dataset]:
    """The datasets of an investigation (its key) that `principal` may know of, the oldest first."""
    return access.listed_datasets(principal, now=now).filter(investigation=investigation).order_by("id")


def first_members(
    investigation: Investigation, principal: Principal, *, now: datetime, most: int
) -> list[tuple[Dataset, Level]]:
    """The first datasets of an investigation, as far as `principal` may know of them, in two queries at most."""
    if principal == access.ANONYMOUS:
        rows = _for_strangers(most).read(investigation=investigation.pk, now=now)
    else:
        rows = list(_first(investigation.pk, principal, now, most))
    _share(rows, {investigation.pk: investigation}, {investigation.instrument_id: investigation.instrument})
    levels = access.dataset_levels(rows, principal, now=now)
    return [(row, levels[row.pk]) for row in rows]


def datasets_by_key(keys: Sequence[int], principal: Principal, *, now: datetime) -> dict[int, MemberRef]:
    """By their primary keys, without those that `principal` may not know of, in four queries at most."""
    rows = _BY_KEY.read(keys=keys)
    _share(rows, {}, {})
    levels = access.dataset_levels(rows, principal, now=now)
    return {row.pk: member_ref(row, levels[row.pk], now=now) for row in rows if levels[row.pk] != Level.NOTHING}


def member_ref(row: Dataset, level: Level, *, now: datetime) -> MemberRef:
    return MemberRef(
        kind="dataset",
        uid=row.uid,
        title=row.title,
        path=f"/datasets/{row.uid}",
        role="",
        doi=row.own_doi or "",
        dataset_count=1,
        file_count=row.file_count,
        size=row.size,
        access=access_of(row, level, now=now),
    )


def _share(
    rows: Sequence[Dataset], investigations: dict[int, Investigation], instruments: dict[int, Instrument]
) -> None:
    """Give every row its investigation, and its instrument with the facility; those that are not there yet are read."""
    if missing := {row.investigation_id for row in rows} - investigations.keys():
        investigations |= {one.pk: one for one in _INVESTIGATIONS.read(keys=list(missing))}
    if unknown := {row.instrument_id for row in rows} - instruments.keys():
        instruments |= {one.pk: one for one in _INSTRUMENTS.read(keys=list(unknown))}
    for row in rows:
        named = row._state.fields_cache
        named["investigation"] = investigations[row.investigation_id]
        named["instrument"] = instruments[row.instrument_id]


def _first(investigation: int, principal: Principal, now: datetime, most: int) -> QuerySet[Dataset]:
    datasets = listed_members(investigation, principal, now=now).annotate(**{"own_doi": own_doi()})
    return datasets.only(*_COLUMNS)[:most]


@cache
def _for_strangers(most: int) -> KeptRows:
    return KeptRows(
        Dataset,
        (),
        lambda investigation, now: _first(investigation, access.ANONYMOUS, now, most),
        "own_doi",
        only=_COLUMNS,
        investigation=-1,
        now=datetime(1, 1, 1, tzinfo=UTC),
    )


def _by_key(keys: Sequence[int]) -> QuerySet[Dataset]:
    return Dataset.objects.filter(pk__among=keys).order_by().annotate(**{"own_doi": own_doi()})


_BY_KEY = KeptRows(Dataset, (), _by_key, "own_doi", only=_COLUMNS, keys=[-1])
_INVESTIGATIONS = KeptRows(
    Investigation,
    (),
    lambda keys: Investigation.objects.filter(pk__among=keys).order_by(),
    only=_OF_INVESTIGATION,
    keys=[-1],
)
_INSTRUMENTS = KeptRows(
    Instrument, ("facility",), lambda keys: Instrument.objects.filter(pk__among=keys).order_by(), keys=[-1]
)
