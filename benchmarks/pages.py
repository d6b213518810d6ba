"""What pages cost in a big archive: server time through the whole middleware and the number of queries.

    python -m benchmarks.pages [--database postgresql|sqlite] [--datasets 1000000] [--rounds 30] [--explain NAME]

The database is made for the run and thrown away; DATABASE_URL names one that is kept, and is filled where it is empty. The same
is measured with 10,000 datasets first, so that the last column shows how a page grows with the archive.
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
from pathlib import Path
from typing import Any

from tests.services import postgres_server

FEW = 10_000
TARGET_MILLISECONDS, TARGET_QUERIES = 50.0, 8
# Sign-in and what it costs is the site's own, not the catalogue's: the aim on queries is for visitors.
VISITOR, MEMBER, CURATOR = "visitor", "member", "curator"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--datasets", type=int, default=1_000_000)
    parser.add_argument("--rich-every", type=int, default=200, help="one of so many has 10 files and 20 parameters")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    parser.add_argument("--explain", action="store_true", help="show the slowest query of each page")
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return _inside(arguments)
    sizes = [arguments.datasets] if "DATABASE_URL" in os.environ else [FEW, arguments.datasets]
    found = [_run(size, arguments) for size in sizes]
    _print(found[-1], found[0] if len(found) > 1 else {}, sizes[-1], arguments.database)
    return 0


def _run(size: int, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure in a process of its own, whose settings name the database."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-pages-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "FAIRCAT_RATE_ANONYMOUS_READ": "1000000/min",
            "FAIRCAT_RATE_READ": "1000000/min",
            "LOG_LEVEL": "CRITICAL",
        }
        if arguments.database == "postgresql" and "DATABASE_URL" not in os.environ:
            environment["DATABASE_URL"] = stack.enter_context(postgres_server())
        options = ["--datasets", str(size), "--rounds", str(arguments.rounds), "--only", arguments.only]
        options += ["--rich-every", str(arguments.rich_every), *(["--explain"] if arguments.explain else [])]
        answers = f"{folder}/answers.json"
        command = [sys.executable, "-m", "benchmarks.pages", "--inside", answers, *options]
        subprocess.run(command, env=environment, check=True)
        with open(answers) as file:
            return json.load(file)


def _inside(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks.archive import Shape, make_archive
    from catalogue.access import SYSTEM
    from catalogue.models import Dataset
    from catalogue.services.statistics import measure_statistics

    settings.RATELIMIT_ENABLE = False

    call_command("migrate", verbosity=0)
    if not Dataset.objects.exists():
        started = time.perf_counter()
        make_archive(Shape(arguments.datasets, max(100, arguments.datasets // 100), arguments.rich_every))
        print(f"made {arguments.datasets} datasets in {time.perf_counter() - started:.0f} s", flush=True)
    started = time.perf_counter()
    measure_statistics(actor=SYSTEM)
    job = time.perf_counter() - started
    answers = {
        name: _measure(name, who, address, arguments) for name, who, address in _pages() if arguments.only in name
    }
    answers["job: statistics"] = {"median": job * 1000, "p95": job * 1000, "processor": 0, "queries": 0}
    with open(arguments.inside, "w") as file:
        json.dump(answers, file)
    return 0


def _pages() -> list[tuple[str, str, str]]:
    """Name, who asks, address."""
    from benchmarks.archive import OWN_TERMS, RARE_TECHNIQUE
    from catalogue.models import Dataset, Instrument, Investigation, Sample, Technique

    newest, oldest = Dataset.objects.order_by("-id").first(), Dataset.objects.order_by("id")
    assert newest is not None
    rich = oldest.filter(parameters__isnull=False)[0].uid
    big = Dataset.objects.get(registration_key="fill-1").uid
    middle = Dataset.objects.filter(pk__lte=newest.pk // 2).order_by("-id")[0].uid
    closed = newest.investigation
    open_one = Investigation.objects.order_by("id")[20]
    sample = Sample.objects.filter(investigation=open_one)[0].uid
    broad = "http://purl.org/pan-science/PaNET/PaNET01145"
    assert Technique.objects.filter(iri=broad).exists()
    scope = Instrument.objects.get(short_name="scope-3").uid
    past = "/search?facility=Past"
    rare = f"/search?technique={OWN_TERMS}{RARE_TECHNIQUE}"
    lists = [
        ("home", "/"),
        ("search", "/search"),
        ("search, deep page", f"/search?cursor={middle}"),
        ("search, oldest first", "/search?sort=oldest"),
        ("search, by acquisition", "/search?sort=acquired"),
        ("technique, broad", f"/search?technique={broad}"),
        ("technique, narrow", f"/search?technique={OWN_TERMS}EPMA"),
        ("technique, rare and old", rare),
        ("instrument", "/search?instrument=scope-3"),
        ("facility", "/search?facility=East"),
        ("facility, closed long ago", past),
        ("access open", "/search?access=open"),
        ("access open, oldest first", "/search?access=open&sort=oldest"),
        ("access closed", "/search?access=closed"),
        ("access closed, oldest first", "/search?access=closed&sort=oldest"),
        ("access open, technique", f"/search?access=open&technique={OWN_TERMS}EPMA"),
        ("access closed, rare technique", f"{rare}&access=closed"),
        ("processed", "/search?kind=processed"),
        ("format", "/search?format=TIFF"),
        ("dates, a month long ago", "/search?from=2019-03-01&to=2019-03-31"),
        ("text, common word", "/search?q=graphene"),
        ("text, one dataset", "/search?q=4321"),
        ("text, two words", "/search?q=graphene+4321"),
        ("text, no hit", "/search?q=unobtainium"),
        ("text, two letters, no hit", "/search?q=zq"),
        ("nothing: technique, facility, dates", f"{past}&technique={OWN_TERMS}EPMA&from=2030-01-01&kind=raw"),
        ("dataset", f"/datasets/{rich}"),
        ("dataset, closed", f"/datasets/{newest.uid}"),
        ("dataset of 100,000 files", f"/datasets/{big}"),
        ("dataset of 100,000 files, deep", f"/datasets/{big}?cursor=frame_5.tif"),
        ("investigation", f"/investigations/{open_one.uid}"),
        ("investigation, closed", f"/investigations/{closed.uid}"),
        ("instrument page", f"/instruments/{scope}"),
        ("sample", f"/samples/{sample}"),
        ("status", "/status"),
        ("API datasets", "/api/v1/datasets"),
        ("API datasets, 500", "/api/v1/datasets?limit=500"),
        ("API datasets, open", "/api/v1/datasets?access=open"),
        ("API datasets, acquired", "/api/v1/datasets?acquired_from=2019-03-01&acquired_to=2019-03-31"),
        ("API dataset", f"/api/v1/datasets/{rich}"),
        ("API files, 100,000", f"/api/v1/datasets/{big}/files"),
        ("API investigations", "/api/v1/investigations"),
    ]
    own = [
        ("dataset, own and closed", f"/datasets/{newest.uid}"),
        ("access mine", "/search?access=mine"),
        ("dashboard", "/me"),
    ]
    seen = [
        ("curate", "/curate"),
        ("log, one record", f"/curate/log?record={newest.uid}"),
        ("log, one person", "/curate/log?who=bench"),
    ]
    return [
        *((name, VISITOR, address) for name, address in lists),
        *((name, MEMBER, address) for name, address in own),
        *((name, CURATOR, address) for name, address in seen),
    ]


def _measure(name: str, who: str, address: str, arguments: argparse.Namespace) -> dict[str, float]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    if who != VISITOR:
        client.force_login(account(who), backend="django.contrib.auth.backends.ModelBackend")
    status = client.get(address).status_code
    assert status == 200, (name, address, status)
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    captured = queries.captured_queries
    if arguments.explain:
        _explain(name, captured)
    times, used = [], []
    for _ in range(arguments.rounds):
        started, busy = time.perf_counter(), processor_seconds()
        client.get(address)
        times.append((time.perf_counter() - started) * 1000)
        used.append((processor_seconds() - busy) * 1000)
    p95 = sorted(times)[int(len(times) * 0.95)]
    return {
        "median": statistics.median(times),
        "p95": p95,
        "processor": statistics.median(used),
        "queries": len(captured),
    }


def processor_seconds() -> float:
    """Processor time of this process and of its PostgreSQL backend: what a page costs whatever else the machine does."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return time.process_time()
    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(backend.read_text().split()[0]) / 1e9


def account(who: str) -> Any:
    """The principal investigator of the newest dataset's session, or a curator."""
    from catalogue.models import Dataset, TeamMember, User

    if who == CURATOR:
        return User.objects.get_or_create(username="curator", defaults={"is_curator": True})[0]
    newest = Dataset.objects.order_by("-id")[0]
    return TeamMember.objects.get(investigation=newest.investigation_id, role="pi").person.user


def _explain(name: str, queries: list[dict[str, str]]) -> None:
    slowest = max(queries, key=lambda query: float(query["time"]))
    print(f"\n{name}: {[query['time'] for query in queries]}\n{slowest['sql']}")
    if slowest["sql"].startswith("SELECT") and float(slowest["time"]) > 0.005:
        from django.db import connection

        with connection.cursor() as cursor:
            prefix = "EXPLAIN (ANALYZE, BUFFERS)" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{prefix} {slowest['sql']}")
            print("\n".join(str(row[-1]) for row in cursor.fetchall()))


def _print(big: dict[str, Any], small: dict[str, Any], size: int, database: str) -> None:
    print(f"{database}, {size} datasets, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    columns = ("median ms", "p95 ms", "processor ms", "queries", f"at {FEW}", "ratio")
    print(f"{'page':40}" + "".join(f"{column:>13}" for column in columns))
    for name, found in big.items():
        before = small.get(name, {}).get("processor", 0.0)
        ratio = f"{found['processor'] / before:13.2f}" if before else ""
        missed = "  missed" if found["processor"] > TARGET_MILLISECONDS or found["queries"] > TARGET_QUERIES else ""
        figures = "".join(f"{found[key]:13.1f}" for key in ("median", "p95", "processor"))
        print(f"{name:40}{figures}{found['queries']:13.0f}{before:13.1f}{ratio}{missed}")


if __name__ == "__main__":
    sys.exit(main())
