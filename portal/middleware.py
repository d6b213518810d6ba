"""What wraps every request: its id, who asks, and the translation of domain errors into answers."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from catalogue.access import ANONYMOUS, Principal, principal_of
from catalogue.context import current_request_id
from catalogue.errors import DomainError, NotAllowed
from catalogue.views.sharing import log_share_use
from catalogue.visitors import SHARE_LINKS, with_share_links
from portal.errors import bad_request, error_response, wants_problem

GetResponse = Callable[[HttpRequest], HttpResponse]
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# Views that look at no session.
FOR_PROGRAMS = {"oai", "catalog-ttl", "catalog-jsonld", "new-data-feed", "panosc-api"}
NAMES_PEOPLE = (
    "What stands here is the same for everybody and names people, and you came by a link that hides whose data these are."
    " Open the address in a private window, or end the visit by the link first."
)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Gives each request an id, the caller's `X-Request-ID` where it is sane, for logs, the audit log and error pages.

    The id stays until the thread's next request: bytes that are streamed and errors that are logged afterwards carry it too.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        current_request_id.set(request.request_id)
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id
        return response


class NulMiddleware:
    """Refuses addresses and forms with a NUL character, which PostgreSQL can neither look for nor keep.

    The API reads JSON and names the value itself.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_in_query = "%00" in request.META.get("QUERY_STRING", "") and not wants_problem(request)
        has_nul = is_in_query or "\x00" in request.path or _has_nul_in_form(request)
        return bad_request(request) if has_nul else self.get_response(request)


def _has_nul_in_form(request: HttpRequest) -> bool:
    """One that was broken off is refused as well: nobody is there to read why."""
    if request.method != "POST" or request.content_type not in FORMS:
        return False
    try:
        request.POST  # noqa: B018 - reads the form
    except UnreadablePostError:
        for handler in request.upload_handlers:
            handler.upload_interrupted()
        return True
    return any("\x00" in text for name, values in request.POST.lists() for text in (name, *values))


class PrincipalMiddleware:
    """Sets `request.principal` from the logged-in user; API tokens set their own in `catalogue.api.authentication`."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.principal = SimpleLazyObject(lambda: _principal_of_session(request))
        return self.get_response(request)


def _principal_of_session(request: HttpRequest) -> Principal:
    """An instrument acts by token only: whatever session one might have, it is a visitor's."""
    user = request.user
    principal = ANONYMOUS if getattr(user, "instrument_id", None) else principal_of(user)
    return with_share_links(principal, request.session)


class ShareLinkMiddleware:
    """What a share link shows is kept by no shared cache and in no index, and the use of the link is logged.

    Who came by a link that hides people is not given what tells every program the same, the people of all records included.
    """

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        is_for_programs = request.resolver_match.view_name in FOR_PROGRAMS
        if is_for_programs and settings.SESSION_COOKIE_NAME in request.COOKIES and request.principal.hides_people:
            return error_response(request, NotAllowed(NAMES_PEOPLE, code="names-people"))
        return None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and request.session.get(SHARE_LINKS):
            if "no-store" not in response.get("Cache-Control", ""):
                response["Cache-Control"] = "private, no-cache"
            patch_vary_headers(response, ("Cookie",))
            response["X-Robots-Tag"] = "noindex, nofollow"
            log_share_use(request, response.status_code)
        return response


class DomainErrorMiddleware:
    """Turns a domain error that a page's view let pass into the page that explains it."""

    def __init__(self, get_response: GetResponse):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return error_response(request, error) if isinstance(error, DomainError) else None
