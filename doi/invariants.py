"""What must hold of DOIs and no constraint can say; checked every night with those of the catalogue."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from catalogue import access
from catalogue.invariants import MOST_SHOWN
from catalogue.models import Collection, Dataset, Investigation
from catalogue.models.collections import CollectionState
from catalogue.models.investigations import RecordState
from doi.models import Identifier, IdentifierState, Problem
from doi.wanted import foreign_q

UNSETTLED_FOR = timedelta(days=1)


def check_published_collections() -> Iterator[str]:
    """A collection is published only after DataCite had its DOI findable, and its name is that DOI."""
    confirmed = Identifier.objects.filter(collection=OuterRef("pk"), doi=OuterRef("doi")).exclude(
        state__in=[IdentifierState.NONE, IdentifierState.DRAFT]
    )
    published = Collection.objects.filter(state__in=[CollectionState.PUBLISHED, CollectionState.WITHDRAWN])
    for uid in published.filter(~Exists(confirmed) & ~foreign_q()).values_list("uid", flat=True)[:MOST_SHOWN]:
        yield f"collection {uid} is published, which DataCite never confirmed"


def check_findable_collections() -> Iterator[str]:
    """What DataCite has findable is published here."""
    findable = Identifier.objects.filter(collection__isnull=False, state=IdentifierState.FINDABLE)
    unpublished = findable.filter(collection__state__in=[CollectionState.DRAFT, CollectionState.PUBLISHING])
    for identifier in unpublished.filter(accepted_version=F("wanted_version"))[:MOST_SHOWN]:
        yield f"DOI {identifier.doi} is findable, its collection is not published"


def check_dois_of_records() -> Iterator[str]:
    """The DOI that a record shows is that of its identifier, which DataCite had findable."""
    for name, rows in (("investigation", Investigation.objects.all()), ("collection", Collection.objects.all())):
        shown = rows.filter(~foreign_q(), doi__isnull=False).exclude(
            identifier__doi=F("doi"), identifier__state__in=[IdentifierState.REGISTERED, IdentifierState.FINDABLE]
        )
        for uid in shown.values_list("uid", flat=True)[:MOST_SHOWN]:
            yield f"{name} {uid} shows a DOI that DataCite did not confirm"


def check_members_of_published_collections() -> Iterator[str]:
    """What was published is open."""
    active = Dataset.objects.filter(state=RecordState.ACTIVE, investigation__state=RecordState.ACTIVE)
    closed = active.exclude(access.open_q(timezone.now()))
    for member in ("memberships", "investigation__memberships"):
        held = closed.filter(**{f"{member}__collection__state": CollectionState.PUBLISHED})
        for uid in held.values_list("uid", flat=True)[:MOST_SHOWN]:
            yield f"dataset {uid} is closed, although a published collection holds it"


def check_unsettled_dois() -> Iterator[str]:
    """What is wanted reaches DataCite within a day, unless it was refused."""
    waiting = Identifier.objects.filter(accepted_version__lt=F("wanted_version")).exclude(problem=Problem.REFUSED)
    long_ago = timezone.now() - UNSETTLED_FOR
    for identifier in waiting.filter(
        Q(accepted_at__lt=long_ago) | Q(accepted_at__isnull=True, created_at__lt=long_ago)
    )[:MOST_SHOWN]:
        yield f"DOI {identifier.doi} is not in agreement with DataCite for more than a day: {identifier.last_error[:200]}"


CHECKS = (
    check_published_collections,
    check_findable_collections,
    check_dois_of_records,
    check_members_of_published_collections,
    check_unsettled_dois,
)
