"""The states of a collection on its way to publication, and the release of its members when DataCite has said yes.

Every statement here is set-based: a collection of 100,000 datasets, or an investigation of a million files, is released by
few statements, and no file row is touched. Who may publish, and what DataCite says, is decided by the callers.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import audit_entry, write_audit, write_audit_rows
from catalogue.errors import Conflict, StaleVersion
from catalogue.models import Collection, Dataset, Investigation, User
from catalogue.models.collections import CollectionState
from catalogue.models.datasets import DatasetKind
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import RecordState
from catalogue.services.releases import settle_release

PORTION = 2_000


def begin_publication(*, actor: Principal, collection: Collection, expected_version: int | None) -> None:
    """From draft to publishing, within the caller's transaction: from now on nobody changes members or text."""
    drafts = Collection.objects.filter(pk=collection.pk, state=CollectionState.DRAFT)
    if expected_version is not None:
        drafts = drafts.filter(version=expected_version)
    if not _move(drafts, state=CollectionState.PUBLISHING):
        if Collection.objects.filter(pk=collection.pk, state=CollectionState.DRAFT).exists():
            raise StaleVersion(
                "Somebody else changed this collection since you read it. Look at it again, then publish."
            )
        raise Conflict("This collection is being published or was published before.", code="collection-fixed")
    write_audit(actor=actor, action="begin-publication", record=collection)
    collection.refresh_from_db()


def return_to_draft(*, actor: Principal, collection: Collection, reason: str) -> bool:
    """From publishing back to draft, within the caller's transaction; False when it is not being published.

    Consents were given to what it held, which can change now: they are asked for anew.
    """
    rows = Collection.objects.filter(pk=collection.pk, state=CollectionState.PUBLISHING)
    if not _move(rows, state=CollectionState.DRAFT):
        return False
    given = [RequestState.OPEN, RequestState.GRANTED]
    collection.consents.filter(state__in=given).update(state=RequestState.WITHDRAWN)
    write_audit(actor=actor, action="return-to-draft", record=collection, after={"reason": reason[:1000]})
    collection.refresh_from_db()
    return True


def publish_collection(*, actor: Principal, collection: Collection, doi: str) -> bool:
    """From publishing to published under `doi`, its members released, within the caller's transaction.

    To be called when DataCite has confirmed that the DOI is findable, and never before. Only members of investigations
    whose principal investigator agreed are released. False when the collection is not being published.
    """
    now = timezone.now()
    rows = Collection.objects.filter(pk=collection.pk, state=CollectionState.PUBLISHING)
    if not _move(rows, state=CollectionState.PUBLISHED, doi=doi, published_at=now):
        return False
    collection.refresh_from_db()
    consents = collection.consents.filter(state=RequestState.GRANTED).select_related("decided_by")
    agreed = [consent.investigation_id for consent in consents]
    names = {consent.investigation_id: _name_of(consent.decided_by) for consent in consents}
    opened = _release_investigations(actor, collection, agreed, names, now)
    released = _release_datasets(actor, collection, agreed, names, now)
    after = {
        "doi": doi,
        "released_investigations": opened,
        "released_datasets": released,
        "agreed": sorted(set(names.values())),
    }
    write_audit(actor=actor, action="publish", record=collection, after=after)
    changes.row_changed(collection)
    changes.stamp_opening(collection)
    return True


def record_doi(*, actor: Principal, record: Any, doi: str) -> None:
    """Write the DOI of an investigation or a concept, once DataCite made it findable, within the caller's transaction."""
    rows = type(record)._default_manager.filter(pk=record.pk, doi__isnull=True)
    if rows.update(doi=doi):
        write_audit(actor=actor, action="register-doi", record=record, after={"doi": doi})
        changes.row_changed(record)


def _move(rows: QuerySet[Collection], **values: Any) -> int:
    return rows.update(**values, version=F("version") + 1, updated_at=timezone.now())


def _release_investigations(
    actor: Principal, collection: Collection, agreed: list[int], names: dict[int, str], now: datetime
) -> int:
    rows = Investigation.objects.filter(
        memberships__collection=collection, pk__in=agreed, state=RecordState.ACTIVE, released_at__isnull=True
    )
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), PORTION):
        portion = Investigation.objects.filter(pk__in=keys[start : start + PORTION])
        _release(actor, portion, collection, names, now, "pk")
        portion.update(opening_announced_at=now)
        for investigation in portion:
            settle_release(actor=actor, investigation=investigation)
    return len(keys)


def _release_datasets(
    actor: Principal, collection: Collection, agreed: list[int], names: dict[int, str], now: datetime
) -> int:
    """Those named one by one; what came with its investigation is open with it already.

    Processed data that derive from them are not what was agreed to: they keep the embargo of their investigation, unless
    they are members themselves.
    """
    if not agreed:
        return 0
    closed = Dataset.objects.filter(
        memberships__collection=collection, investigation__in=agreed, state=RecordState.ACTIVE, released_at__isnull=True
    ).exclude(access.open_q(now))
    derived = Dataset.objects.filter(kind=DatasetKind.PROCESSED, follows_raw_data=True).exclude(access.open_q(now))
    count = 0
    for keys in _portions(closed):
        followers = Dataset.derived_from.through.objects.filter(to_dataset__in=keys).values("from_dataset_id")
        kept = derived.filter(pk__in=followers).exclude(memberships__collection=collection)
        kept.update(follows_raw_data=False, version=F("version") + 1, updated_at=now)
        count += _release(actor, Dataset.objects.filter(pk__in=keys), collection, names, now, "investigation_id")
    return count


def _release(
    actor: Principal, rows: QuerySet, collection: Collection, names: dict[int, str], now: datetime, leader: str
) -> int:
    """Release one portion of rows, with an audit row for each that names who agreed (by the column `leader`)."""
    after = {"released_at": now.isoformat(), "collection": str(collection.uid)}
    found = rows.values_list("pk", "uid", "title", leader)
    told = [(rows.model(pk=key, uid=uid, title=title), agreed) for key, uid, title, agreed in found]
    write_audit_rows(
        audit_entry(
            actor=actor,
            action="release",
            record=record,
            before={},
            after=after | {"agreed": names.get(key, "")},
        )
        for record, key in told
    )
    count = rows.update(released_at=now, version=F("version") + 1, updated_at=now)
    if rows.model is Dataset:
        changes.datasets_changed([record for record, _ in told])
    return count


def _name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def _portions(rows: QuerySet) -> Iterator[list[int]]:
    last = 0
    while keys := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PORTION]):
        last = keys[-1]
        yield keys
