"""Mails, sent to a real mail server: none is lost while it is dead, none is tried for ever, none carries a foreign header."""

import email
import email.policy
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.db import transaction
from django.utils import timezone

from catalogue import curation
from catalogue.access import SYSTEM
from catalogue.circuit import circuit_of
from catalogue.invariants import find_violations
from catalogue.models import OutboxEntry, User
from catalogue.outbox import deliver_due
from catalogue.services.housekeeping import remove_leftovers
from catalogue.services.mails import absolute_url, queue_mail, queue_mails
from tests.factories import make_user
from tests.servers import MailServer

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def mail_server(settings) -> MailServer:
    """A mail server that the site is set up for; it runs where a test starts it."""
    server = MailServer()
    with server.running():
        pass
    circuit_of("mail", "127.0.0.1", str(server.port)).record_success()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.DEFAULT_FROM_EMAIL = "Faircat <data@example.org>"
    return server


@pytest.fixture
def user() -> User:
    return make_user("marie", email="marie@example.org")


def deliver() -> None:
    """Deliver what waits, whatever pause it was given."""
    OutboxEntry.objects.filter(available_at__lt=timezone.now() + timedelta(days=2)).update(available_at=timezone.now())
    deliver_due(topics=["mail"])


def parsed(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=email.policy.default)


def test_a_mail_is_plain_text_with_the_site_s_name_and_address(mail_server, user, settings):
    with mail_server.running():
        queue_mail(user_id=user.pk, subject="Your data open soon", body=f"See {absolute_url('/me')}.\nGrüße")
        deliver()
    mail = parsed(mail_server.mails[0])
    assert mail["To"] == "marie@example.org"
    assert mail["Subject"] == "Your data open soon"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert f"See {settings.SITE_URL}/me." in mail.get_content()
    assert "Grüße" in mail.get_content()
    assert not OutboxEntry.objects.exists()


def test_a_dead_mail_server_loses_no_mail(mail_server, user):
    queue_mail(user_id=user.pk, subject="Granted", body="You may read it.")
    deliver()
    entry = OutboxEntry.objects.get()
    assert "does not answer" in entry.last_error
    assert timezone.now() < entry.available_at < timezone.now() + timedelta(hours=8)
    with mail_server.running():
        deliver()
    assert len(mail_server.mails) == 1
    assert not OutboxEntry.objects.exists()


def test_many_mails_to_a_dead_server_ask_it_three_times_only(mail_server, user):
    for number in range(10):
        queue_mail(user_id=user.pk, subject=f"Mail {number}", body="Text")
    deliver()
    reasons = OutboxEntry.objects.values_list("last_error", flat=True)
    assert len([reason for reason in reasons if "tried again in" in reason]) == 7


def test_a_refused_recipient_is_given_up_and_shown_to_curators_without_the_address(mail_server, user, caplog):
    mail_server.refusals["RCPT"] = "550 5.1.1 <marie@example.org> User unknown"
    with mail_server.running():
        queue_mail(user_id=user.pk, subject="Your data open soon", body="Text")
        deliver()
        deliver()
        entry = OutboxEntry.objects.get()
        assert entry.attempts == 1
        problem = next(one for one in curation.problems(SYSTEM) if one.record == entry.key)
        assert "“Your data open soon” to the account marie was refused: 550 5.1.1 <…> User unknown" in problem.reason
        assert "marie@example.org" not in caplog.text + problem.reason
        mail_server.refusals.clear()
        curation.retry_now(actor=SYSTEM, entry_id=entry.pk)
        deliver()
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize(
    ("verb", "answer", "is_given_up"),
    [
        ("RCPT", "451 greylisted, come again", False),
        ("MAIL", "553 this sender is unknown here", False),
        ("DATA", "554 this text is refused", True),
        ("DATA", "452 no space left", False),
    ],
)
def test_what_the_server_may_take_later_is_tried_again(mail_server, user, verb, answer, is_given_up):
    mail_server.refusals[verb] = answer
    with mail_server.running():
        queue_mail(user_id=user.pk, subject="Subject", body="Text")
        deliver()
    entry = OutboxEntry.objects.get()
    assert answer in entry.last_error
    assert (entry.available_at.year == 9999) is is_given_up


def test_no_subject_and_no_text_adds_a_header(mail_server, user):
    with mail_server.running():
        queue_mail(
            user_id=user.pk,
            subject="Title\r\nBcc: thief@example.org\u2028\x85X-Evil: 1" + "x" * 500,
            body="a\r\n.\r\nMAIL FROM:<thief@example.org>\x00\x1b[2J",
        )
        deliver()
    mail = parsed(mail_server.mails[0])
    assert len(mail_server.mails) == 1
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert mail["Subject"].startswith("Title Bcc: thief@example.org X-Evil: 1")
    assert len(mail["Subject"]) == 200
    assert "\x1b" not in mail.get_content()
    assert "MAIL FROM" in mail.get_content()


def test_a_mail_goes_to_the_address_of_the_day_on_which_it_is_sent(mail_server, user):
    queue_mail(user_id=user.pk, subject="Subject", body="Text")
    User.objects.filter(pk=user.pk).update(email="new@example.org")
    with mail_server.running():
        deliver()
    assert parsed(mail_server.mails[0])["To"] == "new@example.org"


def test_accounts_without_an_address_and_switched_off_ones_get_nothing(mail_server, user):
    without = make_user("without", email="")
    off = make_user("off", email="off@example.org", is_active=False)
    with mail_server.running():
        queue_mails(user_ids=[user.pk, user.pk, without.pk, off.pk], subject="Subject", body="Text")
        deliver()
    assert [parsed(mail)["To"] for mail in mail_server.mails] == ["marie@example.org"]
    assert not OutboxEntry.objects.exists()


def test_a_mail_of_a_change_that_was_rolled_back_is_never_sent(user):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue_mail(user_id=user.pk, subject="Subject", body="Text")
        raise ZeroDivisionError
    assert not OutboxEntry.objects.exists()


def test_a_mail_that_is_sent_twice_has_one_message_id(mail_server, user):
    queue_mail(user_id=user.pk, subject="Subject", body="Text")
    entry = OutboxEntry.objects.get()
    with mail_server.running():
        deliver()
        entry.save(force_insert=True)  # as if the deliverer had died before it could remove it
        deliver()
    first, second = (parsed(mail)["Message-ID"] for mail in mail_server.mails)
    assert first == second == f"<{entry.key}@example.org>"


def test_refused_mails_do_not_count_as_late_and_are_removed_after_months(mail_server, user):
    mail_server.refusals["RCPT"] = "550 unknown"
    with mail_server.running():
        queue_mail(user_id=user.pk, subject="Subject", body="Text")
        deliver()
    OutboxEntry.objects.update(created_at=timezone.now() - timedelta(days=80))
    assert not [one for one in find_violations() if "delivery" in str(one)]
    assert remove_leftovers(actor=SYSTEM)["mails"] == 0
    OutboxEntry.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert remove_leftovers(actor=SYSTEM)["mails"] == 1
