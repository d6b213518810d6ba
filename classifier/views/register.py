"""Images of an upload are sent to a storage and registered, in one step."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from catalogue.errors import DomainError
from catalogue.models import Investigation, Storage
from catalogue.services.drafts import registrable_investigations
from catalogue.services.storages import usable_storages
from classifier import selectors
from classifier.models import Image, Submission
from classifier.services.registering import Registration, default_folder, register_images
from classifier.services.releases import active_release
from classifier.views.common import private_page, viewer_of

MOST_CHOICES = 200


def uids_of(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(UUID(text))
    return found


class RegisterForm(forms.Form):
    """Where to, and how it is called. What may be chosen is given by the view."""

    investigation = forms.ChoiceField(help_text="The session in which the images were taken.")
    storage = forms.ChoiceField(
        help_text="The files are copied there: a folder of the facility, your NextCloud, or your S3 bucket."
    )
    folder = forms.CharField(
        max_length=400, required=False, help_text="Left empty: the folder of the investigation's team in the storage."
    )
    title = forms.CharField(max_length=300, help_text="Public, even while the data are under embargo.")
    description = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), required=False, help_text="Public, like the title."
    )
    sample = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, investigations: Iterable[Investigation], storages: Iterable[Storage], **more: Any):
        super().__init__(*args, **more)
        self.investigations = {str(one.uid): one for one in investigations}
        self.storages = {str(one.uid): one for one in storages}
        self.fields["investigation"].choices = [  # type: ignore[attr-defined]
            (uid, f"{one.visit_id}: {one.title}") for uid, one in self.investigations.items()
        ]
        self.fields["storage"].choices = [  # type: ignore[attr-defined]
            (uid, f"{one.name} ({one.get_kind_display()})") for uid, one in self.storages.items()
        ]

    def registration(self) -> Registration:
        values = self.cleaned_data
        investigation = self.investigations[values["investigation"]]
        storage = self.storages[values["storage"]]
        return Registration(
            investigation=investigation,
            storage=storage,
            folder=values["folder"].strip() or default_folder(storage, investigation),
            title=values["title"],
            description=values["description"],
            sample=values["sample"],
        )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def register_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    submission = selectors.find_submission(viewer_of(request), uid, now=timezone.now())
    values = request.POST if request.method == "POST" else request.GET
    if request.method == "POST" and (dataset := _registered_before(submission, values.getlist("image"))):
        return redirect("dataset", dataset)
    images = _chosen(list(submission.images.filter(registered_as__isnull=True)), values.getlist("image"))
    form = RegisterForm(
        request.POST or None,
        initial={"title": images[0].name.rpartition(".")[0] if len(images) == 1 else ""},
        investigations=registrable_investigations(request.principal)[:MOST_CHOICES],
        storages=usable_storages(request.principal),
    )
    if request.method == "POST" and form.is_valid():
        try:
            dataset = register_images(
                actor=request.principal, submission=submission, images=images, wanted=form.registration()
            )
        except DomainError as error:
            _show(form, error)
        else:
            return redirect("dataset", dataset.uid)
    context = {
        "submission": submission,
        "views": selectors.views_of(images[:MOST_CHOICES], active_release()),
        "count": len(images),
        "form": form,
    }
    return private_page(request, "classifier/register.html", context, status=422 if form.errors else 200)


def _registered_before(submission: Submission, texts: list[str]) -> UUID | None:
    """The dataset that these images became already, when the form was sent twice."""
    chosen = submission.images.filter(uid__in=uids_of(texts))
    datasets = set(chosen.values_list("registered_as__dataset__uid", flat=True))
    return datasets.pop() if len(datasets) == 1 else None


def _chosen(images: list[Image], texts: list[str]) -> list[Image]:
    """Those that were ticked; all of them where none was named."""
    wanted = set(uids_of(texts))
    return [image for image in images if image.uid in wanted] if texts else images


def _show(form: RegisterForm, error: DomainError) -> None:
    for name, texts in error.fields.items():
        form.add_error(name if name in form.fields else None, list(texts))
    if not error.fields:
        form.add_error(None, error.message)
