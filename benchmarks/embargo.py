"""How long the release of an investigation with a million files takes, whole and some datasets, and that of its request.

    python -m benchmarks.embargo [--database sqlite|postgresql|both] [--files 1000000] [--datasets 10000]

The database is made for the run and thrown away. Rows are inserted in bulk; a tenth of the datasets are processed data that
derive from raw ones. A release writes rows of investigations and datasets, and none of files.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.services import Missing, postgres_server

RELEASE = "release the investigation"
TARGETS = {RELEASE: 1.0}
CHOSEN = 5_000
REPEATS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--datasets", type=int, default=10_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return measure(arguments)
    names = ["sqlite", "postgresql"] if arguments.database == "both" else [arguments.database]
    return max(run_on(name, arguments) for name in names)


def run_on(name: str, arguments: argparse.Namespace) -> int:
    """Measure in a process of its own, whose settings name the database."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-bench-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "LOG_LEVEL": "ERROR",
        }
        environment.pop("DATABASE_URL", None)
        if name == "postgresql":
            try:
                environment["DATABASE_URL"] = stack.enter_context(postgres_server())
            except Missing as missing:
                print(f"PostgreSQL is left out: {missing}")
                return 0
        sizes = ["--files", str(arguments.files), "--datasets", str(arguments.datasets)]
        command = [sys.executable, "-m", "benchmarks.embargo", "--inside", "--database", name, *sizes]
        return subprocess.run(command, env=environment, check=False).returncode


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    rows = measured(arguments)
    print(f"\n{arguments.database}: {arguments.files:,} files in {arguments.datasets:,} datasets")
    print(f"{'what':<56} {'seconds':>9} {'statements':>11} {'target':>9}")
    for what, seconds, statements in rows:
        target = f"< {TARGETS[what]:.0f} s" if what in TARGETS else ""
        print(f"{what:<56} {seconds:>9.3f} {statements:>11} {target:>9}")
    return int(any(seconds >= TARGETS.get(what, seconds + 1) for what, seconds, _ in rows))


def measured(arguments: argparse.Namespace) -> list[tuple[str, float, int]]:
    from django.utils import timezone

    from catalogue.access import principal_of
    from catalogue.embargo_selectors import what_becomes_public
    from catalogue.models import Dataset, Investigation, User
    from catalogue.services.extensions import grant_extension, request_extension
    from catalogue.services.releases import release_datasets, release_investigation

    make_world(arguments)
    investigation = Investigation.objects.select_related("facility", "instrument").get()
    pi, curator = (principal_of(User.objects.get(username=name)) for name in ("pi", "curator"))
    uids = list(Dataset.objects.filter(kind="raw").order_by("pk").values_list("uid", flat=True)[:CHOSEN])
    until = investigation.embargo_until + timedelta(days=100)

    def ask_and_grant() -> None:
        request = request_extension(actor=pi, investigation=investigation, until=until, reason="More time.")
        grant_extension(actor=curator, request=request)

    steps: list[tuple[str, Callable[[], Any]]] = [
        ("what becomes public", lambda: what_becomes_public(investigation, principal=pi, now=timezone.now())),
        ("ask for an extension and grant it", ask_and_grant),
        (
            f"release {len(uids):,} datasets with what derives from them",
            lambda: release_datasets(actor=pi, investigation=investigation, uids=uids),
        ),
        (RELEASE, lambda: release_investigation(actor=pi, investigation=investigation)),
    ]
    return [timed(what, work) for what, work in steps]


def timed(what: str, work: Callable[[], Any]) -> tuple[str, float, int]:
    """The best of three runs, of which all but the last are rolled back, and the statements of one."""
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    seconds = []
    for number in range(REPEATS):
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            with transaction.atomic():
                work()
                transaction.set_rollback(number < REPEATS - 1)
            seconds.append(time.perf_counter() - began)
    return what, min(seconds), len(queries)


def make_world(arguments: argparse.Namespace) -> None:
    """One investigation under embargo, its rows inserted in bulk."""
    from catalogue.models import Dataset, Investigation
    from tests import factories

    investigation = factories.make_investigation(pi=factories.make_user("pi"))
    factories.make_curator("curator")
    storage = factories.make_storage(Path("/nowhere"))
    registrant = factories.make_user("registrant")
    each = arguments.files // arguments.datasets
    Dataset.objects.bulk_create(
        (
            Dataset(
                investigation=investigation,
                instrument=investigation.instrument,
                title=f"Dataset {number}",
                kind="processed" if number % 10 == 9 else "raw",
                registered_by=registrant,
                file_count=each,
                size=each * 1000,
            )
            for number in range(arguments.datasets)
        ),
        batch_size=5000,
    )
    keys = list(Dataset.objects.order_by("pk").values_list("pk", flat=True))
    add_links(keys)
    add_files(keys, storage.pk, each)
    totals = {"dataset_count": len(keys), "file_count": each * len(keys), "size": each * len(keys) * 1000}
    Investigation.objects.update(**totals)
    settle()


def add_links(keys: list[int]) -> None:
    """Each processed dataset derives from the nine before it."""
    from catalogue.models import Dataset
    from catalogue.services.rows import insert_rows

    rows = ((keys[place], keys[place - step]) for place in range(9, len(keys), 10) for step in range(1, 10))
    insert_rows(Dataset.derived_from.through, ("from_dataset_id", "to_dataset_id"), rows)


def add_files(keys: list[int], storage_id: int, each: int) -> None:
    from catalogue.models import Datafile
    from catalogue.services.registration import FILE_COLUMNS
    from catalogue.services.rows import insert_rows

    rest = (1000, None, "", None, "image/tiff", "data", "unknown", None)
    rows = ((key, storage_id, f"{key}/{n}.tif", f"{n}.tif", *rest) for key in keys for n in range(each))
    insert_rows(Datafile, FILE_COLUMNS, rows)


def settle() -> None:
    from django.db import connection

    commands = ["VACUUM ANALYZE"] if connection.vendor == "postgresql" else ["ANALYZE"]
    with connection.cursor() as cursor:
        for command in commands:
            cursor.execute(command)


if __name__ == "__main__":
    sys.exit(main())
