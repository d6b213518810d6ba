"""The whole catalogue for machines, a page at a time, in DCAT-AP: what everybody may know of, whoever asks."""

import hashlib
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from catalogue.catalog_pages import CatalogPage, describe_entries, find_page
from catalogue.descriptions import this_site
from catalogue.interop.catalog_page import Listed, PageLinks
from catalogue.interop.signposting import Link, link_header
from catalogue.views.record_forms import code_digest
from catalogue.views.sending import protect

MEDIA_TYPES = {"ttl": "text/turtle", "jsonld": "application/ld+json"}
PAGE_OF_LDP = "http://www.w3.org/ns/ldp#Page"


@require_safe
def catalog_page(request: HttpRequest, form: str) -> HttpResponse:
    now = timezone.now()
    cursor = request.GET.get("cursor", "")
    page = find_page(cursor, now=now)
    links = _links(form, cursor, page)
    tag = _tag(page, links)
    response = get_conditional_response(request, etag=tag)
    if response is None:
        response = HttpResponse(_written(page, links, form, now), content_type=MEDIA_TYPES[form])
    response["ETag"] = tag
    response["Link"] = link_header(_shown_links(links, form))
    protect(response, is_open=True)
    return response


def _written(page: CatalogPage, links: PageLinks, form: str, now: datetime) -> bytes:
    from catalogue.interop import dcat_catalog  # rdflib takes long to load, and most processes never need it

    listed = [Listed(description, entry.stamp) for entry, description in describe_entries(page.entries, now=now)]
    write = dcat_catalog.turtle if form == "ttl" else dcat_catalog.json_ld
    return write(this_site(), listed, links)


def _links(form: str, cursor: str, page: CatalogPage) -> PageLinks:
    first = f"{settings.SITE_URL}/catalog.{form}"

    def address(place: str) -> str:
        return f"{first}?{urlencode({'cursor': place})}" if place else first

    return PageLinks(address(cursor), first, address(page.next_cursor) if page.next_cursor else "")


def _shown_links(links: PageLinks, form: str) -> list[Link]:
    """As pages of LDP and RFC 8288 link: the first page, the next one, and the same page in the other form."""
    other = "jsonld" if form == "ttl" else "ttl"
    alternate = links.this.replace(f"/catalog.{form}", f"/catalog.{other}", 1)
    found = [
        Link(PAGE_OF_LDP, "type"),
        Link(links.first, "first", MEDIA_TYPES[form]),
        Link(links.following, "next", MEDIA_TYPES[form]),
        Link(alternate, "alternate", MEDIA_TYPES[other]),
    ]
    return [link for link in found if link.target]


def _tag(page: CatalogPage, links: PageLinks) -> str:
    """Changes with what is on the page, the site that tells of it, and the code; known before anything is written."""
    seen = [(str(entry.uid), entry.stamp.isoformat()) for entry in page.entries]
    known = repr((this_site(), links, seen, code_digest()))
    return f'"{hashlib.sha256(known.encode()).hexdigest()[:40]}"'
