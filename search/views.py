"""The search page."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit

from catalogue.browse import MOST_COUNTED, SORTS
from search.backends import database
from search.query import Query
from search.query_reading import parse_query

SORT_LABELS = {"newest": "newest", "oldest": "oldest", "acquired": "measured last"}


@dataclass(frozen=True)
class Chip:
    """An active condition and the address of the same search without it."""

    name: str
    text: str
    remove_url: str


# A search that finds nothing asks which filter to drop: several counts more, in one statement.
@require_safe
@ratelimit(group="search", key="user_or_ip", rate="240/m")
def search_page(request: HttpRequest) -> HttpResponse:
    parsed = parse_query(request.GET, request.principal)
    query = parsed.query
    if has_empty_parameters(request):
        return redirect(address(query))
    answer = database.answer(query)
    shown = chips(query, answer.facets)
    context = {
        "page": {"records": answer.records, "next_cursor": answer.next_cursor, "count_text": count_text(answer)},
        "facets": answer.facets,
        "chips": shown,
        "notes": parsed.notes,
        "best_removal": None if answer.records else best_removal(query, shown),
        "sorts": [
            {"value": name, "label": SORT_LABELS[name], "is_current": name == database.as_filter(query).sort}
            for name in SORTS
        ],
        "view": query.view,
        "all_url": reverse("search"),
        "api_url": f"{settings.SITE_URL}{reverse('api-datasets')}?{query.url_parameters()}",
    }
    response = render(request, "catalogue/search.html", context)
    patch_vary_headers(response, ("Cookie",))
    if not request.principal.is_public:
        patch_cache_control(response, private=True)
    return response


def has_empty_parameters(request: HttpRequest) -> bool:
    """Whether the address is what a browser makes of a form with empty fields, so that one search would have two addresses."""
    return any(value == "" for _, values in request.GET.lists() for value in values)


def count_text(answer: database.Answer) -> str:
    number = f"{answer.total:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    if not answer.is_total_exact:
        return f"More than {number} datasets"
    return f"{number} dataset" if answer.total == 1 else f"{number} datasets"


def chips(query: Query, facets: tuple[database.Facet, ...]) -> list[Chip]:
    labels = {(facet.name, value.value): (facet.title, value.label) for facet in facets for value in facet.values}
    shown = []
    if query.text:
        shown.append(Chip("Words", query.text, address(query.without("text"))))
    for facet, values in query.selections:
        for value in values:
            title, label = labels.get((facet, value), (facet.capitalize(), value))
            shown.append(Chip(title, label, address(query.toggled(facet, value))))
    if query.access:
        _, label = labels.get(("access", query.access), ("", query.access))
        shown.append(Chip("Access", label, address(query.without("access"))))
    if query.acquired_from:
        shown.append(Chip("Measured from", query.acquired_from.isoformat(), address(query.without("acquired_from"))))
    if query.acquired_to:
        shown.append(Chip("Measured until", query.acquired_to.isoformat(), address(query.without("acquired_to"))))
    return shown


def address(query: Query) -> str:
    """The search page's address for `query`, parameters in canonical order."""
    parameters = query.url_parameters()
    return f"{reverse('search')}?{parameters}" if parameters else reverse("search")


def best_removal(query: Query, shown: list[Chip]) -> dict[str, Any] | None:
    """The one condition whose removal brings most datasets back, with their number."""
    conditions = [
        query.without(name) for name in ("text", "access", "acquired_from", "acquired_to") if getattr(query, name)
    ]
    conditions += [query.toggled(facet, value) for facet, values in query.selections for value in values]
    if len(conditions) < 2:
        return None
    candidates = conditions[:8]
    counts = database.totals(candidates)
    found = max(counts)
    if not found:
        return None
    removed_url = address(candidates[counts.index(found)])
    removed = next(chip for chip in shown if chip.remove_url == removed_url)
    number = f"more than {MOST_COUNTED}" if found > MOST_COUNTED else str(found)
    return {
        "text": f"Without “{removed.name}: {removed.text}” there are {number}.",
        "action": "Remove that filter",
        "url": removed.remove_url,
    }
