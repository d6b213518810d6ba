"""Collections that can be published, and the steps of their life, for tests of DOIs. No assertion belongs here."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from catalogue import outbox
from catalogue.access import Principal, principal_of
from catalogue.collection_selectors import text_of
from catalogue.models import Collection, Dataset, Investigation, OutboxEntry, User
from catalogue.services.collections import save_text, start_collection, text_tag
from doi import services
from doi.intents import TOPIC
from doi.models import Identifier
from tests import factories

COMPLETE = {
    "title": "Nanowires under strain",
    "abstract": "Images of wires.",
    "creators": [{"family_name": "Curie", "given_name": "Marie"}],
}


@dataclass
class Draft:
    """A draft with one closed dataset of an investigation whose principal investigator made it."""

    pi: User
    investigation: Investigation
    dataset: Dataset
    collection: Collection

    @property
    def actor(self) -> Principal:
        return principal_of(self.pi)

    @property
    def identifier(self) -> Identifier:
        return Identifier.objects.select_related("collection__concept").get(collection=self.collection)

    def publish(self) -> Identifier:
        return services.publish(actor=self.actor, collection=self.collection, expected_version=None)

    def read_again(self) -> "Draft":
        for row in (self.collection, self.dataset, self.investigation):
            row.refresh_from_db()
        return self


def make_draft(pi: User | None = None, *, datasets: int = 1, **text: object) -> Draft:
    pi = pi or factories.make_user()
    investigation = factories.make_investigation(pi=pi)
    made = [factories.make_dataset(investigation) for _ in range(datasets)]
    return draft_of(pi, investigation, made, **text)


def draft_of(pi: User, investigation: Investigation, datasets: list[Dataset], **text: object) -> Draft:
    actor = principal_of(pi)
    collection = start_collection(actor=actor, datasets=Q(uid__in=[one.uid for one in datasets]))
    collection = write_text(actor, collection, **(COMPLETE | text))
    return Draft(pi, investigation, datasets[0], collection)


def write_text(actor: Principal, collection: Collection, **changes: object) -> Collection:
    seen = text_tag(text_of(collection), changes)
    return save_text(actor=actor, collection=collection, changes=changes, seen=seen)


def deliver(*, passes: int = 1) -> None:
    """Deliver whatever waits for DataCite, as if its pauses were over."""
    for _ in range(passes):
        OutboxEntry.objects.filter(topic=TOPIC).update(available_at=timezone.now() - timedelta(seconds=1))
        outbox.deliver_due(topics=[TOPIC], limit=waiting())


def waiting() -> int:
    return OutboxEntry.objects.filter(topic=TOPIC).count()
