"""Instruments for machines, after PIDINST: by an address for each form, or by Accept at the page of the instrument."""

import hashlib
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from catalogue import selectors
from catalogue.descriptions import this_site
from catalogue.errors import NotAcceptable
from catalogue.interop import pidinst
from catalogue.interop.signposting import Link, link_header
from catalogue.masking import instrument_record
from catalogue.views import records
from catalogue.views.sending import protect

HTML = "text/html"
WRITERS: dict[str, tuple[str, Callable[..., bytes]]] = {
    "pidinst.json": ("application/json", pidinst.json_of),
    "pidinst.xml": ("application/xml", pidinst.xml_of),
}


@require_safe
def instrument_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    by_type = {media_type: suffix for suffix, (media_type, _) in WRITERS.items()}
    wanted = request.get_preferred_type([HTML, *by_type])
    if wanted is None:
        there_is = [f"{media_type} at {_address(uid, suffix)}" for media_type, suffix in by_type.items()]
        raise NotAcceptable(
            "This instrument is there as a page and in the forms that are listed, none of which the header Accept takes.",
            fields={"accept": [HTML, *there_is]},
        )
    if wanted == HTML:
        response = records.instrument_page(request, uid)
        response["Link"] = link_header(_links(uid))
    else:
        response = instrument_form(request, uid, by_type[wanted])
        response["Content-Location"] = f"/instruments/{uid}.{by_type[wanted]}"
    patch_vary_headers(response, ("Accept",))
    return response


@require_safe
def instrument_form(request: HttpRequest, uid: UUID, suffix: str) -> HttpResponse:
    media_type, write = WRITERS[suffix]
    body = write(instrument_record(selectors.get_instrument(uid)), site=this_site())
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=tag) or HttpResponse(body, content_type=media_type)
    response["ETag"] = tag
    response["Link"] = link_header(
        [Link(_address(uid), "describes", HTML), Link(pidinst.PROFILE, "profile")],
    )
    protect(response, is_open=True)
    return response


def _links(uid: UUID) -> list[Link]:
    return [
        Link(_address(uid, suffix), "describedby", media_type, pidinst.PROFILE)
        for suffix, (media_type, _) in WRITERS.items()
    ]


def _address(uid: UUID, suffix: str = "") -> str:
    page = f"{settings.SITE_URL}/instruments/{uid}"
    return f"{page}.{suffix}" if suffix else page
