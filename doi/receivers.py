"""What the news of the catalogue means for DOIs. Each receiver runs after the commit and records intents only.

A lost piece of news delays: the clock's sweep and the nightly reconciliation find what it told of.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalogue.access import SYSTEM
from doi.delivery import with_records
from doi.intents import announce, is_enabled
from doi.models import Identifier
from doi.sessions import ensure_session_dois, heed_first_datasets
from doi.wanted import plan_of


def on_investigations_changed(*, uids: Sequence[UUID], **_news: object) -> None:
    ensure_session_dois(actor=SYSTEM, investigations=uids)


def on_datasets_changed(*, uids: Sequence[UUID], **_news: object) -> None:
    heed_first_datasets(actor=SYSTEM, datasets=uids)


def on_collections_changed(*, uids: Sequence[UUID], **_news: object) -> None:
    """A text was corrected, a consent was given or refused, a collection was withdrawn: its DOI and its concept's follow."""
    if not is_enabled():
        return
    for identifier in with_records(Identifier.objects.filter(collection__uid__in=uids)):
        assert identifier.collection is not None
        with transaction.atomic():
            rows = Identifier.objects.filter(pk=identifier.pk, state=identifier.state)
            rows.update(wanted=plan_of(identifier, now=timezone.now()).wanted)
            announce(Identifier.objects.filter(pk=identifier.pk), is_urgent=True)
            announce(Identifier.objects.filter(concept=identifier.collection.concept_id))
