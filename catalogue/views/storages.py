"""Storages declared, checked and switched off: a person's own NextCloud or S3 bucket, for administrators those of the site."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.errors import DomainError, NotFound
from catalogue.models import Instrument, Storage
from catalogue.models.storages import StorageKind
from catalogue.services.storages import change_storage, check_storage, declare_storage


class StorageForm(forms.Form):
    name = forms.CharField(max_length=100)
    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in (StorageKind.WEBDAV, StorageKind.S3)])
    location = forms.CharField(
        max_length=500, help_text="https://cloud.example.org/remote.php/dav/files/me, or s3://bucket/folder"
    )
    endpoint = forms.URLField(required=False, assume_scheme="https", help_text="Of an S3 service that is not Amazon's")
    region = forms.CharField(max_length=40, required=False)
    username = forms.CharField(max_length=200, required=False, help_text="User name, or access key id")
    secret = forms.CharField(
        required=False,
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="An app password, or the secret key. It is kept encrypted and never shown again.",
    )


class SiteStorageForm(StorageForm):
    """What administrators declare: any kind of storage, for the instrument that writes there."""

    kind = forms.ChoiceField(choices=StorageKind.choices)
    instrument = forms.ModelChoiceField(
        Instrument.objects.all(), required=False, help_text="Then it holds data of this instrument only."
    )
    member_folder = forms.CharField(
        max_length=200,
        required=False,
        help_text="Below which team members may register files, for example {visit_id}. Left empty, they may not.",
    )
    is_private_network_allowed = forms.BooleanField(required=False, label="It lies in a private network")


def own_storages(request: HttpRequest) -> QuerySet[Storage]:
    """Those that this person declared; an administrator's are the site's."""
    if request.principal.is_administrator:
        return Storage.objects.filter(owner__isnull=True)
    return Storage.objects.filter(owner_id=request.principal.user_id, owner__isnull=False)


def own_storage(request: HttpRequest, uid: UUID) -> Storage:
    row = own_storages(request).filter(uid=uid).first()
    if row is None:
        raise NotFound("You have no such storage.")
    return row


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def storages_page(request: HttpRequest) -> HttpResponse:
    form = (SiteStorageForm if request.principal.is_administrator else StorageForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = declare_storage(actor=request.principal, **form.cleaned_data)
        except DomainError as error:
            _show_error(form, error)
        else:
            _check(request, row)
            return redirect("storages")
    context = {"storages": own_storages(request), "form": form}
    return render(request, "catalogue/storages.html", context, status=422 if form.errors else 200)


def _show_error(form: StorageForm, error: DomainError) -> None:
    for name, texts in error.fields.items():
        form.add_error(name if name in form.fields else None, list(texts))
    if not error.fields:
        form.add_error(None, error.message)


@login_required
@require_POST
def check_now(request: HttpRequest, uid: UUID) -> HttpResponse:
    _check(request, own_storage(request, uid))
    return redirect("storages")


def _check(request: HttpRequest, row: Storage) -> None:
    checked = check_storage(actor=request.principal, row=row)
    messages.info(request, f"{checked.name}: {checked.get_state_display()}. {checked.state_text}".strip())


@login_required
@require_POST
def switch_storage(request: HttpRequest, uid: UUID) -> HttpResponse:
    row = own_storage(request, uid)
    change_storage(actor=request.principal, uid=row.uid, is_active=not row.is_active)
    return redirect("storages")
