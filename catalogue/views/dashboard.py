"""A person's own page: unfinished registrations, own investigations, and what was registered in them last."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalogue import embargo_selectors, selectors
from catalogue.access import Level
from catalogue.anonymity import shown_to
from catalogue.masking import investigation_record
from catalogue.services import access_requests
from catalogue.views.register import draft_links

INVESTIGATIONS_ON_A_PAGE = 20
REQUESTS_SHOWN = 20
RECENT = 6
RECENTLY = timedelta(days=60)


@login_required
@require_safe
@never_cache
def dashboard_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    principal = request.principal
    rows, next_cursor = selectors.own_investigation_page(
        principal, cursor=request.GET.get("cursor", ""), limit=INVESTIGATIONS_ON_A_PAGE
    )
    records = [shown_to(investigation_record(row, Level.FULL, now=now), principal) for row in rows]
    context = {
        "drafts": draft_links(request),
        "page": {"records": records, "next_cursor": next_cursor},
        "ending_soon": embargo_selectors.ending_soon(principal, now=now),
        "extension_requests": embargo_selectors.own_extension_requests(principal, decided_since=now - RECENTLY),
        "to_decide": access_requests.requests_to_decide(principal)[:REQUESTS_SHOWN],
        "own_requests": access_requests.own_requests(principal)[:REQUESTS_SHOWN],
        "api_url": f"{settings.SITE_URL}/api/v1/investigations?access=mine",
        "recent": selectors.newest_own_datasets(principal, fetched=rows, limit=RECENT, now=now),
    }
    return render(request, "catalogue/dashboard.html", context)
