"""What the news of the catalogue means for the classifier. A lost piece of news delays: the nightly walk finds the images."""

from collections.abc import Sequence
from uuid import UUID

from catalogue.access import SYSTEM
from catalogue.events import send_after_commit
from classifier import events
from classifier.services.backlog import queue_datasets

# So many datasets are looked through at once; for more the request that changed them need not wait.
MOST_AT_ONCE = 20


def on_datasets_changed(*, uids: Sequence[UUID], **_news: object) -> None:
    if len(uids) <= MOST_AT_ONCE:
        queue_datasets(actor=SYSTEM, uids=uids)
    else:
        send_after_commit(events.many_changed, uids=uids)
