"""What the queries of the PaNOSC search API cost: processor time through the whole middleware, and database queries.

    python -m benchmarks.panosc [--database sqlite|postgresql] [--datasets 100000] [--rounds 15] [--folder PATH] [--explain]

The archive is that of benchmarks.archive with twenty values at every fifth dataset; the questions are those of the
specification of the API: simple conditions, inner joins two levels deep, quantities with units, techniques, free text.
`--folder` keeps the archive there (SQLite) and uses the one that it finds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from benchmarks.pages import processor_seconds
from tests.services import postgres_server

TARGET_MILLISECONDS, MOST_QUERIES = 50.0, 12
RICH_EVERY = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", default="")
    parser.add_argument("--explain", action="store_true", help="print the plans of queries that miss the target")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return measure(arguments)
    with ExitStack() as stack:
        folder = arguments.folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-panosc-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_RATE_ANONYMOUS_READ": "100000/min",
            "FAIRCAT_RATE_CRAWLER": "",
            "FAIRCAT_RATE_HEAVY": "",
            "FAIRCAT_DATA_DIR": folder,
            "LOG_LEVEL": "CRITICAL",
        }
        if arguments.database == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(postgres_server())
        command = [sys.executable, "-m", "benchmarks.panosc", "--inside", *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    _make(arguments.datasets)
    print(f"{arguments.datasets} datasets, {arguments.database}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'question':58} {'items':>6} {'median':>9} {'slowest':>9} {'target':>7} {'ratio':>6} {'queries':>8}")
    has_missed = False
    for name, path, asked in questions():
        items, times, queries = ask(f"/panosc/api/{path}?{urlencode(asked)}", arguments.rounds)
        median = statistics.median(times)
        has_missed |= median > TARGET_MILLISECONDS or len(queries) > MOST_QUERIES
        figures = f"{items:6} {median:6.1f} ms {max(times):6.1f} ms {TARGET_MILLISECONDS:4.0f} ms"
        print(f"{name:58} {figures} {TARGET_MILLISECONDS / median:6.1f} {len(queries):4} / {MOST_QUERIES}", flush=True)
        if arguments.explain and median > TARGET_MILLISECONDS:
            explain(queries)
    return int(has_missed)


def _make(datasets: int) -> None:
    from django.core.management import call_command

    from benchmarks.archive import Shape, execute, make_archive
    from catalogue.models import Dataset

    call_command("migrate", verbosity=0)
    if not Dataset.objects.exists():
        make_archive(Shape(datasets, max(100, datasets // 100), RICH_EVERY))
        for statement in SPREAD:
            execute(statement, {})
        execute("ANALYZE", {})
        call_command("search_rebuild", verbosity=0)


# From 0 to 1000 kV, in steps that tell 1000 datasets apart; names as instruments give them.
SPREAD = (
    """UPDATE catalogue_parameter SET value = dataset_id %% 1000, value_si = (dataset_id %% 1000) * 1000.0""",
    """UPDATE catalogue_parameter SET name = 'sample_temperature', unit = 'K', unit_si = 'K', value_si = value
       WHERE name = 'quantity_2'""",
)


def questions() -> list[tuple[str, str, dict[str, str]]]:
    """Name, path and arguments."""

    def query(**filter: Any) -> dict[str, str]:
        return {"filter": json.dumps(filter)}

    def quantity(low: float, high: float, unit: str, name: str = "quantity_1") -> dict[str, Any]:
        return {"and": [{"name": name}, {"value": {"between": [low, high]}}, {"unit": unit}]}

    def related(relation: str, where: dict[str, Any] | None = None, **scope: Any) -> dict[str, Any]:
        return {"relation": relation, "scope": {**({"where": where} if where else {}), **scope}}

    everything = [related(one) for one in ("techniques", "instrument", "files", "parameters", "samples", "documents")]
    return [
        ("datasets, the first 100", "Datasets", query()),
        ("datasets, 100 with all that belongs to them", "Datasets", query(include=everything)),
        ("datasets, 1000 with their techniques", "Datasets", query(limit=1000, include=["techniques"])),
        ("datasets, from 50,000 on", "Datasets", query(skip=50_000)),
        ("datasets by title, ilike, common", "Datasets", query(where={"title": {"ilike": "steel"}})),
        ("datasets by title, ilike, rare", "Datasets", query(where={"title": {"ilike": "Scan 77777 of"}})),
        ("datasets by title, regexp, rare", "Datasets", query(where={"title": {"regexp": "^Scan 7777[0-9] "}})),
        ("datasets by title, ordered", "Datasets", query(order="title DESC", limit=10)),
        ("datasets of a week", "Datasets", query(where={"creationDate": {"between": ["2019-03-01", "2019-03-08"]}})),
        ("datasets by temperature in celsius, common", "Datasets",
         query(include=[related("parameters", quantity(-200, 200, "celsius", "sample_temperature"))])),
        ("datasets by voltage in volts, rare", "Datasets", query(include=[related("parameters", quantity(7e3, 7e3, "V"))])),
        ("datasets by two parameters", "Datasets",
         query(include=[related("parameters", quantity(10, 80, "kV")),
                        related("parameters", quantity(15, 76, "K", "sample_temperature"))])),
        ("datasets by technique and all below", "Datasets",
         query(include=[related("techniques", {"name": "electron microscopy"})])),
        ("datasets by a rare technique", "Datasets", query(include=[related("techniques", {"name": {"like": "wavelength"}})])),
        ("datasets not by a technique", "Datasets",
         query(include=[related("techniques", {"name": {"neq": "electron microscopy"}})])),
        ("datasets of an instrument", "Datasets", query(include=[related("instrument", {"name": "Scope 7"})])),
        ("datasets by sample", "Datasets", query(include=[related("samples", {"name": "sample A"})])),
        ("datasets by file, rare", "Datasets", query(include=[related("files", {"name": "frame_77.tif"})])),
        ("how many datasets", "Datasets/count", {}),
        ("how many datasets by title", "Datasets/count", {"where": json.dumps({"title": {"like": "perovskite"}})}),
        ("documents, 100 with datasets", "Documents", query(include=[related("datasets", limit=10)])),
        ("documents by title, ordered", "Documents", query(where={"text": "protein"}, order="startDate DESC")),
        ("documents > datasets > parameters, rare", "Documents",
         query(include=[related("datasets", include=[related("parameters", quantity(7, 7, "kV"))])])),
        ("documents > datasets > parameters, common", "Documents",
         query(limit=10, include=[related("datasets", limit=10, include=[related("parameters", quantity(0, 900, "kV"))])])),
        ("documents > datasets > techniques", "Documents",
         query(limit=10, include=[
             related("datasets", limit=10, include=[related("techniques", {"name": "electron microscopy"})])])),
        ("documents > members > person", "Documents",
         query(include=[related("members", include=[related("person", {"fullName": {"like": "Tester77"}})])])),
        ("how many documents", "Documents/count", {}),
        ("instruments with datasets of a parameter", "Instruments",
         query(include=[related("datasets", include=[related("parameters", quantity(7, 7, "kV"))])])),
        ("datasets by free text", "Datasets", query(query="perovskite steel 77", limit=20)),
        ("documents by free text", "Documents", query(query="perovskite under load", limit=20)),
    ]  # fmt: skip


def ask(url: str, rounds: int) -> tuple[int, list[float], Sequence[str]]:
    """How many items came, milliseconds of the processor for each round, and the SQL of one."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(url)
    queries = [one["sql"] for one in caught.captured_queries]
    assert answer.status_code == 200, answer.content
    content = answer.json()
    times = []
    for _ in range(rounds):
        started = processor_seconds()
        client.get(url)
        times.append((processor_seconds() - started) * 1000)
    return content["count"] if isinstance(content, dict) else len(content), times, queries


def explain(queries: Sequence[str]) -> None:
    from django.db import connection

    prefix = "EXPLAIN ANALYZE " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    for query in queries:
        if query.startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(prefix + query.replace("%", "%%"))
                plan = "\n".join("    " + " ".join(map(str, row)) for row in cursor.fetchall())
            print(f"  {query[:3000]}\n{plan}\n")


if __name__ == "__main__":
    sys.exit(main())
