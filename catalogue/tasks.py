"""What the worker does: thin tasks over services, each safe to repeat. When they run stands in `portal/schedule.py`."""

import logging

from celery import shared_task
from django.utils import timezone

from catalogue import invariants, outbox
from catalogue.access import SYSTEM
from catalogue.models import Statistic
from catalogue.services import fixity, openings, reminders, storages, watching
from catalogue.services.access_requests import lapse_requests
from catalogue.services.housekeeping import remove_leftovers, renew_table_statistics
from catalogue.services.statistics import measure_statistics as measure
from catalogue.services.usage import recount_downloads as recount

logger = logging.getLogger(__name__)

BATCH = 100
SWEPT = "outbox_swept"


@shared_task
def deliver_outbox() -> int:
    """Deliver what is due, a batch at a time, so that another worker and a stop get their turn in between."""
    tried = outbox.deliver_due(limit=BATCH)
    if tried == BATCH:
        deliver_outbox.delay()
    return tried


@shared_task
def sweep_outbox() -> int:
    """Deliver what no bell was heard for, and leave a sign of life that the status page reads."""
    Statistic.objects.update_or_create(name=SWEPT, defaults={"value": 1, "measured_at": timezone.now()})
    return deliver_outbox()


@shared_task
def measure_statistics() -> None:
    measure(actor=SYSTEM)


@shared_task
def recount_downloads() -> int:
    return recount()


@shared_task
def scan_storages() -> None:
    """Look for new, changed and vanished files by every watch rule."""
    watching.scan_rules(actor=SYSTEM)


@shared_task
def check_storages() -> None:
    storages.check_storages(actor=SYSTEM)


@shared_task
def check_fixity() -> None:
    """Compare the files whose last check is longest ago with their checksums."""
    fixity.check_oldest_files(actor=SYSTEM)


@shared_task
def announce_openings() -> int:
    """Tell of what the clock has opened. Nothing waits for it: the data are open already."""
    return openings.announce_openings(actor=SYSTEM) + openings.announce_datasets(actor=SYSTEM)


@shared_task
def send_reminders() -> int:
    """Remind principal investigators of embargoes that end soon."""
    return reminders.send_reminders(actor=SYSTEM, now=timezone.now())


@shared_task
def tidy_up() -> None:
    remove_leftovers(actor=SYSTEM)
    lapse_requests(actor=SYSTEM)
    renew_table_statistics()


@shared_task
def check_invariants() -> list[str]:
    """What does not hold is logged as an error, for whoever reads the logs of the site."""
    found = [str(violation) for violation in invariants.find_violations()]
    for sentence in found:
        logger.error("an invariant does not hold: %s", sentence)
    return found
