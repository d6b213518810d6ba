"""All reads of collections, masked for who asks. What is published is public; a draft is known to its editors and by share links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Q, QuerySet, When
from django.utils import timezone

from catalogue import access
from catalogue.access import Principal
from catalogue.anonymity import shown_to
from catalogue.collection_contents import investigations_in
from catalogue.collection_facts import CollectionFacts, facts_of
from catalogue.errors import InvalidInput, NotAllowed, NotFound
from catalogue.masking import facility_ref
from catalogue.member_rows import datasets_by_key
from catalogue.models import Collection, CollectionMember, Dataset, Investigation, TeamMember
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState, TeamRole
from catalogue.publication import PublicationText, normalise_doi
from catalogue.record import (
    CollectionRecord,
    CollectionRef,
    DatasetRecord,
    InvestigationRecord,
    InvestigationRef,
    LicenceRef,
    MemberRef,
)
from catalogue.selectors import investigation_records, records_of, with_references, with_team
from catalogue.sharing import valid_links
from catalogue.vocabularies.licences import spdx_licences

MEMBERS_ON_A_PAGE = 50
MOST_VERSIONS = 200
PUBLIC_STATES = (CollectionState.PUBLISHED, CollectionState.WITHDRAWN)
_COLUMNS = {"dataset": "dataset", "investigation": "investigation", "collection": "part"}


@dataclass(frozen=True)
class MemberPage:
    """Some members in their order, and the cursor of the next page, empty at the end.

    `hidden_keys` name, to editors only, the members among them that the reader may not know more of, to be taken out.
    """

    records: list[MemberRef]
    next_cursor: str
    hidden_keys: tuple[str, ...] = ()


def editable_collections(principal: Principal) -> QuerySet[Collection]:
    """The collections that `principal` may change: own ones, those of their teams' investigations, for curators all."""
    collections = Collection.objects.select_related("concept", "home__facility")
    if principal.user_id is None or principal.instrument_id is not None or not principal.has_scope("register"):
        return collections.none()
    return collections if principal.sees_everything else collections.filter(_own_q(principal))


def own_collections(principal: Principal) -> QuerySet[Collection]:
    """What a person works on: collections that they began and those of their teams, the last changed first."""
    return editable_collections(principal).filter(_own_q(principal)).order_by("-updated_at", "-id")


def _own_q(principal: Principal) -> Q:
    teams = TeamMember.objects.filter(person__user_id=principal.user_id).values("investigation_id")
    return Q(created_by_id=principal.user_id) | Q(home_id__in=teams)


def find_editable(uid: UUID, principal: Principal) -> Collection:
    """A collection to be changed; for everybody else it does not exist."""
    collection = editable_collections(principal).filter(uid=uid).first()
    if collection is None:
        raise NotFound("There is no such draft, or none that you may see.")
    return collection


def check_editor(collection: Collection, actor: Principal) -> None:
    if not editable_collections(actor).filter(pk=collection.pk).exists():
        raise NotAllowed("Only its maker, the team of its investigation and curators may change a collection.")


def may_publish(collection: Collection, principal: Principal) -> bool:
    """Whether an editor may also publish: curators, and those who lead one of the investigations that it holds."""
    if not editable_collections(principal).filter(pk=collection.pk).exists():
        return False
    if principal.sees_everything:
        return True
    leads = TeamMember.objects.filter(
        person__user_id=principal.user_id, role__in=(TeamRole.PI, TeamRole.LOCAL_CONTACT)
    ).values("investigation_id")
    if collection.members.filter(Q(dataset__investigation__in=leads) | Q(investigation__in=leads)).exists():
        return True
    has_parts = collection.members.filter(part__isnull=False).exists()
    return has_parts and investigations_in(collection).filter(pk__in=leads).exists()


def check_publisher(collection: Collection, actor: Principal) -> None:
    if not may_publish(collection, actor):
        raise NotAllowed(
            "To publish one must be principal investigator or local contact of an investigation that it holds,"
            " or a curator. The draft is kept; ask one of them to publish it."
        )


def listed_collections(principal: Principal) -> QuerySet[Collection]:
    """What was published, own drafts, and what a share link shows. Who came by a link that hides people is told of no others:
    they name their authors."""
    shared = Q(pk__in=shared_collection_ids(principal, now=timezone.now()))
    own = Q(pk__in=editable_collections(principal).order_by().values("pk"))
    known = shared if principal.hides_people else shared | own | Q(state__in=PUBLIC_STATES)
    return Collection.objects.select_related("concept", "home__facility").filter(known)


def find_collection(principal: Principal, *, uid: UUID | None = None, doi: str = "") -> Collection:
    """A collection by uid or DOI. The DOI of a concept means its newest published version."""
    if doi:
        name = normalise_doi(doi)
        found = Collection.objects.filter(Q(doi=name) | Q(concept__doi=name), state__in=PUBLIC_STATES)
        # Withdrawn versions come last: "published" is before "withdrawn" in the alphabet.
        collection = found.select_related("concept", "home__facility").order_by("state", "-number").first()
    else:
        known = Q(state__in=PUBLIC_STATES) | Q(pk__in=editable_collections(principal).values("pk"))
        known |= Q(pk__in=shared_collection_ids(principal, now=timezone.now()))
        collection = Collection.objects.select_related("concept", "home__facility").filter(known, uid=uid).first()
    if collection is None:
        raise NotFound("There is no such collection, or none that you may see.")
    return collection


def shared_collection_ids(principal: Principal, *, now: datetime) -> frozenset[int]:
    """The collections, drafts among them, that a share link which `principal` opened shows, by primary key."""
    if not principal.share_link_ids:
        return frozenset()
    links = valid_links(principal.share_link_ids, now=now).filter(collection__isnull=False)
    return frozenset(links.order_by().values_list("collection_id", flat=True))


def get_collection_record(principal: Principal, *, uid: UUID | None = None, doi: str = "") -> CollectionRecord:
    (record,) = collection_records([find_collection(principal, uid=uid, doi=doi)], principal, now=timezone.now())
    return record


def collection_records(
    collections: Sequence[Collection], principal: Principal, *, now: datetime
) -> list[CollectionRecord]:
    """The records of collections that `principal` may see, with what `facts_of` tells; concepts and homes come fetched."""
    facts = facts_of(collections, now=now)
    return [collection_record(row, principal, facts=facts[row.pk]) for row in collections]


def collection_record(
    collection: Collection, principal: Principal, *, facts: CollectionFacts | None = None
) -> CollectionRecord:
    """The record of a collection that `principal` may see; its concept and home come fetched."""
    text = text_of(collection)
    if collection.state == CollectionState.WITHDRAWN:
        text = replace(text, abstract="")
    home = collection.home
    record = CollectionRecord(
        uid=collection.uid,
        version=collection.version,
        number=collection.number,
        state=collection.state,
        title=collection.title,
        text=text,
        licence=licence_ref(text.licence_id),
        doi=collection.doi or "",
        concept_uid=collection.concept.uid,
        concept_doi=collection.concept.doi or "",
        home=InvestigationRef(home.uid, home.title, home.visit_id) if home and collection.doi is None else None,
        member_count=collection.member_count,
        dataset_count=collection.dataset_count,
        file_count=collection.file_count,
        size=collection.size,
        created_at=collection.created_at,
        updated_at=collection.updated_at,
        published_at=collection.published_at,
        withdrawal_reason=collection.withdrawal_reason,
        holds_closed_data=facts.holds_closed_data if facts else None,
        facility=facility_ref(facts.facility) if facts and facts.facility else None,
    )
    return shown_to(record, principal)


def text_of(collection: Collection) -> PublicationText:
    return PublicationText.from_json(collection.text)


def licence_ref(spdx_id: str) -> LicenceRef:
    """The licence of that SPDX id; an id that is not in the list stands for itself."""
    for licence in spdx_licences():
        if licence.spdx_id == spdx_id:
            return LicenceRef(licence.spdx_id, licence.name, licence.url)
    return LicenceRef(spdx_id, spdx_id, "")


def versions_of(collection: Collection, principal: Principal) -> list[CollectionRef]:
    """The versions of the same concept that are or were published, the newest first."""
    versions = Collection.objects.filter(concept_id=collection.concept_id, state__in=PUBLIC_STATES)
    return _refs(versions.order_by("-number")[:MOST_VERSIONS], principal)


def _refs(collections: QuerySet[Collection], principal: Principal) -> list[CollectionRef]:
    return [
        shown_to(CollectionRef(row.uid, row.number, row.doi or "", row.title, row.state, row.published_at), principal)
        for row in collections.defer("text")
    ]


def newest_collections(principal: Principal, *, limit: int) -> list[CollectionRef]:
    """The collections published last."""
    published = Collection.objects.filter(state=CollectionState.PUBLISHED, published_at__isnull=False)
    return _refs(published.order_by("-published_at")[:limit], principal)


def collections_holding(dataset: Dataset, principal: Principal, *, limit: int) -> list[CollectionRecord]:
    """The published collections of which a dataset is a member, with its investigation or alone.

    First comes the one that holds nothing else, whose DOI is the dataset's own, then the newest. Who came by a link that
    hides people is told of none: they name their authors.
    """
    if principal.hides_people:
        return []
    holding = Q(dataset=dataset) | Q(investigation=dataset.investigation_id)
    members = CollectionMember.objects.filter(holding).order_by().values("collection_id")
    found = Collection.objects.filter(pk__in=members, state=CollectionState.PUBLISHED)
    is_own = Case(When(doi=dataset.own_doi, then=1), default=0)
    rows = found.select_related("concept", "home__facility").order_by(is_own.desc(), "-id")
    return [collection_record(row, principal) for row in rows[:limit]]


def member_page(
    collection: Collection,
    principal: Principal,
    *,
    cursor: str = "",
    limit: int = MEMBERS_ON_A_PAGE,
    now: datetime | None = None,
) -> MemberPage:
    """`limit` members after `cursor` (the key of the last one seen), in eight queries at most.

    Those that `principal` may not even know of are left out, so that a page may be shorter than `limit`.
    """
    rows = collection.members.order_by("id")
    if cursor:
        rows = rows.filter(pk__gt=_row_of(collection, cursor))
    found = list(rows[: limit + 1])
    records = member_refs(found[:limit], principal, now=now)
    next_cursor = _key_of(found[limit - 1]) if len(found) > limit else ""
    return MemberPage(records, next_cursor, _hidden_keys(collection, found[:limit], records, principal))


def _hidden_keys(
    collection: Collection, rows: Sequence[CollectionMember], records: Sequence[MemberRef], principal: Principal
) -> tuple[str, ...]:
    if len(records) == len(rows) or not editable_collections(principal).filter(pk=collection.pk).exists():
        return ()
    shown = {record.key for record in records}
    loaded = CollectionMember.objects.filter(pk__in=[row.pk for row in rows]).select_related(*_COLUMNS.values())
    keys = [_key_of(row) for row in loaded.order_by("id")]
    return tuple(key for key in keys if key not in shown)


def member_refs(
    rows: Sequence[CollectionMember], principal: Principal, *, now: datetime | None = None
) -> list[MemberRef]:
    """The members as `principal` may know them, in their order, at a constant number of queries."""
    now = now or timezone.now()
    known = {
        **_datasets([row.dataset_id for row in rows if row.dataset_id], principal, now),
        **_investigations([row.investigation_id for row in rows if row.investigation_id], principal, now),
        **_parts([row.part_id for row in rows if row.part_id]),
    }
    refs = [(row, known.get(_name(row))) for row in rows]
    named = [(replace(ref, role=row.role) if row.role else ref) for row, ref in refs if ref is not None]
    return [shown_to(ref, principal) for ref in named]


def _name(row: CollectionMember) -> tuple[str, int]:
    kind = next(kind for kind, column in _COLUMNS.items() if getattr(row, f"{column}_id"))
    return kind, getattr(row, f"{_COLUMNS[kind]}_id")


def _key_of(row: CollectionMember) -> str:
    kind, _ = _name(row)
    return f"{kind}-{getattr(row, _COLUMNS[kind]).uid}"


def member_key(text: str) -> tuple[str, UUID]:
    """The kind and uid of a member from its key. Raises InvalidInput for what is no key."""
    kind, _, uid = text.partition("-")
    try:
        if kind in _COLUMNS:
            return kind, UUID(uid)
    except ValueError:
        pass
    raise InvalidInput("This is no member of a collection.", fields={"member": ["not a key of a member"]})


def _row_of(collection: Collection, cursor: str) -> int:
    kind, uid = member_key(cursor)
    row = collection.members.filter(**{f"{_COLUMNS[kind]}__uid": uid}).values_list("pk", flat=True).first()
    if row is None:
        message = "This cursor is not one of ours. Begin again without it."
        raise InvalidInput(message, code="bad-cursor", fields={"cursor": [message]})
    return row


Known = dict[tuple[str, int], MemberRef]


def _datasets(keys: Sequence[int], principal: Principal, now: datetime) -> Known:
    """Who came by a link that hides people is told of whole records: their own teams are looked for in their titles."""
    if not keys:
        return {}
    if not principal.hides_people:
        return {("dataset", key): ref for key, ref in datasets_by_key(keys, principal, now=now).items()}
    rows = list(with_references(Dataset.objects.filter(pk__in=keys)))
    by_uid = {row.uid: row.pk for row in rows}
    return {("dataset", by_uid[record.uid]): member_of(record) for record in records_of(rows, principal, now=now)}


def _investigations(keys: Sequence[int], principal: Principal, now: datetime) -> Known:
    if not keys:
        return {}
    listed = access.listed_investigations(principal, now=now).filter(pk__in=keys).values("pk")
    hidden = frozenset() if principal.sees_everything else access.hidden_instruments()
    known = Q(pk__in=listed) | (Q(state=RecordState.WITHDRAWN) & ~Q(instrument__in=hidden))
    rows = list(with_team(Investigation.objects.filter(known, pk__in=keys)))
    by_uid = {row.uid: row.pk for row in rows}
    records = investigation_records(rows, principal, now=now)
    return {("investigation", by_uid[record.uid]): _of_investigation(record) for record in records}


def _parts(keys: Sequence[int]) -> Known:
    parts: Iterable[Collection] = Collection.objects.filter(pk__in=keys).defer("text") if keys else ()
    return {("collection", part.pk): _of_part(part) for part in parts}


def member_of(record: DatasetRecord) -> MemberRef:
    """A dataset as a member of what holds it."""
    return MemberRef(
        kind="dataset",
        uid=record.uid,
        title=record.title,
        path=record.path,
        role="",
        doi=record.doi,
        dataset_count=1,
        file_count=record.file_count,
        size=record.size,
        access=record.access,
    )


def _of_investigation(record: InvestigationRecord) -> MemberRef:
    return MemberRef(
        kind="investigation",
        uid=record.uid,
        title=record.title,
        path=record.path,
        role="",
        doi=record.doi,
        dataset_count=record.dataset_count,
        file_count=record.file_count,
        size=record.size,
        access=record.access,
    )


def _of_part(part: Collection) -> MemberRef:
    return MemberRef(
        kind="collection",
        uid=part.uid,
        title=part.title,
        path=f"/doi/{part.doi}",
        role="",
        doi=part.doi or "",
        dataset_count=part.dataset_count,
        file_count=part.file_count,
        size=part.size,
    )
