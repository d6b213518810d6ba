"""What a collection is made of: members added, removed and given their roles, as long as it is a draft.

Any number of members costs a constant number of statements: they are copied within the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.utils import timezone

from catalogue import access
from catalogue.access import Level, Principal
from catalogue.audit import write_audit
from catalogue.collection_contents import concepts_in, contents_of, datasets_in
from catalogue.collection_selectors import check_editor
from catalogue.errors import Conflict, InvalidInput, StaleVersion
from catalogue.models import Collection, CollectionMember, Dataset, Investigation, TeamMember
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState
from catalogue.publication import normalise_doi

MOST_AT_ONCE = 100
LONGEST_ROLE = 200
TOLD_TITLES = 3

Member = tuple[str, UUID]


@dataclass(frozen=True)
class Added:
    """How many members are new, and what was left out because the actor may not publish it: a sentence, or nothing."""

    count: int
    left_out: str = ""


def add_members(
    *,
    actor: Principal,
    collection: Collection,
    datasets: Q | None = None,
    investigations: Sequence[UUID] = (),
    dois: Sequence[str] = (),
) -> Added:
    """Add what `actor` reads in full: datasets by a condition, whole investigations by uid, and what published DOIs name.

    What is a member already is passed over. Raises InvalidInput when nothing of what was named may be added.
    """
    check_editor(collection, actor)
    if len(investigations) + len(dois) > MOST_AT_ONCE:
        raise InvalidInput(f"Add at most {MOST_AT_ONCE} investigations or collections at once.")
    parts, named = _resolve(dois)
    sessions = [*_found_investigations(investigations, actor), *named]
    with transaction.atomic():
        claim_draft(collection)
        _refuse_cycles(collection, parts)
        added = Added(0) if datasets is None else _add_datasets(collection, datasets, actor)
        whole = _add_investigations(collection, sessions, actor)
        count = added.count + whole.count + _insert_parts(collection, parts)
        left_out = " ".join(filter(None, (added.left_out, whole.left_out)))
        if not count and left_out:
            raise InvalidInput(left_out, code="not-readable", fields={"members": [left_out]})
        _recount(collection)
        _find_home(collection, actor)
        write_audit(actor=actor, action="add-members", record=collection, after={"added": count})
    collection.refresh_from_db()
    return Added(count, left_out)


def remove_members(*, actor: Principal, collection: Collection, members: Sequence[Member]) -> int:
    """Take members out, each named by its kind ("dataset", "investigation", "collection") and uid. How many they were."""
    check_editor(collection, actor)
    with transaction.atomic():
        claim_draft(collection)
        removed, _ = collection.members.filter(_members_q(members)).delete()
        _recount(collection)
        write_audit(actor=actor, action="remove-members", record=collection, after={"removed": removed})
    collection.refresh_from_db()
    return removed


def set_role(
    *, actor: Principal, collection: Collection, roles: Mapping[Member, str], seen: Mapping[Member, str] | None = None
) -> None:
    """Say what part each of these members plays in the publication, such as "data of figure 2".

    `seen` holds the roles as the writer knew them: one that the writer left alone is not written, and one that somebody
    else has changed since is not overwritten (StaleVersion).
    """
    check_editor(collection, actor)
    if too_long := [role for role in roles.values() if len(role) > LONGEST_ROLE]:
        message = f"A role has at most {LONGEST_ROLE} characters: {too_long[0][:40]}…"
        raise InvalidInput(message, fields={"role": [message]})
    with transaction.atomic():
        claim_draft(collection)
        rows = list(collection.members.filter(_members_q(list(roles))).annotate(**_UIDS))
        for row in rows:
            row.role = _new_role(row, roles, seen)
        CollectionMember.objects.bulk_update(rows, ["role"], batch_size=200)
    collection.refresh_from_db()


def copy_members(source: Collection, target: Collection) -> None:
    """Give `target` the members of `source` with their roles."""
    rows = source.members.order_by("id").values_list(
        Value(target.pk), "dataset_id", "investigation_id", "part_id", "role"
    )
    _insert_selected(("collection_id", "dataset_id", "investigation_id", "part_id", "role"), rows)


def claim_draft(collection: Collection) -> None:
    """Raise the version of a draft and hold its row until the transaction ends; Conflict when it is a draft no more."""
    drafts = Collection.objects.filter(pk=collection.pk, state=CollectionState.DRAFT)
    if not drafts.update(version=F("version") + 1, updated_at=timezone.now()):
        raise Conflict(
            "The members of a collection are fixed once it is published. Make a new version to change them.",
            code="collection-fixed",
        )


def _resolve(dois: Sequence[str]) -> tuple[list[Collection], list[Investigation]]:
    """The published collections and the investigations that DOIs of this site name; a concept means its newest version."""
    parts, sessions = [], []
    for text in dois:
        doi = normalise_doi(text)
        published = Collection.objects.filter(state=CollectionState.PUBLISHED)
        part = published.filter(Q(doi=doi) | Q(concept__doi=doi)).order_by("-number").first()
        session = Investigation.objects.select_related("instrument__facility").filter(doi=doi).first()
        if part is not None:
            parts.append(part)
        elif session is not None:
            sessions.append(session)
        else:
            message = f"{text[:80]} is no DOI that this site has published."
            raise InvalidInput(message, code="unknown-doi", fields={"doi": [message]})
    return parts, sessions


def _found_investigations(uids: Sequence[UUID], actor: Principal) -> list[Investigation]:
    known = access.listed_investigations(actor, now=timezone.now()).filter(uid__in=uids)
    return list(known.select_related("instrument__facility").order_by("id"))


def _refuse_cycles(collection: Collection, parts: Sequence[Collection]) -> None:
    for part in parts:
        if concepts_in(part).filter(pk=collection.concept_id).exists():
            message = f"“{part.title}” holds a version of this very collection, so it cannot be a part of it."
            raise InvalidInput(message, code="collection-cycle", fields={"doi": [message]})


def _add_datasets(collection: Collection, condition: Q, actor: Principal) -> Added:
    now = timezone.now()
    known = access.listed_datasets(actor, now=now).filter(condition)
    readable = access.full_datasets(actor, now=now).filter(
        condition, state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE
    )
    refused = known.exclude(pk__in=readable.values("pk"))
    left_out = _left_out(refused.order_by("id").values_list("title", flat=True), refused.count())
    new = readable.exclude(pk__in=collection.members.filter(dataset__isnull=False).values("dataset_id"))
    rows = new.order_by("id").values_list(Value(collection.pk), "pk", Value(""))
    return Added(_insert_selected(("collection_id", "dataset_id", "role"), rows), left_out)


def _add_investigations(collection: Collection, sessions: Sequence[Investigation], actor: Principal) -> Added:
    now = timezone.now()
    levels = [(one, access.investigation_level(one, actor, now=now)) for one in sessions]
    readable = [one.pk for one, level in levels if level == Level.FULL]
    refused = [one.title for one, level in levels if level != Level.FULL]
    new = Investigation.objects.filter(pk__in=readable, state=RecordState.ACTIVE).exclude(
        pk__in=collection.members.filter(investigation__isnull=False).values("investigation_id")
    )
    rows = new.order_by("id").values_list(Value(collection.pk), "pk", Value(""))
    count = _insert_selected(("collection_id", "investigation_id", "role"), rows)
    return Added(count, _left_out(refused, len(refused)))


def _insert_parts(collection: Collection, parts: Sequence[Collection]) -> int:
    new = Collection.objects.filter(pk__in=[part.pk for part in parts]).exclude(
        pk__in=collection.members.filter(part__isnull=False).values("part_id")
    )
    rows = new.order_by("id").values_list(Value(collection.pk), "pk", Value(""))
    return _insert_selected(("collection_id", "part_id", "role"), rows)


def _left_out(titles: Sequence[str] | QuerySet, count: int) -> str:
    """Why some things were not added, naming a few of them."""
    if not count:
        return ""
    named = ", ".join(f"“{title}”" for title in titles[:TOLD_TITLES])
    more = f" and {count - TOLD_TITLES} more" if count > TOLD_TITLES else ""
    return (
        f"{named}{more}: the data are under embargo and you are not in the team, so only the team can publish them."
        " Ask the principal investigator for access first."
    )


def _insert_selected(columns: Sequence[str], rows: QuerySet) -> int:
    """Insert the rows of a query as members, within the database; how many they are."""
    try:
        select, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return 0
    table = connection.ops.quote_name(CollectionMember._meta.db_table)
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    with connection.cursor() as cursor:
        # Names are ours, and the query was compiled by Django with its parameters apart.
        cursor.execute(f"INSERT INTO {table} ({names}) {select}", parameters)
        return cursor.rowcount


def _recount(collection: Collection) -> None:
    found = contents_of(datasets_in(collection))
    Collection.objects.filter(pk=collection.pk).update(
        member_count=collection.members.count(),
        dataset_count=found.datasets,
        file_count=found.files,
        size=found.size,
    )


def _find_home(collection: Collection, actor: Principal) -> None:
    """The investigation of the first member in whose team the actor is lets that team edit the draft too."""
    if collection.home_id is not None:
        return
    own = TeamMember.objects.filter(person__user_id=actor.user_id).values("investigation_id")
    first = (
        collection.members.filter(Q(investigation__in=own) | Q(dataset__investigation__in=own))
        .order_by("id")
        .values_list("investigation_id", "dataset__investigation_id")
        .first()
    )
    if first is not None:
        Collection.objects.filter(pk=collection.pk).update(home_id=first[0] or first[1])


def _new_role(row: CollectionMember, roles: Mapping[Member, str], seen: Mapping[Member, str] | None) -> str:
    member = _member_of(row)
    role = roles[member].strip()
    known = row.role if seen is None else seen.get(member, "").strip()
    if role == known:
        return row.role
    if known != row.role and role != row.role:
        raise StaleVersion(
            f"Somebody else gave this member the role “{row.role}” since you read it. Nothing was overwritten.",
            code="role-changed",
        )
    return role


_UIDS = {"dataset_uid": F("dataset__uid"), "investigation_uid": F("investigation__uid"), "part_uid": F("part__uid")}


def _members_q(members: Sequence[Member]) -> Q:
    uids: dict[str, list[UUID]] = {"dataset": [], "investigation": [], "collection": []}
    for kind, uid in members:
        if kind in uids:
            uids[kind].append(uid)
    return (
        Q(dataset__in=Dataset.objects.filter(uid__in=uids["dataset"]).values("pk"))
        | Q(investigation__in=Investigation.objects.filter(uid__in=uids["investigation"]).values("pk"))
        | Q(part__in=Collection.objects.filter(uid__in=uids["collection"]).values("pk"))
    )


def _member_of(row: CollectionMember) -> Member:
    found = ((kind, getattr(row, f"{name}_uid")) for kind, name in _KINDS.items())
    return next((kind, uid) for kind, uid in found if uid is not None)


_KINDS = {"dataset": "dataset", "investigation": "investigation", "collection": "part"}
