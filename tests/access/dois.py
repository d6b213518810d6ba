"""DOIs of the small archive: of its sessions, of a published collection with a closed member, and of a draft."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from catalogue.models import Collection, CollectionMember, Concept, Investigation
from doi.models import Identifier

if TYPE_CHECKING:
    from tests.access.world import World

PUBLISHED, CONCEPT, RESERVED = "10.5072/published", "10.5072/concept", "10.5072/reserved"


def doi_of_session(state: str) -> str:
    return f"10.5072/session-{state}"


def make_dois(world: "World") -> None:
    for state, investigation in world.investigations.items():
        _make_identifier(doi_of_session(state), investigation=investigation)
        Investigation.objects.filter(pk=investigation.pk).update(doi=doi_of_session(state))
    published = Collection.objects.create(
        concept=Concept.objects.create(doi=CONCEPT),
        created_by=world.users["pi"],
        state="published",
        doi=PUBLISHED,
        published_at=timezone.now(),
        title="A published collection",
        text={"title": "A published collection", "creators": [{"family_name": "Curie"}]},
        member_count=3,
        dataset_count=2,
    )
    for state in ("open", "closed"):
        CollectionMember.objects.create(collection=published, dataset=world.datasets[state], role="A figure")
    CollectionMember.objects.create(collection=published, investigation=world.investigations["closed"])
    _make_identifier(PUBLISHED, collection=published)
    _make_identifier(CONCEPT, concept=published.concept)
    _make_identifier(RESERVED, collection=world.collection, state="draft", wanted="draft")
    world.published = published


def _make_identifier(doi: str, **fields: Any) -> None:
    values = {"state": "findable", "wanted": "findable", "accepted_at": timezone.now()}
    Identifier.objects.create(doi=doi, **(values | fields))
