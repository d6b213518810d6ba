"""The records of a search as CSV, JSON Lines and Atom: what the page shows, up to a bound, for the same eyes."""

from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit

from catalogue.descriptions import this_site
from catalogue.errors import Unavailable
from catalogue.interop.atom import CONTENT_TYPE, atom_feed
from catalogue.record import DatasetRecord
from search.backends.base import EngineUnavailable
from search.question.query import Query
from search.question.query_reading import parse_query
from search.results.asking import Asker, asker_of, trouble_text
from search.results.chips import address
from search.results.exports import MOST_IN_FEED, csv_lines, json_lines, walk
from search.results.forms import read_form
from search.views.page import answered_to

Write = Callable[[Iterable[DatasetRecord]], Iterator[str]]


@require_safe
@ratelimit(group="search-exports", key="user_or_ip", rate="20/m")
def search_csv(request: HttpRequest) -> HttpResponse:
    return _streamed(request, csv_lines, "text/csv; charset=utf-8", "datasets.csv")


@require_safe
@ratelimit(group="search-exports", key="user_or_ip", rate="20/m")
def search_jsonl(request: HttpRequest) -> HttpResponse:
    return _streamed(request, json_lines, "application/jsonl; charset=utf-8", "datasets.jsonl")


@require_safe
@ratelimit(group="search-exports", key="user_or_ip", rate="20/m")
def search_atom(request: HttpRequest) -> HttpResponse:
    query, asker = _asked(request)
    own = f"{settings.SITE_URL}{address(query, 'search-atom')}"
    feed = atom_feed(
        walk(query, asker, most=MOST_IN_FEED),
        this_site(),
        title=f"{settings.SITE_NAME}: {query.text or 'datasets'}",
        page_url=f"{settings.SITE_URL}{address(query)}",
        feed_url=own,
    )
    return answered_to(request, HttpResponse(feed, content_type=CONTENT_TYPE))


def _streamed(request: HttpRequest, write: Write, content_type: str, name: str) -> HttpResponse:
    query, asker = _asked(request)
    response = StreamingHttpResponse(write(walk(query, asker)), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return answered_to(request, response)


def _asked(request: HttpRequest) -> tuple[Query, Asker]:
    """Raises Unavailable: a list that silently leaves out what was asked for is no export."""
    query = parse_query(read_form(dict(request.GET.lists())).values, request.principal).query
    try:
        return query, asker_of(request.principal, now=timezone.now())
    except EngineUnavailable:
        raise Unavailable(f"{trouble_text()} Try again in a few minutes.") from None
