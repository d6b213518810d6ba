"""A person's API tokens: made, shown once, and revoked."""

from datetime import timedelta

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalogue.access import SCOPES
from catalogue.errors import NotFound
from catalogue.services.tokens import create_token, revoke_token

LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "a year"))


class TokenForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Where you will use it, so that you know it again.")
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=list(SCOPES.items()),
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(label="It ends after", choices=LIFETIMES, coerce=int)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens_page(request: HttpRequest) -> HttpResponse:
    if "revoke" in request.POST:
        return _revoke(request)
    form = TokenForm(request.POST or None)
    new_token = ""
    if form.is_valid():
        new_token = _create(request, form)
        form = TokenForm()
    context = {"tokens": request.user.api_tokens.all(), "form": form, "new_token": new_token}
    return render(request, "catalogue/tokens.html", context, status=422 if form.errors else 200)


def _create(request: HttpRequest, form: TokenForm) -> str:
    values = form.cleaned_data
    _, text = create_token(
        actor=request.principal,
        owner=request.user,
        name=values["name"],
        scopes=values["scopes"],
        lifetime=timedelta(days=values["days"]),
    )
    return text


def _revoke(request: HttpRequest) -> HttpResponse:
    if not request.POST["revoke"].isdecimal():
        raise NotFound("There is no such token.")
    revoke_token(actor=request.principal, token_id=int(request.POST["revoke"]))
    return redirect("tokens")
