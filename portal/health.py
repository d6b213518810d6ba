"""Whether the site's parts work: for load balancers (`/healthz`, `/readyz`) and for the status page.

Every check is bounded in time, and its words name no host, path, account or secret, as anybody may read them.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalogue.models import OutboxEntry, Statistic, Storage
from catalogue.models.storages import StorageState
from catalogue.tasks import SWEPT
from portal.celery import app as celery_app
from search.engines import engine
from search.indexing.status import index_status

logger = logging.getLogger(__name__)

BROKER_SECONDS = 2
WORKER_IS_LATE_AFTER = timedelta(minutes=5)
ANSWER_IS_KEPT_SECONDS = 2


@dataclass(frozen=True)
class Part:
    """The state of one part. A part that is not `is_required` may be down while the site still serves its pages."""

    name: str
    is_up: bool
    text: str
    is_required: bool = True
    milliseconds: int = 0


def parts() -> list[Part]:
    """The state of every part of the site, measured now."""
    checks = [check_database, check_migrations, check_broker, check_worker, check_search, check_storages]
    if apps.is_installed("classifier"):
        checks.append(check_classifier)
    return [_timed(check) for check in checks]


def _timed(check: Callable[[], Part]) -> Part:
    started = time.monotonic()
    try:
        part = check()
    except Exception as error:  # whatever broke, the answer of this page is that the part is down
        name = check.__name__.removeprefix("check_")
        logger.warning("the check of the %s failed: %s", name, type(error).__name__)
        part = Part(name, False, "does not answer", name not in ("worker", "search", "classifier"))
    spent = round((time.monotonic() - started) * 1000)
    return Part(part.name, part.is_up, part.text, part.is_required, spent)


def check_database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Part("database", True, f"{connection.display_name} answers")


def check_migrations() -> Part:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    text = f"{len(waiting)} migrations are waiting: run `manage.py migrate`" if waiting else "all applied"
    return Part("migrations", not waiting, text)


def check_broker() -> Part:
    with celery_app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    return Part("broker", True, "takes messages")


def check_worker() -> Part:
    """The sweep leaves a sign of life each minute. Without a worker pages work, but nothing new is read or checked."""
    swept = Statistic.objects.filter(name=SWEPT).first()
    waiting = OutboxEntry.objects.aggregate(count=Count("pk"), oldest=Min("created_at"))
    text = f"{waiting['count']} deliveries are waiting"
    if swept is None:
        return Part("worker", False, f"has not been seen yet; {text}", is_required=False)
    is_late = timezone.now() - swept.measured_at > WORKER_IS_LATE_AFTER
    seen = f"last seen {swept.measured_at:%Y-%m-%d %H:%M} UTC"
    return Part("worker", not is_late, f"{seen}; {text}", is_required=False)


def check_search() -> Part:
    """Without the search engine pages list from the database, and nothing is lost: what changed waits."""
    status = index_status(engine())
    return Part("search", status.is_up, status.text, is_required=False)


def check_classifier() -> Part:
    """Without what runs models images wait, and nothing else does."""
    from classifier.status import classifier_status

    status = classifier_status()
    return Part("classifier", status.is_up, status.text, is_required=False)


def check_storages() -> Part:
    """What the last periodic check of the site's own storages found; a user's own storage is that user's matter.

    One storage that is down closes its own files only; the site is unfit to serve when all of them are.
    """
    states = list(Storage.objects.filter(owner__isnull=True, is_active=True).values_list("state", flat=True))
    down = states.count(StorageState.UNAVAILABLE)
    text = f"{len(states) - down} of {len(states)} available" if states else "none declared"
    return Part("storages", not states or down < len(states), text)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is alive and answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether requests should be sent here."""
    found = kept_parts()
    is_ready = all(part.is_up for part in found if part.is_required)
    document = {
        "status": "ready" if is_ready else "not ready",
        "parts": {
            part.name: {"up": part.is_up, "text": part.text, "required": part.is_required, "ms": part.milliseconds}
            for part in found
        },
    }
    return JsonResponse(document, status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)


def kept_parts() -> list[Part]:
    """The state of the parts a moment ago, so that nobody can load them by asking.

    The cache itself may be what is down: then they are measured each time.
    """
    try:
        return cache.get_or_set("health-parts", parts, ANSWER_IS_KEPT_SECONDS) or []
    except Exception:
        return parts()
