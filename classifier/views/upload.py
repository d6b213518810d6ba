"""The pages of uploads: images are sent, their progress is followed, all of them are looked at, and removed."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue.errors import DomainError
from catalogue.visitors import address_of
from classifier import selectors
from classifier.models import Submission
from classifier.selectors import Viewer
from classifier.services.categories import suggested_names
from classifier.services.images import retry_images
from classifier.services.releases import active_release
from classifier.services.submissions import remove_submission, submit_files
from classifier.views.common import kept_private, private_page, remember, viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
def classify_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _receive(request)
    return _upload_page(request)


def _upload_page(request: HttpRequest, problem: DomainError | None = None) -> HttpResponse:
    viewer, now = viewer_of(request), timezone.now()
    own = list(selectors.own_submissions(viewer, now=now).order_by("-id")[: selectors.SUBMISSIONS_SHOWN])
    progress = selectors.progress_of_many(own)
    context = {
        "submissions": [{"row": row, "progress": progress[row.pk]} for row in own],
        "limits": _limits(viewer),
        "problem": problem,
    }
    return private_page(request, "classifier/upload.html", context, status=422 if problem else 200)


def _limits(viewer: Viewer) -> dict[str, Any]:
    is_visitor = viewer.principal.is_anonymous
    return {
        "is_visitor": is_visitor,
        "images": settings.CLASSIFIER_MOST_IMAGES,
        "mib": settings.CLASSIFIER_IMAGE_BYTES >> 20,
        "hourly": settings.CLASSIFIER_ANONYMOUS_IMAGES,
        "hours": settings.CLASSIFIER_ANONYMOUS_HOURS,
        "request_mib": settings.CLASSIFIER_UPLOAD_BYTES >> 20,
    }


def _receive(request: HttpRequest) -> HttpResponse:
    """One form with all files from a page without scripts, or file by file from the script, which asks for JSON."""
    wants_json = not request.accepts("text/html")
    try:
        submission = submit_files(
            actor=request.principal,
            files=request.FILES.getlist("files"),
            address=address_of(request),
            submission=_continued(request),
        )
    except DomainError as error:
        if wants_json:
            raise
        return _upload_page(request, error)
    if submission.owner_id is None:
        remember(request, submission)
    if wants_json:
        answer = {"uid": submission.uid, "url": reverse("classify-submission", args=[submission.uid])}
        return kept_private(JsonResponse(answer))
    return redirect("classify-submission", submission.uid)


def _continued(request: HttpRequest) -> Submission | None:
    """The upload that this file belongs to, where the script sends one after another."""
    given = request.POST.get("submission", "")
    try:
        uid = UUID(given)
    except ValueError:
        return None
    return selectors.find_submission(viewer_of(request), uid, now=timezone.now())


@require_safe
def submission_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    viewer, now = viewer_of(request), timezone.now()
    submission = selectors.find_submission(viewer, uid, now=now)
    page, next_cursor = selectors.images_page(submission.images.all(), request.GET.get("cursor", ""))
    release = active_release()
    views = selectors.views_of(page, release)
    context = {
        "release": release,
        "submission": submission,
        "progress": selectors.progress_of(submission),
        "views": views,
        "pending": ",".join(f"#shot-{view.uid}" for view in views if view.is_pending),
        "page": {"next_cursor": next_cursor},
        "labels": release.labels if release else (),
        "names": suggested_names(viewer, now=now),
        "may_label": True,
        "may_register": submission.owner_id is not None and any(view.registered_as is None for view in views),
        "api_url": f"{settings.SITE_URL}/api/v1/classifications/{submission.uid}",
    }
    return private_page(request, "classifier/submission.html", context)


@require_POST
def remove_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    submission = selectors.find_submission(viewer_of(request), uid, now=timezone.now())
    remove_submission(actor=request.principal, submission=submission)
    messages.info(request, "The upload and its images were removed.")
    return redirect("classify")


@require_POST
def retry_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    submission = selectors.find_submission(viewer_of(request), uid, now=timezone.now())
    retry_images(actor=request.principal, images=list(submission.images.all()))
    return redirect("classify-submission", uid)
