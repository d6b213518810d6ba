"""Session DOIs: each investigation gets one by the policy of its instrument, and says what it is while its data are closed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue.access import ANONYMOUS, SYSTEM, principal_of
from catalogue.circuit import circuit_of
from catalogue.entries import InvestigationEntry
from catalogue.errors import NotAllowed
from catalogue.models import Investigation, OutboxEntry
from catalogue.models.investigations import TeamRole
from catalogue.services.investigations import create_investigation, update_investigation
from doi.client import client_from_settings
from doi.models import Identifier
from doi.receivers import on_datasets_changed, on_investigations_changed
from doi.sessions import ensure_session_dois
from doi.sweep import reconcile, sweep
from tests import factories
from tests.doi.world import deliver, waiting

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def register(**fields) -> Investigation:
    policy = {name: fields.pop(name) for name in ("session_doi", "embargo_metadata") if name in fields}
    instrument = factories.make_instrument(**policy)
    investigation = factories.make_investigation(instrument=instrument, **fields)
    on_investigations_changed(uids=[investigation.uid])
    return investigation


def told(investigation: Investigation) -> dict:
    found = client_from_settings().get(investigation.identifier.doi)
    assert found is not None
    return found.attributes


def state_of(investigation: Investigation) -> str:
    return Identifier.objects.get(investigation=investigation).state


def test_an_investigation_is_findable_while_its_data_are_closed(datacite):
    pi = factories.make_user()
    investigation = register(pi=pi, title="Strain in wires")
    contact = factories.make_person(family_name="Hahn", given_name="Otto", orcid="0000-0002-1825-0097")
    investigation.team.create(person=contact, role=TeamRole.LOCAL_CONTACT, position=1)
    deliver()
    investigation.refresh_from_db()
    attributes = told(investigation)
    assert state_of(investigation) == "findable"
    assert investigation.doi == investigation.identifier.doi
    assert attributes["titles"][0]["title"] == "Strain in wires"
    assert [one["familyName"] for one in attributes["creators"]][1] == "Hahn"
    assert attributes["creators"][1]["nameIdentifiers"][0]["nameIdentifier"] == "https://orcid.org/0000-0002-1825-0097"
    assert {"HostingInstitution", "ContactPerson"} == {one["contributorType"] for one in attributes["contributors"]}
    assert {one["rights"] for one in attributes["rightsList"]} >= {"embargoed access"}
    available = next(one["date"] for one in attributes["dates"] if one["dateType"] == "Available")
    assert available == investigation.embargo_until.date().isoformat()
    assert attributes["types"]["resourceTypeGeneral"] == "Collection"


@pytest.mark.parametrize(
    ("policy", "times", "is_due"),
    [
        ("start", {"started_at": timedelta(days=-1), "ended_at": None}, True),
        ("start", {"started_at": timedelta(days=1), "ended_at": timedelta(days=2)}, False),
        ("end", {"started_at": timedelta(days=-1), "ended_at": None}, False),
        ("end", {"started_at": timedelta(days=-2), "ended_at": timedelta(days=1)}, False),
        ("end", {"started_at": timedelta(days=-2), "ended_at": timedelta(days=-1)}, True),
    ],
)
def test_the_policy_says_when_a_doi_is_made(datacite, policy, times, is_due):
    now = timezone.now()
    moments = {name: now + offset if offset is not None else None for name, offset in times.items()}
    investigation = register(session_doi=policy, **moments)
    deliver()
    assert (state_of(investigation) == "findable") == is_due


def test_the_clock_alone_makes_a_doi_due(datacite, time_machine):
    start = timezone.now() + timedelta(hours=1)
    investigation = register(session_doi="start", started_at=start, ended_at=start + timedelta(days=1))
    sweep(actor=SYSTEM)
    assert waiting() == 0
    time_machine.move_to(start + timedelta(seconds=1))
    sweep(actor=SYSTEM)
    deliver()
    assert state_of(investigation) == "findable"


def test_the_first_dataset_makes_a_doi_due_where_the_policy_says_so(datacite):
    investigation = register(session_doi="first_dataset")
    deliver()
    assert state_of(investigation) == "none"
    dataset = factories.make_dataset(investigation)
    Investigation.objects.filter(pk=investigation.pk).update(dataset_count=1)
    on_datasets_changed(uids=[dataset.uid])
    deliver()
    assert state_of(investigation) == "findable"


def test_what_nobody_may_know_of_is_only_reserved_until_it_opens(datacite, time_machine):
    investigation = register(embargo_metadata="none")
    deliver()
    assert state_of(investigation) == "draft"
    investigation.refresh_from_db()
    assert investigation.doi is None
    time_machine.move_to(investigation.embargo_until + timedelta(seconds=1))
    sweep(actor=SYSTEM)
    deliver()
    investigation.refresh_from_db()
    assert state_of(investigation) == "findable"
    assert investigation.doi is not None


def test_datacite_hears_that_an_embargo_has_ended(datacite, time_machine):
    investigation = register()
    deliver()
    time_machine.move_to(investigation.embargo_until + timedelta(seconds=1))
    sweep(actor=SYSTEM)
    deliver()
    assert "open access" in {one["rights"] for one in told(investigation)["rightsList"]}
    assert waiting() == 0


def test_a_withdrawn_investigation_is_hidden_and_one_without_a_doi_gets_none(datacite):
    told_of, secret = register(), register(embargo_metadata="none", session_doi="first_dataset")
    deliver()
    Investigation.objects.update(state="withdrawn", withdrawal_reason="Wrong instrument.")
    on_investigations_changed(uids=[told_of.uid, secret.uid])
    deliver()
    assert (state_of(told_of), state_of(secret)) == ("registered", "none")
    assert told(told_of)["reason"] == "Wrong instrument."


def test_a_thousand_changes_leave_one_delivery_behind(datacite):
    investigation = register()
    for _ in range(20):
        on_investigations_changed(uids=[investigation.uid])
    assert waiting() == 1
    deliver()
    assert datacite.log()["dois"][investigation.identifier.doi]["writes"] == 1


def test_an_investigation_whose_news_was_lost_is_found_at_night(datacite):
    investigation = factories.make_investigation()
    assert reconcile(actor=SYSTEM).missing == 1
    deliver()
    assert state_of(investigation) == "findable"


def test_what_was_changed_at_datacite_by_another_hand_is_put_right_at_night(datacite, time_machine):
    investigation = register()
    deliver()
    client_from_settings().put(investigation.identifier.doi, {"titles": [{"title": "Vandalised"}]})
    time_machine.move_to(timezone.now() + timedelta(days=1))
    assert reconcile(actor=SYSTEM).differing == 1
    deliver()
    assert told(investigation)["titles"][0]["title"] == investigation.title
    time_machine.move_to(timezone.now() + timedelta(days=1))
    findings = reconcile(actor=SYSTEM)
    assert (findings.compared, findings.differing, findings.changed_here) == (1, 0, 0)


def test_what_was_added_at_datacite_is_found_and_sent_once_and_not_every_night(datacite, time_machine):
    investigation = register()
    deliver()
    place = {"geoLocationPlace": "The moon"}
    client_from_settings().put(investigation.identifier.doi, {"geoLocations": [place]})
    for differing in (1, 0, 0):
        time_machine.move_to(timezone.now() + timedelta(days=1))
        assert reconcile(actor=SYSTEM).differing == differing
        deliver()
    assert datacite.log()["dois"][investigation.identifier.doi]["writes"] == 3


def test_the_comparison_goes_on_where_it_ended_until_every_doi_was_compared(datacite, time_machine):
    for _ in range(3):
        register()
    deliver()
    time_machine.move_to(timezone.now() + timedelta(days=1))
    assert reconcile(actor=SYSTEM, lasting=timedelta()).compared == 0
    assert reconcile(actor=SYSTEM).compared == 3
    assert reconcile(actor=SYSTEM).compared == 0, "each once a night"


def test_only_the_site_gives_dois_to_investigations(datacite):
    with pytest.raises(NotAllowed):
        ensure_session_dois(actor=ANONYMOUS, investigations=[])


def test_registering_and_changing_an_investigation_is_news_enough(datacite, django_capture_on_commit_callbacks):
    instrument = factories.make_instrument()
    actor = principal_of(factories.make_instrument_account(instrument))
    entry = InvestigationEntry(
        visit_id="visit-x", instrument=instrument.short_name, title="Wires", started_at=timezone.now()
    )
    with django_capture_on_commit_callbacks(execute=True):
        investigation = create_investigation(actor=actor, entry=entry)
    with django_capture_on_commit_callbacks(execute=True):
        deliver()
    changes = {"title": "Nanowires"}
    with django_capture_on_commit_callbacks(execute=True):
        update_investigation(actor=actor, uid=investigation.uid, changes=changes, expected_version=None)
    deliver()
    assert told(investigation)["titles"][0]["title"] == "Nanowires"


def test_the_clock_is_heeded_for_any_number_of_sessions_at_few_statements(datacite, time_machine):
    for _ in range(3):
        register()
    deliver()
    ends = list(Investigation.objects.values_list("embargo_until", flat=True))
    time_machine.move_to(max(ends) + timedelta(seconds=1))
    sweep(actor=SYSTEM)
    assert waiting() == 3
    sweep(actor=SYSTEM)
    assert waiting() == 3


def test_the_team_sees_on_the_page_of_its_investigation_why_its_doi_waits_and_tries_again(datacite, client):
    pi = factories.make_user()
    investigation = register(pi=pi)
    datacite.stop()
    deliver()
    OutboxEntry.objects.update(available_at=timezone.now() + timedelta(hours=1))
    address = f"/investigations/{investigation.uid}"
    assert "cannot be reached" not in client.get(address).content.decode(), "only the team is told"
    client.force_login(pi)
    page = client.get(address).content.decode()
    assert investigation.identifier.doi in page and "cannot be reached" in page and "Next attempt" in page
    datacite.start()
    Identifier.objects.update(last_attempt_at=None)
    circuit_of("datacite", datacite.url, datacite.user).record_success()
    assert client.post(f"{address}/doi/retry").status_code == 302
    assert state_of(investigation) == "findable"
    assert "leads everybody to its landing page" in client.get(address).content.decode()
