"""My selection: what was chosen, what of it can be downloaded, and the forms that change it."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from catalogue.access import principal_of
from catalogue.downloads.commands import shell_commands
from catalogue.errors import InvalidInput
from catalogue.models import User
from catalogue.services import selections

PATH = "/selection"
LISTS = (
    {"name": "Checksums", "url": f"{PATH}/files.sha256"},
    {"name": "List for aria2", "url": f"{PATH}/files.aria2.txt"},
    {"name": "List for rclone", "url": f"{PATH}/files.rclone.txt"},
)


@require_http_methods(["GET", "HEAD", "POST"])
def selection_page(request: HttpRequest) -> HttpResponse:
    return _change(request) if request.method == "POST" else _show(request)


def _show(request: HttpRequest) -> HttpResponse:
    records = selections.selected_records(actor=request.principal, session=request.session)
    readable = [record for record in records if record.access.is_full]
    commands = shell_commands(url=f"{settings.SITE_URL}{PATH}", folder="selection", is_open=False)
    context = {
        "records": records,
        "refused": [record for record in records if not record.access.is_full],
        "readable": readable,
        "file_count": sum(record.file_count for record in readable),
        "total_size": sum(record.size for record in readable),
        "lists": LISTS,
        "api_url": f"{settings.SITE_URL}/api/v1/selection",
        # A visitor's selection lives in the session of a browser, which these programs do not have.
        "commands": commands if readable and not request.principal.is_anonymous else (),
    }
    response = render(request, "catalogue/selection.html", context)
    add_never_cache_headers(response)
    return response


def _change(request: HttpRequest) -> HttpResponse:
    """Add, remove or clear; back to the page that it came from, or for htmx the button in its new state."""
    action, uids = request.POST.get("action", ""), _uids(request.POST.getlist("dataset"))
    actor, session = request.principal, request.session
    if action == "add":
        selections.add_to_selection(actor=actor, session=session, uids=uids)
    elif action == "remove":
        selections.remove_from_selection(actor=actor, session=session, uids=uids)
    elif action == "clear":
        selections.clear_selection(actor=actor, session=session)
    else:
        raise InvalidInput("Choose what to do: add, remove or clear.", fields={"action": ["add, remove or clear"]})
    if request.headers.get("HX-Request") and len(uids) == 1:
        is_selected = selections.is_selected(actor=actor, session=session, uid=uids[0])
        context = {"record": {"uid": uids[0]}, "is_selected": is_selected, "is_changed": True}
        return render(request, "includes/select_button.html", context)
    return redirect(_page_before(request))


def merge_at_login(request: HttpRequest, user: User, **_: object) -> None:
    """Receives Django's `user_logged_in`: what the visitor had chosen is not lost by signing in."""
    selections.merge_selection(actor=principal_of(user), session=request.session)


def _uids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise InvalidInput("This is no id of a dataset.", fields={"dataset": ["not an id"]}) from None


def _page_before(request: HttpRequest) -> str:
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if is_ours else PATH
