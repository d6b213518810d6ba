"""Publications under faults: what is lost, minted twice or open too early when DataCite fails and workers are killed.

    python -m benchmarks.publication [--publications 10000] [--workers 4] [--database sqlite|postgresql]

A stand-in for DataCite answers with every fault that it knows, at random; workers die by SIGKILL at random moments. All the
while a watcher asks of everything that is open whether DataCite has it findable. Then: how long a person waits who publishes
while DataCite is down.
"""

import argparse
import json
import multiprocessing
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from typing import Any

from tests.services import Missing, answers, free_port, postgres_server, stop, wait_until

TIMEOUT = 1.0
LONGEST = 4 * 3600
# Chances of each request, besides which a worker is killed every few seconds.
FAULTS = [
    {"kind": "429", "probability": 0.02, "retry_after": 1},
    {"kind": "500", "probability": 0.02},
    {"kind": "503", "probability": 0.02},
    {"kind": "reset", "probability": 0.02},
    {"kind": "lost_acknowledgement", "probability": 0.02},
    {"kind": "malformed_json", "probability": 0.02},
    {"kind": "delay", "probability": 0.02, "seconds": 0.2},
    {"kind": "slow_answer", "probability": 0.005, "seconds": 2 * TIMEOUT},
]
SESSIONS = 100
PAUSE_BETWEEN_KILLS = (0.5, 6.0)
LATENCY_TARGET = 500.0
# A transaction may commit so long after the time that it wrote.
MARGIN = timedelta(seconds=60)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publications", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    return measure(arguments) if arguments.inside else run(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Measure in a process of its own, whose settings name the database and the stand-in."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-bench-"))
        port = free_port()
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "DATACITE_URL": f"http://127.0.0.1:{port}",
            "DATACITE_TIMEOUT": str(TIMEOUT),
            "LOG_LEVEL": "CRITICAL",
        }
        environment.pop("DATABASE_URL", None)
        if arguments.database == "postgresql":
            try:
                environment["DATABASE_URL"] = stack.enter_context(postgres_server())
            except Missing as missing:
                print(f"PostgreSQL is left out: {missing}")
                return 0
        options = [f"--{name}={getattr(arguments, name)}" for name in ("publications", "workers", "database", "seed")]
        command = [sys.executable, "-m", "benchmarks.publication", "--inside", *options]
        return subprocess.run(command, env=environment, check=False).returncode


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    drafts = make_drafts(arguments.publications)
    print(f"{arguments.database}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with stand_in():
        call_stand_in("/faults", {"seed": arguments.seed, "faults": FAULTS})
        violations, seconds = publish_all(drafts, arguments)
        drawn = call_stand_in("/faults").get("drawn", {})
        call_stand_in("/faults", {"faults": []})
        is_clean = report(seconds, violations, drawn)
    return 0 if report_latency() and is_clean else 1


@contextmanager
def stand_in() -> Iterator[None]:
    from django.conf import settings

    port = int(settings.DATACITE_URL.rpartition(":")[2])
    command = [sys.executable, "manage.py", "datacite_standin", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port), process, "the stand-in")
        yield
    finally:
        stop(process)


def call_stand_in(path: str, document: dict | None = None) -> dict[str, Any]:
    from django.conf import settings

    body = json.dumps(document).encode() if document is not None else None
    request = urllib.request.Request(
        settings.DATACITE_URL + path,
        data=body,
        method="PUT" if body else "GET",
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def make_drafts(many: int) -> list[int]:
    """Drafts with one closed dataset each, in some investigations that have their own DOIs; their primary keys."""
    from catalogue.access import SYSTEM
    from catalogue.models import Collection, CollectionMember, Concept, Dataset
    from doi.sessions import ensure_session_dois
    from tests import factories

    pi = factories.make_user("pi")
    text = {"title": "Wires", "abstract": "Pictures.", "creators": [{"family_name": "Curie", "given_name": "Marie"}]}
    sessions = [factories.make_investigation(pi=pi) for _ in range(min(SESSIONS, many))]
    ensure_session_dois(actor=SYSTEM, investigations=[one.uid for one in sessions])
    datasets = Dataset.objects.bulk_create(
        Dataset(
            investigation=sessions[number % len(sessions)],
            instrument_id=sessions[number % len(sessions)].instrument_id,
            title=f"Dataset {number}",
            registered_by=pi,
        )
        for number in range(many)
    )
    concepts = Concept.objects.bulk_create(Concept() for _ in range(many))
    collections = Collection.objects.bulk_create(
        Collection(concept=one, created_by=pi, title="Wires", text=text, member_count=1, dataset_count=1)
        for one in concepts
    )
    CollectionMember.objects.bulk_create(
        CollectionMember(collection=one, dataset=dataset) for one, dataset in zip(collections, datasets, strict=True)
    )
    return [one.pk for one in collections]


def publish_all(drafts: list[int], arguments: argparse.Namespace) -> tuple[int, float]:
    """Publish everything while workers deliver and die; how much was open too early, and the seconds until all settled."""
    from django.db import connection, connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    publisher = context.Process(target=publish_each, args=(drafts,))
    workers = [context.Process(target=deliver_for_ever) for _ in range(arguments.workers)]
    for process in (publisher, *workers):
        process.start()
    chance = random.Random(arguments.seed)
    started, kills, violations, seen = time.monotonic(), 0, 0, set()
    next_kill = started + chance.uniform(*PAUSE_BETWEEN_KILLS)
    try:
        while publisher.is_alive() or unsettled():
            if time.monotonic() - started > LONGEST:
                print(f"not settled after {LONGEST} s")
                break
            if time.monotonic() > next_kill:
                place = chance.randrange(len(workers))
                workers[place].kill()
                workers[place].join()
                connection.close()
                workers[place] = context.Process(target=deliver_for_ever)
                workers[place].start()
                kills += 1
                next_kill = time.monotonic() + chance.uniform(*PAUSE_BETWEEN_KILLS)
            violations += opened_too_early(seen)
            time.sleep(0.5)
        violations += opened_too_early(seen)
    finally:
        for process in (publisher, *workers):
            process.kill()
            process.join()
    print(f"{kills} workers were killed")
    return violations, time.monotonic() - started


def publish_each(drafts: list[int]) -> None:
    from catalogue.access import principal_of
    from catalogue.models import Collection, User
    from doi.services import publish

    actor = principal_of(User.objects.get(username="pi"))
    for key in drafts:
        publish(actor=actor, collection=Collection.objects.get(pk=key), expected_version=None)


def deliver_for_ever() -> None:
    from catalogue.access import SYSTEM
    from catalogue.outbox import deliver_due
    from doi.sweep import sweep

    swept_at = time.monotonic()
    while True:
        if not deliver_due(topics=["doi"], limit=20):
            time.sleep(0.1)
        if time.monotonic() - swept_at > 30:
            sweep(actor=SYSTEM)
            swept_at = time.monotonic()


def unsettled() -> int:
    from django.db.models import F

    from doi.models import Identifier

    return Identifier.objects.filter(accepted_version__lt=F("wanted_version")).count()


def opened_too_early(seen: set[int]) -> int:
    """Of what is open or published since the last looks, how much DataCite does not have findable."""
    from django.utils import timezone

    from catalogue.models import Collection, Dataset
    from doi.models import Identifier

    lately = timezone.now() - MARGIN
    released = Dataset.objects.filter(released_at__gt=lately).values_list("memberships__collection", flat=True)
    published = Collection.objects.filter(published_at__gt=lately).values_list("pk", flat=True)
    fresh = (set(released) | set(published)) - seen
    seen |= fresh
    names = list(Identifier.objects.filter(collection__in=fresh).values_list("doi", flat=True))
    states = states_at_datacite(names)
    return len(fresh) - len(names) + sum(states.get(name) != "findable" for name in names)


def states_at_datacite(names: list[str] | None = None) -> dict[str, str]:
    """Read from the file of the stand-in, which no fault falsifies; all of them without `names`."""
    from django.conf import settings

    place = f"file:{settings.DATA_DIR / 'datacite-standin.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(place, uri=True, timeout=30)) as store:
        if names is None:
            return dict(store.execute("SELECT doi, state FROM dois"))
        marks = ",".join("?" * len(names))
        return dict(store.execute(f"SELECT doi, state FROM dois WHERE doi IN ({marks})", names))


def report(seconds: float, violations: int, drawn: dict[str, int]) -> bool:
    from catalogue.models import Collection, Dataset
    from doi.models import Identifier

    log = call_stand_in("/log")["dois"]
    there = states_at_datacite()
    rows = list(Identifier.objects.values_list("doi", "state", "wanted", "accepted_version", "wanted_version"))
    counts = {
        "publications lost": Collection.objects.exclude(state="published").count(),
        "DOIs minted twice": sum(entry["mints"] > 1 or entry["creations"] > 1 for entry in log.values()),
        "DOIs at DataCite that we do not know": len(set(there) - {row[0] for row in rows}),
        "in another state than at DataCite": sum(there.get(doi) != state for doi, state, *_ in rows),
        "in another state than wanted": sum(state != wanted or one != two for _, state, wanted, one, two in rows),
        "open before DataCite accepted": violations,
        "published and still closed": Dataset.objects.filter(released_at__isnull=True).count(),
    }
    print(f"{len(rows)} DOIs, settled after {seconds:.0f} s; faults: {drawn}")
    for what, count in counts.items():
        print(f"{what:44}{count:10}{0:10}")
    return not any(counts.values())


def report_latency() -> bool:
    """Milliseconds until `publish` has returned with its bounded attempt, while nobody or a black hole is at the address."""
    from django.conf import settings

    from doi.models import Identifier

    rows = []
    for name, address in (("nobody listens", closed_address()), ("a black hole", black_hole())):
        with address as url:
            settings.DATACITE_URL = url
            # Nobody remembers the trouble of the address before.
            Identifier.objects.update(last_attempt_at=None)
            milliseconds = [published_in() for _ in range(20)]
        rows.append((f"publish, {name}: first", milliseconds[0], LATENCY_TARGET))
        rows.append((f"publish, {name}: median", statistics.median(milliseconds), LATENCY_TARGET))
    print(f"{'what':44}{'ms':>10}{'target':>10}")
    for what, measured, target in rows:
        print(f"{what:44}{measured:10.0f}{target:10.0f}")
    return all(measured <= target for _, measured, target in rows)


def published_in() -> float:
    from catalogue.access import principal_of
    from catalogue.models import Collection, User
    from doi.delivery import deliver_soon
    from doi.services import publish

    (key,) = make_one_more()
    collection = Collection.objects.get(pk=key)
    actor = principal_of(User.objects.get(username="pi"))
    started = time.perf_counter()
    deliver_soon(publish(actor=actor, collection=collection, expected_version=collection.version))
    return 1000 * (time.perf_counter() - started)


def make_one_more() -> list[int]:
    from catalogue.models import Collection, CollectionMember, Concept, Dataset, User

    pi = User.objects.get(username="pi")
    old = Dataset.objects.select_related("investigation").first()
    assert old is not None
    dataset = Dataset.objects.create(
        investigation=old.investigation, instrument_id=old.instrument_id, title="One more", registered_by=pi
    )
    text = {"title": "Wires", "creators": [{"family_name": "Curie"}]}
    values = {"title": "Wires", "text": text, "member_count": 1, "dataset_count": 1}
    collection = Collection.objects.create(concept=Concept.objects.create(), created_by=pi, **values)
    CollectionMember.objects.create(collection=collection, dataset=dataset)
    return [collection.pk]


@contextmanager
def closed_address() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@contextmanager
def black_hole() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


if __name__ == "__main__":
    sys.exit(main())
