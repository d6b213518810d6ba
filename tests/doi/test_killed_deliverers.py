"""A deliverer that is killed by SIGKILL in the middle of a delivery: nothing opens by it, and another finishes the work."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from catalogue import access, outbox
from catalogue.access import ANONYMOUS
from catalogue.models import OutboxEntry
from doi.models import Identifier
from doi.standin.faults import Fault
from tests.doi.world import Draft, deliver, make_draft
from tests.servers import DataCiteServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LATE = 3.0
DELIVER = "import django; django.setup(); from catalogue import outbox; outbox.deliver_due(topics=['doi'], limit=1)"


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def start_deliverer(datacite: DataCiteServer, folder: str) -> subprocess.Popen:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": folder,
        "DATABASE_URL": database_url(),
        "DATACITE_URL": datacite.url,
        "DATACITE_USER": datacite.user,
        "DATACITE_PASSWORD": datacite.password,
        "DATACITE_PREFIX": datacite.prefix,
    }
    return subprocess.Popen([sys.executable, "-c", DELIVER], env=environment)


def wait_until_sent(datacite: DataCiteServer) -> None:
    deadline = time.monotonic() + 60
    while not datacite.log()["requests"].get("PUT"):
        assert time.monotonic() < deadline, "nothing was sent"
        time.sleep(0.02)


def is_open(draft: Draft) -> bool:
    draft.read_again()
    draft.dataset.investigation.refresh_from_db()
    return access.dataset_level(draft.dataset, ANONYMOUS, now=timezone.now()) == access.Level.FULL


@pytest.mark.parametrize("moment", ["delay", "slow_answer"])
def test_killed_before_or_after_datacite_wrote_it_down(datacite: DataCiteServer, tmp_path, moment):
    draft = make_draft()
    identifier = draft.publish()
    datacite.fail(Fault(kind=moment, seconds=LATE, methods=("PUT",)))
    deliverer = start_deliverer(datacite, str(tmp_path))
    wait_until_sent(datacite)
    sent_at = time.monotonic()
    time.sleep(0.5)
    deliverer.send_signal(signal.SIGKILL)
    deliverer.wait()
    assert not is_open(draft)
    assert Identifier.objects.get(pk=identifier.pk).claimed_until is not None
    datacite.fail()
    lately = timezone.now() - timedelta(seconds=1)
    Identifier.objects.update(claimed_until=lately)
    OutboxEntry.objects.update(claimed_until=lately)
    deliver(passes=2)
    assert is_open(draft)
    assert draft.collection.state == "published"
    # The request of the killed one arrives after that of its follower, and says nothing else.
    time.sleep(max(0.0, sent_at + LATE + 0.5 - time.monotonic()))
    assert datacite.log()["dois"][identifier.doi]["mints"] == 1


def test_a_deliverer_that_was_overtaken_writes_nothing_and_has_the_newest_sent(datacite: DataCiteServer):
    draft = make_draft()
    identifier = draft.publish()
    datacite.fail(Fault(kind="slow_answer", seconds=1.5, times=1, methods=("PUT",)))
    late = threading.Thread(target=deliver_in_a_thread)
    late.start()
    wait_until_sent(datacite)
    # Its lease ended while it waited, and another took over.
    Identifier.objects.filter(pk=identifier.pk).update(claimed_until=timezone.now() + timedelta(seconds=30))
    late.join()
    identifier.refresh_from_db()
    assert identifier.state == "none" and not is_open(draft)
    assert not identifier.is_settled
    Identifier.objects.update(claimed_until=None)
    deliver()
    assert is_open(draft)
    assert datacite.log()["dois"][identifier.doi]["writes"] == 2, "the newest was sent once more"


def deliver_in_a_thread() -> None:
    try:
        outbox.deliver_due(topics=["doi"], limit=1)
    finally:
        connections.close_all()
