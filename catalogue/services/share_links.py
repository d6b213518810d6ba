"""Share links: made, revoked, opened, and their use logged. Only the digest of a link's secret is kept."""

import hashlib
import logging
import secrets
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from catalogue import access, collection_selectors
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.downloads.usage import visitor_digest
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import Collection, CollectionMember, Dataset, Investigation, Sample, ShareLink, ShareLinkUse
from catalogue.models.investigations import RecordState
from catalogue.services.usage import Visit
from catalogue.sharing import valid_links

logger = logging.getLogger(__name__)

Shared = Investigation | Dataset | Collection

MOST_LINKS = 50
USE_IS_NOTED_EVERY = timedelta(hours=1)
LONGEST_PATH = 500
VOID = "This link is unknown, has ended, or was taken back. Ask whoever gave it to you for a new one."


def make_share_link(
    *, actor: Principal, record: Shared, expires_at: datetime, label: str = "", hides_people: bool, allows_files: bool
) -> tuple[ShareLink, str]:
    """Make a link that shows `record` read-only until `expires_at`; the second value is its secret, to be shown once.

    For the PI, the local contact and curators; that of a collection for its editors, see `sharing.shared_members`.
    """
    _check_maker(record, actor)
    now = timezone.now()
    if not now < expires_at <= now + timedelta(days=settings.SHARE_LINK_DAYS):
        message = f"Give a day to come, within {settings.SHARE_LINK_DAYS} days."
        raise InvalidInput("A share link has an end.", fields={"expires_on": [message]})
    if links_of(record).filter(revoked_at__isnull=True, expires_at__gt=now).count() >= MOST_LINKS:
        raise InvalidInput(f"There are {MOST_LINKS} links already. Take some back first.")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        link = ShareLink.objects.create(
            digest=_digest(token),
            label=label.strip()[:200],
            hides_people=hides_people,
            allows_files=allows_files,
            created_by_id=actor.user_id,
            expires_at=expires_at,
            **{_kind(record): record},
        )
        after = {"link": str(link.uid), "until": expires_at.isoformat(), "hides_people": hides_people}
        write_audit(actor=actor, action="make-share-link", record=record, after=after | {"allows_files": allows_files})
    return link, token


def revoke_share_link(*, actor: Principal, uid: UUID) -> ShareLink:
    """End a link at once: the next request that comes by it is a stranger's."""
    link = ShareLink.objects.select_related("investigation", "dataset__investigation", "collection")
    found = link.filter(uid=uid).first()
    if found is None:
        raise NotFound("There is no such link.")
    record = record_of(found)
    try:
        _check_maker(record, actor, needs_active=False)
    except NotAllowed:
        raise NotFound("There is no such link.") from None
    with transaction.atomic():
        if not ShareLink.objects.filter(pk=found.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            raise Conflict("This link was taken back before.")
        write_audit(actor=actor, action="revoke-share-link", record=record, before={"link": str(found.uid)})
    return found


def find_share_link(token: str) -> ShareLink:
    """The valid link with this secret. One answer for unknown, ended and revoked ones: NotFound."""
    link = ShareLink.objects.select_related("investigation", "dataset", "collection").filter(digest=_digest(token))
    found = link.filter(revoked_at__isnull=True, expires_at__gt=timezone.now()).first()
    if found is None:
        raise NotFound(VOID)
    return found


def record_of(link: ShareLink) -> Shared:
    record = link.investigation or link.dataset or link.collection
    assert record is not None, "the database holds that a link shows one record"
    return record


def links_of(record: Shared) -> QuerySet[ShareLink]:
    """The links that were made for `record` itself, the newest first."""
    return ShareLink.objects.filter(**{_kind(record): record}).select_related("created_by")


def links_with_uses(record: Shared) -> QuerySet[ShareLink]:
    """The links of `record`, or of an investigation those of its datasets too, each with how often it was used and when last."""
    own = Q(**{_kind(record): record})
    if isinstance(record, Investigation):
        own |= Q(dataset__investigation=record)
    links = ShareLink.objects.filter(own).select_related("created_by", "dataset", "investigation", "collection")
    return links.annotate(use_count=Count("uses"), last_used_at=Max("uses__at")).order_by("-id")


def recent_uses(investigation: Investigation, *, limit: int = 50) -> list[ShareLinkUse]:
    """The last uses of the links of an investigation and its datasets, the newest first."""
    of_links = Q(link__investigation=investigation) | Q(link__dataset__investigation=investigation)
    return list(ShareLinkUse.objects.filter(of_links).select_related("link").order_by("-id")[:limit])


def opened_links(principal: Principal) -> list[ShareLink]:
    """The valid links that the principal has opened."""
    links = valid_links(principal.share_link_ids, now=timezone.now())
    return list(links.select_related("investigation", "dataset", "collection").order_by("id"))


def may_share(record: Shared, principal: Principal) -> bool:
    if isinstance(record, Collection):
        return collection_selectors.editable_collections(principal).filter(pk=record.pk).exists()
    investigation = record if isinstance(record, Investigation) else record.investigation
    return access.may_share_in(investigation, principal)


def note_use(*, principal: Principal, uid: UUID, path: str, visit: Visit) -> None:
    """Log that a page of a shared record, or of what belongs to it, was asked for: once an hour by visitor and page.

    `uid` is that of the record of the page. Pages that no link of the principal shows are nobody's business.
    """
    links = valid_links(principal.share_link_ids, now=visit.at).filter(_shows_q(uid)).order_by()
    keys = set(links.values_list("pk", flat=True))
    if not keys:
        return
    visitor = visitor_digest(
        secret_key=settings.SECRET_KEY, day=visit.at.date(), address=visit.address, agent=visit.agent
    )
    path = path[:LONGEST_PATH]
    recent = ShareLinkUse.objects.filter(link__in=keys, visitor=visitor, path=path)
    noted = set(recent.filter(at__gt=visit.at - USE_IS_NOTED_EVERY).values_list("link_id", flat=True))
    ShareLinkUse.objects.bulk_create(
        ShareLinkUse(link_id=key, visitor=visitor, path=path) for key in sorted(keys - noted)
    )


def _shows_q(uid: UUID) -> Q:
    """Links to the record `uid`, or to one that it belongs to. Looked up step by step: one join of all would be huge."""
    if row := Dataset.objects.filter(uid=uid).values_list("pk", "investigation_id").first():
        dataset_id, investigation_id = row
        members = CollectionMember.objects.filter(Q(dataset_id=dataset_id) | Q(investigation_id=investigation_id))
        to_collection = Q(collection__in=members.order_by().values("collection_id"))
        return Q(dataset_id=dataset_id) | Q(investigation_id=investigation_id) | to_collection
    found = Investigation.objects.filter(uid=uid).values_list("pk", flat=True).first()
    found = found or Sample.objects.filter(uid=uid).values_list("investigation_id", flat=True).first()
    if found:
        members = CollectionMember.objects.filter(investigation_id=found)
        return Q(investigation_id=found) | Q(collection__in=members.order_by().values("collection_id"))
    return Q(collection__uid=uid)


def _check_maker(record: Shared, actor: Principal, *, needs_active: bool = True) -> None:
    if actor.user_id is None or not may_share(record, actor):
        raise NotAllowed("Only the principal investigator, the local contact and curators share these data.")
    if needs_active and record.state == RecordState.WITHDRAWN:
        raise Conflict("This record was withdrawn: there is nothing to share.", code="withdrawn")


def _kind(record: Shared) -> str:
    return type(record).__name__.lower()


def _digest(token: str) -> str:
    """SHA-256 is right here: a secret has 256 bits of entropy, so that a slow hash adds nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def end_of_day(day: date) -> datetime:
    """The last second of a day in UTC."""
    return datetime.combine(day, time(23, 59, 59), UTC)
