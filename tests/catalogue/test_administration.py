"""The administrators' tables: every change is in the audit log, no password is, and the way in is that of everybody."""

import json

import pytest
from django.test import Client

from catalogue.models import AuditEntry, Investigation, TeamMember, User, WatchRule
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a password of 2 tests"


@pytest.fixture
def administrator() -> User:
    return factories.make_user("administrator", email="root@example.org", is_superuser=True, is_staff=True)


@pytest.fixture
def client(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_audit_log_of_a_new_account_holds_no_password(client):
    values = {"username": "newcomer", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/admin/catalogue/user/add/", values).status_code == 302
    assert User.objects.get(username="newcomer").check_password(PASSWORD)
    row = AuditEntry.objects.get(action="create", object_label="newcomer")
    assert row.after["username"] == "newcomer"
    assert PASSWORD not in json.dumps([row.before, row.after])


def test_a_member_added_to_a_team_is_in_the_audit_log_of_the_investigation(client):
    investigation = factories.make_investigation()
    person = factories.make_person(family_name="Curie")
    page = client.get(f"/admin/catalogue/investigation/{investigation.pk}/change/")
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    assert "embargo_until" not in values, "no administrator closes what is open"
    for name in ("started_at", "ended_at"):
        values[f"{name}_0"], values[f"{name}_1"] = f"{values[name]:%Y-%m-%d}", f"{values[name]:%H:%M:%S}"
    team = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "0-person": person.pk, "0-role": "member", "0-position": "0"}
    values |= {f"team-{name}": value for name, value in team.items()}
    answer = client.post(page.request["PATH_INFO"], values)
    assert answer.status_code == 302
    changed = Investigation.objects.get()
    assert changed.version > investigation.version, "readers see by the version that the record changed"
    assert TeamMember.objects.get(investigation=investigation).person == person
    rows = AuditEntry.objects.filter(object_id=str(investigation.uid))
    assert any("Curie" in json.dumps(row.after) for row in rows)


def policy_form(client: Client, path: str, **changes: object) -> object:
    page = client.get(path)
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    return client.post(path, values | changes)


def test_a_policy_is_edited_by_administrators_and_logged(client):
    instrument = factories.make_instrument()
    path = f"/admin/catalogue/facility/{instrument.facility.pk}/change/"
    assert policy_form(client, path, embargo_months=24).status_code == 302
    instrument.facility.refresh_from_db()
    assert instrument.facility.embargo_months == 24
    row = AuditEntry.objects.get(object_type="facility")
    assert (row.before["embargo_months"], row.after["embargo_months"]) == ("36", "24")


def test_no_instrument_opens_later_than_its_maximum(client):
    """Also where the one comes from the facility and the other from the instrument."""
    instrument = factories.make_instrument()
    own = f"/admin/catalogue/instrument/{instrument.pk}/change/"
    of_facility = f"/admin/catalogue/facility/{instrument.facility.pk}/change/"
    answer = policy_form(client, own, embargo_months=61)
    assert answer.status_code == 200 and "later than the maximum of 60 months" in answer.content.decode()
    assert policy_form(client, own, embargo_months=61, maximum_embargo_months=70).status_code == 302
    assert policy_form(client, of_facility, embargo_months=48).status_code == 302
    assert policy_form(client, own, embargo_months=60, maximum_embargo_months="").status_code == 302
    answer = policy_form(client, of_facility, maximum_embargo_months=50)
    assert answer.status_code == 200 and "after 60 months" in answer.content.decode()


def test_administrators_log_in_where_everybody_does(administrator):
    visitor = Client()
    answer = visitor.get("/admin/login/", {"next": "/admin/"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
    administrator.set_password(PASSWORD)
    administrator.save()
    visitor.post("/admin/login/", {"username": "administrator", "password": PASSWORD})
    assert "_auth_user_id" not in visitor.session


def test_an_account_without_rights_is_refused_by_the_administration():
    client = Client()
    client.force_login(factories.make_user("stranger"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403


def test_a_watch_rule_that_acts_as_a_stranger_is_refused_where_it_is_typed(client, tmp_path):
    instrument = factories.make_instrument()
    values = {
        "storage": factories.make_storage(tmp_path, instrument=instrument).pk,
        "instrument": instrument.pk,
        "name": "all",
        "pattern": "(?P<visit>[^/]+)/.*",
        "visit_template": "{visit}",
        "group_template": "{path}",
        "title_template": "{technique}",
        "settle_seconds": "30",
        "is_active": "on",
    }
    stranger = client.post("/admin/catalogue/watchrule/add/", values | {"acts_as": factories.make_user().pk})
    assert list(stranger.context["adminform"].form.errors) == ["acts_as"]
    account = factories.make_instrument_account(instrument)
    assert client.post("/admin/catalogue/watchrule/add/", values | {"acts_as": account.pk}).status_code == 302
    assert WatchRule.objects.get().acts_as == account
