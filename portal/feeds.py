"""`/feeds/new.atom`: open data as they open and change, for everybody alike, whoever asks."""

import hashlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from catalogue import selectors
from catalogue.access import ANONYMOUS
from catalogue.descriptions import this_site
from catalogue.interop.atom import CONTENT_TYPE, atom_feed
from catalogue.newest import Change, newest_changes
from catalogue.page_rows import rows_of

ENTRIES = 50
KEPT_SECONDS = 300


@require_safe
def new_data(request: HttpRequest) -> HttpResponseBase:
    """One page of the feed. Whoever has it already is told so before a record is read."""
    now, cursor = timezone.now(), request.GET.get("cursor", "")
    changes = newest_changes(now=now, cursor=cursor, limit=ENTRIES + 1)
    page, next_cursor = changes[:ENTRIES], changes[ENTRIES - 1].cursor if len(changes) > ENTRIES else ""
    etag = _etag(page, next_cursor)
    response = get_conditional_response(request, etag=etag)
    if not isinstance(response, HttpResponseNotModified):
        datasets = rows_of([change.key for change in page])
        records = selectors.records_of(datasets, ANONYMOUS, now=now)
        home, own = settings.SITE_URL + "/", settings.SITE_URL + reverse("new-data-feed")
        feed = atom_feed(
            records,
            this_site(),
            title=f"{settings.SITE_NAME}: new open data",
            page_url=home,
            feed_url=f"{own}?cursor={cursor}" if cursor else own,
            links={"first": own} | ({"next": f"{own}?cursor={next_cursor}"} if next_cursor else {}),
            changed_at={change.uid: change.at for change in page},
        )
        response = HttpResponse(feed, content_type=CONTENT_TYPE, headers={"ETag": etag})
    patch_cache_control(response, public=True, max_age=KEPT_SECONDS)
    return response


def _etag(page: list[Change], next_cursor: str) -> str:
    told = f"{settings.SITE_NAME} {settings.SITE_URL} {page} {next_cursor}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'
