"""Reminders before an embargo ends: each once, the most urgent only, none for what is open, none stopped by another."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.access import SYSTEM, principal_of
from catalogue.errors import NotAllowed
from catalogue.models import EmbargoReminder, Facility, Investigation, OutboxEntry
from catalogue.models.investigations import TeamRole
from catalogue.services.reminders import send_reminders
from tests import factories
from tests.refusals import refuse_row

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def pi():
    return factories.make_user("pi", email="pi@example.org")


def investigation_ending(days: float, pi=None, **fields) -> Investigation:
    return factories.make_investigation(pi=pi, embargo_until=NOW + days * DAY, **fields)


def mails() -> list[dict]:
    return [entry.payload for entry in OutboxEntry.objects.filter(topic="mail").order_by("id")]


def test_a_pi_is_reminded_three_times_with_links_to_act(pi, settings):
    investigation = investigation_ending(100, pi)
    counts = [send_reminders(actor=SYSTEM, now=NOW + day * DAY) for day in range(101)]
    assert [day for day, count in enumerate(counts) if count] == [10, 70, 93]
    assert [mail["subject"].split(":")[0] for mail in mails()] == [
        "Open to everyone in 90 days",
        "Open to everyone in 30 days",
        "Open to everyone in 7 days",
    ]
    page = f"{settings.SITE_URL}/investigations/{investigation.uid}"
    for mail in mails():
        assert mail["user"] == pi.pk
        assert f"{page}/release" in mail["body"]
        assert f"{page}/extension" in mail["body"]


def test_after_a_pause_of_the_job_only_the_most_urgent_reminder_is_sent(pi):
    investigation_ending(5, pi)
    assert send_reminders(actor=SYSTEM, now=NOW) == 1
    assert send_reminders(actor=SYSTEM, now=NOW + DAY) == 0
    assert EmbargoReminder.objects.get().days_before == 7


def test_a_longer_embargo_is_reminded_of_anew(pi):
    investigation = investigation_ending(5, pi)
    send_reminders(actor=SYSTEM, now=NOW)
    investigation.embargo_until = NOW + 20 * DAY
    investigation.save()
    assert send_reminders(actor=SYSTEM, now=NOW) == 1
    assert set(EmbargoReminder.objects.values_list("days_before", flat=True)) == {7, 30}


@pytest.mark.parametrize("fields", [{"released_at": NOW}, {"state": "withdrawn"}])
def test_what_is_open_or_withdrawn_needs_no_reminder(pi, fields):
    investigation_ending(5, pi, **fields)
    investigation_ending(-1, pi)
    investigation_ending(91, pi)
    assert send_reminders(actor=SYSTEM, now=NOW) == 0


def test_the_end_is_told_in_utc_as_on_every_page(pi):
    investigation = investigation_ending(5, pi)
    Facility.objects.update(time_zone="Asia/Tokyo")
    send_reminders(actor=SYSTEM, now=NOW)
    assert f"at {investigation.embargo_until:%H:%M} UTC" in mails()[0]["body"]


def test_the_local_contact_is_reminded_where_no_pi_has_an_account():
    contact = factories.make_user("contact")
    factories.add_member(investigation_ending(5), contact, role=TeamRole.LOCAL_CONTACT)
    send_reminders(actor=SYSTEM, now=NOW)
    assert [mail["user"] for mail in mails()] == [contact.pk]


def test_a_reminder_that_fails_stops_no_other(pi, caplog):
    """A trigger of the database refuses to write one of two."""
    broken, sound = investigation_ending(5, pi), investigation_ending(6, pi)
    refuse_row("INSERT", "catalogue_embargoreminder", f"NEW.investigation_id = {broken.pk}")
    assert send_reminders(actor=SYSTEM, now=NOW) == 1
    assert str(broken.uid) in caplog.text
    assert EmbargoReminder.objects.get().investigation == sound


def test_the_number_of_statements_follows_what_is_due_and_not_the_archive(pi):
    for _ in range(30):
        investigation_ending(200, pi)
    with CaptureQueriesContext(connection) as queries:
        send_reminders(actor=SYSTEM, now=NOW)
    assert len(queries) == 3


def test_only_the_site_itself_sends_reminders(pi):
    with pytest.raises(NotAllowed):
        send_reminders(actor=principal_of(pi), now=NOW)
