"""The API explained: its operations in a browser, and the codes of its refusals."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from catalogue.api.answers import JSON, ApiView
from catalogue.api.error_codes import ERROR_CODES


class SwaggerPage(SpectacularSwaggerSplitView):
    """Swagger UI from our own host; its script is a request of its own, as the content security policy wants it."""

    template_name = "catalogue/api_docs.html"
    url_self = reverse_lazy("api-docs")

    def _get_schema_auth_names(self) -> list[str]:
        return []


class ErrorCodes(ApiView):
    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """All codes, as a page for people and as JSON for who asks for it."""
        if JSON in request.headers.get("Accept", ""):
            codes = {code: {"meaning": one.meaning, "remedy": one.remedy} for code, one in ERROR_CODES.items()}
            return HttpResponse(json.dumps(codes, indent=2), content_type=JSON)
        return render(request._request, "catalogue/api_errors.html", {"codes": ERROR_CODES})

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Any Accept header is served: this page chooses for itself."""
        return super().perform_content_negotiation(request, force=True)
