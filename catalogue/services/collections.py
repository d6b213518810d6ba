"""Collections as drafts: begun, described, begun anew as a version, removed; and what may be done to published ones.

Members have a file of their own (`collection_members.py`). Reserving and publishing a DOI is the matter of the app `doi`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q

from catalogue import events
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.changes import row_changed
from catalogue.collection_selectors import check_editor, own_collections, text_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from catalogue.models import Collection, Concept
from catalogue.models.collections import CollectionState
from catalogue.publication import PublicationText
from catalogue.publication_checks import find_problems
from catalogue.services.collection_members import add_members, copy_members
from catalogue.services.collection_prefill import first_text, with_team_as_authors
from catalogue.services.versions import write_version
from catalogue.services.withdrawals import withdraw_datasets_in

MOST_DRAFTS = 50
# A save that meets another one reads again; more than a few times in a row means that something else is wrong.
ATTEMPTS = 5
WORK_STATES = (CollectionState.DRAFT, CollectionState.PUBLISHING)


def start_collection(
    *,
    actor: Principal,
    datasets: Q | None = None,
    investigations: Sequence[UUID] = (),
    dois: Sequence[str] = (),
) -> Collection:
    """Begin a collection of these members, or of none yet, with what is known of them as its first description."""
    if actor.is_anonymous or actor.instrument_id is not None or not actor.has_scope("register"):
        raise NotAllowed("A collection is begun by a person with an account.")
    if own_collections(actor).filter(created_by_id=actor.user_id, state=CollectionState.DRAFT).count() >= MOST_DRAFTS:
        raise InvalidInput(f"You have {MOST_DRAFTS} drafts. Publish or remove some first.", code="too-many-drafts")
    with transaction.atomic():
        collection = Collection.objects.create(
            concept=Concept.objects.create(), created_by_id=actor.user_id, text=PublicationText().to_json()
        )
        write_audit(actor=actor, action="create", record=collection)
        if datasets is not None or investigations or dois:
            add_members(actor=actor, collection=collection, datasets=datasets, investigations=investigations, dois=dois)
            _write_text(collection, first_text(collection))
    return collection


def text_tag(text: PublicationText, names: Iterable[str]) -> str:
    """What an editor has seen of a text: a digest of the fields of these names, to be sent with the changes of them."""
    values = text.to_json()
    seen = json.dumps({name: values[name] for name in sorted(names)}, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(seen.encode()).hexdigest()[:32]


def save_text(*, actor: Principal, collection: Collection, changes: Mapping[str, Any], seen: str) -> Collection:
    """Keep what was written in some fields of a draft, finished or not. `changes` holds JSON values by field name.

    `seen` is the `text_tag` of these fields as the writer knew them: a field that somebody else has changed since is not
    overwritten (StaleVersion), one that they did not touch is no hindrance.
    """
    check_editor(collection, actor)
    for _ in range(ATTEMPTS):
        collection.refresh_from_db()
        if collection.state != CollectionState.DRAFT:
            raise Conflict("This is being published and cannot be changed just now.", code="collection-fixed")
        text = _changed(collection, changes, seen)
        if text == text_of(collection):
            return collection
        try:
            _write_text(collection, text)
        except StaleVersion:
            continue
        return collection
    raise Conflict("Too many people save this at the same moment. Try again.", code="busy")


def correct_text(*, actor: Principal, collection: Collection, changes: Mapping[str, Any], seen: str) -> Collection:
    """Correct the description of a published collection, see `save_text`. What it said before stays in the audit log."""
    check_editor(collection, actor)
    collection.refresh_from_db()
    if collection.state != CollectionState.PUBLISHED:
        raise Conflict("Only what is published is corrected; a draft is simply changed.", code="not-published")
    before, text = text_of(collection), _changed(collection, changes, seen)
    if problems := find_problems(text):
        raise InvalidInput("What is published must be complete: please look at the marked fields.", fields=problems)
    if text == before:
        return collection
    with transaction.atomic():
        _write_text(collection, text)
        was, is_now = before.to_json(), text.to_json()
        differing = [name for name in was if was[name] != is_now[name]]
        write_audit(
            actor=actor,
            action="correct-text",
            record=collection,
            before={name: was[name] for name in differing},
            after={name: is_now[name] for name in differing},
        )
        events.send_after_commit(events.collections_changed, uids=[collection.uid])
    return collection


def add_team_as_authors(*, actor: Principal, collection: Collection) -> Collection:
    """Append the people of the teams whose data are in the draft, as far as they are not authors yet."""
    check_editor(collection, actor)
    collection.refresh_from_db()
    text = text_of(collection)
    names = {"creators"}
    changes = {"creators": with_team_as_authors(collection, text).to_json()["creators"]}
    return save_text(actor=actor, collection=collection, changes=changes, seen=text_tag(text, names))


def new_version(*, actor: Principal, collection: Collection) -> Collection:
    """Begin the next version of a published collection: a draft with the same members and text, in the same concept."""
    check_editor(collection, actor)
    versions = Collection.objects.filter(concept_id=collection.concept_id)
    newest = versions.order_by("-number").first()
    if newest is not None and newest.state in WORK_STATES:
        raise Conflict("The next version was begun already.", code="version-begun")
    if newest is None or newest.pk != collection.pk or collection.state != CollectionState.PUBLISHED:
        raise Conflict("A new version follows the newest published one.", code="not-newest")
    try:
        with transaction.atomic():
            draft = Collection.objects.create(
                concept_id=collection.concept_id,
                number=collection.number + 1,
                home_id=collection.home_id,
                created_by_id=actor.user_id,
                title=collection.title,
                text=collection.text,
                **{name: getattr(collection, name) for name in ("member_count", "dataset_count", "file_count", "size")},
            )
            copy_members(collection, draft)
            write_audit(actor=actor, action="new-version", record=draft, after={"number": draft.number})
    except IntegrityError as error:
        raise Conflict("The next version was begun already.", code="version-begun") from error
    return draft


def remove_draft(*, actor: Principal, collection: Collection) -> None:
    """Remove a draft, and its concept when nothing else belongs to it. A reserved DOI keeps its draft."""
    check_editor(collection, actor)
    try:
        with transaction.atomic():
            drafts = Collection.objects.filter(pk=collection.pk, state=CollectionState.DRAFT)
            if not drafts.exists():
                raise Conflict("What is published is not removed; a curator can withdraw it.", code="collection-fixed")
            write_audit(actor=actor, action="remove", record=collection)
            drafts.delete()
            Concept.objects.filter(pk=collection.concept_id, versions__isnull=True).delete()
    except (ProtectedError, IntegrityError) as error:
        raise Conflict(
            "A DOI is reserved for this draft and may stand in a manuscript, so the draft is kept.", code="doi-reserved"
        ) from error


def withdraw_collection(*, actor: Principal, collection: Collection, reason: str, with_data: bool = False) -> None:
    """Take a published collection back: its DOI then leads to a tombstone with the reason. For curators; not undone.

    `with_data` withdraws all its datasets too, so that their files are gone from view at once.
    """
    if not (actor.has_scope("register") and (actor.is_curator or actor.is_administrator)):
        raise NotAllowed("Only curators withdraw what is published.")
    if not reason.strip():
        message = "Say why: the reason is shown to everyone who follows the DOI."
        raise InvalidInput(message, fields={"reason": [message]})
    if collection.state != CollectionState.PUBLISHED:
        raise Conflict("Only what is published is withdrawn.", code="not-published")
    with transaction.atomic():
        values = {"state": CollectionState.WITHDRAWN, "withdrawal_reason": reason.strip()}
        write_version(collection, values, collection.version)
        count = withdraw_datasets_in(actor=actor, collection=collection, reason=reason.strip()) if with_data else 0
        after = {"reason": reason.strip(), "datasets": count}
        write_audit(actor=actor, action="withdraw", record=collection, after=after)
        row_changed(collection)
        events.send_after_commit(events.collections_changed, uids=[collection.uid])
    collection.refresh_from_db()


def _changed(collection: Collection, changes: Mapping[str, Any], seen: str) -> PublicationText:
    """The text of `collection` with `changes`, unless one of these fields is not any more what the writer saw."""
    current = text_of(collection)
    text = PublicationText.from_json(current.to_json() | dict(changes))
    if text != current and text_tag(current, changes) != seen:
        raise StaleVersion(
            "Somebody else changed the same fields since you read them. Nothing was overwritten: choose what is right.",
            code="text-changed",
        )
    return text


def _write_text(collection: Collection, text: PublicationText) -> None:
    """Compare-and-set against the version that was read; the title stands in a column of its own, for lists."""
    values = {"text": text.to_json(), "title": text.title[:500]}
    write_version(collection, values, collection.version)
    collection.refresh_from_db()
