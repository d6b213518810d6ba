"""The only place with HTTP status numbers: domain errors become problem+json (RFC 9457) for machines, pages for people."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_ratelimit.exceptions import Ratelimited
from rest_framework import exceptions as drf
from rest_framework.response import Response

from catalogue import errors

STATUS: dict[type[errors.DomainError], int] = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.NotAcceptable: 406,
    errors.Conflict: 409,
    errors.NotIntact: 409,
    errors.StaleVersion: 412,
    errors.PreconditionMissing: 428,
    errors.Gone: 410,
    errors.Unavailable: 503,
}
MACHINE_PATHS = ("/api/", "/oai", "/healthz", "/readyz", "/metrics")
PAGES = {400, 403, 404, 409, 410, 412, 422, 429, 500, 503}


def status_of(error: errors.DomainError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)


def problem(request: HttpRequest, *, status: int, code: str, detail: str, fields: dict | None = None) -> dict[str, Any]:
    """A problem details document; `code` is stable, `fields` maps input names to messages."""
    document: dict[str, Any] = {
        "type": f"/api/errors#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": getattr(request, "request_id", ""),
    }
    return document | ({"fields": fields} if fields else {})


def wants_problem(request: HttpRequest) -> bool:
    return request.path.startswith(MACHINE_PATHS)


def error_response(request: HttpRequest, error: errors.DomainError) -> HttpResponse:
    """The answer of a page's view to a domain error."""
    response = answer(request, status=status_of(error), code=error.code, detail=error.message, fields=error.fields)
    if wait := getattr(error, "wait", 0):
        response["Retry-After"] = str(wait)
    return response


def answer(request: HttpRequest, *, status: int, code: str, detail: str, fields: dict | None = None) -> HttpResponse:
    if wants_problem(request) or not request.accepts("text/html"):
        document = problem(request, status=status, code=code, detail=detail, fields=fields)
        response: HttpResponse = JsonResponse(document, status=status, content_type="application/problem+json")
        patch_vary_headers(response, ("Accept",))
        return response
    template = f"{status if status in PAGES else 400}.html"
    context = {"detail": detail, "code": code, "fields": fields, "request_id": getattr(request, "request_id", "")}
    return render(request, template, context, status=status)


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's handler: every refusal of the API has the one shape."""
    request = context["request"]
    found = _describe(error)
    if found is None:
        return None
    from rest_framework.views import set_rollback  # this module is loaded by rest_framework.views itself

    set_rollback()
    status, code, detail, fields = found
    document = problem(request, status=status, code=code, detail=detail, fields=fields)
    headers = {"Content-Type": "application/problem+json"}
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return Response(document, status=status, headers=headers, content_type="application/problem+json")


def _describe(error: Exception) -> tuple[int, str, str, dict | None] | None:
    if isinstance(error, errors.DomainError):
        return status_of(error), error.code, error.message, error.fields or None
    if isinstance(error, Http404):
        return 404, "not-found", "There is nothing at this address, or nothing that you may see.", None
    if isinstance(error, PermissionDenied):
        return 403, "not-allowed", "You may not do this.", None
    if isinstance(error, RequestDataTooBig):
        return 413, "too-large", "The body is larger than this site accepts. Send fewer entries in one request.", None
    if isinstance(error, drf.ValidationError):
        fields = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        return 422, "invalid", "Some values cannot be accepted; `fields` says which and why.", fields
    if isinstance(error, drf.APIException):
        return error.status_code, str(error.default_code).replace("_", "-"), str(error.detail), None
    return None


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        detail = "This is more than the site takes in one request. Send fewer or smaller files; nothing was kept."
        return answer(request, status=413, code="too-large", detail=detail)
    if isinstance(exception, TooManyFilesSent):
        detail = f"One request may bring {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files at most. Send fewer at once; nothing was kept."
        return answer(request, status=413, code="too-many-images", detail=detail)
    return answer(request, status=400, code="bad-request", detail="The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, Ratelimited):
        return too_many_requests(request, exception)
    return answer(request, status=403, code="not-allowed", detail="You may not do this with this account.")


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    detail = "There is nothing at this address, or nothing that you may see."
    return answer(request, status=404, code="not-found", detail=detail)


def server_error(request: HttpRequest) -> HttpResponse:
    detail = "The mistake is ours and was logged. Try again; if it happens again, tell us the number below."
    return answer(request, status=500, code="internal", detail=detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    detail = "The form was too old, or cookies are blocked. Go back, reload the page and send it again."
    return answer(request, status=403, code="csrf", detail=detail)


def too_many_requests(request: HttpRequest, exception: Exception | None = None, *, seconds: int = 60) -> HttpResponse:
    detail = f"Too many requests. Wait {seconds} seconds, then try again."
    response = answer(request, status=429, code="too-many-requests", detail=detail)
    response["Retry-After"] = str(seconds)
    return response
