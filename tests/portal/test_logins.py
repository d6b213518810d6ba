"""Logging in: instruments never on the web, people by ORCID without an e-mail address, linked to what they took part in."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.core import context
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from catalogue.access import Principal, principal_of
from catalogue.errors import NotAllowed, NotFound
from catalogue.models import ApiToken, AuditEntry, Person, User
from catalogue.services.people import link_verified_orcid
from catalogue.services.tokens import create_token, principal_of_token, revoke_token
from tests import factories

pytestmark = pytest.mark.django_db
ORCID = "0000-0002-1825-0097"


@pytest.fixture
def orcid_site(settings: object) -> None:
    app = {"client_id": "APP-1", "secret": "for tests"}
    settings.SOCIALACCOUNT_PROVIDERS = {"orcid": {"APPS": [app]}}


def come_from_orcid(user: User | None = None) -> tuple[HttpRequest, HttpResponse]:
    """What happens after ORCID sent somebody back: `user` is who was logged in before, and connects the iD."""
    request = RequestFactory().get("/accounts/orcid/login/callback/")
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    MessageMiddleware(lambda _: HttpResponse()).process_request(request)
    request.user = user or AnonymousUser()
    data = {
        "orcid-identifier": {"path": ORCID},
        "person": {"name": {"family-name": {"value": "Curie"}, "given-names": {"value": "Marie"}}},
    }
    with context.request_context(request):
        login = get_adapter().get_provider(request, "orcid").sociallogin_from_response(request, data)
        if user:
            login.state["process"] = "connect"
        return request, complete_social_login(request, login)


def test_somebody_comes_by_orcid_without_an_email_address(orcid_site: None) -> None:
    _, answer = come_from_orcid()
    assert answer.status_code == 302
    person = Person.objects.get()
    assert (person.orcid, person.family_name, person.user.email) == (ORCID, "Curie", "")
    assert person.orcid_verified_at is not None
    assert not person.user.has_usable_password()
    assert AuditEntry.objects.filter(action="verify-orcid").exists()


def test_who_comes_by_orcid_reads_the_closed_data_of_their_team(orcid_site: None) -> None:
    investigation = factories.make_investigation()
    person = factories.make_person(orcid=ORCID)
    investigation.team.create(person=person, role="pi")
    come_from_orcid()
    person.refresh_from_db()
    assert person.orcid_verified_at is not None
    client = Client()
    client.force_login(person.user)
    record = client.get(f"/api/v1/investigations/{investigation.uid}").json()
    assert record["access"]["level"] == "full"


def test_coming_again_changes_nothing(orcid_site: None) -> None:
    come_from_orcid()
    first = Person.objects.get().orcid_verified_at
    come_from_orcid()
    assert (Person.objects.get().orcid_verified_at, User.objects.count()) == (first, 1)


def test_an_account_that_connects_its_orcid_keeps_its_teams(orcid_site: None) -> None:
    user = factories.make_user("marie")
    investigation = factories.make_investigation(pi=user)
    shared = factories.make_investigation(pi=user)
    typed = factories.make_person(orcid=ORCID)
    shared.team.create(person=typed, role="member")
    come_from_orcid(user)
    person = Person.objects.get(user=user)
    assert (person.pk, person.orcid) == (typed.pk, ORCID)
    assert [member.person for member in investigation.team.all()] == [person]
    assert [member.person for member in shared.team.all()] == [person]


def test_an_orcid_of_another_account_is_not_taken_over(orcid_site: None) -> None:
    other = factories.make_user("other")
    factories.make_person(other, orcid=ORCID)
    come_from_orcid()
    assert Person.objects.get(orcid=ORCID).user == other
    assert not Person.objects.filter(user__socialaccount__uid=ORCID).exists()


def test_what_is_no_orcid_is_never_linked() -> None:
    with pytest.raises(ValueError, match="check"):
        link_verified_orcid(user=factories.make_user(), orcid="0000-0002-1825-0098")


@pytest.fixture
def machine() -> SimpleNamespace:
    instrument = factories.make_instrument(short_name="sem-1")
    account = factories.make_instrument_account(instrument, "instrument-sem-1")
    return SimpleNamespace(instrument=instrument, account=account)


def test_an_instrument_has_no_password_and_a_given_one_does_not_help(machine: SimpleNamespace) -> None:
    assert not machine.account.has_usable_password()
    machine.account.set_password("a long password 123")
    machine.account.save()
    client = Client()
    form = {"login": machine.account.username, "password": "a long password 123"}
    answer = client.post("/accounts/login/", form)
    assert answer.status_code == 403
    assert "instrument" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_an_instrument_does_not_come_by_orcid(orcid_site: None, machine: SimpleNamespace) -> None:
    SocialAccount.objects.create(user=machine.account, provider="orcid", uid=ORCID)
    request, answer = come_from_orcid()
    assert answer.status_code == 403
    assert "_auth_user_id" not in request.session
    assert not Person.objects.exists()


def test_the_command_prints_a_token_that_registers_and_reads_nothing_closed(capsys: pytest.CaptureFixture) -> None:
    instrument = factories.make_instrument(short_name="sem-2")
    for _ in range(2):
        call_command("create_instrument_token", "sem-2", "--name", "control room", "--days", "30")
    first, second = capsys.readouterr().out.split()
    assert first != second
    user, principal = principal_of_token(first)
    assert (user.instrument, user.username, user.has_usable_password()) == (instrument, "instrument-sem-2", False)
    assert principal.scopes == frozenset({"register"})
    assert User.objects.filter(instrument=instrument).count() == 1
    assert first not in str(list(ApiToken.objects.values()))


def test_the_command_explains_an_unknown_instrument_and_a_long_life() -> None:
    with pytest.raises(CommandError, match="no instrument"):
        call_command("create_instrument_token", "nothing")
    factories.make_instrument(short_name="sem-3")
    with pytest.raises(CommandError, match="a year"):
        call_command("create_instrument_token", "sem-3", "--days", "4000")


def token_of(user: User, **options: object) -> tuple[ApiToken, str]:
    values = {"name": "laptop", "scopes": ["read"], "lifetime": timedelta(days=1)} | options
    return create_token(actor=principal_of(user), owner=user, **values)


def test_a_token_works_until_it_ends_or_is_revoked(time_machine: object) -> None:
    user = factories.make_user()
    token, text = token_of(user)
    assert principal_of_token(text)[0] == user
    token.refresh_from_db()
    assert token.last_used_at is not None
    time_machine.move_to(timezone.now() + timedelta(days=2))
    assert principal_of_token(text) is None
    token, text = token_of(user)
    revoke_token(actor=principal_of(user), token_id=token.pk)
    assert principal_of_token(text) is None


def test_the_token_of_a_closed_account_is_worth_nothing() -> None:
    user = factories.make_user()
    _, text = token_of(user)
    User.objects.update(is_active=False)
    assert principal_of_token(text) is None


def test_nobody_makes_or_revokes_the_tokens_of_others() -> None:
    user, other = factories.make_user(), factories.make_user()
    token, _ = token_of(user)
    with pytest.raises(NotFound):
        revoke_token(actor=principal_of(other), token_id=token.pk)
    for actor in (principal_of(other), principal_of(factories.make_user(is_superuser=True)), Principal()):
        with pytest.raises(NotAllowed):
            create_token(actor=actor, owner=user, name="x", scopes=["read"], lifetime=timedelta(days=1))


def test_a_token_makes_no_token() -> None:
    user = factories.make_user()
    actor = principal_of(user, scopes=frozenset({"read", "register"}))
    with pytest.raises(NotAllowed):
        create_token(actor=actor, owner=user, name="x", scopes=["read"], lifetime=timedelta(days=1))


def test_the_page_shows_a_token_once_and_revokes_it(client: Client) -> None:
    user = factories.make_user()
    client.force_login(user)
    page = client.post("/me/tokens", {"name": "laptop", "scopes": ["read"], "days": "30"}).content.decode()
    token = ApiToken.objects.get()
    assert page.count("fct_") >= 1
    text = page.split('id="new-token">')[1].split("<")[0]
    assert principal_of_token(text)[0] == user
    again = client.get("/me/tokens").content.decode()
    assert text not in again
    assert token.prefix in again
    client.post("/me/tokens", {"revoke": token.pk})
    assert principal_of_token(text) is None


def test_an_administrator_without_an_email_address_logs_in() -> None:
    call_command("createsuperuser", username="root", email="", interactive=False)
    user = User.objects.get(username="root")
    user.set_password("nanowires-on-silicon")
    user.save()
    client = Client()
    client.post("/accounts/login/", {"login": "root", "password": "nanowires-on-silicon"})
    assert client.get("/me").status_code == 200


def test_an_address_that_was_given_is_verified_before_the_first_login() -> None:
    user = factories.make_user("nora", password="nanowires-on-silicon", email="nora@example.org")
    user.emailaddress_set.create(email="nora@example.org", verified=False, primary=True)
    for _ in range(2):
        client = Client()
        client.post("/accounts/login/", {"login": "nora", "password": "nanowires-on-silicon"})
        assert client.get("/me").status_code == 302
        User.objects.update(email="")
