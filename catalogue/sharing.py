"""What share links show, as conditions of the database, and whom they hide. The rule that uses them is in `access.py`."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from catalogue import models
from catalogue.anonymity import HiddenPerson
from catalogue.models import CollectionMember, Person, ReleaseConsent, ShareLink, TeamMember, User
from catalogue.models.embargo import RequestState
from catalogue.models.investigations import TeamRole

# The roles that decide who else reads what is closed.
SHARERS = (TeamRole.PI, TeamRole.LOCAL_CONTACT)


def valid_links(link_ids: Collection[int], *, now: datetime) -> QuerySet[ShareLink]:
    """Those of the links that were not revoked and have not ended."""
    return ShareLink.objects.filter(pk__in=link_ids, revoked_at__isnull=True, expires_at__gt=now)


def shared_members(links: QuerySet[ShareLink]) -> QuerySet[CollectionMember]:
    """The members of collections behind `links` whose data the maker of the link may share, see `access.may_share_in`.

    Who edits a collection reads its members, perhaps by a grant: that is no right to pass them on. A principal
    investigator who agreed to the release with this collection agreed to its being reviewed.
    """
    investigation = OuterRef(OuterRef("shared_investigation"))
    leaders = TeamMember.objects.filter(person__user=OuterRef("created_by"), role__in=SHARERS)
    consents = ReleaseConsent.objects.filter(collection=OuterRef("collection"), state=RequestState.GRANTED)
    authorised = links.filter(collection=OuterRef("collection")).filter(
        Q(created_by__is_curator=True)
        | Q(created_by__is_superuser=True)
        | Exists(leaders.filter(investigation=investigation))
        | Exists(consents.filter(investigation=investigation))
    )
    members = CollectionMember.objects.filter(collection__share_links__in=links)
    return members.annotate(shared_investigation=Coalesce("investigation_id", "dataset__investigation_id")).filter(
        Exists(authorised)
    )


def shared_q(links: QuerySet[ShareLink]) -> Q:
    """The datasets that one of `links` shows."""
    members = shared_members(links)
    return (
        Q(investigation_id__in=links.filter(investigation__isnull=False).values("investigation_id"))
        | Q(pk__in=links.filter(dataset__isnull=False).values("dataset_id"))
        | Q(pk__in=members.filter(dataset__isnull=False).values("dataset_id"))
        | Q(investigation_id__in=members.filter(investigation__isnull=False).values("investigation_id"))
    )


def people_behind(links: QuerySet[ShareLink]) -> frozenset[HiddenPerson]:
    """Everybody whose name would tell whose data `links` show: teams, those who made the links, authors of collections."""
    rows = links.select_related("created_by", "collection__created_by", "dataset")
    collections = [link.collection for link in rows if link.collection]
    makers = [link.created_by for link in rows] + [collection.created_by for collection in collections]
    investigations = {link.investigation_id for link in rows if link.investigation_id}
    investigations |= {link.dataset.investigation_id for link in rows if link.dataset}
    if collections:
        investigations |= _investigations_in(collections)
    team = TeamMember.objects.filter(investigation__in=investigations).order_by().values("person_id")
    people = Person.objects.filter(Q(pk__in=team) | Q(user__in=makers)).select_related("user").order_by()
    authors = [author for one in collections for author in _authors(one.text)]
    return frozenset([*map(_hidden_person, people), *map(_hidden_account, makers), *authors])


def _investigations_in(collections: Iterable[models.Collection]) -> set[int]:
    """The investigations of all members of `collections`, by primary key."""
    members = CollectionMember.objects.filter(collection__in=collections).order_by()
    whole = members.filter(investigation__isnull=False).values_list("investigation_id", flat=True)
    single = members.filter(dataset__isnull=False).values_list("dataset__investigation_id", flat=True)
    return set(whole.distinct()) | set(single.distinct())


def _hidden_person(person: Person) -> HiddenPerson:
    account = person.user
    names = (account.get_username(), account.email) if account else ()
    return HiddenPerson(person.family_name, person.given_name, (person.orcid or "", *names))


def _hidden_account(user: User) -> HiddenPerson:
    return HiddenPerson(user.last_name, user.first_name, (user.get_username(), user.email))


def _authors(text: dict) -> Iterator[HiddenPerson]:
    """The people in the text of a collection, which is a `PublicationText` in JSON."""
    for one in [*text.get("creators", ()), *text.get("contributors", ())]:
        if one.get("name_type") != "Organizational":
            yield HiddenPerson(one.get("family_name", ""), one.get("given_name", ""), (one.get("orcid", ""),))
