"""The page of one image, its pictures, what people say of it, and the images of a dataset of the catalogue."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from catalogue.entries import ParameterEntry
from catalogue.errors import NotFound
from catalogue.selectors import get_dataset_record
from catalogue.services.previews import values_of
from classifier import selectors
from classifier.files import Derived
from classifier.models import Image, ModelRelease, Prediction
from classifier.record import ImageView
from classifier.selectors import Viewer
from classifier.services.categories import names_without_model, suggested_names
from classifier.services.opinions import agree_with_label, give_opinion
from classifier.services.pictures import has_saliency, picture_of, saliency_of
from classifier.services.releases import active_release
from classifier.services.similar import similar_images
from classifier.views.common import kept_private, private_page, viewer_of


@require_safe
def image_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    viewer, now = viewer_of(request), timezone.now()
    image = selectors.find_image(viewer, uid, now=now)
    release = active_release()
    view = selectors.views_of([image], release)[0]
    prediction = selectors.newest_predictions([image], release).get(image.pk)
    context = {
        "release": release,
        "image": image,
        "view": view,
        "labels": release.labels if release else (),
        "names": suggested_names(viewer, now=now),
        "without_model": names_without_model(release),
        "may_label": selectors.may_label(viewer, image),
        "opinions": selectors.opinions_of(viewer, image),
        "similar": _similar(viewer, image, prediction, release),
        "has_saliency": prediction is not None and has_saliency(prediction.release),
        "metadata": _metadata(image, view),
        "api_url": f"{settings.SITE_URL}/api/v1/classifications/{image.submission.uid}" if image.submission else "",
    }
    return private_page(request, "classifier/image.html", context)


def _similar(
    viewer: Viewer, image: Image, prediction: Prediction | None, release: ModelRelease | None
) -> list[dict[str, Any]]:
    if prediction is None:
        return []
    found = similar_images(viewer, image, prediction, now=timezone.now())
    views = selectors.views_of([one.image for one in found], release)
    return [{"view": view, "similarity": one.similarity} for one, view in zip(found, views, strict=True)]


def _metadata(image: Image, view: ImageView) -> dict[str, Any] | None:
    """What the file of an upload says, for the template of datasets; those tell of theirs on their own pages."""
    if image.datafile_id is not None:
        return None
    entries = [ParameterEntry(**row) for row in image.metadata]
    state = "pending" if view.is_pending else "done"
    return {"parameters": values_of(entries), "notes": (), "extraction_state": state}


@require_safe
def image_picture(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    image = selectors.find_image(viewer_of(request), uid, now=timezone.now())
    return _picture(request, picture_of(image, Derived(kind)))


@require_safe
def image_saliency(request: HttpRequest, uid: UUID) -> HttpResponse:
    image = selectors.find_image(viewer_of(request), uid, now=timezone.now())
    prediction = selectors.newest_predictions([image], active_release()).get(image.pk)
    if prediction is None:
        raise NotFound("The model has not looked at this image yet.")
    return _picture(request, saliency_of(image, prediction))


def _picture(request: HttpRequest, content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="image/webp")
    response["X-Content-Type-Options"] = "nosniff"
    return kept_private(response)


@require_POST
def opinion_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Agree, or name another category: a button of the page, a typed name, or the script of the grid, which asks for JSON."""
    viewer = viewer_of(request)
    image = selectors.find_image(viewer, uid, now=timezone.now())
    text = request.POST.get("other", "").strip() or request.POST.get("category", "")
    opinion = give_opinion(actor=viewer, image=image, text=text)
    if not request.accepts("text/html"):
        return kept_private(JsonResponse({"label": opinion.category.name, "agrees": opinion.agrees}))
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back) if is_ours else redirect("classify-image", uid)


@require_safe
def dataset_images_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The images of a dataset that were looked at, for those who read its files."""
    viewer, now = viewer_of(request), timezone.now()
    record = get_dataset_record(uid, request.principal)
    seen = selectors.visible_images(viewer, now=now).filter(datafile__dataset__uid=uid)
    page, next_cursor = selectors.images_page(seen, request.GET.get("cursor", ""))
    if not page:
        raise NotFound("No image of this dataset was looked at, or none that you may see.")
    release = active_release()
    context = {
        "release": release,
        "record": record,
        "views": selectors.views_of(page, release),
        "page": {"next_cursor": next_cursor},
        "labels": release.labels if release else (),
        "names": suggested_names(viewer, now=now),
        "may_label": selectors.may_label(viewer, page[0]),
    }
    return private_page(request, "classifier/dataset.html", context)


@require_POST
def agree_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Agree, on the page of a dataset, with all that the model said in the same words."""
    viewer = viewer_of(request)
    seen = selectors.visible_images(viewer, now=timezone.now()).filter(datafile__dataset__uid=uid)
    count = agree_with_label(actor=viewer, images=selectors.with_records(seen), text=request.POST.get("category", ""))
    if count == 0:
        messages.info(request, "The model has this as its second guess only. Say so of each image that shows it.")
        return redirect("classify-dataset", uid)
    messages.success(request, f"{count} label{'' if count == 1 else 's'} confirmed.")
    return redirect("dataset", uid)
