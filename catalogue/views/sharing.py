"""Share links: opened by a reviewer, left again, and made, listed and revoked by those who share."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_ratelimit.decorators import ratelimit

from catalogue import access, collection_selectors, selectors
from catalogue.anonymity import text_for
from catalogue.errors import DomainError, InvalidInput, NotFound
from catalogue.models import Collection, Dataset, Investigation
from catalogue.services import share_links
from catalogue.services.share_links import Shared, end_of_day
from catalogue.services.usage import Visit
from catalogue.views.forms import show_problems
from catalogue.visitors import address_of, leave_share_links, open_share_link

logger = logging.getLogger(__name__)

LINKS_SHOWN = 100
USES_SHOWN = 20


class ShareLinkForm(forms.Form):
    label = forms.CharField(
        label="For whom", max_length=200, help_text="So that you know it again. Only those who share the data see it."
    )
    expires_on = forms.DateField(
        label="It ends on", widget=forms.DateInput(attrs={"type": "date"}), help_text="The last day, in UTC."
    )
    hides_people = forms.BooleanField(label="Hide who we are", required=False)
    allows_files = forms.BooleanField(label="Let its reader download the files", required=False)


@require_safe
@never_cache
@ratelimit(group="share-link", key="ip", rate="30/m")
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Keep the link in the session and go to what it shows. The address, which is a secret, is told to nobody."""
    link = share_links.find_share_link(token)
    open_share_link(request.session, link.pk)
    response = redirect(address_of_record(share_links.record_of(link)))
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def share_page(request: HttpRequest) -> HttpResponse:
    """What the links that were opened in this browser show, and the button that leaves them."""
    if request.method == "POST":
        leave_share_links(request.session)
        messages.success(request, "You have left. The links still work until they end.")
        return redirect("home")
    links = [
        {
            "title": text_for(record.title, request.principal),
            "path": address_of_record(record),
            "expires_at": link.expires_at,
            "allows_files": link.allows_files,
        }
        for link in share_links.opened_links(request.principal)
        for record in [share_links.record_of(link)]
    ]
    return render(request, "catalogue/share.html", {"links": links})


@require_safe
@never_cache
def collection_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A collection that has no DOI yet, as its reviewers read it."""
    collection = collection_selectors.find_collection(request.principal, uid=uid)
    if collection.doi:
        return redirect(address_of_record(collection))
    record = collection_selectors.collection_record(collection, request.principal)
    context = {
        "record": record,
        "page": collection_selectors.member_page(collection, request.principal, cursor=request.GET.get("cursor", "")),
    }
    return render(request, "catalogue/shared_collection.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ratelimit(group="make-share-link", key="user", rate="60/h", method="POST")
def links_page(request: HttpRequest, kind: str, uid: UUID) -> HttpResponse:
    record = _find(kind, uid, request)
    latest = timezone.now().date() + timedelta(days=min(30, settings.SHARE_LINK_DAYS))
    form = ShareLinkForm(request.POST or None, initial={"expires_on": latest})
    new_address = _make(request, record, form) if form.is_valid() else ""
    context = {
        "record": record,
        "kind": kind,
        "record_path": address_of_record(record),
        "form": form if form.errors or not new_address else ShareLinkForm(initial={"expires_on": latest}),
        "new_address": new_address,
        "links": share_links.links_with_uses(record)[:LINKS_SHOWN],
        "now": timezone.now(),
        "is_public_anyway": _is_named_in_public(record),
    }
    return render(request, "catalogue/share_links.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def revoke_link(request: HttpRequest, uid: UUID) -> HttpResponse:
    record = share_links.record_of(share_links.revoke_share_link(actor=request.principal, uid=uid))
    messages.success(request, "The link was taken back. Whoever has it open sees what strangers see from now on.")
    return redirect(reverse("share-links", args=[_kind(record), record.uid]))


def log_share_use(request: HttpRequest, status: int) -> None:
    """Log that a page was read by a share link. A failure is logged and spoils no page."""
    match = request.resolver_match
    uid = match.kwargs.get("uid") if match else None
    if status >= 400 or not isinstance(uid, UUID) or request.method not in ("GET", "HEAD"):
        return
    visit = Visit(at=timezone.now(), address=address_of(request), agent=request.headers.get("User-Agent", ""))
    try:
        share_links.note_use(principal=request.principal, uid=uid, path=request.path, visit=visit)
    except Exception:
        logger.exception("the use of a share link could not be logged")


def address_of_record(record: Shared) -> str:
    if isinstance(record, Collection):
        return f"/doi/{record.doi}" if record.doi else reverse("shared-collection", args=[record.uid])
    return f"/{_kind(record)}s/{record.uid}"


def _make(request: HttpRequest, record: Shared, form: ShareLinkForm) -> str:
    """The address of the new link, or nothing where the form is sent back with what is wrong."""
    values = form.cleaned_data
    try:
        _, token = share_links.make_share_link(
            actor=request.principal,
            record=record,
            label=values["label"],
            expires_at=end_of_day(values["expires_on"]),
            hides_people=values["hides_people"],
            allows_files=values["allows_files"],
        )
    except InvalidInput as error:
        show_problems(form, error)
        return ""
    return settings.SITE_URL + reverse("share-open", args=[token])


def _find(kind: str, uid: UUID, request: HttpRequest) -> Shared:
    """The record to be shared; for those who may not share it, it does not exist."""
    nothing = NotFound("There is no such record, or none that you may share.")
    record: Any = None
    try:
        if kind == "investigation":
            record = selectors.find_investigation(uid, request.principal)[0]
        elif kind == "dataset":
            record = selectors.find_dataset(uid, request.principal)[0]
        elif kind == "collection":
            record = collection_selectors.find_editable(uid, request.principal)
    except DomainError:
        raise nothing from None
    if record is None or not share_links.may_share(record, request.principal):
        raise nothing
    return record


def _is_named_in_public(record: Shared) -> bool:
    """Whether strangers may read the names of the team anyway, so that hiding them from a reviewer is a courtesy."""
    if isinstance(record, Investigation | Dataset):
        return access.public_level(record) != access.Level.NOTHING
    return False


def _kind(record: Shared) -> str:
    return type(record).__name__.lower()
