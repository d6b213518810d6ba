"""One-time login links of a demonstration site."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from catalogue.errors import NotAllowed, NotFound
from portal.accounts.login_links import login_link
from tests.factories import make_instrument, make_instrument_account, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _demonstration(settings):
    settings.IS_DEMO = True
    settings.SITE_URL = ""


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_link_logs_in_once(client: Client):
    link = login_link(make_user())
    answer = client.get(link)
    assert (answer.status_code, answer["Location"]) == (302, "/me")
    assert is_logged_in(client)
    second = Client()
    assert second.get(link).status_code == 404
    assert not is_logged_in(second)


def test_an_older_link_is_void_after_a_login(client: Client):
    user = make_user()
    older, newer = login_link(user), login_link(user)
    client.get(newer)
    second = Client()
    assert second.get(older).status_code == 404
    assert not is_logged_in(second)


def test_a_link_expires(client: Client):
    link = login_link(make_user())
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert client.get(link).status_code == 404
    assert not is_logged_in(client)


def test_a_changed_link_logs_nobody_in(client: Client):
    link = login_link(make_user())
    assert client.get(link[:-1] + ("a" if link[-1] != "a" else "b")).status_code == 404
    assert not is_logged_in(client)


def test_no_link_works_on_a_site_that_is_no_demonstration(client: Client, settings):
    link = login_link(make_user())
    settings.IS_DEMO = False
    assert client.get(link).status_code == 404
    with pytest.raises(NotFound):
        login_link(make_user())


def test_instruments_and_switched_off_accounts_get_no_link(client: Client):
    with pytest.raises(NotAllowed):
        login_link(make_instrument_account(make_instrument()))
    user = make_user()
    link = login_link(user)
    user.is_active = False
    user.save()
    assert client.get(link).status_code == 404


def test_the_command_prints_a_link_that_works(client: Client):
    make_user("ada")
    output = StringIO()
    call_command("login_link", "ada", stdout=output)
    assert client.get(output.getvalue().strip()).status_code == 302


def test_the_command_refuses_unknown_accounts_and_ordinary_sites(settings):
    with pytest.raises(CommandError, match="no account"):
        call_command("login_link", "nobody")
    make_user("ada")
    settings.IS_DEMO = False
    with pytest.raises(CommandError, match="FAIRCAT_IS_DEMO"):
        call_command("login_link", "ada")
