"""Who decides about an embargo: the principal investigator of an investigation, and the curators of the site."""

from catalogue import access
from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.models import Investigation, TeamMember, User
from catalogue.models.investigations import TeamRole


def is_leader(investigation: Investigation, principal: Principal) -> bool:
    """Whether `principal` is a principal investigator of `investigation`, not acting by a token that may only read."""
    return principal.has_scope("register") and access.is_team_member(investigation, principal, roles=(TeamRole.PI,))


def is_curating(principal: Principal) -> bool:
    return principal.has_scope("register") and (principal.is_curator or principal.is_administrator)


def check_leader(investigation: Investigation, principal: Principal, *, act: str) -> None:
    """NotAllowed unless `principal` leads the investigation. `act` says what was wanted: "ask for more time"."""
    if not is_leader(investigation, principal):
        raise NotAllowed(f"Only the principal investigator may {act}.")


def check_leader_or_curator(investigation: Investigation, principal: Principal, *, act: str) -> None:
    if not (is_curating(principal) or is_leader(investigation, principal)):
        raise NotAllowed(f"Only the principal investigator and curators may {act}.")


def check_curator(principal: Principal, *, act: str) -> None:
    if not is_curating(principal):
        raise NotAllowed(f"Only curators may {act}.")


def accounts_of_team(investigation: Investigation, *, roles: tuple[TeamRole, ...] = ()) -> list[int]:
    """The primary keys of the active accounts in the team, of those with one of `roles` where roles are given."""
    members = TeamMember.objects.filter(investigation=investigation, person__user__is_active=True)
    if roles:
        members = members.filter(role__in=roles)
    return list(members.order_by("person__user_id").values_list("person__user_id", flat=True))


def accounts_of_curators() -> list[int]:
    return list(User.objects.filter(is_active=True, is_curator=True).order_by("pk").values_list("pk", flat=True))
