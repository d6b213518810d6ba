"""Saved searches: kept under a name, told of by mail, and followed by a feed with a secret address.

What is new to somebody is what was registered or opened since they were last told and that they may see. Who reads a feed
sees what the owner of the saved search sees at that moment, so that its address is kept like a token; only its digest is here.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from catalogue.access import Principal, principal_of
from catalogue.audit import write_audit
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.record import DatasetRecord
from catalogue.services.mails import absolute_url, queue_mail
from search.clauses import Between, Clause, Either
from search.models import SavedSearch
from search.question.dates import microseconds
from search.question.query import Query
from search.question.query_reading import parse_query
from search.results.asking import asker_of, records_with
from search.results.chips import address

MOST_SEARCHES = 100
LONGEST_NAME = 200
MOST_TOLD = 10
# What was just registered may not be in the index yet: it is told of the next time.
MARGIN = timedelta(minutes=10)


@dataclass(frozen=True)
class News:
    """How many datasets are new, and the first of them, as their reader may see them."""

    count: int
    records: list[DatasetRecord]


def saved_searches_of(principal: Principal) -> list[SavedSearch]:
    """By name."""
    return list(SavedSearch.objects.filter(user_id=principal.user_id)) if principal.user_id else []


def query_of(saved: SavedSearch, principal: Principal) -> Query:
    return parse_query(QueryDict(saved.parameters), principal).query


def save_search(*, actor: Principal, name: str, parameters: str, is_mailed: bool) -> SavedSearch:
    """Keep the query that `parameters` (a query string) say, in canonical form.

    Raises InvalidInput for a name that is empty or too long, Conflict for one that is taken or one search too many.
    """
    user_id = _person(actor)
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidInput("A saved search needs a name.", fields={"name": [f"1 to {LONGEST_NAME} characters."]})
    if SavedSearch.objects.filter(user_id=user_id).count() >= MOST_SEARCHES:
        raise Conflict(f"You have {MOST_SEARCHES} saved searches. Remove one first.")
    canonical = parse_query(QueryDict(parameters), actor).query.url_parameters()
    try:
        with transaction.atomic():
            saved = SavedSearch.objects.create(
                user_id=user_id, name=name, parameters=canonical, is_mailed=is_mailed, told_until=timezone.now()
            )
            write_audit(actor=actor, action="save-search", record=saved, after={"name": name, "is_mailed": is_mailed})
    except IntegrityError:
        raise Conflict("You have a saved search of that name.", fields={"name": ["Taken already."]}) from None
    return saved


def set_mails(*, actor: Principal, uid: UUID, is_mailed: bool) -> None:
    """Mails begin with what is new from now on."""
    with transaction.atomic():
        saved = _own(actor, uid)
        SavedSearch.objects.filter(pk=saved.pk).update(is_mailed=is_mailed, told_until=timezone.now())
        write_audit(actor=actor, action="set-search-mails", record=saved, after={"is_mailed": is_mailed})


def remove_saved_search(*, actor: Principal, uid: UUID) -> None:
    with transaction.atomic():
        saved = _own(actor, uid)
        write_audit(actor=actor, action="remove-search", record=saved, before={"name": saved.name})
        saved.delete()


def make_feed(*, actor: Principal, uid: UUID) -> str:
    """A new secret for the address of the feed, to be shown once; the one before leads nowhere from now on."""
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        saved = _own(actor, uid)
        SavedSearch.objects.filter(pk=saved.pk).update(feed_digest=_digest(secret))
        write_audit(actor=actor, action="make-search-feed", record=saved)
    return secret


def stop_feed(*, actor: Principal, uid: UUID) -> None:
    with transaction.atomic():
        saved = _own(actor, uid)
        SavedSearch.objects.filter(pk=saved.pk).update(feed_digest="")
        write_audit(actor=actor, action="stop-search-feed", record=saved)


def find_feed(secret: str) -> SavedSearch:
    """The saved search whose feed this secret opens. Raises NotFound."""
    saved = SavedSearch.objects.select_related("user").filter(feed_digest=_digest(secret)).first()
    if saved is None or not saved.user.is_active:
        raise NotFound("There is no such feed, or its address was changed.")
    return saved


def tell_of_news(*, actor: Principal, now: datetime) -> int:
    """Mail what is new to everybody who asked for it; returns the number of mails. Raises EngineUnavailable.

    Each search is told of in a transaction of its own, so that a task that is killed goes on where it was.
    """
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself tells of news.")
    until = now - MARGIN
    waiting = SavedSearch.objects.select_related("user").filter(
        is_mailed=True, told_until__lt=until, user__is_active=True
    )
    return sum(_tell(saved, until) for saved in list(waiting.order_by("told_until", "id")))


def _tell(saved: SavedSearch, until: datetime) -> bool:
    reader = principal_of(saved.user, scopes=frozenset({"read"}))
    news = news_of(query_of(saved, reader), since=saved.told_until, until=until)
    with transaction.atomic():
        row = SavedSearch.objects.filter(pk=saved.pk, told_until=saved.told_until, is_mailed=True)
        is_ours = bool(row.update(told_until=until))
        if is_ours and news.count:
            queue_mail(user_id=saved.user_id, subject=_subject(saved, news), body=_body(saved, news, reader))
    return is_ours and bool(news.count)


def news_of(query: Query, *, since: datetime, until: datetime) -> News:
    """What `query` finds of what was registered or opened after `since`, up to `until`."""
    asker = asker_of(query.principal, now=timezone.now())
    low, high = microseconds(since) + 1, microseconds(until)
    is_new: Clause = Either((Between("registered_at", low, high), Between("opens_at", low, high)))
    request = asker.plan(replace(query, histograms=(), size=MOST_TOLD, cursor="")).request
    found = asker.index.search(replace(request, filters=(*request.filters, ("news", is_new))))
    return News(found.total, records_with([hit.dataset for hit in found.hits], query.principal, now=asker.now))


def _subject(saved: SavedSearch, news: News) -> str:
    return f"{news.count} new {'dataset' if news.count == 1 else 'datasets'}: {saved.name}"


def _body(saved: SavedSearch, news: News, reader: Principal) -> str:
    lines = [f"{record.title}\n{record.access.text}\n{absolute_url(record.path)}\n" for record in news.records]
    others = news.count - len(news.records)
    more = [f"And {others} more.\n"] if others > 0 else []
    all_of_them = absolute_url(address(query_of(saved, reader)))
    return "\n".join(
        [
            f"New in your saved search “{saved.name}”:\n",
            *lines,
            *more,
            f"The whole search: {all_of_them}",
            f"No more mails: {absolute_url(reverse('saved-searches'))}",
        ]
    )


def _person(actor: Principal) -> int:
    if actor.user_id is None or actor.instrument_id is not None or actor.scopes is not None:
        raise NotAllowed("Only people signed in on the site save searches.")
    return actor.user_id


def _own(actor: Principal, uid: UUID) -> SavedSearch:
    saved = SavedSearch.objects.filter(user_id=_person(actor), uid=uid).first()
    if saved is None:
        raise NotFound("You have no such saved search.")
    return saved


def _digest(secret: str) -> str:
    """SHA-256 is right here: the secret has 256 bits of entropy."""
    return hashlib.sha256(secret.encode()).hexdigest()
