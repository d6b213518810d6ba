"""What the pages of the classifier have in common: who looks, and what one browser has uploaded without an account."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

from classifier.models import Submission
from classifier.selectors import Viewer
from classifier.services.releases import active_release

UPLOADS = "classified"
MOST_UPLOADS = 50


def viewer_of(request: HttpRequest) -> Viewer:
    return Viewer(request.principal, frozenset(_uids(request.session.get(UPLOADS, []))))


def _uids(texts: Iterable[str]) -> Iterable[UUID]:
    for text in texts:
        with suppress(ValueError):
            yield UUID(text)


def remember(request: HttpRequest, submission: Submission) -> None:
    """An upload without an owner belongs to this browser's session; of more than fifty the oldest is forgotten."""
    uid = str(submission.uid)
    kept = [one for one in request.session.get(UPLOADS, []) if one != uid]
    request.session[UPLOADS] = [*kept, uid][-MOST_UPLOADS:]


def private_page(request: HttpRequest, template: str, context: dict[str, Any], **more: Any) -> HttpResponse:
    """A page that no shared cache keeps; `release` is the model in use, which every page names."""
    if "release" not in context:
        context["release"] = active_release()
    page = render(request, template, context, **more)
    return kept_private(page)


def kept_private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ("Cookie", "Authorization"))
    return response
