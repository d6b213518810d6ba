"""Release, longer embargo and withdrawal: pages that say exactly what will happen before anything does."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalogue import access, embargo_selectors, selectors
from catalogue.embargo_selectors import EmbargoPanel
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import ExtensionRequest, Investigation
from catalogue.services.authority import is_leader
from catalogue.services.embargoes import latest_own_end, set_dataset_embargo
from catalogue.services.extensions import grant_extension, refuse_extension, request_extension, take_back_extension
from catalogue.services.releases import check_not_withdrawn, release_datasets, release_investigation
from catalogue.views.forms import show_problems

DATASETS_TO_CHOOSE = 100
DATASETS_AT_ONCE = 1000


class ReleaseForm(forms.Form):
    is_understood = forms.BooleanField(
        label="I have read what becomes public, and know that it cannot be undone.",
        error_messages={"required": "Nothing was released. Confirm that you know what becomes public."},
    )


class ExtensionForm(forms.Form):
    until = forms.DateField(label="Keep the data closed until", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="Why more time is needed", max_length=2000, widget=forms.Textarea(attrs={"rows": 5}))


class OwnEmbargoForm(forms.Form):
    until = forms.DateField(label="Open from", widget=forms.DateInput(attrs={"type": "date"}))


class DecisionForm(forms.Form):
    until = forms.DateField(
        label="Closed until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="As asked for, or a day before it.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The team reads it. Needed to refuse, and to grant less than was asked for.",
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def release_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The whole investigation, or the datasets named by `dataset`. A POST releases them when it says `release`."""
    investigation = _releasable(request, uid)
    chosen = _chosen_uids(request)
    is_final = request.POST.get("action") == "release"
    form = ReleaseForm(request.POST if is_final else None)
    if is_final and form.is_valid():
        return _release(request, investigation, chosen)
    now = timezone.now()
    followers = embargo_selectors.followers_within(investigation, chosen, now=now) if chosen else []
    context = {
        "investigation": investigation,
        "panel": embargo_selectors.embargo_panel(investigation, request.principal, now=now),
        "opening": embargo_selectors.what_becomes_public(
            investigation, principal=request.principal, now=now, uids=chosen or None
        ),
        "chosen": chosen,
        "followers": followers,
        "is_follower_ticked": not is_final,
        "form": form,
    }
    return render(request, "catalogue/release.html", context, status=422 if form.errors else 200)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD"])
def choose_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The closed datasets of an investigation, to choose those that are to be released."""
    investigation = _releasable(request, uid)
    datasets = embargo_selectors.closed_datasets(investigation, now=timezone.now()).order_by("pk")
    if (cursor := request.GET.get("cursor", "")).isdecimal():
        datasets = datasets.filter(pk__gt=int(cursor[:18]))
    rows = list(datasets[: DATASETS_TO_CHOOSE + 1])
    next_cursor = str(rows[DATASETS_TO_CHOOSE - 1].pk) if len(rows) > DATASETS_TO_CHOOSE else ""
    page = {"records": rows[:DATASETS_TO_CHOOSE], "next_cursor": next_cursor}
    return render(request, "catalogue/release_choose.html", {"investigation": investigation, "page": page})


def _releasable(request: HttpRequest, uid: UUID) -> Investigation:
    investigation, _ = selectors.find_investigation(uid, request.principal)
    embargo_selectors.check_may_release(investigation, request.principal)
    check_not_withdrawn(investigation)
    return investigation


def _chosen_uids(request: HttpRequest) -> list[UUID]:
    try:
        uids = [UUID(text) for text in (request.POST or request.GET).getlist("dataset")]
    except ValueError:
        raise InvalidInput("A dataset is named by its identifier.") from None
    if len(uids) > DATASETS_AT_ONCE:
        raise InvalidInput(f"Release at most {DATASETS_AT_ONCE} datasets at once, or the whole investigation.")
    return list(dict.fromkeys(uids))


def _release(request: HttpRequest, investigation: Investigation, chosen: list[UUID]) -> HttpResponse:
    """What derives from the chosen data and was not ticked stays closed."""
    if chosen:
        followers = embargo_selectors.followers_within(investigation, chosen, now=timezone.now())
        count = release_datasets(
            actor=request.principal,
            investigation=investigation,
            uids=chosen,
            stays_closed=[follower.uid for follower in followers],
        )
        messages.success(request, f"{count} dataset{' is' if count == 1 else 's are'} open to everyone now.")
    else:
        release_investigation(actor=request.principal, investigation=investigation)
        messages.success(request, "The investigation is open to everyone now.")
    return redirect("investigation", investigation.uid)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def extension_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    investigation, _ = selectors.find_investigation(uid, request.principal)
    panel = embargo_selectors.embargo_panel(investigation, request.principal, now=timezone.now())
    if panel is None:
        raise NotAllowed("Only the team and curators see how long the data stay closed, and why.")
    check_not_withdrawn(investigation)
    form = ExtensionForm(request.POST or None)
    form.fields["until"].widget.attrs |= {"min": panel.embargo_until.date(), "max": panel.latest.date()}
    if request.method == "POST" and _act_on_extension(request, investigation, panel, form):
        return redirect("extension", uid)
    context = {
        "investigation": investigation,
        "panel": panel,
        "requests": embargo_selectors.extension_requests_of(investigation, request.principal),
        "form": form,
        "may_take_back": panel.request is not None and is_leader(investigation, request.principal),
        "has_passed": panel.embargo_until <= timezone.now(),
    }
    return render(request, "catalogue/extension.html", context, status=422 if form.errors else 200)


def _act_on_extension(
    request: HttpRequest, investigation: Investigation, panel: EmbargoPanel, form: ExtensionForm
) -> bool:
    """Ask or take back; False where the form goes back with what is wrong."""
    if request.POST.get("action") == "take-back":
        if panel.request is None:
            raise Conflict("There is no open request.", code="already-decided")
        take_back_extension(actor=request.principal, request=panel.request)
        messages.success(request, "Your request was taken back.")
        return True
    if not form.is_valid():
        return False
    until = moment_on(form.cleaned_data["until"], like=panel.embargo_until, latest=panel.latest)
    reason = form.cleaned_data["reason"]
    try:
        request_extension(actor=request.principal, investigation=investigation, until=until, reason=reason)
    except InvalidInput as error:
        show_problems(form, error)
        return False
    messages.success(request, "Your request was sent to the curators. You will be told what they decide.")
    return True


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def decision_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A curator grants, shortens or refuses."""
    asked = embargo_selectors.find_extension_request(uid, request.principal)
    form = DecisionForm(request.POST or None, initial={"until": asked.until.date()})
    form.fields["until"].widget.attrs |= {"max": asked.until.date()}
    if request.method == "POST" and form.is_valid() and _decide(request, asked, form):
        return redirect("curate-extension", uid)
    investigation = asked.investigation
    context = {
        "asked": asked,
        "investigation": investigation,
        "panel": embargo_selectors.embargo_panel(investigation, request.principal, now=timezone.now()),
        "earlier": [
            one
            for one in embargo_selectors.extension_requests_of(investigation, request.principal)
            if one.pk != asked.pk
        ],
        "form": form,
        "is_own": asked.requested_by_id == request.principal.user_id,
        "has_passed": investigation.embargo_until <= timezone.now(),
    }
    return render(request, "catalogue/extension_decision.html", context, status=422 if form.errors else 200)


def _decide(request: HttpRequest, asked: ExtensionRequest, form: DecisionForm) -> bool:
    reason, actor = form.cleaned_data["reason"], request.principal
    try:
        match request.POST.get("action"):
            case "grant":
                until = moment_on(form.cleaned_data["until"], like=asked.until, latest=asked.until)
                grant_extension(actor=actor, request=asked, until=until, reason=reason)
            case "refuse":
                refuse_extension(actor=actor, request=asked, reason=reason)
            case _:
                raise InvalidInput("Choose what to do: grant or refuse.")
    except InvalidInput as error:
        show_problems(form, error)
        return False
    messages.success(request, "Decided. The team is told.")
    return True


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def dataset_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """An embargo of its own for one dataset, in place of that of its investigation."""
    dataset, _ = selectors.find_dataset(uid, request.principal)
    embargo_selectors.check_may_release(dataset.investigation, request.principal)
    check_not_withdrawn(dataset.investigation)
    now, opens_at = timezone.now(), access.opens_at(dataset)
    latest = latest_own_end(dataset, request.principal)
    form = OwnEmbargoForm(request.POST or None, initial={"until": opens_at.date()})
    form.fields["until"].widget.attrs |= {"min": (now + timedelta(days=1)).date(), "max": latest.date()}
    if form.is_valid():
        until = moment_on(form.cleaned_data["until"], like=opens_at, latest=latest)
        try:
            set_dataset_embargo(actor=request.principal, dataset=dataset, until=until)
        except InvalidInput as error:
            show_problems(form, error)
        else:
            messages.success(request, f"The dataset opens on {until.day} {until:%B %Y, %H:%M} UTC.")
            return redirect("dataset", uid)
    context = {
        "dataset": dataset,
        "investigation": dataset.investigation,
        "opens_at": opens_at,
        "opens_with_all": access.opens_at(dataset.investigation),
        "is_closed": not access.is_open(dataset, now=now) and not access.is_withdrawn(dataset),
        "latest": latest,
        "form": form,
    }
    return render(request, "catalogue/dataset_embargo.html", context, status=422 if form.errors else 200)


def moment_on(day: date, *, like: datetime, latest: datetime) -> datetime:
    """The moment on `day` at the time of `like`, in UTC; on the last possible day no later than `latest`."""
    moment = datetime.combine(day, like.astimezone(UTC).timetz())
    return min(moment, latest) if day == latest.astimezone(UTC).date() else moment


def extension_list(request: HttpRequest) -> list[dict[str, Any]]:
    """What waits for a curator, with the moment at which the data open if nobody decides."""
    return [
        {"asked": one, "opens_at": one.investigation.held_until or one.investigation.embargo_until}
        for one in embargo_selectors.open_extension_requests(request.principal)
    ]
