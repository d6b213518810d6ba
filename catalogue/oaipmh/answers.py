"""The answer to each verb, read from the database: what is to be written, as plain values. No XML and no HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from catalogue.models import Collection, DatasetRevision, Investigation
from catalogue.oaipmh.formats import FORMATS
from catalogue.oaipmh.items import Item, items_at
from catalogue.oaipmh.places import (
    Kind,
    Place,
    Selection,
    count_places,
    earliest_stamp,
    next_places,
    place_of,
)
from catalogue.oaipmh.protocol import ProtocolError, Question, Span, span_of
from catalogue.oaipmh.repository import read_identifier
from catalogue.oaipmh.set_list import SetEntry, count_sets, next_sets
from catalogue.oaipmh.sets import selection_of
from catalogue.oaipmh.tokens import Token, read_token, write_token


@dataclass(frozen=True)
class Resumption:
    """How a list goes on: `token` is empty on its last page."""

    token: str
    cursor: int
    size: int


@dataclass(frozen=True)
class Answer:
    """What one verb gives; what it does not give is empty. `question` is the one that a token continues."""

    question: Question
    items: Sequence[Item] = ()
    sets: Sequence[SetEntry] = ()
    resumption: Resumption | None = None
    earliest: datetime | None = None


def answer(question: Question, *, now: datetime) -> Answer:
    """Raises ProtocolError."""
    return _ANSWERS[question.verb](question, now)


def answered_at(question: Question, now: datetime) -> datetime:
    """The responseDate, from which a harvester goes on the next time.

    Of lists it lies a little back: a change whose transaction ends after the list was read bears an earlier moment.
    """
    is_list = question.verb in ("ListRecords", "ListIdentifiers")
    return now - timedelta(seconds=settings.OAI_OVERLAP_SECONDS) if is_list else now


def _identify(question: Question, now: datetime) -> Answer:
    return Answer(question, earliest=earliest_stamp(now))


def _formats(question: Question, now: datetime) -> Answer:
    """Every record is there in every format."""
    if identifier := question.get("identifier"):
        _find(identifier, now)
    return Answer(question)


def _record(question: Question, now: datetime) -> Answer:
    _check_format(question.get("metadataPrefix"))
    return Answer(question, items=_find(question.get("identifier"), now))


def _find(identifier: str, now: datetime) -> list[Item]:
    named = read_identifier(identifier)
    row = _row(*named) if named else None
    items = items_at([place_of(row, now)], now=now) if row else []
    if not items:
        raise ProtocolError("idDoesNotExist", "There is no such record, or none that everybody may know of.")
    return items


def _row(kind: Kind, uid: UUID) -> DatasetRevision | Investigation | Collection | None:
    if kind == Kind.DATASET:
        return DatasetRevision.objects.filter(dataset__uid=uid).first()
    rows = Investigation.objects if kind == Kind.INVESTIGATION else Collection.objects
    return rows.filter(uid=uid).first()


def _check_format(prefix: str) -> None:
    if prefix not in FORMATS:
        raise ProtocolError("cannotDisseminateFormat", f"The formats are {', '.join(FORMATS)}.")


def _list(question: Question, now: datetime) -> Answer:
    token = _token(question)
    asked = token.question if token else question
    _check_format(asked.get("metadataPrefix"))
    selection, span = selection_of(asked.get("set")), span_of(asked.arguments)
    if selection is None:
        raise ProtocolError("noRecordsMatch", "There is no such set.")
    after = Place(datetime.fromisoformat(token.place[0]), *token.place[1:]) if token else None
    items, last = _page(selection, span, after, now)
    if not items:
        raise ProtocolError("noRecordsMatch", "There is nothing of that set with such a datestamp.")
    if not token and not last:
        return Answer(asked, items=items)
    size = token.size if token else count_places(selection, span, now=now)
    place = (last.stamp.isoformat(), last.kind, last.key) if last else ()
    return Answer(asked, items=items, resumption=_resumption(asked, token, place, len(items), size))


def _page(selection: Selection, span: Span, after: Place | None, now: datetime) -> tuple[list[Item], Place | None]:
    """One page, and its last place where more follow. A page that nobody may know of any more is passed over."""
    limit = settings.OAI_PAGE_SIZE
    while True:
        places = next_places(selection, span, after=after, limit=limit + 1, now=now)
        items = items_at(places[:limit], now=now)
        after = places[limit - 1] if len(places) > limit else None
        if items or not after:
            return items, after


def _sets(question: Question, now: datetime) -> Answer:
    token = _token(question)
    after = (token.place[0], token.place[1]) if token else None
    limit = settings.OAI_PAGE_SIZE
    found = next_sets(after, limit=limit + 1)
    entries = [entry for _, entry in found[:limit]]
    if not token and len(found) <= limit:
        return Answer(question, sets=entries)
    place = found[limit - 1][0] if len(found) > limit else ()
    asked = token.question if token else question
    size = token.size if token else count_sets()
    return Answer(asked, sets=entries, resumption=_resumption(asked, token, place, len(entries), size))


def _token(question: Question) -> Token | None:
    text = question.arguments.get("resumptionToken")
    return read_token(text, question.verb) if text is not None else None


def _resumption(asked: Question, token: Token | None, place: Sequence[Any], count: int, size: int) -> Resumption:
    """`place` of the last row of the page, empty where nothing follows. What came meanwhile is counted as it is met."""
    cursor = token.cursor if token else 0
    sent = cursor + count
    size = max(size, sent + 1 if place else sent)
    text = write_token(Token(asked, tuple(place), sent, size)) if place else ""
    return Resumption(text, cursor, size)


_ANSWERS: Mapping[str, Callable[[Question, datetime], Answer]] = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "GetRecord": _record,
    "ListIdentifiers": _list,
    "ListRecords": _list,
}
