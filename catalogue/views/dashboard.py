"""A person's own page: unfinished registrations, own investigations, and what was registered in them last."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalogue import embargo_selectors, selectors
from catalogue.access import Level
from catalogue.anonymity import shown_to
from catalogue.browse import DatasetFilter, Lists
from catalogue.masking import investigation_record
from catalogue.services import access_requests
from catalogue.views.register import draft_links

INVESTIGATIONS_ON_A_PAGE = 50
REQUESTS_SHOWN = 20
RECENT = 6
RECENTLY = timedelta(days=60)


@login_required
@require_safe
@never_cache
def dashboard_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = list(selectors.own_investigations(request.principal)[:INVESTIGATIONS_ON_A_PAGE])
    records = [investigation_record(row, Level.FULL, now=now) for row in rows]
    investigations = [shown_to(record, request.principal) for record in records]
    newest = Lists(request.principal, now=now).page(DatasetFilter(access="mine"), limit=RECENT).datasets
    context = {
        "drafts": draft_links(request),
        "investigations": investigations,
        "ending_soon": embargo_selectors.ending_soon(request.principal, now=now),
        "extension_requests": embargo_selectors.own_extension_requests(request.principal, decided_since=now - RECENTLY),
        "to_decide": access_requests.requests_to_decide(request.principal)[:REQUESTS_SHOWN],
        "own_requests": access_requests.own_requests(request.principal)[:REQUESTS_SHOWN],
        "recent": selectors.records_of(newest, request.principal, now=now),
    }
    return render(request, "catalogue/dashboard.html", context)
