"""What the whole sitemap of a big archive costs: its index and every list, as a crawler fetches them one after another.

    python -m benchmarks.sitemap [--database sqlite|postgresql] [--datasets 1000000]

The database is made for the run and thrown away; all its records are open. Memory is what the process grew by at its peak, once the
database's own cache of pages (64 MB of SQLite's) was full.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import Any

from tests.services import postgres_server

TARGET_SECONDS, TARGET_MEGABYTES, TARGET_RECORDS = 10.0, 50.0, 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--datasets", type=int, default=TARGET_RECORDS)
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return _inside(arguments)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-sitemap-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "LOG_LEVEL": "CRITICAL",
        }
        if arguments.database == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(postgres_server())
        common = [sys.executable, "-m", "benchmarks.sitemap", "--datasets", str(arguments.datasets)]
        for step in ("fill", f"{folder}/answers.json"):
            subprocess.run([*common, "--inside", step], env=environment, check=True)
        with open(f"{folder}/answers.json") as file:
            return _print(json.load(file), arguments)


def _inside(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    if arguments.inside == "fill":
        return _fill(arguments.datasets)
    from django.conf import settings

    settings.RATELIMIT_ENABLE = False
    with open(arguments.inside, "w") as file:
        json.dump(_measure(), file)
    return 0


def _fill(datasets: int) -> int:
    from django.core.management import call_command
    from django.utils import timezone

    from benchmarks.archive import Shape, make_archive
    from catalogue.models import DatasetRevision, Investigation

    call_command("migrate", verbosity=0)
    make_archive(Shape(datasets, max(100, datasets // 100), rich_every=datasets))
    now = timezone.now()
    Investigation.objects.update(embargo_until=now, stamped_open_at=now)
    DatasetRevision.objects.update(stamped_open_at=now)
    return 0


def _measure() -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from benchmarks.pages import processor_seconds
    from catalogue.models import Dataset

    client = Client(SERVER_NAME="127.0.0.1")
    client.get("/healthz")
    Dataset.objects.filter(title__endswith="read all of them").count()
    before, started, busy = _peak(), time.perf_counter(), processor_seconds()
    index = b"".join(client.get("/sitemap.xml").streaming_content)
    first = processor_seconds() - busy
    lists = re.findall(rb"<loc>https?://[^/]+(/[^<]+)</loc>", index)
    addresses = size = 0
    for path in lists:
        for chunk in client.get(path.decode()).streaming_content:
            addresses += chunk.count(b"<loc>")
            size += len(chunk)
    figures = {
        "lists": len(lists),
        "addresses": addresses,
        "megabytes sent": size / 1e6,
        "index s": first,
        "seconds": time.perf_counter() - started,
        "processor s": processor_seconds() - busy,
        "memory MB": _peak() - before,
    }
    with CaptureQueriesContext(connection) as queries:
        b"".join(client.get(lists[0].decode()).streaming_content)
    return figures | {"queries a list": len(queries)}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _print(found: dict[str, float], arguments: argparse.Namespace) -> int:
    print(f"{arguments.database}, {arguments.datasets} datasets, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    targets = {
        "processor s": TARGET_SECONDS * found["addresses"] / TARGET_RECORDS,
        "memory MB": TARGET_MEGABYTES,
    }
    print(f"{'figure':20}{'measured':>12}{'target':>12}{'ratio':>10}")
    for name, value in found.items():
        target = targets.get(name)
        held = f"{target:12.1f}{value / target:10.2f}" if target else ""
        print(f"{name:20}{value:12.1f}{held}")
    return int(any(found[name] > target for name, target in targets.items()))


if __name__ == "__main__":
    sys.exit(main())
