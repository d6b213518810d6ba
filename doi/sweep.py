"""What finds the DOIs that no news led to: every few minutes those without a delivery, every night those that differ."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalogue.access import Principal
from catalogue.errors import NotAllowed
from catalogue.interop.datacite import attributes_of
from catalogue.models import Investigation
from doi.client import DataCiteClient, DataCiteError, client_from_settings
from doi.comparison import Fingerprints, fingerprint_found, fingerprint_sent
from doi.delivery import with_records
from doi.intents import PORTION, announce, is_enabled, queue
from doi.metadata import publication_of
from doi.models import Identifier, IdentifierState, Problem
from doi.sessions import ensure_session_dois, heed_clock
from doi.wanted import foreign_q, plan_of

logger = logging.getLogger(__name__)

AT_ONCE = 100
# The schedule starts it every ten minutes of the night.
LASTING = timedelta(minutes=9)
YOUNGEST = timedelta(hours=20)


@dataclass
class Findings:
    """What a reconciliation found. `missing` investigations had no identifier; the other figures are of DOIs."""

    compared: int = 0
    changed_here: int = 0
    differing: int = 0
    unknown_there: int = 0
    missing: int = 0


def sweep(*, actor: Principal) -> int:
    """Intend what is due by the clock, and a delivery for every DOI that waits for none; how many were intended."""
    _check(actor)
    if not is_enabled():
        return 0
    count, last = heed_clock(actor=actor), 0
    unsettled = Identifier.objects.filter(accepted_version__lt=F("wanted_version")).exclude(problem=Problem.REFUSED)
    while rows := list(unsettled.filter(pk__gt=last).order_by("pk").values_list("pk", "doi")[:PORTION]):
        last = rows[-1][0]
        with transaction.atomic():
            count += queue([doi for _, doi in rows])
    return count


def reconcile(*, actor: Principal, lasting: timedelta = LASTING) -> Findings:
    """Compare the DOIs that were compared longest ago with DataCite, and intend to tell it again where the two differ.

    It stops where DataCite does not answer and when its time is over; the next run goes on from there.
    """
    _check(actor)
    findings = Findings()
    if not is_enabled():
        return findings
    findings.missing = _ensure_missing(actor)
    client = client_from_settings()
    known = Identifier.objects.exclude(state=IdentifierState.NONE)
    oldest = known.filter(checked_at__lt=timezone.now() - YOUNGEST).order_by("checked_at")
    ends_at = time.monotonic() + lasting.total_seconds()
    while time.monotonic() < ends_at and (portion := list(with_records(oldest)[:AT_ONCE])):
        if not _compare_all(portion, client, findings):
            break
    logger.info("compared with DataCite: %s", findings)
    return findings


def _compare_all(identifiers: Sequence[Identifier], client: DataCiteClient, findings: Findings) -> bool:
    for identifier in identifiers:
        try:
            _compare(identifier, client, findings)
        except DataCiteError as error:
            logger.warning("the comparison with DataCite stops: %s", error)
            return False
        except Exception:
            # A record that cannot be described must not hold up the others.
            logger.exception("the DOI %s cannot be compared", identifier.doi)
            Identifier.objects.filter(pk=identifier.pk).update(checked_at=timezone.now())
    return True


def _compare(identifier: Identifier, client: DataCiteClient, findings: Findings) -> None:
    now = timezone.now()
    plan = plan_of(identifier, now=now)
    known = Fingerprints.from_text(identifier.accepted_hash)
    ours = fingerprint_sent(attributes_of(publication_of(identifier, now=now)))
    found = client.get(identifier.doi)
    theirs = fingerprint_found(found.attributes) if found else ""
    is_changed = ours != known.ours or plan.wanted != identifier.wanted
    is_other = found is None or found.state != identifier.state or theirs != known.theirs
    findings.compared += 1
    findings.changed_here += is_changed
    findings.unknown_there += found is None
    findings.differing += bool(is_other and found is not None)
    rows = Identifier.objects.filter(pk=identifier.pk)
    with transaction.atomic():
        rows.update(checked_at=now)
        if is_other and rows.filter(accepted_version=identifier.accepted_version).update(
            accepted_hash=str(Fingerprints(theirs=theirs))
        ):
            logger.warning("the DOI %s %s", identifier.doi, "differs there" if found else "is not known there")
        if is_changed or is_other:
            announce(rows)


def _ensure_missing(actor: Principal) -> int:
    """Investigations without an identifier, whose news was lost or which are older than the site's account."""
    without = Investigation.objects.filter(~foreign_q(), identifier__isnull=True).order_by("pk")
    count, last = 0, 0
    while rows := list(without.filter(pk__gt=last).values_list("pk", "uid")[:PORTION]):
        last = rows[-1][0]
        ensure_session_dois(actor=actor, investigations=[uid for _, uid in rows])
        count += len(rows)
    return count


def _check(actor: Principal) -> None:
    if not actor.sees_everything:
        raise NotAllowed("Only the site itself compares its DOIs with DataCite.")
