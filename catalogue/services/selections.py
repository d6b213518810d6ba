"""The datasets that somebody has chosen: in the account for users, in the session for visitors.

The session holds the ids of a visitor (`KEY`) and, for everyone, how many there are (`COUNT_KEY`), so that no page counts rows.
"""

from collections.abc import Collection, MutableMapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import InvalidInput
from catalogue.models import Dataset, SelectedDataset
from catalogue.record import DatasetRecord
from catalogue.selectors import records_of, with_references

KEY = "selection"
COUNT_KEY = "selection_count"
MOST_OF_USER = 500
MOST_OF_VISITOR = 200

Session = MutableMapping[str, Any]


def selected_uids(*, actor: Principal, session: Session) -> list[UUID]:
    """The ids in the order in which they were chosen."""
    if actor.user_id is None:
        return [UUID(text) for text in session.get(KEY, [])]
    chosen = SelectedDataset.objects.filter(user_id=actor.user_id).order_by("id")
    return list(chosen.values_list("dataset__uid", flat=True))


def is_selected(*, actor: Principal, session: Session, uid: UUID) -> bool:
    if actor.user_id is None:
        return is_selected_by_visitor(session, uid)
    return SelectedDataset.objects.filter(user_id=actor.user_id, dataset__uid=uid).exists()


def is_selected_by_visitor(session: Session, uid: UUID) -> bool:
    """Whether a visitor chose it, or somebody before they signed in."""
    return str(uid) in session.get(KEY, [])


def selected_records(*, actor: Principal, session: Session) -> list[DatasetRecord]:
    """What was chosen, as the actor sees it now and in the order of choosing. What was withdrawn or hidden since is left out."""
    now = timezone.now()
    uids = selected_uids(actor=actor, session=session)
    rows = {row.uid: row for row in with_references(access.listed_datasets(actor, now=now).filter(uid__in=uids))}
    return records_of([rows[uid] for uid in uids if uid in rows], actor, now=now)


def add_to_selection(*, actor: Principal, session: Session, uids: Sequence[UUID]) -> int:
    """Add datasets that the actor may know of; others are passed over. The new count. Raises InvalidInput when full."""
    known = access.listed_datasets(actor, now=timezone.now()).filter(uid__in=uids[: MOST_OF_USER + 1])
    present = selected_uids(actor=actor, session=session)
    new = [uid for uid in known.order_by("id").values_list("uid", flat=True) if uid not in set(present)]
    most = MOST_OF_VISITOR if actor.user_id is None else MOST_OF_USER
    if len(present) + len(new) > most:
        raise InvalidInput(
            f"A selection holds at most {most} datasets. Download or remove some first"
            + (", or sign in to keep more." if actor.user_id is None else "."),
            code="selection-full",
        )
    return _store(actor, session, add=new, kept=[*present, *new])


def remove_from_selection(*, actor: Principal, session: Session, uids: Collection[UUID]) -> int:
    present = selected_uids(actor=actor, session=session)
    return _store(actor, session, remove=uids, kept=[uid for uid in present if uid not in set(uids)])


def clear_selection(*, actor: Principal, session: Session) -> int:
    present = selected_uids(actor=actor, session=session)
    return _store(actor, session, remove=present, kept=[])


def merge_selection(*, actor: Principal, session: Session) -> int:
    """At login: what the visitor had chosen joins the account, as far as there is room."""
    chosen = [UUID(text) for text in session.pop(KEY, [])]
    present = selected_uids(actor=actor, session=session)
    known = access.listed_datasets(actor, now=timezone.now()).filter(uid__in=chosen).exclude(uid__in=present)
    room = max(MOST_OF_USER - len(present), 0)
    new = list(known.order_by("id").values_list("uid", flat=True)[:room])
    return _store(actor, session, add=new, kept=[*present, *new])


def _store(
    actor: Principal,
    session: Session,
    *,
    kept: Sequence[UUID],
    add: Collection[UUID] = (),
    remove: Collection[UUID] = (),
) -> int:
    if actor.user_id is None:
        session[KEY] = [str(uid) for uid in kept]
    else:
        with transaction.atomic():
            keys = Dataset.objects.filter(uid__in=add).order_by("id").values_list("pk", flat=True)
            rows = [SelectedDataset(user_id=actor.user_id, dataset_id=key) for key in keys]
            SelectedDataset.objects.bulk_create(rows, ignore_conflicts=True)
            SelectedDataset.objects.filter(user_id=actor.user_id, dataset__uid__in=remove).delete()
    session[COUNT_KEY] = len(kept)
    return len(kept)
