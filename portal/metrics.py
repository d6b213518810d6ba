"""Figures for Prometheus at `/metrics`: requests, tasks, the outbox and the archive. Names no user and no record.

Requests and tasks are counted where they happen. With PROMETHEUS_MULTIPROC_DIR set, web and worker processes share that
folder and one scrape sees them all; without it a process shows its own counts.
"""

import hmac
import ipaddress
import os
import time
from collections.abc import Callable, Iterator

from celery import signals
from django.apps import apps
from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from catalogue.errors import NotFound
from catalogue.models import OutboxEntry
from catalogue.outbox import NEVER
from catalogue.services.statistics import read_statistics
from portal.crawlers import visitor_of
from search.indexing.status import backlog

REQUESTS = Counter("faircat_requests_total", "Answered requests", ["method", "route", "status"])
SECONDS = Histogram(
    "faircat_request_seconds",
    "Time to the start of the answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
VISITS = Counter(
    "faircat_visits_total", "Requests by kind of visitor, and whether they were told to wait", ["visitor", "answer"]
)
TASKS = Counter("faircat_tasks_total", "Ended tasks", ["task", "outcome"])
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MetricsMiddleware:
    """Counts and times every request under the name of its route, never under its path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = (match.view_name or match.route) if match else "unknown"
        method = request.method if request.method in METHODS else "OTHER"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(time.perf_counter() - started)
        VISITS.labels(visitor_of(request), "refused" if response.status_code == 429 else "answered").inc()
        return response


def count_tasks() -> None:
    """Have Celery tell of each task that ends in this process."""
    signals.task_success.connect(_count_success, dispatch_uid="portal.metrics")
    signals.task_failure.connect(_count_failure, dispatch_uid="portal.metrics")


def _count_success(sender: object = None, **_details: object) -> None:
    TASKS.labels(getattr(sender, "name", "unknown"), "success").inc()


def _count_failure(sender: object = None, **_details: object) -> None:
    TASKS.labels(getattr(sender, "name", "unknown"), "failure").inc()


class SiteCollector(Collector):
    """What the database knows at the moment of the scrape: a few indexed or kept figures, no count of the archive."""

    def collect(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("faircat_outbox_entries", "Deliveries that wait", labels=["topic"])
        age = GaugeMetricFamily("faircat_outbox_oldest_seconds", "Age of the oldest waiting delivery", labels=["topic"])
        entries = OutboxEntry.objects.filter(available_at__lt=NEVER)
        waiting = entries.values("topic").annotate(count=Count("pk"), oldest=Min("created_at"))
        for row in waiting.order_by("topic"):
            depth.add_metric([row["topic"]], row["count"])
            age.add_metric([row["topic"]], (timezone.now() - row["oldest"]).total_seconds())
        archive = GaugeMetricFamily("faircat_archive", "Kept figures about the archive", labels=["figure"])
        for name, value in read_statistics().items():
            archive.add_metric([name], value)
        unindexed = backlog()
        behind = GaugeMetricFamily("faircat_index_waiting", "Datasets that wait to be indexed", unindexed.count)
        seconds = unindexed.age.total_seconds()
        late = GaugeMetricFamily("faircat_index_oldest_seconds", "Age of the first of them", seconds)
        yield from (depth, age, archive, behind, late)
        if apps.is_installed("classifier"):
            yield from _of_classifier()


def _of_classifier() -> Iterator[Metric]:
    from classifier.status import failed_lately, queue_states

    depth = GaugeMetricFamily("faircat_images_waiting", "Images that wait for workers", labels=["queue"])
    age = GaugeMetricFamily("faircat_images_oldest_seconds", "Age of the first of them", labels=["queue"])
    for queue in queue_states():
        depth.add_metric([queue.name], queue.waiting)
        age.add_metric([queue.name], (timezone.now() - queue.since).total_seconds())
    yield from (depth, age)
    yield GaugeMetricFamily("faircat_images_failed", "Work on images that failed within a day", failed_lately())


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_scrape(request):
        raise NotFound("There is nothing at this address, or nothing that you may see.")
    site = CollectorRegistry()
    site.register(SiteCollector())
    text = generate_latest(_process_registry()) + generate_latest(site)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _process_registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def _may_scrape(request: HttpRequest) -> bool:
    """The machine itself, or who knows the token. What a proxy passes on comes from elsewhere, whatever its address."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    is_forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    try:
        return not is_forwarded and ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
