"""Model cards: what each release is, how well it does and on what, and its files."""

from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalogue.downloads.headers import repr_digest
from classifier import model_cards
from classifier.views.common import private_page


@require_safe
def models_page(request: HttpRequest) -> HttpResponse:
    return private_page(request, "classifier/models.html", {"releases": model_cards.shown_releases(request.principal)})


@require_safe
def model_page(request: HttpRequest, name: str, release: str) -> HttpResponse:
    row = model_cards.find_release(request.principal, name, release)
    address = settings.SITE_URL + reverse("model", args=[name, release])
    context: dict[str, Any] = {
        "row": row,
        "card": model_cards.card_of(row),
        "versions": model_cards.versions_of(request.principal, row),
        "schema_org": model_cards.schema_org(row, address, settings.SITE_URL),
        "site_url": settings.SITE_URL,
    }
    return private_page(request, "classifier/model.html", context)


@require_safe
def model_file(request: HttpRequest, name: str, release: str, file: str) -> HttpResponseBase:
    row = model_cards.find_release(request.principal, name, release)
    path, sha256 = model_cards.release_file(row, file)
    response = FileResponse(path.open("rb"), as_attachment=True, filename=file, content_type="application/octet-stream")
    response["Repr-Digest"] = repr_digest(sha256)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    context = {
        "site_url": settings.SITE_URL,
        "most_images": settings.CLASSIFIER_MOST_IMAGES,
        "mib": settings.CLASSIFIER_IMAGE_BYTES >> 20,
    }
    return private_page(request, "classifier/help.html", context)
