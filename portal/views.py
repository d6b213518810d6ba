"""The home page and the pages about the site itself."""

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.db.models import OuterRef, Prefetch, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalogue import access, selectors
from catalogue.anonymity import shown_to
from catalogue.browse import DatasetFilter, Lists
from catalogue.collection_selectors import newest_collections
from catalogue.descriptions import this_site
from catalogue.interop.schema_org import catalog_document
from catalogue.models import Dataset, Facility, Instrument, Statistic, Technique
from catalogue.policy_text import policy_text
from doi.selectors import counts as doi_counts
from portal import health

NEWEST = 10
NEWEST_COLLECTIONS = 5
TILES = 8
KEPT_SECONDS = 60
STATS = (
    ("open_datasets", "open datasets"),
    ("embargoed_datasets", "under embargo"),
    ("images", "with a picture"),
    ("doi_findable", "DOIs"),
    ("instruments", "instruments"),
)
DOI_STATES = (
    ("findable", "findable"),
    ("registered", "hidden"),
    ("draft", "reserved"),
    ("not_in_agreement", "waiting for DataCite"),
)


@require_safe
def home_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    anyone = access.ANONYMOUS
    page = Lists(anyone, now=now).page(DatasetFilter(access="open"), limit=NEWEST)
    newest = [shown_to(record, request.principal) for record in selectors.records_of(page.datasets, anyone, now=now)]
    of_archive = cache.get_or_set("home", archive_at_a_glance, KEPT_SECONDS)
    tiles = of_archive["tiles"]
    context = {
        **of_archive,
        "newest": newest,
        "api_url": f"{settings.SITE_URL}{reverse('api-datasets')}?access=open&limit={NEWEST}",
        "newest_collections": newest_collections(request.principal, limit=NEWEST_COLLECTIONS),
        "featured": next((record for record in newest if record.has_thumbnail), None),
        "examples": [{"text": tile["label"], "url": tile["url"]} for tile in tiles[:3]],
        "register_url": reverse("register"),
        "schema_org": catalog_document(this_site()),
    }
    return render(request, "portal/home.html", context)


def archive_at_a_glance() -> dict[str, Any]:
    """What the home page says of the archive as a whole, the same for everybody and kept for a while."""
    return {
        "stats": home_statistics(),
        "tiles": [] if access.hides_records() else technique_tiles(),
        "facility_text": " and ".join(Facility.objects.values_list("name", flat=True)[:2]),
    }


def home_statistics() -> list[dict[str, object]]:
    """The figures that the periodic job measured, as far as the site's policy lets strangers know of them."""
    values = dict(Statistic.objects.values_list("name", "value"))
    shown = [(name, label) for name, label in STATS if name in values]
    if access.hides_records():
        shown = [(name, label) for name, label in shown if name not in ("embargoed_datasets", "images")]
    return [{"label": label, "value": values[name]} for name, label in shown]


def technique_tiles() -> list[dict[str, object]]:
    pictured = Dataset.objects.filter(access.open_q(timezone.now()), techniques=OuterRef("pk"), has_thumbnail=True)
    techniques = Technique.objects.filter(dataset_count__gt=0).order_by("-dataset_count")
    return [
        {
            "label": technique.label,
            "count": technique.dataset_count,
            "url": f"{reverse('search')}?{urlencode({'technique': technique.iri})}",
            "thumbnail_url": reverse("dataset-thumbnail", args=[technique.pictured]) if technique.pictured else "",
        }
        for technique in techniques.annotate(pictured=Subquery(pictured.order_by("-id").values("uid")[:1]))[:TILES]
    ]


@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    parts = health.kept_parts()
    context = {
        "parts": parts,
        "is_well": all(part.is_up for part in parts),
        "stats": home_statistics(),
        "dois": doi_statistics(),
    }
    return render(request, "portal/status.html", context)


def doi_statistics() -> list[dict[str, object]]:
    """DOIs by state; where records are hidden only the findable ones, since the others tell how many are hidden."""
    counts = doi_counts()
    shown = [(name, label) for name, label in DOI_STATES if name in counts]
    return [{"label": label, "value": counts[name]} for name, label in (shown[:1] if access.hides_records() else shown)]


@require_safe
def policy_page(request: HttpRequest) -> HttpResponse:
    instruments = Prefetch("instruments", Instrument.objects.select_related("default_licence"))
    facilities = Facility.objects.select_related("default_licence").prefetch_related(instruments)
    return render(request, "portal/policy.html", {"policies": [policy_text(facility) for facility in facilities]})


@require_safe
def accessibility_page(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/accessibility.html")


@require_safe
def about_page(request: HttpRequest) -> HttpResponse:
    vendored = json.loads((settings.BASE_DIR / "static" / "vendor" / "VENDORED.json").read_text())
    return render(request, "portal/about.html", {"vendored": vendored})
