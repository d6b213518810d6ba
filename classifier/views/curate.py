"""The curators' pages: labels to be looked at, and categories that people proposed."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from catalogue.errors import InvalidInput
from catalogue.views.curate import check_curator
from classifier import curation
from classifier.models import Image
from classifier.services import categories
from classifier.services.opinions import confirm_predictions
from classifier.services.releases import active_release
from classifier.views.common import private_page, viewer_of
from classifier.views.register import uids_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def labels_page(request: HttpRequest) -> HttpResponse:
    check_curator(request)
    if request.method == "POST":
        images = Image.objects.select_related("datafile__dataset__investigation")
        chosen = list(images.filter(uid__in=uids_of(request.POST.getlist("image")), datafile__isnull=False))
        count = confirm_predictions(actor=request.principal, images=chosen)
        messages.success(request, f"{count} label{'' if count == 1 else 's'} confirmed.")
        return redirect(request.get_full_path())
    queue = request.GET.get("queue", "")
    queue = queue if queue in curation.QUEUES else curation.QUEUES[0]
    release = active_release()
    context = {
        "queue": queue,
        "queues": curation.QUEUES,
        "page": curation.labels_page(request.principal, queue=queue, cursor=request.GET.get("cursor", "")),
        "labels": release.labels if release else (),
        "names": categories.suggested_names(viewer_of(request), now=timezone.now()),
        "may_label": True,
    }
    return private_page(request, "classifier/curate_labels.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def categories_page(request: HttpRequest) -> HttpResponse:
    check_curator(request)
    problem = ""
    if request.method == "POST":
        try:
            return _decide(request)
        except InvalidInput as error:
            problem = error.message
    release = active_release()
    context = {
        "proposals": categories.proposals(request.principal),
        "accepted": categories.accepted_categories(),
        "without_model": categories.names_without_model(release),
        "problem": problem,
    }
    return private_page(request, "classifier/curate_categories.html", context, status=422 if problem else 200)


def _decide(request: HttpRequest) -> HttpResponse:
    decided = categories.decide_proposal(
        actor=request.principal,
        key=int(key) if (key := request.POST.get("category", "")).isdecimal() and len(key) < 19 else 0,
        decision=request.POST.get("decision", ""),
        into=request.POST.get("into", ""),
        parent=request.POST.get("parent", ""),
    )
    messages.success(request, f"“{decided.name}”: {decided.get_state_display()}.")
    return redirect("curate-categories")
