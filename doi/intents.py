"""Intents to tell DataCite something, recorded in the transaction of the change. Delivering them is `doi/delivery.py`."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalogue import outbox
from catalogue.models import Collection, Concept, OutboxEntry
from doi.models import Identifier, IdentifierState, Problem
from doi.names import doi_name

TOPIC = "doi"
PORTION = 500


def is_enabled() -> bool:
    """Whether this site makes DOIs at all."""
    return bool(settings.DATACITE_URL)


def planned_identifier(collection: Collection) -> Identifier:
    """The identifier that a collection would have, not saved."""
    return Identifier(collection=collection, doi=doi_name(settings.DATACITE_PREFIX, collection.uid))


def ensure_identifier(record: Collection | Concept) -> Identifier:
    """The identifier of a record, made when it has none, within the caller's transaction."""
    name = "collection" if isinstance(record, Collection) else "concept"
    defaults = {"doi": doi_name(settings.DATACITE_PREFIX, record.uid), "wanted": IdentifierState.DRAFT}
    return Identifier.objects.get_or_create(**{name: record}, defaults=defaults)[0]


def announce(identifiers: QuerySet[Identifier], *, is_urgent: bool = False) -> int:
    """Record that DataCite is to be told anew of these, within the caller's transaction; how many they are.

    What was refused is tried again. A delivery that waits already is not doubled; an urgent one waits no longer.
    """
    dois = list(identifiers.exclude(wanted=IdentifierState.NONE).order_by("pk").values_list("doi", flat=True))
    for portion in portions(dois):
        rows = Identifier.objects.filter(doi__in=portion)
        rows.update(wanted_version=F("wanted_version") + 1)
        rows.filter(problem=Problem.REFUSED).update(problem=Problem.NONE, problems={}, last_error="")
        queue(portion, is_urgent=is_urgent)
    return len(dois)


def queue(dois: list[str], *, is_urgent: bool = False) -> int:
    """See that each of these has a delivery that waits, within the caller's transaction; how many had none."""
    now = timezone.now()
    idle = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    waiting = OutboxEntry.objects.filter(idle, topic=TOPIC, key__in=dois)
    have = set(waiting.values_list("key", flat=True))
    if is_urgent and have:
        waiting.filter(available_at__gt=now).update(available_at=now)
    missing = [doi for doi in dois if doi not in have]
    if missing:
        outbox.record_intents(TOPIC, missing)
    return len(missing)


def portions(dois: Iterable[str]) -> Iterator[list[str]]:
    listed = list(dois)
    for start in range(0, len(listed), PORTION):
        yield listed[start : start + PORTION]
