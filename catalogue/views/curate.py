"""The curators' pages: what needs attention, and the audit log."""

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
    context = {"extensions": extension_list(request), "problems": curation.problems(request.principal)}
    return render(request, "catalogue/curate.html", context)


@login_required
@require_safe
@never_cache
def log_page(request: HttpRequest) -> HttpResponse:
    check_curator(request)
    page = curation.audit_page(
        request.principal,
        who=request.GET.get("who", ""),
        action=request.GET.get("action", ""),
        record=request.GET.get("record", ""),
        cursor=request.GET.get("cursor", ""),
    )
    context = {"page": page, "audit_actions": curation.audit_actions(request.principal)}
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
