"""A person's saved searches: kept, told of by mail, followed by a feed, removed."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_ratelimit.decorators import ratelimit

from catalogue.access import ANONYMOUS
from catalogue.descriptions import this_site
from catalogue.errors import DomainError, InvalidInput, NotFound, Unavailable
from catalogue.interop.atom import CONTENT_TYPE, atom_feed
from search import saved as services
from search.backends.base import EngineUnavailable
from search.models import SavedSearch
from search.results.asking import asker_of, trouble_text
from search.results.chips import address, chips_of
from search.results.exports import MOST_IN_FEED, walk
from search.results.names import names


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def saved_searches(request: HttpRequest) -> HttpResponse:
    """With `search`, a query string, the page offers to keep it."""
    if request.method != "POST":
        return _shown(request)
    action = _ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise InvalidInput("The page does not know what to do. Reload it and try again.")
    return action(request)


def _shown(request: HttpRequest, *, feed_url: str = "", error: DomainError | None = None) -> HttpResponse:
    parameters = request.POST.get("search", request.GET.get("search"))
    offered = SavedSearch(parameters=parameters) if parameters is not None else None
    context = {
        "searches": [_described(one, request) for one in services.saved_searches_of(request.principal)],
        "offered": _described(offered, request) if offered else None,
        "name": request.POST.get("name", ""),
        "error": error,
        "feed_url": feed_url,
    }
    return render(request, "search/saved.html", context, status=422 if error else 200)


def _described(saved: SavedSearch, request: HttpRequest) -> dict[str, object]:
    query = services.query_of(saved, request.principal)
    chips = chips_of(query, names())
    told = ", ".join(f"{chip.name}: {chip.text}" for chip in chips) or "All datasets"
    return {"row": saved, "url": address(query), "told": told, "suggested": told[:80]}


def _save(request: HttpRequest) -> HttpResponse:
    try:
        services.save_search(
            actor=request.principal,
            name=request.POST.get("name", ""),
            parameters=request.POST.get("search", ""),
            is_mailed="is_mailed" in request.POST,
        )
    except DomainError as error:
        return _shown(request, error=error)
    return redirect("saved-searches")


def _set_mails(request: HttpRequest) -> HttpResponse:
    services.set_mails(actor=request.principal, uid=_uid(request), is_mailed=request.POST.get("is_mailed") == "yes")
    return redirect("saved-searches")


def _remove(request: HttpRequest) -> HttpResponse:
    services.remove_saved_search(actor=request.principal, uid=_uid(request))
    return redirect("saved-searches")


def _make_feed(request: HttpRequest) -> HttpResponse:
    secret = services.make_feed(actor=request.principal, uid=_uid(request))
    return _shown(request, feed_url=f"{settings.SITE_URL}{reverse('saved-search-feed', args=[secret])}")


def _stop_feed(request: HttpRequest) -> HttpResponse:
    services.stop_feed(actor=request.principal, uid=_uid(request))
    return redirect("saved-searches")


_ACTIONS = {"save": _save, "mails": _set_mails, "remove": _remove, "feed": _make_feed, "stop-feed": _stop_feed}


def _uid(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("uid", ""))
    except ValueError:
        raise NotFound("You have no such saved search.") from None


@require_safe
@ratelimit(group="search-feeds", key="ip", rate="60/m")
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The newest hits as everybody sees them: the address goes through hands that nobody knows."""
    saved = services.find_feed(secret)
    query = services.query_of(saved, ANONYMOUS)
    try:
        records = list(walk(query, asker_of(ANONYMOUS, now=timezone.now()), most=MOST_IN_FEED))
    except EngineUnavailable:
        raise Unavailable(f"{trouble_text()} Try again in a few minutes.") from None
    own = f"{settings.SITE_URL}{request.path}"
    page_url = f"{settings.SITE_URL}{address(query)}"
    title = f"{settings.SITE_NAME}: {saved.name}"
    content = atom_feed(records, this_site(), title=title, page_url=page_url, feed_url=own)
    headers = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow"}
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)
