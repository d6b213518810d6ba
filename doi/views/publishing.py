"""Review, reserve, publish after a second confirmation, and the page that follows a DOI on its way."""

import json
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue import access
from catalogue.collection_contents import contents_of, datasets_in
from catalogue.collection_selectors import (
    check_publisher,
    collection_record,
    find_editable,
    may_publish,
    versions_of,
)
from catalogue.errors import InvalidInput, NotFound
from catalogue.interop.datacite import attributes_of
from catalogue.interop.datacite_xml import readable_xml_of
from catalogue.models import Collection, Dataset
from catalogue.models.collections import CollectionState
from catalogue.publication import Publication
from catalogue.selectors import records_of, with_references
from catalogue.services.collections import new_version, withdraw_collection
from catalogue.services.consents import is_leader, missing_consents
from doi import kernel, services
from doi.delivery import deliver_soon, with_records
from doi.intents import is_enabled
from doi.metadata import publication_of
from doi.models import Identifier, Problem
from doi.names import doi_name
from doi.status import Status, declined_of, leader_of, status_of, status_of_collection
from doi.views.steps import Problems, is_htmx, own_problems, refused_fields, steps_of, told_problems

TITLES_SHOWN = 20
MOST_CONSENTS = 50


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    collection = find_editable(uid, request.principal)
    if collection.state != CollectionState.DRAFT:
        return redirect("doi-draft", uid)
    if request.method == "POST":
        deliver_soon(services.reserve(actor=request.principal, collection=collection))
        return redirect("doi-draft", uid)
    return _show_review(request, collection, own_problems(collection))


def _show_review(
    request: HttpRequest, collection: Collection, problems: Problems, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = _shared(request, collection) | {
        "steps": steps_of(collection, "Review"),
        "problems": told_problems(collection, problems),
        "refused": told_problems(collection, refused_fields(collection)),
        "is_enabled": is_enabled(),
    }
    return render(request, "doi/review.html", context, status=status)


@login_required
@never_cache
@require_safe
def metadata_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Exactly what DataCite would be told now, and what its schema has against that. The review fetches it afterwards."""
    collection = find_editable(uid, request.principal)
    attributes = attributes_of(_preview(collection))
    context = {
        "collection": collection,
        "problems": [] if own_problems(collection) else kernel.find_problems(attributes),
        "attributes": json.dumps(attributes, indent=2, ensure_ascii=False),
        "xml": readable_xml_of(attributes),
    }
    return render(request, "doi/metadata.html", context)


def _preview(collection: Collection) -> Publication:
    """What DataCite would be told now, under the DOI that the collection has or would get."""
    known = with_records(Identifier.objects.filter(collection=collection)).first()
    # No row has the key 0: a DOI that is not reserved has no relations yet.
    unknown = Identifier(pk=0, doi=doi_name(settings.DATACITE_PREFIX, collection.uid), collection=collection)
    return publication_of(known or unknown)


def _shared(request: HttpRequest, collection: Collection) -> dict[str, Any]:
    """What the review and the last confirmation both tell: what becomes public and who is asked."""
    now = timezone.now()
    closed = datasets_in(collection).exclude(access.open_q(now))
    asked = list(missing_consents(collection, now=now).order_by("pk")[:MOST_CONSENTS])
    return {
        "record": collection_record(collection, request.principal),
        "identifier": Identifier.objects.filter(collection=collection).first(),
        "may_publish": may_publish(collection, request.principal),
        "declined": declined_of(collection),
        "is_test": settings.DATACITE_IS_TEST,
        "closed": contents_of(closed),
        "closed_titles": _titles_of(request, closed, now),
        "asked": [
            {"title": one.title, "leader": leader_of(one), "is_own": is_leader(one, request.principal)} for one in asked
        ],
    }


def _titles_of(request: HttpRequest, datasets: QuerySet[Dataset], now: datetime) -> list[str]:
    """The first titles of what would be opened, as far as the reader may know of them."""
    # Their keys first: a database would carry everything that they refer to through the sorting of all of them.
    keys = list(datasets.order_by("id").values_list("pk", flat=True)[:TITLES_SHOWN])
    first = with_references(Dataset.objects.filter(pk__in=keys)).order_by("id")
    return [record.title for record in records_of(list(first), request.principal, now=now)]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def publish_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The second, explicit confirmation. What is published is the version that was read here, or nothing."""
    collection = find_editable(uid, request.principal)
    if collection.state != CollectionState.DRAFT:
        return redirect("doi-draft", uid)
    check_publisher(collection, request.principal)
    if request.method != "POST":
        return render(request, "doi/publish.html", _shared(request, collection))
    if "confirm" not in request.POST:
        context = _shared(request, collection) | {"is_unconfirmed": True}
        return render(request, "doi/publish.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    version = request.POST.get("version", "")
    try:
        identifier = services.publish(
            actor=request.principal,
            collection=collection,
            expected_version=int(version) if version.isdecimal() else 0,
        )
    except InvalidInput as error:
        return _show_review(request, collection, error.fields, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    deliver_soon(identifier)
    return redirect("doi-draft", uid)


@login_required
@never_cache
@require_safe
def draft_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Where a collection and its DOI are. htmx asks for it again and again, and gets nothing while nothing has changed."""
    collection = find_editable(uid, request.principal)
    identifier = Identifier.objects.filter(collection=collection).first()
    status = status_of_collection(collection, identifier)
    if is_htmx(request) and request.GET.get("seen") == status.key:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    is_refused = identifier is not None and identifier.problem == Problem.REFUSED
    context = {
        "record": collection_record(collection, request.principal),
        "identifier": identifier,
        "status": status,
        "problems": told_problems(collection, identifier.problems) if is_refused else [],
        "versions": versions_of(collection, request.principal),
        "declined": declined_of(collection),
        "is_test": settings.DATACITE_IS_TEST,
        "is_newest": not _is_followed(collection),
        "concept_status": _concept_status(collection),
    }
    template = "doi/status.html" if is_htmx(request) else "doi/draft.html"
    return render(request, template, context)


def _concept_status(collection: Collection) -> Status | None:
    """How the DOI of all versions stands, while DataCite has not confirmed it."""
    identifier = with_records(Identifier.objects.filter(concept=collection.concept_id)).first()
    return None if identifier is None or identifier.is_settled else status_of(identifier)


def _is_followed(collection: Collection) -> bool:
    return Collection.objects.filter(concept_id=collection.concept_id, number__gt=collection.number).exists()


@login_required
@require_POST
def act_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The buttons of the page above."""
    collection, actor = find_editable(uid, request.principal), request.principal
    action = request.POST.get("action", "")
    if action == "retry":
        both = Identifier.objects.filter(Q(collection=collection) | Q(concept=collection.concept_id)).order_by("pk")
        again = [services.retry(actor=actor, identifier=one) for one in both if not one.is_settled]
        for identifier in again[:1]:
            deliver_soon(identifier)
    elif action == "cancel":
        services.cancel_publication(actor=actor, collection=collection)
        messages.success(request, "The publication is called off. The draft can be changed again.")
        return redirect("doi-review", uid)
    elif action == "version":
        return redirect("doi-what", new_version(actor=actor, collection=collection).uid)
    elif action == "withdraw":
        return _withdraw(request, collection)
    else:
        raise InvalidInput("Choose what to do.", fields={"action": ["retry, cancel, version or withdraw"]})
    return redirect("doi-draft", uid)


def _withdraw(request: HttpRequest, collection: Collection) -> HttpResponse:
    try:
        reason, with_data = request.POST.get("reason", ""), "with_data" in request.POST
        withdraw_collection(actor=request.principal, collection=collection, reason=reason, with_data=with_data)
        messages.success(request, "It is withdrawn. The DOI leads to a page that says so.")
    except InvalidInput as error:
        messages.error(request, error.message)
        return redirect(reverse("doi-draft", args=[collection.uid]) + "#withdraw")
    return redirect("doi-draft", collection.uid)


@login_required
@require_POST
def retry_session(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The button beside the DOI of an investigation."""
    identifier = Identifier.objects.filter(investigation__uid=uid).first()
    if identifier is None or not services.may_retry(identifier, request.principal):
        raise NotFound("There is no such investigation, or none that you may change.")
    deliver_soon(services.retry(actor=request.principal, identifier=identifier))
    return redirect("investigation", uid)
