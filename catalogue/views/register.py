"""Registration by hand, in pages that can be left and come back to: describe, choose files, check."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from catalogue.errors import DomainError
from catalogue.models import Datafile, Investigation, RegistrationDraft, Storage
from catalogue.services import drafts
from catalogue.services.investigations import may_change_team
from catalogue.services.previews import preview_file
from catalogue.services.storages import list_folder, usable_storages
from catalogue.storages import Page
from catalogue.views.corrections import correction_groups, posted_corrections, values_to_type
from catalogue.views.register_forms import DescriptionForm, PersonForm

MOST_SUGGESTIONS = 200


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
    if request.method == "POST":
        return _save_description(request, draft)
    description = draft.content.get("description", {})
    at_instrument = drafts.registrable_investigations(request.principal, instrument=description.get("instrument", ""))
    form = DescriptionForm(initial=description, investigations=at_instrument[:MOST_SUGGESTIONS])
    return _show_description(request, draft, form, PersonForm())


def _save_description(request: HttpRequest, draft: RegistrationDraft) -> HttpResponse:
    action = request.POST.get("action")
    drafts.save_description(actor=request.principal, draft=draft, values=request.POST)
    if action == "refresh":
        return redirect("register-describe", draft.uid)
    investigations = drafts.registrable_investigations(request.principal)[:MOST_SUGGESTIONS]
    form = DescriptionForm(request.POST, investigations=investigations, is_draft_only=action in ("save", "add-person"))
    people = PersonForm(request.POST if action == "add-person" else None)
    if action == "add-person" and people.is_valid() and _add_person(request, draft, people):
        return redirect("register-describe", draft.uid)
    if action != "add-person" and form.is_valid():
        return redirect(_after_description(draft, is_saving_only=action == "save"))
    return _show_description(request, draft, form, people)


def _add_person(request: HttpRequest, draft: RegistrationDraft, form: PersonForm) -> bool:
    text, role = form.cleaned_data["person"], form.cleaned_data["person_role"]
    try:
        drafts.add_person(actor=request.principal, draft=draft, text=text, role=role)
    except DomainError as error:
        form.add_error("person", error.message)
        return False
    return True


def _show_description(
    request: HttpRequest, draft: RegistrationDraft, form: DescriptionForm, people: PersonForm
) -> HttpResponse:
    investigation = drafts.investigation_of(draft, request.principal)
    found = drafts.suggestions(request.principal, investigation, most=MOST_SUGGESTIONS)
    context = {
        "form": form,
        "people_form": people,
        "investigation": investigation,
        "team": list(investigation.team.select_related("person")) if investigation else (),
        "may_change_team": investigation and may_change_team(investigation, request.principal),
        "steps": _steps(draft, "Describe"),
        "suggestions": [{"id": name, "values": values} for name, values in found.items()],
        "has_no_investigation": not drafts.registrable_investigations(request.principal).exists(),
    }
    status = 422 if form.errors or people.errors else 200
    return render(request, "catalogue/register_describe.html", context, status=status)


def _after_description(draft: RegistrationDraft, *, is_saving_only: bool) -> str:
    if is_saving_only:
        return reverse("dashboard")
    return reverse("register-files" if draft.content.get("has_files") else "register-check", args=[draft.uid])


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
