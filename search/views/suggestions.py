"""Suggestions for the search box, as JSON for its script. The box works without them."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit

from search.backends.base import EngineUnavailable
from search.question.query import Query
from search.results.asking import asker_of
from search.results.suggestions import suggestions_for
from search.views.page import answered_to


@require_safe
@ratelimit(group="search-suggestions", key="user_or_ip", rate="300/m")
def suggestions(request: HttpRequest) -> HttpResponse:
    principal = request.principal
    try:
        asker = asker_of(principal, now=timezone.now())
        found = suggestions_for(request.GET.get("q", ""), asker, Query(principal=principal))
    except EngineUnavailable:
        found = []
    return answered_to(request, JsonResponse({"suggestions": [asdict(one) for one in found]}))
