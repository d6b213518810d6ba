"""Landing pages of DOIs, and the forms of what they lead to."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from catalogue.interop.citation import publication_citation
from catalogue.interop.citation_styles import STYLES, styled_citation
from catalogue.interop.description import Description
from catalogue.interop.fair import assess
from catalogue.interop.forms import Form
from catalogue.interop.schema_org import json_ld
from catalogue.publication import Publication
from catalogue.views import record_forms
from catalogue.visitors import asker_of
from doi.landing import (
    Landing,
    describe,
    description_of_landing,
    edition_of,
    find_identifier,
    first_image,
    landing_of,
    members_of,
)
from doi.models import Identifier

PLAIN = "datacite"


@require_safe
def landing_page(request: HttpRequest, doi: str) -> HttpResponseBase:
    identifier = find_identifier(doi.lower(), request.principal)
    if identifier.doi != doi:
        return _redirect(request, doi, identifier, "landing")
    if not record_forms.wants_page(request):
        return record_forms.form_by_accept(request, _source(identifier, request))
    now = timezone.now()
    landing = landing_of(identifier, request.principal, now=now)
    page = members_of(landing, identifier, request.principal, cursor=request.GET.get("cursor", ""), now=now)
    images = first_image(identifier, request.principal, now=now)
    description = description_of_landing(landing, page.refs, landing.record.dataset_count, images)
    forms = record_forms.listed_forms(description, is_tombstone=landing.is_withdrawn)
    context = {
        "landing": landing,
        "publication": landing.publication,
        "record": landing.record,
        "page": page,
        "citation": _citation(landing.publication, request.GET.get("style", PLAIN)),
        "styles": _styles(),
        "forms": forms,
        "fair": assess(description) if landing.is_public else None,
        "schema_org": json_ld(description) if landing.is_public and not landing.is_withdrawn else None,
        "api_url": _api_url(landing),
        "is_test": settings.DATACITE_IS_TEST,
    }
    response = render(request, "doi/landing.html", context, status=410 if landing.is_withdrawn else 200)
    if landing.is_public and not landing.is_withdrawn:
        record_forms.add_signposts(response, description)
    patch_vary_headers(response, ("Accept",))
    return _kept_for_its_reader(request, response, landing)


@require_safe
def doi_form(request: HttpRequest, doi: str, suffix: str) -> HttpResponseBase:
    identifier = find_identifier(doi.lower(), asker_of(request))
    if identifier.doi != doi:
        return _redirect(request, doi, identifier, "cite", suffix)
    return record_forms.form_by_address(request, _source(identifier, request), suffix)


def _source(identifier: Identifier, request: HttpRequest) -> record_forms.Source:
    principal, now = asker_of(request), timezone.now()
    landing = landing_of(identifier, principal, now=now)

    def read(form: Form) -> Description:
        return describe(landing, identifier, principal, form, now=now)

    return record_forms.Source(
        kind="investigation" if landing.is_session else "collection",
        page=f"/doi/{identifier.doi}",
        principal=principal,
        edition=edition_of(landing, identifier, principal, now=now),
        read=read,
    )


def _redirect(request: HttpRequest, doi: str, identifier: Identifier, name: str, *more: str) -> HttpResponse:
    """To the one address of what was meant: for good where only the case of letters differs, for now from a concept."""
    query = request.META.get("QUERY_STRING", "")
    response = redirect(name, identifier.doi, *more, permanent=doi.lower() == identifier.doi)
    response["Location"] += f"?{query}" if query else ""
    patch_vary_headers(response, ("Cookie",))
    return response


def _citation(publication: Publication, style: str) -> dict[str, Any]:
    """In the form that DataCite recommends, or in one style of `STYLES`; only that one is made."""
    if style in STYLES:
        styled = styled_citation(publication, style)
        return {"key": style, "text": styled.text, "html": styled.html}
    return {"key": PLAIN, "text": publication_citation(publication), "html": ""}


def _styles() -> list[dict[str, str]]:
    names = {PLAIN: "DataCite"} | {key: name for key, (name, _) in STYLES.items()}
    return [{"key": key, "name": name, "url": f"?style={key}#cite"} for key, name in names.items()]


def _api_url(landing: Landing) -> str:
    """Empty for a session of which the asker sees no more than this page."""
    if not landing.is_session:
        return settings.SITE_URL + reverse("api-collection", args=[landing.record.uid])
    return settings.SITE_URL + reverse("api-investigation", args=[landing.record.uid]) if landing.record_path else ""


def _kept_for_its_reader(request: HttpRequest, response: HttpResponse, landing: Landing) -> HttpResponse:
    patch_vary_headers(response, ("Cookie",))
    if not (landing.is_public and request.principal.is_public):
        patch_cache_control(response, private=True)
    return response
