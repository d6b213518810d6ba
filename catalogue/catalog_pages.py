"""The public catalogue in pages, for machines: datasets, then whole sessions, then collections, as anybody may know them.

Pages go by keys: each costs the same, and what is registered meanwhile comes at the end of its kind. Cursors are signed, so
that nobody can ask by them whether a hidden record exists. How a page is written is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import F, Model, QuerySet

from catalogue import access
from catalogue.access import ANONYMOUS
from catalogue.collection_selectors import collection_records
from catalogue.descriptions import description_of
from catalogue.errors import DomainError
from catalogue.interop.description import Description
from catalogue.models import Collection, Dataset, Investigation
from catalogue.models.collections import CollectionState
from catalogue.page_rows import rows_of
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord
from catalogue.selectors import investigation_records, records_of, with_team

RECORDS_ON_A_PAGE = 50
FIRST_SPAN = 200
_MODELS: Mapping[str, type[Model]] = {"dataset": Dataset, "investigation": Investigation, "collection": Collection}
_signer = Signer(salt="catalogue.catalog_pages")


@dataclass(frozen=True)
class Entry:
    """A record in the list: its primary key, and the moment when what anybody sees of it changed last (UTC)."""

    kind: str
    key: int
    uid: UUID
    stamp: datetime


@dataclass(frozen=True)
class CatalogPage:
    """`next_cursor` is empty at the end."""

    entries: tuple[Entry, ...]
    next_cursor: str


def find_page(cursor: str, *, now: datetime, limit: int = RECORDS_ON_A_PAGE) -> CatalogPage:
    """`limit` entries behind `cursor`, the first without it, in a few queries whatever the archive holds.

    Raises DomainError "bad-cursor" for a cursor that was not made here.
    """
    kind, last = _place(cursor) if cursor else ("dataset", 0)
    kinds = list(_MODELS)
    found: list[Entry] = []
    for other in kinds[kinds.index(kind) :]:
        found += _entries(other, after=last, limit=limit + 1 - len(found), now=now)
        last = 0
        if len(found) > limit:
            return CatalogPage(tuple(found[:limit]), _cursor(found[limit - 1]))
    return CatalogPage(tuple(found), "")


def describe_entries(entries: Sequence[Entry], *, now: datetime) -> list[tuple[Entry, Description]]:
    """The descriptions of a page, without files and members; what was hidden since the page was found is left out."""
    keys = {kind: [entry.key for entry in entries if entry.kind == kind] for kind in _MODELS}
    records: list[DatasetRecord | InvestigationRecord | CollectionRecord] = []
    if keys["dataset"]:
        records += records_of(rows_of(keys["dataset"]), ANONYMOUS, now=now)
    if keys["investigation"]:
        sessions = with_team(Investigation.objects.filter(pk__in=keys["investigation"]))
        records += investigation_records(list(sessions), ANONYMOUS, now=now)
    if keys["collection"]:
        collections = Collection.objects.select_related("concept", "home__facility").filter(pk__in=keys["collection"])
        records += collection_records(list(collections), ANONYMOUS, now=now)
    by_uid = {record.uid: record for record in records}
    return [(entry, description_of(by_uid[entry.uid])) for entry in entries if entry.uid in by_uid]


def _entries(kind: str, *, after: int, limit: int, now: datetime) -> list[Entry]:
    """The first `limit` behind the key `after`.

    Looked for in ranges of keys that grow, so that a database reads them by the keys and never all that is listed.
    """
    rows = _listed(kind, now).order_by("pk").values_list("pk", "uid", "changed", "opened")
    last, span = _last_key(kind), FIRST_SPAN
    found: list[Entry] = []
    while len(found) < limit and after < last:
        part = rows.filter(pk__gt=after, pk__lte=after + span)[: limit - len(found)]
        found += [Entry(kind, key, uid, opened if opened <= now else changed) for key, uid, changed, opened in part]
        after, span = after + span, span * 4
    return found


def _last_key(kind: str) -> int:
    return _MODELS[kind]._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0


def _listed(kind: str, now: datetime) -> QuerySet[Any]:
    """What strangers may list, with its stamps (see `catalogue/stamps.py`)."""
    if kind == "dataset":
        datasets = access.listed_datasets(ANONYMOUS, now=now)
        return datasets.annotate(changed=F("revision__stamped_at"), opened=F("revision__stamped_open_at"))
    if kind == "investigation":
        sessions = access.listed_investigations(ANONYMOUS, now=now)
        return sessions.annotate(changed=F("stamped_at"), opened=F("stamped_open_at"))
    published = Collection.objects.filter(state=CollectionState.PUBLISHED)
    return published.annotate(changed=F("stamped_at"), opened=F("stamped_open_at"))


def _cursor(entry: Entry) -> str:
    return _signer.sign(f"{entry.kind}.{entry.uid.hex}")


def _place(cursor: str) -> tuple[str, int]:
    try:
        kind, _, uid = _signer.unsign(cursor).partition(".")
        row = _MODELS[kind]._default_manager.filter(uid=UUID(uid)).values_list("pk", flat=True).first()
    except (BadSignature, KeyError, ValueError):
        row = None
    if row is None:
        message = "This cursor is not one of ours. Begin again without it."
        raise DomainError(message, code="bad-cursor", fields={"cursor": [message]})
    return kind, row
