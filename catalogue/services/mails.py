"""Mails to accounts: queued in the transaction of what they tell of, sent by the deliverer of the outbox.

A mail holds no secret: no password, no token, nothing that its reader could not also see on the site. Who has no address
finds the same on the dashboard. Addresses are looked up when a mail is sent, so that it goes to the one of that day.
"""

import logging
import re
import smtplib
from collections.abc import Iterable
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from catalogue import outbox
from catalogue.circuit import circuit_of
from catalogue.models import User
from catalogue.models.base import make_uid
from catalogue.outbox import GiveUp, Retry

logger = logging.getLogger(__name__)

TOPIC = "mail"
LONGEST_SUBJECT = 200
MOST_SHOWN = 300
# Everything that could begin another header line, or that a terminal would obey.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
FAREWELL = "\n-- \n{site_name}, {site_url}\nYou get this because you have an account there. Nobody reads answers to this mail.\n"


def queue_mail(*, user_id: int, subject: str, body: str) -> None:
    """Intend one mail in plain text, within the caller's transaction. Raises nothing: who has no address gets none.

    `subject` becomes one line of at most 200 characters, whatever it holds; `body` gets a farewell that names the site.
    """
    queue_mails(user_ids=[user_id], subject=subject, body=body)


def queue_mails(*, user_ids: Iterable[int], subject: str, body: str) -> None:
    """`queue_mail` to each of several accounts, in mails of their own, so that none learns of another."""
    for user_id in sorted(set(user_ids)):
        _record_mail(user_id, _one_line(subject)[:LONGEST_SUBJECT], CONTROL.sub("", body).strip())


def absolute_url(path: str) -> str:
    """The address of a page of the site, for a mail."""
    return f"{settings.SITE_URL}{path}"


def _one_line(text: str) -> str:
    return " ".join(CONTROL.sub(" ", text).split())


def _record_mail(user_id: int, subject: str, body: str) -> None:
    payload = {"user": user_id, "subject": subject, "body": body}
    outbox.record_intents(TOPIC, [str(make_uid())], payload=payload)


def send_mail(key: str, *, user_id: int, subject: str, body: str) -> None:
    """Send one queued mail. Raises Retry while the mail server does not take it, GiveUp when it never will.

    A mail that is sent again after a lost acknowledgement has the same Message-ID, `key`, so that mailboxes keep one.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not user.email:
        logger.info("mail %s is not sent: the account %s is switched off or has no address", key, user_id)
        return
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or urlsplit(settings.SITE_URL).hostname
    message = EmailMessage(
        subject=subject,
        body=f"{body}\n{FAREWELL.format(site_name=settings.SITE_NAME, site_url=settings.SITE_URL)}",
        to=[user.email],
        headers={"Message-ID": f"<{key}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        _hand_over(message)
    except GiveUp as error:
        reason = str(error).replace(user.email, "…")
        raise GiveUp(f"The mail “{subject}” to the account {user.get_username()} was refused: {reason}") from None


def _hand_over(message: EmailMessage) -> None:
    """Give a mail to the mail server, which is left alone for a while after it was found dead."""
    circuit = circuit_of("mail", settings.EMAIL_HOST, str(settings.EMAIL_PORT))
    if remaining := circuit.enter():
        pause = timedelta(seconds=remaining)
        raise Retry(f"The mail server does not answer; it is tried again in {remaining:.0f} s.", after=pause)
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        circuit.record_success()
        code, text = next(iter(error.recipients.values()))
        raise _refusal(code, text, is_final=code >= 500) from None
    except smtplib.SMTPResponseException as error:
        # A login or a sender that is refused is put right in the settings, and then every mail is to go.
        circuit.record_success()
        is_final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        raise _refusal(error.smtp_code, error.smtp_error, is_final=is_final) from None
    except (OSError, smtplib.SMTPException) as error:
        circuit.record_failure(error)
        raise Retry(f"The mail server does not answer ({type(error).__name__}).") from None
    circuit.record_success()


def _refusal(code: int, text: bytes | str, *, is_final: bool) -> Exception:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    reason = f"{code} {_one_line(words)[:MOST_SHOWN]}"
    return GiveUp(reason) if is_final else Retry(f"The mail server said: {reason}")
