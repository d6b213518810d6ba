"""The accounts of a site on one machine, one for each role. They have no password: one-time links log them in."""

from catalogue.access import SYSTEM, Principal, principal_of
from catalogue.entries import PersonEntry
from catalogue.models import User
from catalogue.services.declarations import declare_account

# The person that ORCID itself made up for demonstrations: https://orcid.org/0000-0002-1825-0097
PI = PersonEntry(given_name="Josiah", family_name="Carberry", orcid="0000-0002-1825-0097", role="pi")
USERNAMES = {"pi": "principal investigator", "curator": "curator", "administrator": "administrator"}


def ensure_demo_accounts() -> Principal:
    """Make the accounts that are missing and return the administrator, who registers on behalf of the site."""
    declare_account(actor=SYSTEM, username="pi", given_name=PI.given_name, family_name=PI.family_name, orcid=PI.orcid)
    declare_account(actor=SYSTEM, username="curator", is_curator=True)
    return principal_of(declare_account(actor=SYSTEM, username="administrator", is_administrator=True))


def demo_users() -> list[tuple[str, User]]:
    """Role in words and account, for those that exist."""
    users = {user.username: user for user in User.objects.filter(username__in=USERNAMES)}
    return [(role, users[name]) for name, role in USERNAMES.items() if name in users]
