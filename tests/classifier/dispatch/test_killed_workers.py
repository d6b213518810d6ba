"""A real worker that is killed by SIGKILL in the middle of its batches: no image is lost, and none is annotated twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from catalogue.access import SYSTEM
from catalogue.models import Annotation, AuditEntry
from classifier.invariants import CHECKS
from classifier.models import Prediction, Work
from classifier.services.backlog import walk_backlog
from tests.classifier.dispatch import world
from tests.search.processes import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

IMAGES = 300
LONGEST = 120
WORKER = ["-m", "celery", "--app", "portal", "worker", "--queues", "default,gpu", "--concurrency", "1"]
WORKER += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]


class Worker:
    """A worker of Celery in a process group of its own, with a broker of files in the data folder of the tests."""

    def __init__(self, log: Path) -> None:
        for name in ("messages", "control"):
            (Path(settings.DATA_DIR) / "broker" / name).mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, *WORKER], env=environment(), stdout=stream, stderr=stream, start_new_session=True
            )

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST
        while not is_reached():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.01)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def let_leases_end() -> int:
    """How many images the dead held."""
    ended = timezone.now() - timedelta(seconds=1)
    return Work.objects.filter(state="running").update(claimed_until=ended, available_at=ended)


def done() -> int:
    return Work.objects.filter(kind="category", state="done").count()


def test_two_workers_are_killed_at_work_and_the_third_finishes(demonstration, tmp_path):
    world.make_archive(tmp_path / "files", datasets=3, images=IMAGES // 3)
    list(walk_backlog(actor=SYSTEM))
    log = tmp_path / "worker.log"

    worker = Worker(log)
    worker.wait_until(Work.objects.filter(state="running").exists)
    worker.kill()
    assert let_leases_end() > 0, "killed in the middle of a batch"

    worker = Worker(log)
    worker.wait_until(lambda: done() > 0)
    worker.kill()
    let_leases_end()
    assert Prediction.objects.count() == done() <= IMAGES

    worker = Worker(log)
    worker.wait_until(lambda: done() == IMAGES)
    worker.kill()
    assert Prediction.objects.values("image").distinct().count() == Prediction.objects.count() == IMAGES
    told = Annotation.objects.values_list("datafile", "label")
    assert len(set(told)) == len(told)
    audited = sum(row.after["labels"] for row in AuditEntry.objects.filter(action="annotate"))
    assert audited == len(told), "each annotation was made once"
    assert [sentence for check in CHECKS for sentence in check()] == []
