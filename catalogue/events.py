"""News for the apps above, sent after commit only. Receivers connect in `AppConfig.ready()`; a failing one stops nobody."""

import logging

from django.db import transaction
from django.dispatch import Signal

logger = logging.getLogger(__name__)

datasets_changed = Signal()  # uids: list[UUID]
investigations_changed = Signal()  # uids: list[UUID]
collections_changed = Signal()  # uids: list[UUID]
outbox_filled = Signal()  # nothing: a doorbell for the deliverer
revisions_raised = Signal()  # nothing: a doorbell for the indexer


def send_after_commit(signal: Signal, **news: object) -> None:
    """Send `news` to the receivers of `signal` once the current transaction has committed."""
    transaction.on_commit(lambda: _send(signal, news))


def _send(signal: Signal, news: dict) -> None:
    for receiver, result in signal.send_robust(sender=None, **news):
        if isinstance(result, Exception):
            logger.error("receiver %r failed", receiver, exc_info=result)
