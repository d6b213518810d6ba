"""Records in the forms of `catalogue/interop/forms.py`: by an address for each, or by Accept at the page of the record.

A condition is answered from the edition of the record, before anything is read that the form is made of. What takes long to
write is kept for strangers, each edition and so each access of its own; what people with access of their own see never is.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from catalogue.access import Principal
from catalogue.descriptions import describe_dataset, description_of_investigation
from catalogue.downloads.headers import content_disposition
from catalogue.editions import Edition, dataset_edition, edition_of_investigation
from catalogue.errors import Gone, NotAcceptable, NotFound
from catalogue.interop.description import Description
from catalogue.interop.forms import FORMS, Form, address_of_forms, forms_of, page_links
from catalogue.interop.signposting import Link, link_header
from catalogue.selectors import find_investigation
from catalogue.views.sending import protect
from catalogue.visitors import asker_of

HTML = "text/html"
KEPT_SECONDS = 24 * 3600
MOST_KEPT_BYTES = 2**20


@dataclass
class Source:
    """A record that can be written in forms, as `principal` may see it. `page` is the path of its page.

    `read` reads what a form tells, and where that saves much no more.
    """

    kind: str
    page: str
    principal: Principal
    edition: Edition
    read: Callable[[Form], Description]
    _described: dict[str, Description] = field(default_factory=dict)

    def describe(self, form: Form) -> Description:
        if form.suffix not in self._described:
            self._described[form.suffix] = self.read(form)
        return self._described[form.suffix]

    def path_of(self, form: Form) -> str:
        return f"{address_of_forms(self.page)}.{form.suffix}"


def dataset_source(uid: UUID, principal: Principal) -> Source:
    now = timezone.now()
    edition = dataset_edition(uid, principal, now=now)

    def read(form: Form) -> Description:
        return describe_dataset(
            uid,
            principal,
            now=now,
            most_files=form.most_files,
            names_files=form.names_files,
            most_images=form.most_images,
        )

    return Source("dataset", f"/datasets/{uid}", principal, edition, read)


def investigation_source(uid: UUID, principal: Principal) -> Source:
    now = timezone.now()
    investigation, level = find_investigation(uid, principal, now=now)
    edition = edition_of_investigation(investigation, level, principal, now=now)

    def read(form: Form) -> Description:
        return description_of_investigation(investigation, level, principal, now=now, most_members=form.most_members)

    return Source("investigation", f"/investigations/{uid}", principal, edition, read)


@require_safe
def dataset_form(request: HttpRequest, uid: UUID, suffix: str) -> HttpResponse:
    return form_by_address(request, dataset_source(uid, asker_of(request)), suffix)


@require_safe
def investigation_form(request: HttpRequest, uid: UUID, suffix: str) -> HttpResponse:
    return form_by_address(request, investigation_source(uid, asker_of(request)), suffix)


def form_by_address(request: HttpRequest, source: Source, suffix: str) -> HttpResponse:
    form = FORMS[suffix]
    if source.kind not in form.kinds or not _suits(form, source):
        raise NotFound(f"There is no {form.name} of this {source.kind}. {form.needs}".rstrip())
    return _send(request, source, form)


def wants_page(request: HttpRequest) -> bool:
    """Whether the page is what the client likes best: every browser does, and whoever takes anything."""
    return request.get_preferred_type([HTML, *_accepted(FORMS.values())]) == HTML


def form_by_accept(request: HttpRequest, source: Source) -> HttpResponse:
    """The form that the client likes best at the address of the page; NotAcceptable names what there is."""
    forms = [form for form in FORMS.values() if source.kind in form.kinds]
    while wanted := request.get_preferred_type(list(_accepted(forms))):
        form = next(form for form in forms if wanted in form.accepted_types)
        if _suits(form, source):
            response = _send(request, source, form)
            response["Content-Location"] = source.path_of(form)
            patch_vary_headers(response, ("Accept",))
            return response
        forms.remove(form)
    there_is = [f"{form.content_type} at {settings.SITE_URL}{source.path_of(form)}" for form in forms]
    raise NotAcceptable(
        "This record is there as a page and in the forms that are listed, none of which the header Accept takes.",
        fields={"accept": ["text/html", *there_is]},
    )


def add_signposts(response: HttpResponse, description: Description) -> None:
    """The links of the page of a record, for machines that do not read it."""
    response["Link"] = link_header(page_links(description))


def listed_forms(description: Description, *, is_tombstone: bool = False) -> list[dict[str, Any]]:
    """The forms of a record as its page lists them: each with its `url`."""
    path = address_of_forms(description.publication.url).removeprefix(settings.SITE_URL)
    forms = forms_of(description, is_citable_only=is_tombstone)
    return [{"form": form, "url": f"{path}.{form.suffix}"} for form in forms if not form.is_linkset]


def _accepted(forms: Iterable[Form]) -> Iterable[str]:
    return (accepted for form in forms for accepted in form.accepted_types)


def _suits(form: Form, source: Source) -> bool:
    return form.suits is None or form.suits(source.describe(form))


def _send(request: HttpRequest, source: Source, form: Form) -> HttpResponse:
    """A tombstone has the forms that are citable: what was cited can still be looked up. The others are gone."""
    edition = source.edition
    if edition.is_tombstone and not form.is_citable:
        raise Gone(f"This record was withdrawn, and with it its {form.name}. Its page says why.")
    key = _key(form, edition)
    stamp = int(edition.stamped_at.timestamp())
    response = get_conditional_response(request, etag=f'"{key}"', last_modified=stamp)
    if response is None:
        response = HttpResponse(_body(source, form, key), content_type=form.content_type)
    if form.is_download:
        response["Content-Disposition"] = content_disposition(f"{_name(source)}.{form.suffix}")
    response["ETag"] = f'"{key}"'
    response["Last-Modified"] = http_date(stamp)
    response["Link"] = link_header(_ways_back(source, form))
    protect(response, is_open=source.principal.is_public)
    return response


def _ways_back(source: Source, form: Form) -> list[Link]:
    links = [Link(settings.SITE_URL + source.page, "describes", HTML), Link(form.profile, "profile")]
    return [link for link in links if link.target]


def _name(source: Source) -> str:
    """The name of the file without its ending: the DOI, or the uid of the record."""
    return source.page.split("/", 2)[2].replace("/", "_")


def _body(source: Source, form: Form, key: str) -> bytes:
    if not (form.is_heavy and source.principal.is_public):
        return form.write(source.describe(form))
    kept = caches["forms"].get(key)
    if kept is None:
        kept = form.write(source.describe(form))
        if len(kept) <= MOST_KEPT_BYTES:
            caches["forms"].set(key, kept, KEPT_SECONDS)
    return kept


def _key(form: Form, edition: Edition) -> str:
    """What the bytes of a form depend on: the edition of the record, the form, the names of the site, and the code."""
    site = (settings.SITE_URL, settings.SITE_NAME, settings.ADMINISTRATOR_EMAIL)
    return hashlib.sha256(repr((edition.key, form.suffix, site, code_digest())).encode()).hexdigest()[:40]


@cache
def code_digest() -> str:
    """A digest of the code of the catalogue, so that a new release of it makes new forms."""
    folder = Path(__file__).parents[1]
    files = sorted(file for part in (folder, folder / "interop") for file in part.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
