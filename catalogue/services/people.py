"""People and their accounts: an ORCID iD that came from a login makes the person of the records and the account one."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalogue import changes
from catalogue.access import principal_of
from catalogue.audit import write_audit
from catalogue.errors import Conflict
from catalogue.identifiers import normalise_orcid
from catalogue.models import Person, TeamMember, User


def link_verified_orcid(*, user: User, orcid: str) -> Person:
    """Make `user` the person with this ORCID iD, which ORCID itself vouched for at a login of that very user.

    The person may stand in records already, where somebody typed the iD; a person of the account without an iD becomes that
    one. Raises ValueError for what is no ORCID iD, Conflict where the iD or the account belongs to another.
    """
    orcid = normalise_orcid(orcid)
    with transaction.atomic():
        known = Person.objects.select_for_update().filter(orcid=orcid).first()
        own = Person.objects.select_for_update().filter(user=user).first()
        if known and known.user_id not in (None, user.pk):
            raise Conflict("This ORCID iD belongs to another account here.", code="orcid-taken")
        if own and own.orcid not in (None, orcid):
            raise Conflict("This account belongs to another ORCID iD.", code="orcid-taken")
        if known and own and known.pk != own.pk:
            _move_memberships(own, known)
        person = known or own or Person.objects.create(**_names(user))
        if person.user_id == user.pk and person.orcid_verified_at:
            return person
        _verify(person, user, orcid, timezone.now())
    return person


def _verify(person: Person, user: User, orcid: str, now: datetime) -> None:
    before = {"orcid": person.orcid, "user": person.user_id}
    person.user, person.orcid, person.orcid_verified_at = user, orcid, now
    person.save(update_fields=["user", "orcid", "orcid_verified_at"])
    after = {"orcid": orcid, "user": user.pk}
    write_audit(actor=principal_of(user), action="verify-orcid", record=person, before=before, after=after)


def _names(user: User) -> dict[str, Any]:
    return {"given_name": user.first_name, "family_name": user.last_name or user.get_username()}


def _move_memberships(old: Person, new: Person) -> None:
    """The old person is removed; in a team of both, the role of the one with the ORCID iD stays."""
    both = TeamMember.objects.filter(person=new).values("investigation_id")
    TeamMember.objects.filter(
        person=old, investigation_id__in=list(both.values_list("investigation_id", flat=True))
    ).delete()
    TeamMember.objects.filter(person=old).update(person=new)
    changes.row_changed(new)
    old.delete()
