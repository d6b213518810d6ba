"""The pages of datasets, investigations, instruments and samples."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from catalogue import access, browse, selectors
from catalogue.access import Level, Principal
from catalogue.collection_selectors import collections_holding, member_of
from catalogue.descriptions import description_of
from catalogue.downloads.commands import commands_for
from catalogue.embargo_selectors import embargo_panel, may_release
from catalogue.interop.citation import citation, collection_citation
from catalogue.interop.description import Description
from catalogue.interop.fair import assess
from catalogue.interop.schema_org import json_ld
from catalogue.models import Dataset, Investigation
from catalogue.record import CollectionRecord, DatasetRecord, InvestigationRecord
from catalogue.services.authority import is_curating
from catalogue.services.selections import is_selected_by_visitor
from catalogue.views import record_forms
from catalogue.visitors import asker_of

FILES_ON_A_PAGE = 100
COLLECTIONS_SHOWN = 5
DATASETS_ON_A_PAGE = 20


def dataset_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    if not record_forms.wants_page(request):
        return record_forms.form_by_accept(request, record_forms.dataset_source(uid, asker_of(request)))
    now = timezone.now()
    dataset, level = selectors.find_detailed_dataset(uid, request.principal, now=now)
    record = selectors.detailed_record(dataset, level, request.principal, now=now)
    # Closed data need the token of an account, which a share link is not.
    has_commands = record.access.is_full and (record.access.is_open or not request.principal.is_anonymous)
    may_change = access.may_register_in(dataset.investigation, request.principal)
    published_in = _published_in(dataset, request.principal)
    cursor = request.GET.get("cursor", "")
    files, next_cursor = selectors.file_page(dataset, level, request.principal, cursor=cursor, limit=FILES_ON_A_PAGE)
    description = description_of(record, files=() if cursor else files)
    context = {
        "record": record,
        "api_url": f"{settings.SITE_URL}/api/v1/datasets/{record.uid}",
        "schema_org": None if record.access.is_withdrawn else json_ld(description),
        "forms": record_forms.listed_forms(description, is_tombstone=record.access.level == Level.TOMBSTONE),
        "fair": assess(description),
        "citation": _citation(record, published_in),
        "published_in": published_in,
        "preview": _preview(record),
        "files": {"records": files, "next_cursor": next_cursor},
        "provenance": _provenance(record),
        "commands": commands_for(record, site_url=settings.SITE_URL) if has_commands else (),
        "is_selected": dataset.is_selected or is_selected_by_visitor(request.session, uid),
        "history": selectors.history_of(dataset, level, request.principal),
        "actions": _actions(record, dataset, request.principal) if may_change and record.access.is_full else (),
    }
    return _described(request, render(request, "catalogue/dataset.html", context, status=_status(record)), description)


def investigation_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    if not record_forms.wants_page(request):
        return record_forms.form_by_accept(request, record_forms.investigation_source(uid, asker_of(request)))
    now = timezone.now()
    investigation, level = selectors.find_investigation(uid, request.principal, now=now)
    record = selectors.detailed_investigation(investigation, level, request.principal, now=now)
    page = _dataset_page(request, browse.DatasetFilter(investigation=uid), investigation)
    members = tuple(member_of(one) for one in page["records"])
    description = description_of(record, members=members, member_count=record.dataset_count)
    context = {
        "record": record,
        "panel": embargo_panel(investigation, request.principal, now=now),
        "may_share": access.may_share_in(investigation, request.principal),
        "page": page,
        "api_url": f"{settings.SITE_URL}/api/v1/investigations/{record.uid}",
        "schema_org": None if record.access.is_withdrawn else json_ld(description),
        "forms": record_forms.listed_forms(description, is_tombstone=record.access.level == Level.TOMBSTONE),
        "fair": assess(description),
        "citation": citation(record, site_url=settings.SITE_URL),
    }
    response = render(request, "catalogue/investigation.html", context, status=_status(record))
    return _described(request, response, description)


def instrument_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    instrument = selectors.get_instrument(uid)
    context = {
        "instrument": instrument,
        "techniques": instrument.technique_terms,
        "page": _dataset_page(request, browse.DatasetFilter(instruments=(instrument.short_name,))),
        "api_url": f"{settings.SITE_URL}/api/v1/instruments/{uid}",
    }
    return _private_if_closed(request, render(request, "catalogue/instrument.html", context))


def sample_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    sample = selectors.get_sample_record(uid, request.principal)
    context = {
        "sample": sample,
        "page": _dataset_page(request, browse.DatasetFilter(sample=uid)),
        "api_url": f"{settings.SITE_URL}/api/v1/samples/{uid}",
    }
    return _private_if_closed(request, render(request, "catalogue/sample.html", context))


def _status(record: DatasetRecord | InvestigationRecord) -> int:
    return 410 if record.access.level == Level.TOMBSTONE else 200


def _described(request: HttpRequest, response: HttpResponse, description: Description) -> HttpResponse:
    """The page of a record, at whose address its forms are too."""
    if response.status_code == 200:
        record_forms.add_signposts(response, description)
    patch_vary_headers(response, ("Accept",))
    return _private_if_closed(request, response)


def _private_if_closed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What depends on who asks stays out of shared caches."""
    patch_vary_headers(response, ("Cookie",))
    if not request.principal.is_public:
        patch_cache_control(response, private=True)
    return response


def _dataset_page(request: HttpRequest, wanted: browse.DatasetFilter, *fetched: Investigation) -> dict[str, Any]:
    now = timezone.now()
    lists = browse.Lists(request.principal, now=now, fetched=fetched)
    part = lists.page(wanted, cursor=request.GET.get("cursor", ""), limit=DATASETS_ON_A_PAGE)
    records = selectors.records_of(part.datasets, request.principal, now=now)
    return {"records": records, "next_cursor": part.next_cursor}


def _actions(record: DatasetRecord, dataset: Dataset, principal: Principal) -> list[dict[str, str]]:
    actions = [{"url": f"{record.path}/corrections", "text": "Correct the metadata"}]
    if access.may_share_in(dataset.investigation, principal):
        actions.append({"url": reverse("share-links", args=["dataset", record.uid]), "text": "Share by a link"})
    if not (record.access.is_open or record.access.is_withdrawn) and may_release(dataset.investigation, principal):
        url = f"{reverse('release', args=[record.investigation.uid])}?dataset={record.uid}"
        actions.append({"url": url, "text": "Release it now"})
    if is_curating(principal) and not record.access.is_withdrawn:
        actions.append({"url": reverse("dataset-withdraw", args=[record.uid]), "text": "Withdraw"})
    return actions


def _citation(record: DatasetRecord, published_in: list[CollectionRecord]) -> str:
    """A dataset that has a DOI is cited with the authors and the title under which it was published."""
    own = next((collection for collection in published_in if collection.doi == record.doi), None)
    if own is None:
        return citation(record, site_url=settings.SITE_URL)
    return collection_citation(own, publisher_name=record.facility.name)


def _published_in(dataset: Dataset, principal: Principal) -> list[CollectionRecord]:
    return collections_holding(dataset, principal, limit=COLLECTIONS_SHOWN) if dataset.is_published else []


def _preview(record: DatasetRecord) -> dict[str, Any] | None:
    if not record.has_thumbnail:
        return None
    is_picture = any(value.name == "image_width" and not value.group for value in record.parameters)
    caption = (
        "Made for viewing, with its brightness stretched where the data go beyond 8 bits."
        if is_picture
        else "The main signal as a curve, on a logarithmic scale where it spans many decades."
    )
    return {"url": record.preview_url, "alt": f"Preview of {record.title}", "caption": caption}


def _provenance(record: DatasetRecord) -> list[dict[str, Any]]:
    steps = []
    if record.proposal:
        steps.append({"kind": "Proposal", "title": record.proposal})
    steps.append(
        {
            "kind": "Investigation",
            "title": record.investigation.title,
            "url": f"/investigations/{record.investigation.uid}",
            "detail": record.investigation.visit_id,
        }
    )
    if record.sample:
        steps.append({"kind": "Sample", "title": record.sample.name, "url": f"/samples/{record.sample.uid}"})
    steps += [_dataset_step(source.kind, source.title, source.uid) for source in record.derived_from]
    steps.append({"kind": f"{record.kind.capitalize()} dataset", "title": record.title, "is_here": True})
    steps += [_dataset_step(result.kind, result.title, result.uid) for result in record.derivatives]
    return steps


def _dataset_step(kind: str, title: str, uid: UUID) -> dict[str, Any]:
    return {"kind": f"{kind.capitalize()} dataset", "title": title, "url": f"/datasets/{uid}"}
