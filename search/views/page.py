"""The page of results: the address is the query, and a form's address is put into that shape first."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit

from search.backends.base import EngineUnavailable
from search.question.query import Query
from search.question.query_reading import Parsed, parse_query
from search.results.asking import trouble_text
from search.results.chips import address
from search.results.finding import EVERY_VALUE
from search.results.forms import FIND_PREFIX, Sent, read_form
from search.results.pages import Link, Page, page_of, page_of_database

EXPORTS = (("CSV", "search-csv"), ("JSON Lines", "search-jsonl"), ("Atom", "search-atom"))


# A search that finds nothing asks which filter to drop: several counts more, in one question.
@require_safe
@ratelimit(group="search", key="user_or_ip", rate="240/m")
def search_page(request: HttpRequest) -> HttpResponse:
    sent = read_form(dict(request.GET.lists()))
    parsed = parse_query(sent.values, request.principal)
    own_address = address_of(parsed.query, sent)
    if sent.is_form and not is_swap(request):
        return redirect(own_address)
    page, notes = shown_page(parsed, sent)
    response = render(request, "search/page.html", {"page": page, "notes": notes, **links_of(page.query)})
    if is_swap(request):
        response["HX-Push-Url"] = "false" if EVERY_VALUE in sent.finds.values() else own_address
    return answered_to(request, response)


def shown_page(parsed: Parsed, sent: Sent) -> tuple[Page, tuple[str, ...]]:
    """The page with all notes; from the database while the engine does not answer."""
    try:
        page = page_of(parsed.query, sent.finds, now=timezone.now())
    except EngineUnavailable:
        page = page_of_database(parsed.query, trouble_text())
    return page, tuple(dict.fromkeys((*parsed.notes, *page.notes)))


def links_of(query: Query) -> dict[str, object]:
    """Where else this query leads."""
    return {
        "api_url": f"{settings.SITE_URL}{address(query, 'api-search')}",
        "exports": [Link(label, address(query, route)) for label, route in EXPORTS],
        "save_url": f"{reverse('saved-searches')}?{urlencode({'search': query.url_parameters()})}",
    }


def address_of(query: Query, sent: Sent) -> str:
    """The query's address, with what was looked for among the values of facets."""
    pairs = [*query.parameters(), *((f"{FIND_PREFIX}{facet}", text) for facet, text in sent.finds.items())]
    return f"{reverse('search')}?{urlencode(pairs)}" if pairs else reverse("search")


def is_swap(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page."""
    return request.headers.get("HX-Request") == "true"


def answered_to(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What the signed-in see is kept by nobody but them."""
    patch_vary_headers(response, ("Cookie",))
    if not request.principal.is_public:
        patch_cache_control(response, private=True)
    return response
