"""A real `manage.py watch` process is killed at random moments: nothing is lost, nothing is registered twice."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalogue.watching.groups import MOST_GROUPS

PROJECT = Path(__file__).parents[3]
GROUPS = 3 * MOST_GROUPS
SETUP = """
import django
django.setup()
from pathlib import Path
import sys
from django.core.management import call_command
from catalogue.models import WatchRule
from tests import factories
call_command("migrate", verbosity=0)
instrument = factories.make_instrument()
factories.make_investigation(instrument=instrument, visit_id="visit-a")
storage = factories.make_storage(Path(sys.argv[1]), instrument=instrument)
WatchRule.objects.create(
    storage=storage, instrument=instrument, acts_as=factories.make_instrument_account(instrument), name="all",
    pattern=r"(?P<visit>[^/]+)/(?P<number>[0-9]+)[.][a-z]+", visit_template="{visit}", group_template="{visit}/{number}",
)
"""


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """The environment of a site of its own with a database, a storage of old files, two for each dataset, and a rule."""
    folder = tmp_path / "storage" / "visit-a"
    folder.mkdir(parents=True)
    week_ago = (datetime.now(UTC) - timedelta(days=7)).timestamp()
    for number in range(GROUPS):
        for suffix in ("tif", "dat"):
            place = folder / f"{number}.{suffix}"
            place.write_bytes(b"x" * (number + 1))
            os.utime(place, (week_ago, week_ago))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "LOG_LEVEL": "ERROR",
    }
    subprocess.run([sys.executable, "-c", SETUP, str(tmp_path / "storage")], cwd=PROJECT, env=environment, check=True)
    return environment


def rows(environment: dict[str, str], query: str) -> list[tuple]:
    connection = sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///"))
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_scans_that_are_killed_lose_nothing_and_repeat_nothing(site: dict[str, str]) -> None:
    chance = random.Random(20260503)
    progress = []
    for table, count in (("watchedfile", 1), ("dataset", 1), ("dataset", 2 * MOST_GROUPS)):
        process = subprocess.Popen([sys.executable, "manage.py", "watch", "--once"], cwd=PROJECT, env=site)
        wait_for_rows(site, process, table, count)
        time.sleep(chance.uniform(0.0, 0.05))
        process.kill()
        process.wait()
        progress.append(rows(site, "SELECT count(*) FROM catalogue_dataset")[0][0])
    assert any(0 < count < GROUPS for count in progress), f"no kill came in the middle of registering: {progress}"

    watch_until_told_to_end(site)
    assert rows(site, "SELECT count(*), count(DISTINCT registration_key) FROM catalogue_dataset") == [(GROUPS, GROUPS)]
    assert rows(site, "SELECT count(*), count(DISTINCT path) FROM catalogue_datafile") == [(2 * GROUPS, 2 * GROUPS)]
    states = Counter(state for (state,) in rows(site, "SELECT state FROM catalogue_watchedfile"))
    assert states == {"registered": 2 * GROUPS}
    kept = rows(site, "SELECT dataset_count, file_count, size FROM catalogue_investigation")
    assert kept == [(GROUPS, 2 * GROUPS, GROUPS * (GROUPS + 1))]
    uids = {uid.replace("-", "") for (uid,) in rows(site, "SELECT uid FROM catalogue_dataset")}
    for topic in ("extract", "checksum"):
        keys = rows(site, f"SELECT key FROM catalogue_outboxentry WHERE topic = '{topic}'")
        assert sorted(key.replace("-", "") for (key,) in keys) == sorted(uids)


def wait_for_rows(site: dict[str, str], process: subprocess.Popen, table: str, count: int) -> None:
    """Return when the process has got so far, so that kills fall into its work and not into its start."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if rows(site, f"SELECT count(*) FROM catalogue_{table}")[0][0] >= count:
            return
        time.sleep(0.005)


def watch_until_told_to_end(site: dict[str, str]) -> None:
    """Run the command without end, and stop it after its first scan as a service manager does."""
    command = [sys.executable, "manage.py", "watch", "--interval", "0.1"]
    process = subprocess.Popen(command, cwd=PROJECT, env=site, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"all: {2 * GROUPS} files seen" in first
