"""What the DOI wizard costs with a big collection: server time of each page through the whole middleware, and its queries.

    python -m benchmarks.wizard [--database postgresql|sqlite] [--members 100000] [--rounds 20]

The database is made for the run and thrown away. The same is measured with 100 members first: the last columns show how a page
grows with the collection. Adding, removing and a new version are measured once each. The aim is for the processor's time, which
is what a page costs whatever else the machine does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.pages import processor_seconds
from tests.services import postgres_server

FEW = 100
TARGET_MILLISECONDS = 300.0
PAGES = ("", "/what", "/describe", "/people", "/review", "/metadata", "/publish")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return _inside(arguments)
    few, many = (_run(members, arguments) for members in (FEW, arguments.members))
    _print(few, many, arguments)
    return 0


def _run(members: int, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure in a process of its own, whose settings name the database."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-wizard-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_RATE_CRAWLER": "",
            "FAIRCAT_RATE_HEAVY": "",
            "FAIRCAT_DATA_DIR": folder,
            "LOG_LEVEL": "CRITICAL",
        }
        environment.pop("DATABASE_URL", None)
        if arguments.database == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(postgres_server())
        answers = f"{folder}/answers.json"
        options = ["--members", str(members), "--rounds", str(arguments.rounds), "--inside", answers]
        subprocess.run([sys.executable, "-m", "benchmarks.wizard", *options], env=environment, check=True)
        with open(answers) as file:
            return json.load(file)


def _inside(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    user, session = _archive(arguments.members)
    answers = _measure(user, session, arguments.rounds)
    with open(arguments.inside, "w") as file:
        json.dump(answers, file)
    return 0


def _archive(members: int) -> tuple[Any, Any]:
    """An investigation under embargo with so many datasets, and its principal investigator."""
    from catalogue.models import Dataset
    from tests import factories

    user = factories.make_user("bench")
    session = factories.make_investigation(pi=user)
    row = {"instrument": session.instrument, "investigation": session, "registered_by": user}
    for start in range(0, members, 5000):
        Dataset.objects.bulk_create(
            Dataset(title=f"Frame {number}", size=1_000_000, file_count=3, **row)
            for number in range(start, min(start + 5000, members))
        )
    return user, session


def _measure(user: Any, session: Any, rounds: int) -> dict[str, dict[str, float]]:
    from django.db import connection
    from django.db.models import Q
    from django.test import Client

    from catalogue.access import principal_of
    from catalogue.collection_selectors import member_page
    from catalogue.models import Collection
    from catalogue.services.collection_members import add_members, remove_members
    from catalogue.services.collections import new_version, start_collection

    actor = principal_of(user)
    collection = start_collection(actor=actor)
    everything = Q(investigation=session)
    found = {
        "add all members": _once(lambda: add_members(actor=actor, collection=collection, datasets=everything)),
        "begin with all members": _once(lambda: start_collection(actor=actor, datasets=everything)),
    }
    first = member_page(collection, actor).records[0]
    removal = [(first.kind, first.uid)]
    found["remove one member"] = _once(lambda: remove_members(actor=actor, collection=collection, members=removal))
    # As a database does of itself a minute after so many rows were written.
    connection.cursor().execute("ANALYZE")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    deep = collection.members.select_related("dataset").order_by("-id")[min(20, collection.member_count - 1)]
    addresses = {step or "state": f"/doi/drafts/{collection.uid}{step}" for step in PAGES}
    addresses["/what, last page"] = f"/doi/drafts/{collection.uid}/what?cursor=dataset-{deep.dataset.uid}"
    addresses["dashboard"] = "/me"
    for name, address in addresses.items():
        found[name] = _page(client, address, rounds)
    from django.utils import timezone

    published = {"state": "published", "doi": "10.5072/bench", "published_at": timezone.now()}
    Collection.objects.filter(pk=collection.pk).update(**published)
    collection.refresh_from_db()
    found["new version"] = _once(lambda: new_version(actor=actor, collection=collection))
    return found


def _once(action: Any) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        started, busy = time.perf_counter(), processor_seconds()
        action()
        took, used = (time.perf_counter() - started) * 1000, (processor_seconds() - busy) * 1000
    return {"median": took, "processor": used, "queries": len(queries)}


def _page(client: Any, address: str, rounds: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    status = client.get(address).status_code
    assert status == 200, (address, status)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    count = len(queries)
    times, used = [], []
    for _ in range(rounds):
        started, busy = time.perf_counter(), processor_seconds()
        client.get(address)
        times.append((time.perf_counter() - started) * 1000)
        used.append((processor_seconds() - busy) * 1000)
    return {"median": statistics.median(times), "processor": statistics.median(used), "queries": count}


def _print(few: dict[str, Any], many: dict[str, Any], arguments: argparse.Namespace) -> None:
    print(f"{arguments.database}, {arguments.members} members, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    columns = ("median ms", "processor ms", "queries", f"at {FEW}", "queries")
    print(f"{'page or act':26}" + "".join(f"{column:>14}" for column in columns))
    for name, found in many.items():
        small = few[name]
        missed = "  missed" if name.startswith(("/", "state")) and found["processor"] > TARGET_MILLISECONDS else ""
        figures = f"{found['median']:14.1f}{found['processor']:14.1f}{found['queries']:14.0f}"
        print(f"{name:26}{figures}{small['processor']:14.1f}{small['queries']:14.0f}{missed}")


if __name__ == "__main__":
    sys.exit(main())
