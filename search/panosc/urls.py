"""Routes of the PaNOSC search API, below `/panosc`. They are found in any case, and pids may have slashes: neither is
Django's way, hence one route for all that follows, and a table of its own."""

import re

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from search.panosc import views

_COLLECTION = f"(?P<route>{'|'.join(views.MODELS_BY_ROUTE)})"
TABLE = (
    (f"api/{_COLLECTION}", views.Listed),
    (f"api/{_COLLECTION}/count", views.Counted),
    ("api/datasets/(?P<pid>.+)/files", views.Files),
    ("api/datasets/(?P<pid>.+)/files/count", views.FilesCounted),
    (f"api/{_COLLECTION}/(?P<pid>.+)", views.Single),
)
_ROUTES = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), view.as_view()) for pattern, view in TABLE)
_unknown = views.Unknown.as_view()


@csrf_exempt
def answer(request: HttpRequest, address: str) -> HttpResponse:
    for pattern, view in _ROUTES:
        if found := pattern.fullmatch(address.rstrip("/")):
            return view(request, **found.groupdict())
    return _unknown(request)


urlpatterns = [
    path("", views.Status.as_view(), name="panosc"),
    path("<path:address>", answer, name="panosc-api"),
]
