"""Removes what has had its time: answers kept for repeated requests, forgotten drafts, ended sessions, mails nobody can get.

And lets SQLite count its tables anew, which PostgreSQL does by itself.
"""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.models import IdempotencyKey, OutboxEntry, RegistrationDraft, ShareLink, ShareLinkUse
from catalogue.outbox import NEVER
from catalogue.services.mails import TOPIC as MAIL

ANSWERS_ARE_KEPT = timedelta(days=7)
DRAFTS_ARE_KEPT = timedelta(days=90)
REFUSED_MAILS_ARE_KEPT = timedelta(days=90)
USES_OF_LINKS_ARE_KEPT = timedelta(days=180)
ENDED_LINKS_ARE_KEPT = timedelta(days=365)
# Rows of each index that SQLite looks at: so it takes milliseconds however much there is.
ROWS_LOOKED_AT = 1000


def remove_leftovers(*, actor: Principal) -> dict[str, int]:
    """Return how many rows of each kind were removed."""
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself tidies up.")
    now = timezone.now()
    refused_mails = OutboxEntry.objects.filter(topic=MAIL, available_at=NEVER)
    old = {
        "answers": IdempotencyKey.objects.filter(created_at__lt=now - ANSWERS_ARE_KEPT),
        "drafts": RegistrationDraft.objects.filter(updated_at__lt=now - DRAFTS_ARE_KEPT),
        "mails": refused_mails.filter(created_at__lt=now - REFUSED_MAILS_ARE_KEPT),
        "uses of share links": ShareLinkUse.objects.filter(at__lt=now - USES_OF_LINKS_ARE_KEPT),
        "share links": ShareLink.objects.filter(expires_at__lt=now - ENDED_LINKS_ARE_KEPT),
        "sessions": Session.objects.filter(expire_date__lt=now),
    }
    return {name: rows.delete()[0] for name, rows in old.items()}


def renew_table_statistics() -> None:
    """What a database knows of its tables tells it which index to look in."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
            cursor.execute("ANALYZE")
