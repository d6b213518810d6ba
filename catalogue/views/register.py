"""Registration by hand, in pages that can be left and come back to: describe, choose files, check."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.errors import DomainError
from catalogue.models import Datafile, Investigation, Licence, RegistrationDraft, Storage, Technique
from catalogue.models.datasets import DatasetKind
from catalogue.services import drafts
from catalogue.services.previews import preview_file
from catalogue.services.storages import list_folder, usable_storages
from catalogue.storages import Page
from catalogue.views.corrections import correction_groups, posted_corrections, values_to_type

MOST_SUGGESTIONS = 200


class DescriptionForm(forms.Form):
    """What a person says of a measurement. Suggestions are datalists, so that free text stays possible where it makes sense."""

    investigation = forms.ChoiceField()
    title = forms.CharField(max_length=500, help_text="Public, also while the data are under embargo.")
    kind = forms.ChoiceField(choices=DatasetKind.choices, initial=DatasetKind.RAW)
    description = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), required=False)
    technique = forms.ChoiceField(required=False)
    sample = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs={"list": "samples"}))
    acquired_at = forms.DateTimeField(
        label="Measured at", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    licence = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, investigations: list, is_draft_only: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        choices = [(str(one.uid), f"{one.visit_id}: {one.title}") for one in investigations]
        self.fields["investigation"].choices = [("", "Choose…"), *choices]
        techniques = Technique.objects.values_list("iri", "label")
        self.fields["technique"].choices = [("", "Read from the files"), *techniques]
        licences = Licence.objects.values_list("spdx_id", "name")
        self.fields["licence"].choices = [("", "As the investigation"), *licences]
        if is_draft_only:
            for field in self.fields.values():
                field.required = False


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def register_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        draft = drafts.start_draft(actor=request.principal, has_files=request.POST.get("start") == "files")
        return redirect("register-describe", draft.uid)
    return render(request, "catalogue/register.html", {"drafts": draft_links(request)})


def draft_links(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "title": draft.content.get("description", {}).get("title", ""),
            "updated_at": draft.updated_at,
            "url": reverse("register-describe", args=[draft.uid]),
            "remove_url": reverse("register-remove", args=[draft.uid]),
        }
        for draft in drafts.own_drafts(request.principal)[: drafts.MOST_DRAFTS]
    ]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def describe_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    draft = drafts.find_draft(uid, request.principal)
    investigations = list(drafts.registrable_investigations(request.principal)[:MOST_SUGGESTIONS])
    is_saving_only = request.POST.get("action") == "save"
    form = DescriptionForm(
        request.POST or None,
        initial=draft.content.get("description", {}),
        investigations=investigations,
        is_draft_only=is_saving_only,
    )
    if request.method == "POST":
        drafts.save_description(actor=request.principal, draft=draft, values=request.POST)
        if form.is_valid():
            return redirect(_after_description(draft, is_saving_only))
    context = {
        "form": form,
        "steps": _steps(draft, "Describe"),
        "suggestions": [{"id": "samples", "values": _sample_names(draft, request)}],
        "has_no_investigation": not investigations,
    }
    return render(request, "catalogue/register_describe.html", context, status=422 if form.errors else 200)


def _after_description(draft: RegistrationDraft, is_saving_only: bool) -> str:
    if is_saving_only:
        return reverse("dashboard")
    return reverse("register-files" if draft.content.get("has_files") else "register-check", args=[draft.uid])


def _sample_names(draft: RegistrationDraft, request: HttpRequest) -> list[str]:
    investigation = drafts.investigation_of(draft, request.principal)
    return list(investigation.samples.values_list("name", flat=True)[:MOST_SUGGESTIONS]) if investigation else []


def _steps(draft: RegistrationDraft, current: str) -> list[dict[str, Any]]:
    titles = ["Describe", "Choose files", "Check"] if draft.content.get("has_files") else ["Describe", "Check"]
    place = titles.index(current)
    return [{"title": title, "is_done": i < place, "is_current": i == place} for i, title in enumerate(titles)]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def files_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    draft = drafts.find_draft(uid, request.principal)
    investigation = drafts.investigation_of(draft, request.principal)
    if investigation is None:
        return redirect("register-describe", draft.uid)
    storages = [row for row in usable_storages(request.principal) if _fits(row, investigation)]
    values = request.POST if request.method == "POST" else request.GET
    chosen = next((row for row in storages if str(row.uid) == values.get("storage")), storages[0] if storages else None)
    context: dict[str, Any] = {
        "steps": _steps(draft, "Choose files"),
        "storages": storages,
        "chosen_storage": chosen,
        "draft": draft,
    }
    if chosen is None:
        return render(request, "catalogue/register_files.html", context)
    if request.method == "POST":
        _keep_chosen(request, draft, chosen)
        wants_more = request.POST.get("action") == "more"
        return redirect(request.get_full_path() if wants_more else reverse("register-check", args=[draft.uid]))
    return render(request, "catalogue/register_files.html", context | _folder(request, draft, chosen))


def _fits(storage: Storage, investigation: Investigation) -> bool:
    """A storage that belongs to an instrument holds data of that instrument only."""
    return storage.owner_id is not None or storage.instrument_id in (None, investigation.instrument_id)


def _folder(request: HttpRequest, draft: RegistrationDraft, storage: Storage) -> dict[str, Any]:
    """One page of a folder; a storage that does not answer is a notice on the page, not an error."""
    folder = request.GET.get("folder", "")
    try:
        page = _entries(request, storage)
    except DomainError as error:
        return {"problem": error.message, "entries": []}
    paths = [entry.path for entry in page.entries]
    taken = set(Datafile.objects.filter(storage=storage, path__in=paths).values_list("path", flat=True))
    chosen = {file["path"] for file in draft.content.get("files", []) if file["storage"] == str(storage.uid)}
    entries = [
        {
            "path": entry.path,
            "name": entry.path.rsplit("/", 1)[-1],
            "is_folder": entry.is_folder,
            "size": entry.size,
            "modified_at": entry.modified_at,
            "is_chosen": entry.path in chosen,
            "is_registered": entry.path in taken,
        }
        for entry in page.entries
    ]
    return {"entries": entries, "next_cursor": page.next_cursor, "crumbs": _crumbs(folder)}


def _entries(request: HttpRequest, storage: Storage) -> Page:
    folder, cursor = request.GET.get("folder", ""), request.GET.get("cursor") or None
    return list_folder(principal=request.principal, row=storage, prefix=folder, cursor=cursor)


def _crumbs(folder: str) -> list[dict[str, str]]:
    parts = [part for part in folder.split("/") if part]
    return [{"name": part, "path": "/".join(parts[: place + 1])} for place, part in enumerate(parts)]


def _keep_chosen(request: HttpRequest, draft: RegistrationDraft, storage: Storage) -> None:
    """Keep what was ticked on this page of a folder, beside what was chosen in others."""
    shown = {(str(storage.uid), path) for path in request.POST.getlist("shown")}
    files = [file for file in draft.content.get("files", []) if (file["storage"], file["path"]) not in shown]
    known = {(file["storage"], file["path"]) for file in files}
    listed = _listed(request, storage)
    for path in dict.fromkeys(request.POST.getlist("path")):
        if (str(storage.uid), path) not in known:
            files.append({"storage": str(storage.uid), "path": path, **listed.get(path, {})})
    drafts.save_files(actor=request.principal, draft=draft, files=files)


def _listed(request: HttpRequest, storage: Storage) -> dict[str, dict[str, Any]]:
    """Size and time of the files of this page of a folder, as the storage states them; nothing when it does not answer."""
    with suppress(DomainError):
        return {
            entry.path: {
                "size": entry.size,
                "modified_at": entry.modified_at.isoformat() if entry.modified_at else None,
            }
            for entry in _entries(request, storage).entries
        }
    return {}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def check_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    draft = drafts.find_draft(uid, request.principal)
    problems: dict[str, Any] = {}
    if request.method == "POST":
        drafts.save_corrections(actor=request.principal, draft=draft, corrections=posted_corrections(request))
        if request.POST.get("action") == "save":
            return redirect("dashboard")
        try:
            dataset = drafts.register_draft(actor=request.principal, draft=draft)
        except DomainError as error:
            problems = {"detail": error.message, "fields": dict(error.fields)}
        else:
            return redirect("dataset", dataset.uid)
    context = _what_was_read(request, draft) | {"steps": _steps(draft, "Check"), "problems": problems, "draft": draft}
    return render(request, "catalogue/register_review.html", context, status=422 if problems else 200)


def _team_names(investigation: Investigation) -> str:
    return ", ".join(str(member.person) for member in investigation.team.select_related("person")) or "—"


def _what_was_read(request: HttpRequest, draft: RegistrationDraft) -> dict[str, Any]:
    """The metadata of the first chosen file, read now within the sandbox's limits; nothing of it is stored."""
    investigation = drafts.investigation_of(draft, request.principal)
    files = draft.content.get("files", [])
    values = draft.content.get("description", {})
    summary = [
        {
            "label": "Investigation",
            "text": f"{investigation.visit_id}: {investigation.title}" if investigation else "—",
        },
        {"label": "Instrument", "text": investigation.instrument.name if investigation else "—"},
        {"label": "People", "text": _team_names(investigation) if investigation else "—"},
        {"label": "Title", "text": values.get("title") or "—"},
        {"label": "Files", "text": ", ".join(file["path"].rsplit("/", 1)[-1] for file in files[:10]) or "none"},
    ]
    corrections = draft.content.get("corrections", {})
    if not files or investigation is None:
        return {"summary": summary, "groups": correction_groups(values_to_type(), corrections), "is_typed": True}
    found = preview_file(
        principal=request.principal, investigation=investigation, storage_uid=files[0]["storage"], path=files[0]["path"]
    )
    return {"summary": summary, "groups": correction_groups(found.values, corrections), "notes": found.notes}


@login_required
@require_POST
def remove_draft(request: HttpRequest, uid: UUID) -> HttpResponse:
    drafts.remove_draft(actor=request.principal, draft=drafts.find_draft(uid, request.principal))
    return redirect("dashboard")
