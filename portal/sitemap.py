"""`/sitemap.xml` and its lists: every page that is open to everybody at this moment, by the clock, and no other.

A list covers a range of primary keys, so that it costs one walk along them, keeps its name as the archive grows, and holds a
dataset from the second in which it opens. How a sitemap is written is the business of `catalogue/interop/sitemap.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.cache import cache
from django.db.models import Case, F, Max, Q, QuerySet, TextField, When
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from catalogue import access
from catalogue.errors import NotFound
from catalogue.interop.sitemap import CONTENT_TYPE, MOST, sitemap_index, url_list
from catalogue.models import Dataset, Investigation
from catalogue.models.collections import CollectionState
from doi.models import Identifier
from doi.wanted import PUBLIC

KEPT_SECONDS = 300
PAGE = 10_000


@dataclass(frozen=True)
class Section:
    """Pages of one kind: the rows that are open to everybody at a moment, the text that names each, the path that it makes,
    and when what everybody sees of it changed last.

    `keys` are all columns that hold the primary key: a database that joins two tables looks for a range in each that is told.
    """

    rows: Callable[[datetime], QuerySet[Any]]
    name: F | Cast
    path: Callable[[str], str]
    stamp: Callable[[datetime], F | Coalesce]
    keys: tuple[str, ...] = ("pk",)


def _open_datasets(now: datetime) -> QuerySet[Dataset]:
    return access.full_datasets(access.ANONYMOUS, now=now)


def _open_investigations(now: datetime) -> QuerySet[Investigation]:
    return access.full_investigations(access.ANONYMOUS, now=now)


def _landing_pages(now: datetime) -> QuerySet[Identifier]:
    """Those of published collections and of open sessions; a concept has none of its own."""
    sessions = _open_investigations(now).order_by().values("pk")
    is_published = Q(collection__state=CollectionState.PUBLISHED)
    return Identifier.objects.filter(is_published | Q(state__in=PUBLIC, investigation__in=sessions))


def _stamp_of_collection(now: datetime) -> Case:
    """Published ones have their page while they hold closed data too, and change when these open (see `catalogue/stamps.py`)."""
    opened = "collection__stamped_open_at"
    return Case(When(**{f"{opened}__lte": now}, then=F(opened)), default=F("collection__stamped_at"))


def _dashed(uid: str) -> str:
    """The usual form of a uid, of which databases write the dashes or not."""
    digits = uid.replace("-", "")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# As text: to make UUIDs of a million would take a third of the time.
_UID = Cast("uid", TextField())
SECTIONS = {
    "datasets": Section(
        _open_datasets,
        _UID,
        lambda uid: f"/datasets/{_dashed(uid)}",
        lambda _: F("revision__stamped_open_at"),
        keys=("pk", "revision__pk"),
    ),
    "investigations": Section(
        _open_investigations, _UID, lambda uid: f"/investigations/{_dashed(uid)}", lambda _: F("stamped_open_at")
    ),
    "dois": Section(
        _landing_pages,
        F("doi"),
        lambda doi: f"/doi/{quote(doi)}",
        lambda now: Coalesce(_stamp_of_collection(now), F("investigation__stamped_open_at")),
    ),
}


@require_safe
@gzip_page
def index(request: HttpRequest) -> StreamingHttpResponse:
    parts = cache.get_or_set("sitemap-parts", _parts, KEPT_SECONDS)
    if not parts:
        raise NotFound("Nothing is open to everybody here yet.")
    addresses = ((settings.SITE_URL + reverse("sitemap-list", args=[name, part]), at) for name, part, at in parts)
    return StreamingHttpResponse(sitemap_index(addresses), content_type=CONTENT_TYPE)


@require_safe
@gzip_page
def listed(request: HttpRequest, section: str, part: int) -> StreamingHttpResponse:
    addresses = addresses_of(SECTIONS[section], part, now=timezone.now()) if section in SECTIONS else iter(())
    first = next(addresses, None)
    if first is None:
        raise NotFound("There is no such list of pages. The lists that there are stand in /sitemap.xml.")
    return StreamingHttpResponse(url_list(chain([first], addresses)), content_type=CONTENT_TYPE)


def addresses_of(section: Section, part: int, *, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Each open page whose key lies in the part, with the moment of its last change, some thousand keys at a time."""
    first, site = (part - 1) * MOST, settings.SITE_URL
    rows = section.rows(now).order_by("pk").values_list(section.name, section.stamp(now))
    for start in range(first, first + MOST, PAGE):
        yield from ((site + section.path(name), at) for name, at in rows.filter(_between(section, start, start + PAGE)))


def _between(section: Section, last: int, end: int) -> Q:
    return Q(**{f"{key}__gt": last for key in section.keys}, **{f"{key}__lte": end for key in section.keys})


def _parts() -> list[tuple[str, int, datetime]]:
    """Every list that is not empty: its section, its number from 1, and when the last of its pages changed."""
    now = timezone.now()
    return [(name, part, at) for name, section in SECTIONS.items() for part, at in _parts_of(section, now)]


def _parts_of(section: Section, now: datetime) -> Iterator[tuple[int, datetime]]:
    """One after another: a million rows that are grouped at once take a sort, and its memory."""
    rows = section.rows(now).order_by()
    last_key = rows.model.objects.aggregate(last=Max("pk"))["last"] or 0
    for part in range(1, -(-last_key // MOST) + 1):
        some = rows.filter(_between(section, (part - 1) * MOST, part * MOST))
        at = some.aggregate(at=Max(section.stamp(now)))["at"]
        if at is not None:
            yield part, at
