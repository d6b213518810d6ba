"""The wizard's door and its first page: what the collection holds. Texts have pages of their own (`texts.py`)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalogue import access
from catalogue.access import Principal
from catalogue.collection_selectors import find_editable, member_key, member_page
from catalogue.errors import InvalidInput, StaleVersion
from catalogue.models import Collection, Investigation
from catalogue.models.collections import CollectionState
from catalogue.record import InvestigationRecord
from catalogue.selectors import investigation_records, own_investigations, with_team
from catalogue.services.collection_members import add_members, remove_members, set_role
from catalogue.services.collections import remove_draft, start_collection
from catalogue.services.selections import selected_uids
from doi.views.steps import is_htmx, steps_of

MOST_FOUND = 10
Key = tuple[str, UUID]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        collection = start_collection(actor=request.principal, **_chosen(request))
        if request.POST.get("from") == "selection":
            _tell_of_what_is_missing(request, collection)
        return redirect("doi-what", collection.uid)
    context = {"found": _found(request), "query": request.GET.get("q", "")}
    return render(request, "doi/new.html", context)


def _tell_of_what_is_missing(request: HttpRequest, collection: Collection) -> None:
    missing = len(selected_uids(actor=request.principal, session=request.session)) - collection.member_count
    if missing:
        words = "of the chosen datasets cannot be published by you: under embargo, and you are not in the team."
        messages.warning(request, f"{missing} {words}")


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """What a form names as members: the selection, a dataset, an investigation, or a DOI; nothing is a choice too."""
    source = request.POST.get("from", "")
    if source == "selection":
        return {"datasets": Q(uid__in=selected_uids(actor=request.principal, session=request.session))}
    if source == "dataset":
        return {"datasets": Q(uid=_uid(request.POST.get("dataset", "")))}
    if source == "investigation":
        return {"investigations": [_uid(request.POST.get("investigation", ""))]}
    if source == "doi":
        return {"dois": [request.POST.get("doi", "")]}
    return {}


def _uid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("This is no id of a record.") from None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def what_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    collection = find_editable(uid, request.principal)
    if collection.state != CollectionState.DRAFT:
        return redirect("doi-draft", uid)
    if request.method != "POST":
        return _show_what(request, collection)
    try:
        return _change(request, collection)
    except (InvalidInput, StaleVersion) as error:
        if is_htmx(request):
            return render(request, "doi/saved.html", {"problem": error.message})
        return _show_what(request, collection, problem=error.message)


def _change(request: HttpRequest, collection: Collection) -> HttpResponse:
    action, actor = request.POST.get("action", ""), request.principal
    if action == "add":
        added = add_members(actor=actor, collection=collection, **_chosen(request))
        if added.left_out:
            messages.warning(request, f"Not added: {added.left_out}")
        messages.success(request, _told(added.count))
        return redirect(request.get_full_path())
    saved = _save_roles(request, collection)
    if is_htmx(request):
        return render(request, "doi/saved.html", {"saved_at": timezone.now(), "roles": saved})
    if removed := request.POST.get("remove"):
        remove_members(actor=actor, collection=collection, members=[member_key(removed)])
    if action in ("next", "leave"):
        return redirect("dashboard") if action == "leave" else redirect("doi-describe", collection.uid)
    return redirect(request.get_full_path())


def _told(count: int) -> str:
    return "It was there already." if not count else f"Added: {count} member{'s' if count > 1 else ''}."


def _save_roles(request: HttpRequest, collection: Collection) -> dict[str, str]:
    """Save the roles of the members on this page of the list, as far as they were changed there; those that were."""
    roles, seen = _keyed(request, "role."), _keyed(request, "was.")
    changed = {key: role for key, role in roles.items() if role.strip() != seen.get(key, "").strip()}
    if changed:
        set_role(actor=request.principal, collection=collection, roles=changed, seen=seen)
    return {f"{kind}-{uid}": role.strip() for (kind, uid), role in changed.items()}


def _keyed(request: HttpRequest, prefix: str) -> dict[Key, str]:
    return {
        member_key(name.removeprefix(prefix)): text for name, text in request.POST.items() if name.startswith(prefix)
    }


def _show_what(request: HttpRequest, collection: Collection, *, problem: str = "") -> HttpResponse:
    page = member_page(collection, request.principal, cursor=request.GET.get("cursor", ""))
    typed = {name.removeprefix("role."): text for name, text in request.POST.items() if name.startswith("role.")}
    context = {
        "collection": collection,
        "steps": steps_of(collection, "What"),
        "page": page,
        "members": [{"record": one, "role": typed.get(one.key, one.role)} for one in page.records],
        "problem": problem,
        "found": _found(request),
        "query": request.GET.get("q", ""),
        "doi": request.POST.get("doi", "") if problem else "",
    }
    return render(request, "doi/what.html", context)


def _found(request: HttpRequest) -> list[InvestigationRecord]:
    """Investigations to choose from: own ones, or those that a search finds."""
    now, principal, words = timezone.now(), request.principal, request.GET.get("q", "").strip()
    rows = _search(words, principal) if words else own_investigations(principal)
    return investigation_records(list(rows[:MOST_FOUND]), principal, now=now)


def _search(words: str, principal: Principal) -> QuerySet[Investigation]:
    """Investigations by visit id or title, among those that are open or the principal's own."""
    now = timezone.now()
    named = Q(visit_id__istartswith=words) | Q(title__icontains=words)
    usable = access.embargo_passed_q(now) | Q(released_at__lte=now)
    own = own_investigations(principal).order_by().values("pk")
    if not principal.sees_everything:
        named &= usable | Q(pk__in=own)
    return with_team(access.listed_investigations(principal, now=now).filter(named)).order_by("-id")


@login_required
@require_POST
def remove_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    remove_draft(actor=request.principal, collection=find_editable(uid, request.principal))
    messages.success(request, "The draft is removed.")
    return redirect("dashboard")
