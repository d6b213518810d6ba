"""Wakes the deliverer of the outbox. Only a doorbell: when it is broken the sweep of `portal/schedule.py` delivers."""

import logging

from django.core.cache import cache

from catalogue.tasks import deliver_outbox

logger = logging.getLogger(__name__)

# One ring wakes the deliverer for everything that is recorded until it starts, `PAUSE` seconds later.
RUNG, PAUSE = "doorbell-rung", 1
BROKEN, SILENT_SECONDS = "doorbell-broken", 30


def ring(**_news: object) -> None:
    """Ask a worker to deliver. Never raises, and after a failure does not try again for a while: requests must not wait."""
    try:
        if cache.get(BROKEN) or not cache.add(RUNG, True, timeout=PAUSE):
            return
        deliver_outbox.apply_async(countdown=PAUSE)
    except Exception as error:  # any broker, any of its errors: the request that rings has done its work already
        logger.warning("the task broker does not answer (%s); the sweep will deliver", type(error).__name__)
        _be_silent()


def _be_silent() -> None:
    try:
        cache.set(BROKEN, True, timeout=SILENT_SECONDS)
    except Exception:
        logger.warning("the cache does not answer either")
