"""The home page and the pages about the site itself."""

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalogue import access, selectors
from catalogue.browse import DatasetFilter, filter_datasets, page_of
from catalogue.interop.schema_org import catalog_document
from catalogue.models import Facility, Statistic, Technique
from portal import health

NEWEST = 8
TILES = 8
STATS = (
    ("open_datasets", "open datasets"),
    ("embargoed_datasets", "under embargo"),
    ("images", "with a picture"),
    ("instruments", "instruments"),
)


@require_safe
def home_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    anyone = access.ANONYMOUS
    datasets = selectors.with_references(filter_datasets(DatasetFilter(access="open"), anyone, now=now))
    newest = selectors.records_of(page_of(datasets, sort="newest", cursor="", limit=NEWEST).datasets, anyone, now=now)
    tiles = technique_tiles()
    context = {
        "stats": home_statistics(),
        "newest": newest,
        "featured": next((record for record in newest if record.has_thumbnail), None),
        "tiles": tiles,
        "examples": [{"text": tile["label"], "url": tile["url"]} for tile in tiles[:3]],
        "facility_text": ", ".join(Facility.objects.values_list("short_name", flat=True)[:3]),
        "register_url": reverse("register"),
        "schema_org": catalog_document(site_url=settings.SITE_URL, site_name=settings.SITE_NAME),
    }
    return render(request, "portal/home.html", context)


def home_statistics() -> list[dict[str, object]]:
    """The figures that the periodic job measured, as far as the site's policy lets strangers know of them."""
    values = dict(Statistic.objects.values_list("name", "value"))
    shown = [(name, label) for name, label in STATS if name in values]
    if access.public_level() == access.Level.NOTHING:
        shown = [(name, label) for name, label in shown if name not in ("embargoed_datasets", "images")]
    return [{"label": label, "value": values[name]} for name, label in shown]


def technique_tiles() -> list[dict[str, object]]:
    if access.public_level() == access.Level.NOTHING:
        return []
    techniques = Technique.objects.filter(dataset_count__gt=0).order_by("-dataset_count")[:TILES]
    return [
        {
            "label": technique.label,
            "count": technique.dataset_count,
            "url": f"{reverse('search')}?technique={technique.iri}",
        }
        for technique in techniques
    ]


@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    parts = health.parts()
    context = {"parts": parts, "is_well": all(part.is_up for part in parts), "stats": home_statistics()}
    return render(request, "portal/status.html", context)


@require_safe
def policy_page(request: HttpRequest) -> HttpResponse:
    context = {
        "facilities": Facility.objects.select_related("default_licence"),
        "public_level": access.public_level().value,
    }
    return render(request, "portal/policy.html", context)


@require_safe
def accessibility_page(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/accessibility.html")


@require_safe
def about_page(request: HttpRequest) -> HttpResponse:
    vendored = json.loads((settings.BASE_DIR / "static" / "vendor" / "VENDORED.json").read_text())
    return render(request, "portal/about.html", {"vendored": vendored})
