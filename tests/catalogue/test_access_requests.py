"""Asking to read closed data: who may ask whom, one answer, told by mail, and nothing learned by asking."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalogue.access import SYSTEM, Level, dataset_level, principal_of
from catalogue.errors import Conflict, InvalidInput, NotAllowed, NotFound
from catalogue.models import AccessGrant, AccessRequest, AuditEntry, OutboxEntry, Person
from catalogue.models.investigations import TeamRole
from catalogue.selectors import history_of
from catalogue.services import access_requests, grants
from catalogue.services.access_requests import (
    find_request,
    grant_request,
    lapse_requests,
    refuse_request,
    request_access,
    requests_to_decide,
    take_back_request,
)
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def pi():
    return factories.make_user("pi", email="pi@example.org")


@pytest.fixture
def dataset(pi):
    return factories.make_dataset(factories.make_investigation(pi=pi))


@pytest.fixture
def asker():
    return factories.make_user("asker", email="asker@example.org")


def ask(user, record, **values) -> AccessRequest:
    words = {"level": Level.SUMMARY, "reason": "To compare with our wires.", "accepts_terms": True}
    return request_access(actor=principal_of(user), record=record, **(words | values))


def level(dataset, user) -> Level:
    return dataset_level(dataset, principal_of(user), now=timezone.now())


def mails_to(user) -> list[dict]:
    return [entry.payload for entry in OutboxEntry.objects.filter(topic="mail") if entry.payload["user"] == user.pk]


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("what", ["dataset", "investigation"])
def test_the_pi_is_told_grants_and_the_person_reads_until_the_day(dataset, pi, asker, what):
    record = dataset if what == "dataset" else dataset.investigation
    request = ask(asker, record)
    assert f"/access-requests/{request.uid}" in mails_to(pi)[0]["body"]
    end = timezone.now() + timedelta(days=7)
    grant_request(actor=principal_of(pi), request=request, expires_at=end)
    assert level(dataset, asker) == Level.FULL
    assert record.title in mails_to(asker)[0]["subject"]
    assert dataset_level(dataset, principal_of(asker), now=end) == Level.SUMMARY
    request.refresh_from_db()
    assert (request.state, request.decided_by, request.grant.user) == ("granted", pi, asker)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions == {"request-access", "grant-access", "decide-access-request"}


def test_the_history_of_a_record_does_not_tell_who_was_let_in(dataset, pi, asker):
    grant_request(actor=principal_of(pi), request=ask(asker, dataset), expires_at=None)
    told = [event.text for event in history_of(dataset, Level.FULL, principal_of(pi))]
    assert told == []


def test_a_refusal_has_a_reason_that_the_person_reads(dataset, pi, asker):
    request = ask(asker, dataset)
    with pytest.raises(InvalidInput):
        refuse_request(actor=principal_of(pi), request=request, reason=" ")
    refuse_request(actor=principal_of(pi), request=request, reason="A thesis is being written.")
    assert "A thesis is being written." in mails_to(asker)[0]["body"]
    assert level(dataset, asker) == Level.SUMMARY
    assert "A thesis is being written." in client_of(asker).get(f"/access-requests/{request.uid}").content.decode()


def test_a_request_is_decided_once_and_nothing_is_granted_by_the_second_answer(dataset, pi, asker):
    request = ask(asker, dataset)
    seen_by_another = AccessRequest.objects.get(pk=request.pk)
    refuse_request(actor=principal_of(pi), request=request, reason="No.")
    with pytest.raises(Conflict):
        grant_request(actor=principal_of(pi), request=seen_by_another, expires_at=None)
    assert not AccessGrant.objects.exists()
    with pytest.raises(Conflict):
        take_back_request(actor=principal_of(asker), request=seen_by_another)


@pytest.mark.parametrize("role", [TeamRole.LOCAL_CONTACT, TeamRole.MEMBER, "curator", "stranger", "asker"])
def test_only_who_decides_about_the_data_answers(dataset, asker, role):
    request = ask(asker, dataset)
    user = asker
    if role == "curator":
        user = factories.make_curator()
    elif role != "asker":
        user = factories.make_user("other")
    if role in TeamRole.values:
        factories.add_member(dataset.investigation, user, role=role)
    if role in (TeamRole.LOCAL_CONTACT, "curator"):
        assert find_request(request.uid, principal_of(user)) == request
        grant_request(actor=principal_of(user), request=request, expires_at=None)
        return
    with pytest.raises(NotAllowed):
        grant_request(actor=principal_of(user), request=request, expires_at=None)
    with pytest.raises(NotAllowed):
        refuse_request(actor=principal_of(user), request=request, reason="No.")
    if role != "asker":
        with pytest.raises(NotFound):
            find_request(request.uid, principal_of(user))
        assert client_of(user).get(f"/access-requests/{request.uid}").status_code == 404
        assert not requests_to_decide(principal_of(user)).exists()


def test_who_asks_gives_a_reason_agrees_to_the_terms_and_waits(dataset, asker):
    for wrong in ({"reason": " "}, {"accepts_terms": False}, {"reason": "x" * 5000}):
        with pytest.raises(InvalidInput):
            ask(asker, dataset, **wrong)
    ask(asker, dataset)
    with pytest.raises(Conflict):
        ask(asker, dataset)
    ask(asker, dataset.investigation)


@pytest.mark.parametrize("who", ["reader", "instrument", "token"])
def test_nobody_asks_without_need_or_in_the_name_of_others(dataset, asker, who):
    principal, seen = principal_of(asker), Level.SUMMARY
    if who == "reader":
        seen = Level.FULL
    elif who == "instrument":
        principal = principal_of(factories.make_instrument_account(dataset.instrument, "machine"))
    else:
        principal = principal_of(asker, scopes=frozenset({"read", "register"}))
    with pytest.raises((Conflict, NotAllowed)):
        request_access(actor=principal, record=dataset, level=seen, reason="Why not.", accepts_terms=True)


def test_a_hidden_record_is_asked_for_by_nobody_and_looks_like_none(dataset, asker):
    factories.set_embargo_metadata("none")
    client = client_of(asker)
    for address in (f"/datasets/{dataset.uid}", f"/investigations/{dataset.investigation.uid}"):
        answer = client.post(f"{address}/request-access", {"reason": "x", "accepts_terms": "on"})
        assert answer.status_code == 404
    assert client.get(f"/investigations/{dataset.investigation.uid}/access").status_code == 404


def test_a_person_asks_and_the_pi_answers_by_pages(dataset, pi, asker):
    client = client_of(asker)
    page = client.get(f"/datasets/{dataset.uid}/request-access").content.decode()
    assert "Terms of use" in page
    assert client.post(f"/datasets/{dataset.uid}/request-access", {"reason": "Compare."}).status_code == 422
    answer = client.post(f"/datasets/{dataset.uid}/request-access", {"reason": "Compare.", "accepts_terms": "on"})
    address = answer.headers["Location"]
    assert client.get(f"/datasets/{dataset.uid}/request-access").headers["Location"] == address
    assert dataset.title in client.get("/me").content.decode()
    leader = client_of(pi)
    assert address in leader.get("/me").content.decode()
    assert address in leader.get(f"/investigations/{dataset.investigation.uid}/access").content.decode()
    assert "asker@example.org" in leader.get(address).content.decode()
    for wrong in (
        {"action": "grant", "until": "day"},
        {"action": "grant", "until": "day", "day": "2020-01-01"},
        {"action": "refuse", "until": "open"},
        {"action": "", "until": "open"},
    ):
        assert leader.post(address, wrong).status_code == 422, wrong
    assert leader.post(address, {"action": "grant", "until": "open"}).status_code == 302
    assert level(dataset, asker) == Level.FULL
    assert "the data are open to everyone" in client.get(address).content.decode()


def test_a_request_can_be_taken_back(dataset, asker):
    request = ask(asker, dataset)
    client_of(asker).post(f"/access-requests/{request.uid}", {"action": "take-back"})
    request.refresh_from_db()
    assert request.state == "withdrawn"
    ask(asker, dataset)


def test_requests_lapse_when_the_data_open_or_nobody_answers(pi, asker):
    soon = factories.make_dataset(factories.make_investigation(pi=pi))
    late = factories.make_dataset(factories.make_investigation(pi=pi))
    waiting = factories.make_dataset(factories.make_investigation(pi=pi))
    opened, old, young = (ask(asker, dataset) for dataset in (soon, late, waiting))
    soon.investigation.released_at = timezone.now()
    soon.investigation.save()
    AccessRequest.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=181))
    assert lapse_requests(actor=SYSTEM) == 2
    states = dict(AccessRequest.objects.values_list("pk", "state"))
    assert states == {opened.pk: "lapsed", old.pk: "lapsed", young.pk: "open"}
    with pytest.raises(NotAllowed):
        lapse_requests(actor=principal_of(asker))


def test_curators_are_told_where_no_leader_has_an_account(asker):
    curator = factories.make_curator("curator", email="curator@example.org")
    ask(asker, factories.make_dataset())
    assert len(mails_to(curator)) == 1


def test_a_pi_lets_somebody_in_and_ends_it_again(dataset, pi, asker):
    leader, address = client_of(pi), f"/investigations/{dataset.investigation.uid}/access"
    wrong = leader.post(address, {"who": "nobody-here", "until": "open"})
    assert wrong.status_code == 422
    assert leader.post(address, {"who": "asker", "until": "open", "reason": "co-author"}).status_code == 302
    assert level(dataset, asker) == Level.FULL
    assert "co-author" in leader.get(address).content.decode()
    grant = AccessGrant.objects.get()
    assert leader.post(address, {"who": "asker", "until": "day", "day": "2999-01-01"}).status_code == 302
    assert AccessGrant.objects.get().expires_at.year == 2999
    assert not AccessGrant.objects.filter(pk=grant.pk).exists()
    leader.post(f"{address}/{AccessGrant.objects.get().pk}/revoke")
    assert level(dataset, asker) == Level.SUMMARY
    assert "ended" in mails_to(asker)[-1]["body"]
    other = factories.make_grant(asker, investigation=factories.make_investigation())
    assert leader.post(f"{address}/{other.pk}/revoke").status_code == 404


def test_an_account_is_found_by_what_its_owner_has_proven_only(asker):
    asker.emailaddress_set.create(email="asker@example.org", verified=False, primary=True)
    person = Person.objects.create(family_name="Asker", user=asker, orcid="0000-0002-1825-0097")
    for unproven in ("asker@example.org", "0000-0002-1825-0097", "0000-0002-1825-0098", "", "aske"):
        with pytest.raises(InvalidInput):
            grants.find_account(unproven)
    asker.emailaddress_set.update(verified=True)
    person.orcid_verified_at = timezone.now()
    person.save()
    for proven in ("asker", "ASKER@example.org", "0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097"):
        assert grants.find_account(proven) == asker
    with pytest.raises(InvalidInput):
        grants.find_account(factories.make_instrument_account(factories.make_instrument(), "machine").username)


def test_a_member_of_the_team_neither_grants_nor_sees_who_was_let_in(dataset):
    member = factories.make_user("member")
    factories.add_member(dataset.investigation, member)
    with pytest.raises(NotAllowed):
        grants.grant_access(actor=principal_of(member), record=dataset, user=factories.make_user(), expires_at=None)
    assert client_of(member).get(f"/investigations/{dataset.investigation.uid}/access").status_code == 404


def test_twenty_open_requests_are_enough(asker):
    for _ in range(access_requests.MOST_OPEN):
        ask(asker, factories.make_dataset())
    with pytest.raises(Conflict):
        ask(asker, factories.make_dataset())
