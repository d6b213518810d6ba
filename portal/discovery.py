"""What tells programs how to find their way in: robots.txt, llms.txt, the OpenSearch description and the well-known addresses.

Every text is the same for everybody and costs no query. What there is for machines is listed once, in `APIS`.
"""

from dataclasses import dataclass
from datetime import UTC, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from catalogue.descriptions import this_site

# RFC 9727, section 4, and RFC 9264.
API_CATALOG_TYPE = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
# RFC 9116, section 2.5.5: less than a year ahead.
VALID = timedelta(days=180)
_TEXT = "text/plain; charset=utf-8"
_kept = cache_control(public=True, max_age=3600)


@dataclass(frozen=True)
class Api:
    """An interface for programs by the paths of its address, of what describes it to them, and of its page for people."""

    title: str
    path: str
    description: str
    media_type: str
    documentation: str = "/help/harvest"


APIS = (
    Api("REST API", "/api/v1/datasets", "/api/schema", "application/vnd.oai.openapi", "/api/docs"),
    Api("OAI-PMH 2.0", "/oai", "/oai?verb=Identify", "text/xml", "/help/harvest#oai"),
    Api("PaNOSC search API", "/panosc/api/datasets", "/panosc", "application/json", "/help/harvest#panosc"),
)


@require_safe
@_kept
def robots(request: HttpRequest) -> HttpResponse:
    """RFC 9309."""
    return _filled("portal/robots.txt", _TEXT)


@require_safe
@_kept
def llms(request: HttpRequest) -> HttpResponse:
    """By the proposal of llmstxt.org."""
    return _filled("portal/llms.txt", _TEXT)


@require_safe
@_kept
def opensearch(request: HttpRequest) -> HttpResponse:
    """OpenSearch 1.1: browsers and catalogues learn how to ask for datasets."""
    return _filled("portal/opensearch.xml", "application/opensearchdescription+xml; charset=utf-8")


@require_safe
@_kept
def security(request: HttpRequest) -> HttpResponse:
    """RFC 9116. Its end moves on with every day, so that it never is out of date while the site runs."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    contact = settings.SECURITY_CONTACT or f"mailto:{settings.ADMINISTRATOR_EMAIL}"
    expires = (today + VALID).isoformat().replace("+00:00", "Z")
    policy = settings.SECURITY_POLICY_URL
    return _filled("portal/security.txt", _TEXT, contact=contact, policy=policy, expires=expires)


@require_safe
@_kept
def api_catalog(request: HttpRequest) -> HttpResponse:
    """RFC 9727: the interfaces of the site, and of each what describes it."""
    site = settings.SITE_URL
    own = site + reverse("api-catalog")
    items = [{"href": site + api.path, "title": api.title} for api in APIS]
    described = [
        {
            "anchor": site + api.path,
            "service-desc": [{"href": site + api.description, "type": api.media_type}],
            "service-doc": [{"href": site + api.documentation, "type": "text/html"}],
            "status": [{"href": site + reverse("readyz"), "type": "application/json"}],
        }
        for api in APIS
    ]
    headers = {"Link": f'<{own}>; rel="api-catalog"', "Access-Control-Allow-Origin": "*"}
    document = {"linkset": [{"anchor": own, "item": items}, *described]}
    return JsonResponse(document, content_type=API_CATALOG_TYPE, headers=headers)


@require_safe
def change_password(request: HttpRequest) -> HttpResponse:
    """Where password managers send people (W3C, "A Well-Known URL for Changing Passwords")."""
    return redirect("account_change_password")


def _filled(template: str, content_type: str, **values: str) -> HttpResponse:
    """Without the request: what stands in these texts depends on no session."""
    text = render_to_string(template, {"site": this_site(), **values})
    return HttpResponse(text, content_type=content_type)
