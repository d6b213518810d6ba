"""Two pages of the wizard that write a PublicationText: describe, and people and funding. Each saves on every step and of
itself; on what is published already they make a correction, which is saved only as a whole.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalogue.collection_selectors import find_editable, text_of
from catalogue.errors import InvalidInput, StaleVersion
from catalogue.models import Collection, Technique
from catalogue.models.collections import CollectionState
from catalogue.publication import PublicationText
from catalogue.publication_checks import find_problems
from catalogue.services.collection_prefill import subject_named
from catalogue.services.collections import add_team_as_authors, correct_text, save_text, text_tag
from doi.forms import DESCRIBE, PEOPLE, Page, Posted, apply_action, plain_inputs, read_posted, rows_of
from doi.views.steps import LABELS, Problems, all_problems, filled_in, is_htmx, of_page, steps_of

MOST_SUGGESTIONS = 1000
NEXT = {"doi-describe": "doi-people", "doi-people": "doi-review"}
TITLES = {"doi-describe": "Describe", "doi-people": "People and funding"}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def describe_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _text_page(request, uid, DESCRIBE, "doi-describe")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _text_page(request, uid, PEOPLE, "doi-people")


def _text_page(request: HttpRequest, uid: UUID, page: Page, route: str) -> HttpResponse:
    collection = find_editable(uid, request.principal)
    if collection.state not in (CollectionState.DRAFT, CollectionState.PUBLISHED):
        return redirect("doi-draft", uid)
    if request.method == "POST":
        save = _save_draft if collection.state == CollectionState.DRAFT else _save_correction
        return save(request, collection, page, route)
    text = text_of(collection)
    problems = of_page(page, all_problems(collection))
    shown = problems if "check" in request.GET else filled_in(text, problems)
    return _show(request, collection, page, route, text=text, problems=shown)


def _read(request: HttpRequest, page: Page) -> Posted:
    """What was sent, after what the pressed button does; a keyword that was typed and not yet added is added."""
    posted = read_posted(page, request.POST.dict())
    apply_action(posted, request.POST.get("action", ""))
    term = request.POST.get("new_subject", "").strip()
    if term and "subjects" in page.lists and not is_htmx(request):
        posted.changes["subjects"].append(vars(subject_named(term)))
        posted.anchor = "subjects-list"
    return posted


def _save_draft(request: HttpRequest, collection: Collection, page: Page, route: str) -> HttpResponse:
    posted, action = _read(request, page), request.POST.get("action", "")
    try:
        seen = request.POST.get("seen", "")
        save_text(actor=request.principal, collection=collection, changes=posted.changes, seen=seen)
    except StaleVersion:
        return _show_conflict(request, collection, page, route, posted)
    if is_htmx(request):
        return _saved(request, collection, page)
    if action == "team":
        add_team_as_authors(actor=request.principal, collection=collection)
    text = text_of(collection)
    wrong = filled_in(text, of_page(page, find_problems(text)))
    if action == "next" and wrong:
        return _show(
            request, collection, page, route, text=text, problems=wrong, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )
    if action == "next":
        return redirect(NEXT[route], collection.uid)
    if action == "leave":
        return redirect("dashboard")
    anchor = f"#{posted.anchor}" if posted.anchor else ""
    return redirect(reverse(route, args=[collection.uid]) + anchor)


def _save_correction(request: HttpRequest, collection: Collection, page: Page, route: str) -> HttpResponse:
    """Rows are added and moved on the page only; what is published changes in one step, and complete."""
    posted, seen = _read(request, page), request.POST.get("seen", "")
    text = PublicationText.from_json(text_of(collection).to_json() | posted.changes)
    if request.POST.get("action") != "correct":
        return _show(request, collection, page, route, text=text, problems=find_problems(text), seen=seen)
    try:
        correct_text(actor=request.principal, collection=collection, changes=posted.changes, seen=seen)
    except StaleVersion:
        return _show_conflict(request, collection, page, route, posted)
    except InvalidInput as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _show(request, collection, page, route, text=text, problems=error.fields, seen=seen, status=status)
    messages.success(request, "The correction is saved. DataCite and the landing page follow.")
    return redirect("doi-draft", collection.uid)


def _show_conflict(
    request: HttpRequest, collection: Collection, page: Page, route: str, posted: Posted
) -> HttpResponse:
    """Both versions: the form holds what was typed, beside each differing field stands what was saved meanwhile."""
    current = text_of(collection)
    if is_htmx(request):
        return render(request, "doi/saved.html", {"is_conflict": True, "seen": request.POST.get("seen", "")})
    text = PublicationText.from_json(current.to_json() | posted.changes)
    differing = [
        {"label": LABELS[name], "theirs": _told(name, current), "mine": _told(name, text)}
        for name in page.names
        if getattr(current, name) != getattr(text, name)
    ]
    problems = filled_in(text, of_page(page, find_problems(text)))
    return _show(
        request,
        collection,
        page,
        route,
        text=text,
        problems=problems,
        seen=text_tag(current, page.names),
        differing=differing,
        status=HTTPStatus.CONFLICT,
    )


def _told(name: str, text: PublicationText) -> list[str]:
    """The value of a field in words: one line for each entry of a list."""
    value = getattr(text, name)
    if isinstance(value, str):
        return [value or "(empty)"]
    return [row.title or "(empty)" for row in rows_of(name, text, {})] or ["(none)"]


def _saved(request: HttpRequest, collection: Collection, page: Page) -> HttpResponse:
    context = {"saved_at": timezone.now(), "seen": text_tag(text_of(collection), page.names)}
    return render(request, "doi/saved.html", context)


def _show(
    request: HttpRequest,
    collection: Collection,
    page: Page,
    route: str,
    *,
    text: PublicationText,
    problems: Problems,
    seen: str = "",
    status: int = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    is_correction = collection.state == CollectionState.PUBLISHED
    context = {
        "collection": collection,
        "steps": steps_of(collection, TITLES[route]),
        "seen": seen or text_tag(text_of(collection), page.names),
        "inputs": plain_inputs(page, text, problems),
        "problems": problems,
        "is_correction": is_correction,
        "techniques": Technique.objects.values_list("label", flat=True)[:MOST_SUGGESTIONS] if page is DESCRIBE else (),
        **{name: rows_of(name, text, problems) for name in page.lists},
        **more,
    }
    return render(request, f"doi/{route.removeprefix('doi-')}.html", context, status=status)
