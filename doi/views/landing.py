"""Landing pages of DOIs, and the citations of what they lead to as files."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

from catalogue.downloads.headers import content_disposition
from catalogue.interop.bibtex import bibtex_of
from catalogue.interop.citation import publication_citation
from catalogue.interop.citation_styles import STYLES, styled_citation
from catalogue.interop.csl import csl_item
from catalogue.interop.ris import ris_of
from catalogue.interop.schema_org_publication import publication_document
from catalogue.interop.signposting import link_header
from catalogue.publication import Publication
from catalogue.views.sending import protect
from doi.landing import Landing, find_identifier, landing_of, members_of
from doi.models import Identifier

PLAIN = "datacite"


class Form(NamedTuple):
    """A format of citations: its name for people, its media type, and what writes it."""

    name: str
    media_type: str
    write: Callable[[Publication], str]


FORMS = {
    "bib": Form("BibTeX", "application/x-bibtex", bibtex_of),
    "ris": Form("RIS", "application/x-research-info-systems", ris_of),
    "csl.json": Form(
        "CSL-JSON",
        "application/vnd.citationstyles.csl+json",
        lambda publication: json.dumps(csl_item(publication), ensure_ascii=False, indent=1),
    ),
}


@require_safe
def landing_page(request: HttpRequest, doi: str) -> HttpResponseBase:
    identifier = find_identifier(doi.lower(), request.principal)
    if identifier.doi != doi:
        return _redirect(request, doi, identifier, "landing")
    now = timezone.now()
    landing = landing_of(identifier, request.principal, now=now)
    cursor = request.GET.get("cursor", "")
    context = {
        "landing": landing,
        "publication": landing.publication,
        "record": landing.record,
        "page": members_of(landing, identifier, request.principal, cursor=cursor, now=now),
        "citation": _citation(landing.publication, request.GET.get("style", PLAIN)),
        "styles": _styles(),
        "exports": [{"url": url, "form": FORMS[form]} for form, url in _exports(identifier).items()],
        "schema_org": _schema_org(landing),
        "api_url": _api_url(landing),
        "is_test": settings.DATACITE_IS_TEST,
    }
    response = render(request, "doi/landing.html", context, status=410 if landing.is_withdrawn else 200)
    if landing.is_public:
        response["Link"] = _signposts(landing, identifier)
    return _kept_for_its_reader(request, response, landing)


@require_safe
def citation_file(request: HttpRequest, doi: str, form: str) -> HttpResponseBase:
    identifier = find_identifier(doi.lower(), request.principal)
    if identifier.doi != doi:
        return _redirect(request, doi, identifier, f"cite-{form}")
    landing = landing_of(identifier, request.principal, now=timezone.now())
    kind = FORMS[form]
    response = HttpResponse(kind.write(landing.publication), content_type=f"{kind.media_type}; charset=utf-8")
    response["Content-Disposition"] = content_disposition(f"{doi.replace('/', '_')}.{form}")
    return protect(response, is_open=landing.is_public and request.principal.is_public)


def _redirect(request: HttpRequest, doi: str, identifier: Identifier, name: str) -> HttpResponse:
    """To the one address of what was meant: for good where only the case of letters differs, for now from a concept."""
    query = request.META.get("QUERY_STRING", "")
    response = redirect(name, identifier.doi, permanent=doi.lower() == identifier.doi)
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


def _exports(identifier: Identifier) -> dict[str, str]:
    return {form: f"/cite/{quote(identifier.doi)}.{form}" for form in FORMS}


def _schema_org(landing: Landing) -> dict[str, Any] | None:
    if landing.is_withdrawn or not landing.is_public:
        return None
    return publication_document(
        landing.publication,
        site_url=settings.SITE_URL,
        site_name=settings.SITE_NAME,
        download_url=_open_download(landing),
        conditions=f"Under embargo until {landing.opens_at.isoformat()}." if landing.opens_at else "",
    )


def _open_download(landing: Landing) -> str:
    """Where everybody gets everything in one archive; empty when that is nowhere."""
    is_for_all = landing.download_path and landing.publication.access_rights == "open" and not landing.is_too_big
    return f"{settings.SITE_URL}{landing.download_path}" if is_for_all else ""


def _signposts(landing: Landing, identifier: Identifier) -> str:
    descriptions = {settings.SITE_URL + url: FORMS[form].media_type for form, url in _exports(identifier).items()}
    return link_header(landing.publication, descriptions=descriptions, download_url=_open_download(landing))


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
