"""`/panosc/api`: the PaNOSC search API, read-only. What is asked is read by `filters.py`, found by `pages.py`, shown by `answers.py`.

Only tokens are looked at, never cookies: any page of the web may send requests here (CORS), in nobody's name.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView, set_rollback

from catalogue.access import ANONYMOUS
from catalogue.models import User
from catalogue.services.tokens import principal_of_token
from search.panosc import answers, pages
from search.panosc.conditions import Filter
from search.panosc.errors import ModelNotFound, document_of, refusal_of
from search.panosc.filters import read_filter, read_where, with_query
from search.panosc.reading import read_argument
from search.panosc.tables import Asker

STARTED_AT = timezone.now()
API_VERSION = "1.5"
MODELS_BY_ROUTE = {"datasets": "Dataset", "documents": "Document", "instruments": "Instrument"}


class TokenOnly(BaseAuthentication):
    """`Authorization: Bearer fct_…` or the header `access_token` of ILL's server. A bad token is refused, never ignored."""

    def authenticate(self, request: HttpRequest) -> tuple[User, str] | None:
        request._request.principal = ANONYMOUS
        scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        text = bearer.strip() if scheme.lower() == "bearer" else request.META.get("HTTP_ACCESS_TOKEN", "").strip()
        if not text:
            return None
        found = principal_of_token(text)
        if found is None:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        user, request._request.principal = found
        return user, text

    def authenticate_header(self, request: HttpRequest) -> str:
        return 'Bearer realm="panosc"'


def _answer_error(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    refusal = refusal_of(error)
    if refusal is None:
        return None
    set_rollback()
    response = _json(document_of(refusal), status=refusal[0])
    if getattr(error, "wait", None):
        response["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    if getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    return response


def _json(content: Any, *, status: int = 200) -> HttpResponse:
    return JsonResponse(content, status=status, safe=False, content_type="application/json; charset=utf-8")


class PanoscView(APIView):
    """Open to every page of the web; `asker` is nobody, or whom the token names."""

    authentication_classes = [TokenOnly]
    permission_classes = [AllowAny]
    http_method_names = ["get", "head", "options"]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.asker = Asker(request._request.principal, timezone.now())

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)

    def get_exception_handler(self) -> Any:
        return _answer_error

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})

    def finalize_response(self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().finalize_response(request, response, *args, **kwargs)
        is_public = request._request.principal.is_public
        response["Cache-Control"] = "public, no-cache" if is_public else "private, no-cache"
        response["Vary"] = "Authorization, access_token"
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response["Access-Control-Allow-Headers"] = "Authorization, access_token, Accept, Content-Type"
        return response

    def filter_for(self, model: str) -> Filter:
        filter = read_filter(read_argument(self._pairs(), "filter"), model)
        return with_query(filter, self.request.query_params.get("query", ""))

    def where_for(self, model: str) -> Filter:
        return Filter(where=read_where(read_argument(self._pairs(), "where"), model))

    def _pairs(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.request.query_params.lists() for value in values]


class Status(PanoscView):
    def get(self, request: Request) -> HttpResponse:
        uptime = (timezone.now() - STARTED_AT).total_seconds()
        return _json(
            {
                "started": answers.date_text(STARTED_AT),
                "uptime": uptime,
                "api_version": API_VERSION,
                "facility": settings.SITE_NAME,
                "default_limit": settings.PANOSC_LIMIT,
            }
        )


class Listed(PanoscView):
    def get(self, request: Request, route: str) -> HttpResponse:
        model = _model(route)
        filter = self.filter_for(model)
        places = pages.page_of(model, filter, self.asker)
        return _json(answers.items_of(places, filter, self.asker))


class Counted(PanoscView):
    def get(self, request: Request, route: str) -> HttpResponse:
        model = _model(route)
        return _json({"count": pages.count_of(model, self.where_for(model), self.asker)})


class Single(PanoscView):
    """Its filter says what to show and what to include. What includes ask for chooses among related things only."""

    def get(self, request: Request, route: str, pid: str) -> HttpResponse:
        model = _model(route)
        filter = self.filter_for(model)
        place = pages.find(model, pid, self.asker)
        item = answers.item_of(place, filter, self.asker) if place else None
        if item is None:
            raise ModelNotFound(model, pid)
        return _json(item)


class Files(PanoscView):
    def get(self, request: Request, pid: str) -> HttpResponse:
        place, filter = _dataset(pid, self.asker), self.filter_for("File")
        return _json(answers.files_of(place.key, filter, self.asker))


class FilesCounted(PanoscView):
    def get(self, request: Request, pid: str) -> HttpResponse:
        place, filter = _dataset(pid, self.asker), self.where_for("File")
        return _json({"count": pages.files_in(place.key, filter, self.asker).count()})


class Unknown(PanoscView):
    def get(self, request: Request) -> HttpResponse:
        raise exceptions.NotFound("There is no method to handle GET at this address. The API is below /panosc/api.")


def _model(route: str) -> str:
    return MODELS_BY_ROUTE[route.lower()]


def _dataset(pid: str, asker: Asker) -> pages.Place:
    place = pages.find("Dataset", pid, asker)
    if place is None:
        raise ModelNotFound("Dataset", pid)
    return place
