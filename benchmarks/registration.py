"""How fast datasets are registered, each with 20 parameters and 10 files: by the service, over HTTP in bulk and one by one.

    python -m benchmarks.registration [--database sqlite|postgresql|both] [--datasets 5000] [--fill 0] [--into URL] [--profile]

Each database is made for the run and thrown away. `--fill 1000000` first puts so many whole datasets into it, by SQL, to show
that registration stays flat; `--into` registers in a database that is kept, such as that of `benchmarks.pages`, once. HTTP is
measured against gunicorn with one worker process on the same machine, client included.
"""

import argparse
import cProfile
import http.client
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.services import Missing, free_port, postgres_server, wait_until

# What the instrument, its account, storage and session are called.
WORLD = "registration"
PARAMETERS, FILES, BULK, SINGLE = 20, 10, 500, 200
FILL_STEP = 50_000
SETTLERS = {
    "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "postgresql": ("VACUUM ANALYZE", "CHECKPOINT"),
}
TARGETS = {"service": 1000.0, "bulk over HTTP": 300.0, "one over HTTP, median": 30.0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument(
        "--datasets", type=int, default=5000, help="registered by the service and in bulk (default 5000)"
    )
    parser.add_argument("--fill", type=int, default=0, help="datasets that are there before (default 0)")
    parser.add_argument("--into", default="", help="address of a database that is kept; what is registered stays there")
    parser.add_argument("--profile", action="store_true", help="show where the service spends its time instead")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return measure(arguments)
    names = ["sqlite", "postgresql"] if arguments.database == "both" else [arguments.database]
    if arguments.into:
        names = ["postgresql" if arguments.into.startswith("postgres") else "sqlite"]
    return max(run_on(name, arguments) for name in names)


def run_on(name: str, arguments: argparse.Namespace) -> int:
    """Measure in a process of its own, whose settings name the database."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-bench-"))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "FAIRCAT_RATE_WRITE": "1000000/min",
            "LOG_LEVEL": "ERROR",
        }
        environment.pop("DATABASE_URL", None)
        if arguments.into:
            environment["DATABASE_URL"] = arguments.into
        elif name == "postgresql":
            try:
                environment["DATABASE_URL"] = stack.enter_context(postgres_server())
            except Missing as missing:
                print(f"PostgreSQL is left out: {missing}")
                return 0
        sizes = ["--datasets", str(arguments.datasets), "--fill", str(arguments.fill)]
        options = [*sizes, *(["--profile"] if arguments.profile else [])]
        command = [sys.executable, "-m", "benchmarks.registration", "--inside", "--database", name, *options]
        return subprocess.run(command, env=environment, check=False).returncode


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    token = make_world()
    fill(arguments.fill)
    if arguments.profile:
        profile_service(arguments.datasets)
        return 0
    rate, share = service_rate(arguments.datasets)
    rows = [("service", "datasets/s", rate)]
    with site() as port:
        rows.append(("bulk over HTTP", "datasets/s", bulk_rate(port, token, arguments.datasets)))
        milliseconds = single_milliseconds(port, token)
        rows.append(("one over HTTP, median", "ms", statistics.median(milliseconds)))
    load = os.getloadavg()[0]
    print(f"{arguments.database}, {arguments.fill} datasets before, {os.cpu_count()} cores, load {load:.1f};", end=" ")
    print(f"the service had {share:.0%} of a core")
    print(f"{'what':28}{'measured':>12}{'target':>10}  {'unit':12}{'times the target':>18}")
    for what, unit, measured in rows:
        target = TARGETS[what]
        ratio = target / measured if unit == "ms" else measured / target
        print(f"{what:28}{measured:12.1f}{target:10.0f}  {unit:12}{ratio:18.2f}")
    return 0


def make_world() -> str:
    """An instrument with its account, storage, technique and investigation; gives the account's token."""
    from catalogue.access import principal_of
    from catalogue.models import Technique
    from catalogue.services.tokens import create_token
    from tests import factories

    instrument = factories.make_instrument(short_name=WORLD)
    factories.make_storage(Path("/nonexistent"), name=WORLD, instrument=instrument)
    factories.make_investigation(instrument=instrument, visit_id=WORLD, is_open=True)
    Technique.objects.create(iri="https://example.org/sem", label="SEM", source="bench")
    account = factories.make_instrument_account(instrument, WORLD)
    administrator = principal_of(factories.make_user("administrator", is_superuser=True))
    lifetime = timedelta(days=1)
    return create_token(actor=administrator, owner=account, name="bench", scopes=["register"], lifetime=lifetime)[1]


def dataset(number: str) -> dict[str, Any]:
    """What an instrument sends of one dataset."""
    return {
        "investigation": WORLD,
        "title": f"Dataset {number}",
        "techniques": ["https://example.org/sem"],
        "sample": "film",
        "registration_key": number,
        "acquired_at": "2026-05-03T10:00:00Z",
        "files": [
            {
                "storage": WORLD,
                "path": f"{number}/image_{place:04}.tif",
                "size": 1_000_000,
                "media_type": "image/tiff",
            }
            for place in range(FILES)
        ],
        "parameters": [
            {"name": f"quantity_{place}", "value": 1.5 + place, "unit": ("kV", "nm", "us", "")[place % 4]}
            for place in range(PARAMETERS)
        ],
    }


def entries(prefix: str, many: int) -> list[Any]:
    from catalogue.api import bodies

    return [bodies.DATASET.read(dataset(f"{prefix}-{number}")) for number in range(many)]


def batches(many: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, many, size):
        yield start, min(size, many - start)


def service_rate(many: int) -> tuple[float, float]:
    """Datasets a second through the service in batches of 1000, and the share of a core that this process got meanwhile."""
    work = _service_work(many)
    started, used = time.perf_counter(), time.process_time()
    work()
    seconds = time.perf_counter() - started
    return many / seconds, (time.process_time() - used) / seconds


def _service_work(many: int) -> Callable[[], None]:
    from catalogue.access import principal_of
    from catalogue.models import User
    from catalogue.services.registration import register_datasets

    actor = principal_of(User.objects.get(username=WORLD))
    register_datasets(actor=actor, entries=entries("warm-up", 1))
    parts = [entries(f"service-{start}", count) for start, count in batches(many, 1000)]

    def work() -> None:
        for part in parts:
            outcomes = register_datasets(actor=actor, entries=part)
            assert all(outcome.status == "registered" for outcome in outcomes), outcomes[0]

    return work


def profile_service(many: int) -> None:
    work = _service_work(many)
    with cProfile.Profile() as profile:
        work()
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


@contextmanager
def site() -> Iterator[int]:
    """The site under gunicorn with one worker process, as one core of a server runs it."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    options = ["--worker-class", "gthread", "--threads", "2", "--workers", "1", "--log-level", "error"]
    server = subprocess.Popen([*command, *options])

    def answers() -> bool:
        try:
            return request(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "GET", "/api/v1/me", "")[0] == 200
        except OSError:
            return False

    try:
        wait_until(answers, server, "gunicorn")
        yield port
    finally:
        server.terminate()
        server.wait()


def request(
    connection: http.client.HTTPConnection, method: str, path: str, token: str, body: Any = None
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def bulk_rate(port: int, token: str, many: int) -> float:
    """Datasets a second over one connection, in requests of 500; the bodies are made before."""
    bodies = [
        {"datasets": [dataset(f"bulk-{start + number}") for number in range(count)]}
        for start, count in batches(many, BULK)
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    started = time.perf_counter()
    for body in bodies:
        status, document = request(connection, "POST", "/api/v1/datasets/bulk", token, body)
        assert status == 200 and document["refused"] == 0, document
    return many / (time.perf_counter() - started)


def single_milliseconds(port: int, token: str) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for number in range(SINGLE):
        body = dataset(f"single-{number}")
        started = time.perf_counter()
        status, document = request(connection, "POST", "/api/v1/datasets", token, body)
        times.append((time.perf_counter() - started) * 1000)
        assert status == 201, document
    return times


def fill(many: int) -> None:
    """Put `many` datasets with all their rows into the database, by SQL in steps."""
    from django.db import connection

    started = time.perf_counter()
    for first, count in batches(many, FILL_STEP):
        with connection.cursor() as cursor:
            for statement in FILLERS:
                cursor.execute(_with_numbers(statement, connection.vendor), {"first": first, "last": first + count - 1})
    if many:
        # What a server does in the background is not to be part of the measurement.
        with connection.cursor() as cursor:
            for statement in SETTLERS[connection.vendor]:
                cursor.execute(statement)
        print(f"filled with {many} datasets in {time.perf_counter() - started:.0f} s", flush=True)


def _with_numbers(statement: str, vendor: str) -> str:
    """`numbers(a, b)` as each database counts: a table with the column n."""
    for name, bounds in (("numbers", "%(first)s, %(last)s"), ("parts", f"1, {PARAMETERS}"), ("pieces", f"1, {FILES}")):
        first, last = bounds.split(", ")
        if vendor == "postgresql":
            table = f"(SELECT n FROM generate_series({first}::int, {last}::int) AS g(n)) AS {name}"
        else:
            counted = f"WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last})"
            table = f"({counted} SELECT n FROM c) AS {name}"
        statement = statement.replace(f"<{name}>", table)
    digits = "'0197a1b23c4d7e5f8a9b' || substr('000000000000' || numbers.n, -12)"
    if vendor == "postgresql":
        digits = "('0197a1b23c4d7e5f8a9b' || lpad(numbers.n::text, 12, '0'))::uuid"
    return statement.replace("<uid>", digits)


FILLERS = (
    """
    INSERT INTO catalogue_dataset (uid, version, created_at, updated_at, investigation_id, instrument_id, kind, title,
      description, acquired_at, licence_id, state, withdrawal_reason, registered_by_id, registration_key, extraction_state,
      extraction_notes, format_label, has_thumbnail, file_count, size, download_count, follows_raw_data)
    SELECT <uid>, 1, i.created_at, i.created_at, i.id, i.instrument_id, 'raw', 'Filler ' || numbers.n, '', i.created_at,
      'CC-BY-4.0', 'active', '', u.id, 'fill-' || numbers.n, 'done', '[]', '', false, 10, 10000000, 0, true
    FROM <numbers>, catalogue_investigation i, catalogue_user u
    WHERE i.visit_id = 'registration' AND u.username = 'registration'
    """,
    """
    INSERT INTO catalogue_datafile (dataset_id, storage_id, path, name, size, sha256, media_type, role, fixity)
    SELECT d.id, s.id, 'fill/' || numbers.n || '/' || pieces.n, 'image_' || pieces.n, 1000000, '', 'image/tiff', 'data',
      'intact'
    FROM <numbers> JOIN catalogue_dataset d ON d.registration_key = 'fill-' || numbers.n, <pieces>, catalogue_storage s
    WHERE s.name = 'registration'
    """,
    """
    INSERT INTO catalogue_parameter (dataset_id, "group", name, source, kind, text, unit, value, value_si, unit_si, is_personal)
    SELECT d.id, '', 'quantity_' || parts.n, 'instrument', 'number', '1.5', 'kV', 1.5, 1500, 'V', false
    FROM <numbers> JOIN catalogue_dataset d ON d.registration_key = 'fill-' || numbers.n, <parts>
    """,
)


if __name__ == "__main__":
    sys.exit(main())
