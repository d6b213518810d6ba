"""Studies of structure for curators: the list, and a tree to walk through from cluster to cluster."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from catalogue.errors import DomainError, NotFound
from catalogue.views.curate import check_curator
from classifier.models import Image, StructureStudy
from classifier.selectors import views_of, with_records
from classifier.services.categories import accepted_categories
from classifier.services.studies import find_node, folder_of, propose_subcategory
from classifier.views.common import private_page

STUDIES_SHOWN = 100


@login_required
@require_safe
def studies_page(request: HttpRequest) -> HttpResponse:
    check_curator(request)
    studies = StructureStudy.objects.select_related("release", "investigation")[:STUDIES_SHOWN]
    return private_page(request, "classifier/studies.html", {"studies": studies})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def study_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    check_curator(request)
    study = get_object_or_404(StructureStudy.objects.select_related("release"), uid=uid)
    number = _number(request.GET.get("node", "")) or study.summary["tree"]["number"]
    problem = ""
    if request.method == "POST":
        try:
            return _propose(request, study, number)
        except DomainError as error:
            problem = error.message
    context = {
        "study": study,
        "node": _shown(find_node(study, number)),
        "children": [_shown(child) for child in find_node(study, number)["children"]],
        "above": path_to(study.summary["tree"], number),
        "accepted": accepted_categories(),
        "problem": problem,
    }
    return private_page(request, "classifier/study.html", context, status=422 if problem else 200)


@login_required
@require_safe
def study_report(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The report as a download: it is no page of the site."""
    check_curator(request)
    study = get_object_or_404(StructureStudy, uid=uid)
    path = folder_of(study.uid) / "report.html"
    if not path.is_file():
        raise NotFound("The report of this study is no longer there. Make the study again.")
    name = f"structure-{study.uid}.html"
    return HttpResponse(path.read_bytes(), headers={"Content-Disposition": f'attachment; filename="{name}"'})


def path_to(tree: dict, number: int) -> list[dict]:
    """The clusters from the whole down to `number`, without it."""
    if tree["number"] == number:
        return []
    for child in tree["children"]:
        if child["number"] == number:
            return [tree]
        if below := path_to(child, number):
            return [tree, *below]
    return []


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _propose(request: HttpRequest, study: StructureStudy, number: int) -> HttpResponse:
    name, parent = request.POST.get("name", ""), request.POST.get("parent", "")
    category = propose_subcategory(actor=request.principal, study=study, node=number, name=name, parent=parent)
    messages.success(request, f"“{category.name}” is proposed below “{parent}”.")
    return redirect("curate-categories")


def _shown(node: dict) -> dict:
    """A cluster with its representative images, as they are now, and its commonest labels."""
    images = {str(image.uid): image for image in with_records(Image.objects.filter(uid__in=node["representatives"]))}
    shown = [images[uid] for uid in node["representatives"] if uid in images]
    labels = [(label or "without a label", count) for label, count in list(node["labels"].items())[:5]]
    return node | {"views": views_of(shown), "labels": labels}
