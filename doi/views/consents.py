"""The question to a principal investigator whether closed data may be released with a colleague's collection."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalogue import access
from catalogue.access import Principal
from catalogue.collection_contents import contents_of, datasets_in
from catalogue.collection_selectors import text_of
from catalogue.errors import InvalidInput, NotFound
from catalogue.models import ReleaseConsent
from catalogue.services.consents import decide_consent, is_leader
from doi.status import name_of

TITLES_SHOWN = 20


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def consent_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    consent = _find(uid, request.principal)
    if request.method != "POST":
        return _show(request, consent)
    agrees = request.POST.get("action") == "agree"
    reason = request.POST.get("reason", "")
    try:
        if agrees and "confirm" not in request.POST:
            raise InvalidInput("Please confirm.", fields={"confirm": ["Tick the box to agree: it cannot be undone."]})
        decide_consent(actor=request.principal, consent=consent, agrees=agrees, reason=reason)
    except InvalidInput as error:
        return _show(request, consent, errors=error.fields, reason=reason, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(
        request, "You agreed; your colleague is told." if agrees else "You refused; your colleague is told."
    )
    return redirect("dashboard")


def _find(uid: UUID, principal: Principal) -> ReleaseConsent:
    """A question for those who may answer it; for others it does not exist."""
    rows = ReleaseConsent.objects.select_related("collection", "investigation", "requested_by", "decided_by")
    consent = rows.filter(uid=uid).first()
    if consent is None or not (principal.sees_everything or is_leader(consent.investigation, principal)):
        raise NotFound("There is no such question, or none that is put to you.")
    return consent


def _show(request: HttpRequest, consent: ReleaseConsent, *, status: int = HTTPStatus.OK, **more: Any) -> HttpResponse:
    concerned = datasets_in(consent.collection).filter(investigation=consent.investigation)
    closed = concerned.exclude(access.open_q(timezone.now()))
    context = {
        "consent": consent,
        "text": text_of(consent.collection),
        "is_whole": consent.collection.members.filter(investigation=consent.investigation).exists(),
        "asker": name_of(consent.requested_by),
        "decider": name_of(consent.decided_by) if consent.decided_by else "",
        "closed": contents_of(closed),
        "closed_titles": list(closed.order_by("id").values_list("title", flat=True)[:TITLES_SHOWN]),
        **more,
    }
    return render(request, "doi/consent.html", context, status=status)
