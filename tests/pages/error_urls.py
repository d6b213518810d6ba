"""The routes of the site and one more that answers with any error, so that error pages can be looked at."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal import urls
from portal.errors import answer

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


def error_page(request: HttpRequest, status: int) -> HttpResponse:
    detail = "This is what happened, in one sentence."
    return answer(request, status=status, code="tested", detail=detail, fields={"title": ["Too long."]})


urlpatterns = [path("errors/<int:status>", error_page), *urls.urlpatterns]
