"""Requests for a longer embargo: who asks, who decides, what stays closed meanwhile, and what never closes again."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.utils import timezone

from catalogue import access
from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.embargo_selectors import (
    embargo_history,
    extension_requests_of,
    find_extension_request,
    open_extension_requests,
    own_extension_requests,
)
from catalogue.errors import Conflict, InvalidInput, NotAllowed
from catalogue.models import ExtensionRequest, Investigation, OutboxEntry
from catalogue.policy import embargo_end, policy_of
from catalogue.services.extensions import grant_extension, refuse_extension, request_extension, take_back_extension
from catalogue.services.investigations import update_investigation
from catalogue.services.openings import announce_openings
from catalogue.services.releases import release_investigation
from catalogue.services.withdrawals import withdraw_investigation
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY = timedelta(days=1)


@pytest.fixture
def lab() -> SimpleNamespace:
    """An investigation that opens in ten days; its policy holds requests for 30 days and goes to five years."""
    pi, member, other = (factories.make_user(name) for name in ("pi", "member", "other"))
    investigation = factories.make_investigation(pi=pi, embargo_until=timezone.now() + 10 * DAY)
    factories.add_member(investigation, member)
    return SimpleNamespace(
        investigation=investigation,
        dataset=factories.make_dataset(investigation),
        end=investigation.embargo_until,
        curator=principal_of(factories.make_curator("curator")),
        **{user.username: principal_of(user) for user in (pi, member, other)},
    )


def ask(lab: SimpleNamespace, *, days: int = 100, **changes: object) -> ExtensionRequest:
    values = {"actor": lab.pi, "until": lab.end + days * DAY, "reason": "The thesis is not handed in."} | changes
    return request_extension(investigation=lab.investigation, **values)


def opens_at(lab: SimpleNamespace) -> datetime:
    return access.opens_at(Investigation.objects.get(pk=lab.investigation.pk))


def is_public(lab: SimpleNamespace) -> bool:
    return access.full_datasets(ANONYMOUS, now=timezone.now()).filter(pk=lab.dataset.pk).exists()


def test_the_data_stay_closed_while_the_request_waits_but_not_for_longer_than_the_site_says(
    lab: SimpleNamespace,
) -> None:
    request = ask(lab)
    assert opens_at(lab) == lab.end + 30 * DAY
    with time_machine.travel(lab.end + 30 * DAY - timedelta(seconds=1)):
        assert not is_public(lab)
    with time_machine.travel(lab.end + 30 * DAY):
        assert is_public(lab)
        with pytest.raises(Conflict) as caught:
            grant_extension(actor=lab.curator, request=request)
        assert caught.value.code == "already-open"
        assert is_public(lab)
    request.refresh_from_db()
    assert request.state == "lapsed"
    assert Investigation.objects.get().embargo_until == lab.end


def test_who_asked_is_told_that_nobody_decided_in_time(lab: SimpleNamespace) -> None:
    request = ask(lab)
    assert announce_openings(actor=SYSTEM, now=lab.end + 29 * DAY) == 0
    assert announce_openings(actor=SYSTEM, now=lab.end + 30 * DAY) == 1
    request.refresh_from_db()
    assert request.state == "lapsed"
    bodies = [row.payload["body"] for row in OutboxEntry.objects.filter(topic="mail")]
    assert [body for body in bodies if "not decided in time" in body]
    assert opens_at(lab) == lab.end + 30 * DAY, "the moment at which they opened"


def test_a_curator_grants_what_was_asked_and_the_leader_is_told(lab: SimpleNamespace) -> None:
    request = ask(lab)
    grant_extension(actor=lab.curator, request=request)
    assert opens_at(lab) == request.until
    assert Investigation.objects.get().held_until is None
    mail = OutboxEntry.objects.filter(topic="mail", payload__user=lab.pi.user_id).get()
    assert "was granted" in mail.payload["body"]
    assert [one.state for one in own_extension_requests(lab.pi, decided_since=timezone.now() - DAY)] == ["granted"]
    assert own_extension_requests(lab.member, decided_since=timezone.now() - DAY) == []


def test_a_curator_grants_less_with_a_reason(lab: SimpleNamespace) -> None:
    request = ask(lab)
    shorter = lab.end + 20 * DAY
    with pytest.raises(InvalidInput):
        grant_extension(actor=lab.curator, request=request, until=shorter)
    for wrong in (lab.end, request.until + DAY):
        with pytest.raises(InvalidInput):
            grant_extension(actor=lab.curator, request=request, until=wrong, reason="No.")
    grant_extension(actor=lab.curator, request=request, until=shorter, reason="Twenty days suffice.")
    assert opens_at(lab) == shorter
    assert [event.text for event in embargo_history(lab.investigation, lab.pi)][0].endswith("Twenty days suffice.")


def test_after_a_refusal_the_data_open_at_the_end_or_at_once_where_it_has_passed(lab: SimpleNamespace) -> None:
    request = ask(lab)
    with pytest.raises(InvalidInput):
        refuse_extension(actor=lab.curator, request=request, reason="")
    with time_machine.travel(lab.end + DAY, tick=False):
        assert not is_public(lab)
        refuse_extension(actor=lab.curator, request=request, reason="Three years were enough.")
        assert is_public(lab)
        assert opens_at(lab) == timezone.now()


def test_a_request_is_decided_once(lab: SimpleNamespace) -> None:
    request = ask(lab)
    again = find_extension_request(request.uid, lab.curator)
    grant_extension(actor=lab.curator, request=request)
    with pytest.raises(Conflict):
        refuse_extension(actor=lab.curator, request=again, reason="Too late.")
    with pytest.raises((Conflict, InvalidInput)):
        grant_extension(actor=lab.curator, request=again)
    with pytest.raises(Conflict):
        take_back_extension(actor=lab.pi, request=again)
    assert opens_at(lab) == request.until


def test_a_request_is_taken_back_and_may_be_made_anew(lab: SimpleNamespace) -> None:
    with pytest.raises(Conflict) as caught:
        ask(lab), ask(lab)
    assert caught.value.code == "already-requested"
    request = ExtensionRequest.objects.get()
    with pytest.raises(NotAllowed):
        take_back_extension(actor=lab.member, request=request)
    take_back_extension(actor=lab.pi, request=request)
    assert opens_at(lab) == lab.end
    ask(lab)
    assert [one.state for one in extension_requests_of(lab.investigation, lab.member)] == ["open", "withdrawn"]
    assert extension_requests_of(lab.investigation, lab.other) == []


@pytest.mark.parametrize("name", ["member", "other", "curator"])
def test_only_the_principal_investigator_asks(lab: SimpleNamespace, name: str) -> None:
    with pytest.raises(NotAllowed):
        ask(lab, actor=getattr(lab, name))


@pytest.mark.parametrize("name", ["pi", "member", "other"])
def test_only_curators_decide(lab: SimpleNamespace, name: str) -> None:
    request = ask(lab)
    with pytest.raises(NotAllowed):
        grant_extension(actor=getattr(lab, name), request=request)
    with pytest.raises(NotAllowed):
        refuse_extension(actor=getattr(lab, name), request=request, reason="No.")
    with pytest.raises(NotAllowed):
        open_extension_requests(getattr(lab, name))


def test_nobody_decides_about_a_request_of_their_own(lab: SimpleNamespace) -> None:
    colleague = factories.make_curator("leading curator")
    investigation = factories.make_investigation(pi=colleague)
    actor = principal_of(colleague)
    until = investigation.embargo_until + DAY
    request = request_extension(actor=actor, investigation=investigation, until=until, reason="More time.")
    with pytest.raises(NotAllowed):
        grant_extension(actor=actor, request=request)
    assert open_extension_requests(lab.curator) == [request]


def test_a_wish_is_bounded_by_the_policy_and_needs_a_reason(lab: SimpleNamespace) -> None:
    for wrong in (lab.end, lab.end - DAY, timezone.now() + timedelta(days=366 * 5)):
        with pytest.raises(InvalidInput) as caught:
            ask(lab, until=wrong)
        assert "until" in caught.value.fields
    with pytest.raises(InvalidInput) as caught:
        ask(lab, reason=" ")
    assert "reason" in caught.value.fields


def test_what_is_open_cannot_be_asked_for(lab: SimpleNamespace) -> None:
    with time_machine.travel(lab.end), pytest.raises(Conflict):
        ask(lab)
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    with pytest.raises(Conflict):
        ask(lab)
    assert Investigation.objects.get().held_until is None


def test_a_release_takes_the_request_back(lab: SimpleNamespace) -> None:
    request = ask(lab)
    release_investigation(actor=lab.pi, investigation=lab.investigation)
    request.refresh_from_db()
    assert request.state == "withdrawn"
    with pytest.raises(Conflict):
        grant_extension(actor=lab.curator, request=request)


def test_a_withdrawal_ends_the_request(lab: SimpleNamespace) -> None:
    request = ask(lab)
    withdraw_investigation(actor=lab.curator, investigation=lab.investigation, reason="By mistake.")
    request.refresh_from_db()
    assert request.state == "lapsed"


def test_a_site_may_hold_nothing(lab: SimpleNamespace) -> None:
    facility = lab.investigation.facility
    facility.extension_hold_days = 0
    facility.save()
    lab.investigation = Investigation.objects.select_related("facility", "instrument").get()
    ask(lab)
    assert opens_at(lab) == lab.end


def test_a_hold_moves_with_the_end_of_the_session(lab: SimpleNamespace) -> None:
    """Where the policy alone set the embargo and the session turns out to be longer."""
    investigation = lab.investigation
    policy = policy_of(investigation.facility, investigation.instrument)
    start = timezone.now()
    by_policy = embargo_end(policy, start, None)
    Investigation.objects.update(
        started_at=start, ended_at=None, embargo_until=by_policy, held_until=by_policy + 30 * DAY
    )
    changes = {"ended_at": start + 40 * DAY}
    update_investigation(actor=lab.curator, uid=investigation.uid, changes=changes, expected_version=None)
    moved = Investigation.objects.get()
    assert moved.embargo_until == embargo_end(policy, start, start + 40 * DAY)
    assert moved.held_until == moved.embargo_until + 30 * DAY
