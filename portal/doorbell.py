"""Wakes the deliverer of the outbox, the indexer and workers for images. Only doorbells: without them `portal/schedule.py` works."""

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from django.core.cache import cache

from catalogue.tasks import deliver_outbox
from search.tasks import index_changes

logger = logging.getLogger(__name__)

# One ring wakes the deliverer for everything that is recorded until it starts, `PAUSE` seconds later.
RUNG, PAUSE = "doorbell-rung", 1
# The indexer comes at once, and stays for longer than its bell is silent: see `search/indexing/sync.py`.
INDEXER_RUNG = "indexer-rung"
BROKEN, SILENT_SECONDS = "doorbell-broken", 30


def ring(**_news: object) -> None:
    """Ask a worker to deliver."""
    _ring(RUNG, lambda: deliver_outbox.apply_async(countdown=PAUSE))


def ring_indexer(**_news: object) -> None:
    """Ask a worker to write into the search index what changed."""
    _ring(INDEXER_RUNG, index_changes.delay)


def ring_classifier(*, queue: str, keys: Sequence[int], **_news: object) -> None:
    """Ask a worker for images to begin with `keys` at once; without any, to cut what waits into lists. Part of the classifier."""
    from classifier.tasks import dispatch_waiting, send_list

    if keys:
        _ring(f"classifier-rung-{keys[0]}", lambda: send_list(queue, list(keys)))
    else:
        _ring(f"classifier-rung-{queue}", lambda: dispatch_waiting.apply_async([queue], countdown=PAUSE))


def pass_on_datasets(*, uids: Sequence[UUID], **_news: object) -> None:
    """Have a worker look for new images in many datasets. Part of the classifier."""
    from classifier.tasks import queue_changed

    _ring(f"classifier-datasets-{uids[0]}", lambda: queue_changed.delay([str(uid) for uid in uids]))


def _ring(rung: str, call: Callable[[], object]) -> None:
    """Never raises, and after a failure does not try again for a while: requests must not wait."""
    try:
        if cache.get(BROKEN) or not cache.add(rung, True, timeout=PAUSE):
            return
        call()
    except Exception as error:  # any broker, any of its errors: the request that rings has done its work already
        logger.warning("the task broker does not answer (%s); the sweep will work", type(error).__name__)
        _be_silent()


def _be_silent() -> None:
    try:
        cache.set(BROKEN, True, timeout=SILENT_SECONDS)
    except Exception:
        logger.warning("the cache does not answer either")
