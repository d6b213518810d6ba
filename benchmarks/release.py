"""Publishing much at once: 100,000 datasets in one collection, which the publication releases.

    python -m benchmarks.release [--members 100000] [--database sqlite|postgresql]

The collection holds datasets of 200 investigations. Memory is what the process holds at most beyond what it held before;
a stand-in for DataCite takes the deliveries. The release of one investigation is measured by `benchmarks/embargo.py`.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks.publication import stand_in
from tests.services import Missing, free_port, postgres_server

SESSIONS = 200
TARGETS = {
    "publish, until it returns": 0.5,
    "deliver: accepted, published, members open": 60.0,
    "memory beyond the start, MB": 200.0,
}
MEMBERS = """
    INSERT INTO catalogue_collectionmember (collection_id, dataset_id, role)
    SELECT %s, id, '' FROM catalogue_dataset WHERE title LIKE 'Member %%'
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    return measure(arguments) if arguments.inside else run(arguments)


def run(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-bench-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "DATACITE_URL": f"http://127.0.0.1:{free_port()}",
            "LOG_LEVEL": "ERROR",
        }
        environment.pop("DATABASE_URL", None)
        if arguments.database == "postgresql":
            try:
                environment["DATABASE_URL"] = stack.enter_context(postgres_server())
            except Missing as missing:
                print(f"PostgreSQL is left out: {missing}")
                return 0
        options = [f"--{name}={getattr(arguments, name)}" for name in ("members", "database")]
        command = [sys.executable, "-m", "benchmarks.release", "--inside", *options]
        return subprocess.run(command, env=environment, check=False).returncode


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with stand_in():
        rows = publish_many(arguments.members)
    print(f"{arguments.database}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{arguments.members} members")
    print(f"{'what':48}{'measured':>10}{'target':>10}")
    for what, measured in rows:
        print(f"{what:48}{measured:10.2f}{TARGETS[what]:10.2f}")
    return 0 if all(measured <= TARGETS[what] for what, measured in rows) else 1


def publish_many(many: int) -> list[tuple[str, float]]:
    from django.db import connection

    from catalogue.access import SYSTEM, principal_of
    from catalogue.models import Collection, Concept, Dataset
    from catalogue.outbox import deliver_due
    from doi.services import publish
    from doi.sessions import ensure_session_dois
    from tests import factories

    pi = factories.make_user("pi")
    sessions = [factories.make_investigation(pi=pi) for _ in range(SESSIONS)]
    ensure_session_dois(actor=SYSTEM, investigations=[one.uid for one in sessions])
    make_datasets("Member", many, sessions, pi)
    text = {"title": "Everything", "creators": [{"family_name": "Curie"}]}
    values = {"created_by": pi, "title": "Everything", "text": text, "member_count": many, "dataset_count": many}
    collection = Collection.objects.create(concept=Concept.objects.create(), **values)
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [collection.pk])
        cursor.execute("ANALYZE")
    deliver_due(topics=["doi"], limit=2 * SESSIONS)
    before = peak_megabytes()
    actor = principal_of(pi)
    identifier, until_returned = timed(
        lambda: publish(actor=actor, collection=collection, expected_version=collection.version)
    )
    _, until_open = timed(lambda: deliver_due(topics=["doi"], limit=1))
    collection.refresh_from_db()
    assert collection.state == "published", identifier.last_error
    assert not Dataset.objects.filter(released_at__isnull=True, title__startswith="Member").exists()
    return [
        ("publish, until it returns", until_returned),
        ("deliver: accepted, published, members open", until_open),
        ("memory beyond the start, MB", peak_megabytes() - before),
    ]


def make_datasets(name: str, many: int, sessions: list[Any], owner: Any) -> None:
    from catalogue.models import Dataset

    for start in range(0, many, 5_000):
        Dataset.objects.bulk_create(
            Dataset(
                investigation=sessions[number % len(sessions)],
                instrument_id=sessions[number % len(sessions)].instrument_id,
                title=f"{name} {number}",
                registered_by=owner,
            )
            for number in range(start, min(many, start + 5_000))
        )


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = act()
    return result, time.perf_counter() - started


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    sys.exit(main())
