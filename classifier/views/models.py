"""Model cards: what each release is, how well it does and on what, and its files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalogue.downloads.headers import content_disposition, repr_digest
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
    response = StreamingHttpResponse(_chunks(path), content_type="application/octet-stream")
    response["Content-Length"] = path.stat().st_size
    response["Content-Disposition"] = content_disposition(file)
    response["Repr-Digest"] = repr_digest(sha256)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    context = {
        "site_url": settings.SITE_URL,
        "most_images": settings.CLASSIFIER_MOST_IMAGES,
        "mib": settings.CLASSIFIER_IMAGE_BYTES >> 20,
    }
    return private_page(request, "classifier/help.html", context)
