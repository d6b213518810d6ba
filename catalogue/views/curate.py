"""The curators' pages: what needs attention, and the audit log."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalogue import curation
from catalogue.errors import NotAllowed
from catalogue.services.watch_rules import accept_rename
from catalogue.views.embargo import extension_list


@login_required
@require_safe
@never_cache
def curate_page(request: HttpRequest) -> HttpResponse:
    check_curator(request)
    context = {
        "extensions": extension_list(request),
        "problems": curation.problems(request.principal),
        "api_url": f"{settings.SITE_URL}/api/v1/problems",
    }
    return render(request, "catalogue/curate.html", context)


@login_required
@require_safe
@never_cache
def log_page(request: HttpRequest) -> HttpResponse:
    check_curator(request)
    wanted = {name: request.GET.get(name, "") for name in ("who", "action", "record")}
    asked = urlencode({name: value for name, value in wanted.items() if value})
    context = {
        "page": curation.audit_page(request.principal, **wanted, cursor=request.GET.get("cursor", "")),
        "audit_actions": curation.audit_actions(request.principal),
        "api_url": f"{settings.SITE_URL}/api/v1/audit-log{'?' if asked else ''}{asked}",
    }
    return render(request, "catalogue/curate_log.html", context)


@login_required
@require_POST
def retry_delivery(request: HttpRequest, entry_id: int) -> HttpResponse:
    check_curator(request)
    curation.retry_now(actor=request.principal, entry_id=entry_id)
    return redirect("curate")


@login_required
@require_POST
def accept_renamed_file(request: HttpRequest, watched_file_id: int) -> HttpResponse:
    check_curator(request)
    accept_rename(actor=request.principal, watched_file_id=watched_file_id)
    return redirect("curate")


def check_curator(request: HttpRequest) -> None:
    if not request.principal.sees_everything:
        raise NotAllowed("This page is for the curators of the site.")
