"""Asking to read closed data, the answer, and the page of those who decide who else reads an investigation."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_ratelimit.decorators import ratelimit

from catalogue import access, selectors
from catalogue.access import Level
from catalogue.errors import Gone, InvalidInput, NotFound
from catalogue.models import AccessRequest, Investigation
from catalogue.services import access_requests, grants
from catalogue.services.share_links import end_of_day, links_with_uses, recent_uses
from catalogue.views.forms import show_problems

GRANTS_SHOWN = 200
LINKS_SHOWN = 100
UNTIL = (("open", "until the data open to everyone"), ("day", "until the end of a day (UTC)"))


class RequestForm(forms.Form):
    reason = forms.CharField(
        label="What do you need the data for?",
        max_length=access_requests.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    accepts_terms = forms.BooleanField(label="I agree to these terms")


class UntilForm(forms.Form):
    """How long somebody may read."""

    until = forms.ChoiceField(label="They may read", choices=UNTIL, widget=forms.RadioSelect, initial="open")
    day = forms.DateField(label="That day", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("until") == "day" and not values.get("day"):
            self.add_error("day", "Give the day.")
        return values

    @property
    def expires_at(self) -> datetime | None:
        values = self.cleaned_data
        return end_of_day(values["day"]) if values["until"] == "day" else None


class AnswerForm(UntilForm):
    reason = forms.CharField(
        label="A word to the person", required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed if you refuse.",
    )  # fmt: skip


class GrantForm(UntilForm):
    who = forms.CharField(
        label="Who", max_length=254, help_text="User name, e-mail address or ORCID iD of somebody with an account here."
    )
    reason = forms.CharField(label="Why", max_length=500, required=False, help_text="For your own record.")
    field_order = ("who", "until", "day", "reason")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ratelimit(group="request-access", key="user", rate="30/h", method="POST")
def request_page(request: HttpRequest, kind: str, uid: UUID) -> HttpResponse:
    find = selectors.find_dataset if kind == "dataset" else selectors.find_investigation
    record, level = find(uid, request.principal)
    if access.is_withdrawn(record):
        raise Gone("This record was withdrawn: its data are given to nobody.")
    waiting = access_requests.open_request(record, request.principal)
    if waiting is not None:
        return redirect(access_requests.page_of(waiting))
    form = RequestForm(request.POST or None)
    if form.is_valid():
        try:
            sent = access_requests.request_access(
                actor=request.principal, record=record, level=level, **form.cleaned_data
            )
        except InvalidInput as error:
            show_problems(form, error)
        else:
            messages.success(
                request, "Your request was sent. You find the answer here and, if you have one, by e-mail."
            )
            return redirect(access_requests.page_of(sent))
    context = {"record": record, "path": grants.path_of(record), "form": form, "is_readable": level == Level.FULL}
    return render(request, "catalogue/request_access.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def answer_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    asked = access_requests.find_request(uid, request.principal)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and _act(request, asked, form):
        return redirect(access_requests.page_of(asked))
    record = access_requests.record_of(asked)
    context = {
        "asked": asked,
        "record": record,
        "path": grants.path_of(record),
        "opens_at": access.opens_at(record),
        "form": form,
        "may_decide": asked.is_undecided and access_requests.may_decide(asked, request.principal),
        "is_own": asked.requested_by_id == request.principal.user_id,
    }
    return render(request, "catalogue/access_request.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ratelimit(group="grant-access", key="user", rate="60/h", method="POST")
def access_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Who reads the investigation besides its team, and by what."""
    investigation = _shareable(request, uid)
    form = GrantForm(request.POST or None)
    if form.is_valid() and _grant(request, investigation, form):
        return redirect("investigation-access", uid=uid)
    context = {
        "investigation": investigation,
        "is_open": access.is_open(investigation, now=timezone.now()),
        "requests": access_requests.requests_for(investigation),
        "grants": grants.grants_of(investigation, request.principal)[:GRANTS_SHOWN],
        "links": links_with_uses(investigation)[:LINKS_SHOWN],
        "uses": recent_uses(investigation),
        "form": form,
        "now": timezone.now(),
    }
    return render(request, "catalogue/investigation_access.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def revoke_page(request: HttpRequest, uid: UUID, grant_id: int) -> HttpResponse:
    investigation = _shareable(request, uid)
    grant = grants.find_grant(investigation, request.principal, grant_id)
    grants.revoke_grant(actor=request.principal, grant=grant)
    messages.success(request, f"{grant.user or grant.group} reads these data no longer.")
    return redirect("investigation-access", uid=uid)


def _act(request: HttpRequest, asked: AccessRequest, form: AnswerForm) -> bool:
    """Do what was chosen; False where the form goes back with what is wrong."""
    actor, action = request.principal, request.POST.get("action", "")
    if action == "take-back":
        access_requests.take_back_request(actor=actor, request=asked)
        messages.success(request, "Your request was taken back.")
        return True
    if not form.is_valid():
        return False
    reason = form.cleaned_data["reason"]
    try:
        if action == "grant":
            access_requests.grant_request(actor=actor, request=asked, expires_at=form.expires_at, reason=reason)
        elif action == "refuse":
            access_requests.refuse_request(actor=actor, request=asked, reason=reason)
        else:
            raise InvalidInput("Choose what to do: grant or refuse.")
    except InvalidInput as error:
        show_problems(form, error)
        return False
    messages.success(request, "The person was told of your answer.")
    return True


def _grant(request: HttpRequest, investigation: Investigation, form: GrantForm) -> bool:
    values = form.cleaned_data
    try:
        user = grants.find_account(values["who"])
        if grants.is_read_in_full(investigation, user) and not grants.has_grant(investigation, user):
            raise InvalidInput("Reads it already.", fields={"who": [f"{user} reads this investigation already."]})
        grants.grant_access(
            actor=request.principal,
            record=investigation,
            user=user,
            expires_at=form.expires_at,
            reason=values["reason"],
        )
    except InvalidInput as error:
        show_problems(form, error)
        return False
    messages.success(request, f"{user} may read these data now, and was told so.")
    return True


def _shareable(request: HttpRequest, uid: UUID) -> Investigation:
    """The investigation, for those who decide who reads it; for others the page does not exist."""
    investigation, _ = selectors.find_investigation(uid, request.principal)
    if not access.may_share_in(investigation, request.principal):
        raise NotFound("There is nothing at this address, or nothing that you may see.")
    return investigation
