"""What the worker does for search: thin tasks on the queue `index`, each safe to repeat. Schedule: `portal/schedule.py`."""

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from catalogue.access import SYSTEM
from catalogue.models import Statistic
from search import saved
from search.backends.base import EngineUnavailable
from search.engines import engine
from search.indexing import check, rebuild, sync

logger = logging.getLogger(__name__)

# How often in a row the engine did not answer, and until when nobody asks it again.
RESTS = "index_rests"
LONGEST_REST = 60


@shared_task
def index_changes() -> int:
    """Write what changed, until nothing is pending; then stay a moment, as the next change seldom comes alone."""
    if Statistic.objects.filter(name=RESTS, measured_at__gt=timezone.now()).exists():
        return 0
    try:
        count = sync.index_pending(engine(), lingers=sync.LINGERS)
    except sync.NoIndex:
        build_index.delay()
        return 0
    except EngineUnavailable as error:
        pause = _rest()
        logger.warning("nothing can be indexed for %s s: %s", pause, error)
        index_changes.apply_async(countdown=pause)
        return 0
    Statistic.objects.filter(name=RESTS).delete()
    if sync.is_behind():
        index_changes.delay()
    return count


def _rest() -> int:
    """Note one more failure and how long to rest, longer each time."""
    failures = (Statistic.objects.filter(name=RESTS).values_list("value", flat=True).first() or 0) + 1
    pause = min(2 ** min(failures, 10), LONGEST_REST)
    until = timezone.now() + timedelta(seconds=pause)
    Statistic.objects.update_or_create(name=RESTS, defaults={"value": failures, "measured_at": until})
    return pause


@shared_task
def build_index() -> bool:
    """Build the index of a site that has none for the present fields."""
    try:
        return rebuild.ensure_index(engine())
    except (EngineUnavailable, rebuild.RebuildFailed) as error:
        logger.warning("the search index was not built: %s", error)
        return False


@shared_task
def check_index() -> str:
    """Compare the index with the database, have mended what drifted, and drop what was replaced a day ago."""
    try:
        report = check.check_index(engine(), repairs=True)
        rebuild.drop_old_indexes(engine())
    except EngineUnavailable as error:
        logger.warning("the search index was not checked: %s", error)
        return str(error)
    return str(report)


@shared_task
def tell_of_news() -> int:
    """Mail what is new in saved searches."""
    try:
        return saved.tell_of_news(actor=SYSTEM, now=timezone.now())
    except EngineUnavailable as error:
        logger.warning("nobody was told of news: %s", error)
        return 0
