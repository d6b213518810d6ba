"""What the news of the catalogue means for the classifier. A lost piece of news delays: the nightly walk finds the images."""

from collections.abc import Sequence
from uuid import UUID

from catalogue.access import SYSTEM
from classifier.services.backlog import queue_datasets


def on_datasets_changed(*, uids: Sequence[UUID], **_news: object) -> None:
    queue_datasets(actor=SYSTEM, uids=uids)
