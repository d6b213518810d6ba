"""Withdrawal by a curator: a page that says what goes from view and what stays, and does it after a second confirmation."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalogue import selectors
from catalogue.errors import InvalidInput
from catalogue.interop.citation import citation
from catalogue.models import Dataset
from catalogue.services.authority import check_curator
from catalogue.services.withdrawals import LONGEST_REASON, withdraw_dataset, withdraw_investigation
from catalogue.views.forms import show_problems


class WithdrawalForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Public, on the page that stays. Name no person in it.",
    )
    is_understood = forms.BooleanField(
        label="I know that the data go from view at once, for everyone but curators.",
        error_messages={"required": "Nothing was withdrawn. Confirm that you know what goes from view."},
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_page(request: HttpRequest, kind: str, uid: UUID) -> HttpResponse:
    find = selectors.find_dataset if kind == "dataset" else selectors.find_investigation
    row, _ = find(uid, request.principal)
    check_curator(request.principal, act="withdraw records")
    form = WithdrawalForm(request.POST or None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            if isinstance(row, Dataset):
                withdraw_dataset(actor=request.principal, dataset=row, reason=reason)
            else:
                withdraw_investigation(actor=request.principal, investigation=row, reason=reason)
        except InvalidInput as error:
            show_problems(form, error)
        else:
            messages.success(request, "Withdrawn. The page stays, with the reason.")
            return redirect(kind, uid)
    read = selectors.get_dataset_record if kind == "dataset" else selectors.get_investigation_record
    record = read(uid, request.principal)
    context = {
        "record": record,
        "kind": kind,
        "citation": citation(record, site_url=settings.SITE_URL),
        "form": form,
    }
    return render(request, "catalogue/withdraw.html", context, status=422 if form.errors else 200)
