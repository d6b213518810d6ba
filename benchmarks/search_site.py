"""What search costs through the whole site: pages and the API over HTTP, edits on their way into the index, rebuilds, kills.

    python -m benchmarks.search_site [--database postgresql|sqlite] [--engine embedded|elasticsearch] [--datasets 100000]
        [--parts build pages walk edits rebuild kills] [--requests 200] [--seconds 30] [--kills 100] [--archive FOLDER]

The archive is that of benchmarks.archive, the index is built by `manage.py search_rebuild`, pages come from gunicorn as the
documentation runs it. Everything is made for the run and thrown away, unless it is kept in the folder of `--archive`: the first
run makes the archive there, others go on with it and with its index. What the engines cost by themselves is measured by
benchmarks.search.
"""

import argparse
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx

from tests.services import answers, elasticsearch_server, free_port, postgres_server, wait_until

PARTS = ("build", "pages", "walk", "edits", "rebuild", "kills")
WORKERS = 2
EDITS_PER_SECOND = 50
FINDABLE_SECONDS = 2.0
PAGE_FACTOR, PAGE_EXTRA, API_EXTRA = 1.5, 30.0, 10.0
MOST_QUERIES = 3
LARGEST_PAGE = 100
# One visitor may ask 240 times a minute: requests come from several addresses of this machine.
VISITORS = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--engine", choices=["embedded", "elasticsearch"], default="embedded")
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--rich-every", type=int, default=20, help="one of so many has 10 files and 20 parameters")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=30, help="of edits")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--archive", type=Path, metavar="FOLDER", help="where archive and index are kept between runs")
    parser.add_argument("--inside", choices=["measure", "edit", "index", "kill"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return inside(arguments)
    with ExitStack() as stack:
        data_folder, database_folder = kept_folders(arguments.archive)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_RATE_CRAWLER": "",
            "FAIRCAT_RATE_HEAVY": "",
            "FAIRCAT_DATA_DIR": str(
                data_folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-search-"))
            ),
            "FAIRCAT_RATE_ANONYMOUS_READ": "1000000/min",
            "LOG_LEVEL": "CRITICAL",
        }
        os.environ.pop("DATABASE_URL", None)
        if arguments.database == "postgresql":
            os.environ["DATABASE_URL"] = stack.enter_context(postgres_server(database_folder))
        if arguments.engine == "elasticsearch":
            os.environ["SEARCH_URL"] = stack.enter_context(elasticsearch_server())
        return subprocess.run(
            [sys.executable, "-m", "benchmarks.search_site", *sys.argv[1:], "--inside", "measure"]
        ).returncode


def kept_folders(archive: Path | None) -> tuple[Path | None, Path | None]:
    """Where the data of the site and those of PostgreSQL are kept."""
    if archive is None:
        return None, None
    folders = archive.resolve() / "site", archive.resolve() / "postgresql"
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def inside(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    {"measure": measure, "edit": edit, "index": index_for_ever, "kill": kill}[arguments.inside](arguments)
    return 0


def measure(arguments: argparse.Namespace) -> None:
    from search.engines import engine

    provide_archive(arguments)
    show("datasets, cores, load", f"{arguments.datasets}, {os.cpu_count()}, {os.getloadavg()[0]:.1f}")
    show("engine, database", f"{arguments.engine}, {arguments.database}")
    steps = {"build": build, "pages": pages, "walk": walk, "edits": edits, "rebuild": rebuild, "kills": kills}
    if arguments.parts and "build" not in arguments.parts and not engine().names():
        build(arguments)
    for part in arguments.parts:
        steps[part](arguments)


def provide_archive(arguments: argparse.Namespace) -> None:
    """Make the archive, unless the folder has it already."""
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks.archive import Shape, make_archive

    made = Path(settings.DATA_DIR) / "archive.txt"
    shape = Shape(arguments.datasets, max(100, arguments.datasets // 100), arguments.rich_every)
    if made.exists() and made.read_text() != str(shape):
        raise SystemExit(f"The folder has another archive: {made.read_text()}")
    call_command("migrate", verbosity=0)
    if not made.exists():
        started = time.perf_counter()
        make_archive(shape)
        made.write_text(str(shape))
        show("archive made in", f"{time.perf_counter() - started:.0f} s")


def build(arguments: argparse.Namespace) -> None:
    from django.core.management import call_command

    started, busy = time.perf_counter(), processor_of_builders()
    call_command("search_rebuild", verbosity=0)
    seconds = time.perf_counter() - started
    used = (processor_of_builders() - busy) / arguments.datasets * 1000
    show("build", f"{seconds:.0f} s, {arguments.datasets / seconds:.0f} datasets/s")
    show("build, processor time for a dataset without the database's", f"{used:.3f} ms")


def processor_of_builders() -> float:
    """Of this process and those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def show(what: str, figure: str) -> None:
    print(f"{what:58} {figure}", flush=True)


def percentiles(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


def questions(many: int) -> list[str]:
    """Addresses of FULL questions: words, and two facets with several values chosen; each another."""
    from benchmarks.archive import OWN_TERMS, TECHNIQUES, WORDS

    chance = random.Random(5)
    found = []
    for _ in range(many):
        pairs = [("q", f"{chance.choice(WORDS)} load")]
        pairs += [("instrument", f"scope-{number}") for number in chance.sample(range(19), 6)]
        pairs += [("technique", OWN_TERMS + name) for name in chance.sample(TECHNIQUES, 3)]
        found.append(urlencode(pairs))
    return found


def pages(arguments: argparse.Namespace) -> None:
    asked = questions(arguments.requests)
    own = engine_times(asked)
    own_median, own_late = percentiles(own)
    show("engine, p50 and p95", f"{own_median:.1f} and {own_late:.1f} ms")
    with gunicorn() as port, visitors(port) as ask:
        for path, factor, extra in (("/search", PAGE_FACTOR, PAGE_EXTRA), ("/api/v1/search", PAGE_FACTOR, API_EXTRA)):
            for query in asked[:20]:
                ask(f"{path}?{query}")
            busy = processor_seconds(port)
            median, late = percentiles([milliseconds(ask(f"{path}?{query}")) for query in asked])
            used = (processor_seconds(port) - busy) * 1000 / len(asked)
            limit = factor * own_late + extra
            show(
                f"{path}, p50 and p95",
                f"{median:.1f} and {late:.1f} ms; limit {limit:.1f} ms, ratio {late / limit:.2f}",
            )
            show(f"{path}, processor time of the site", f"{used:.1f} ms")
        before = memory(port)
        for number in range(5 * len(asked)):
            ask(f"/search?{asked[number % len(asked)]}")
        show(
            f"memory of the site, then after {5 * len(asked)} pages", f"{before / 1e6:.0f}, {memory(port) / 1e6:.0f} MB"
        )
    for path in ("/search", "/api/v1/search"):
        show(f"{path}, queries of the database", f"{queries(f'{path}?{asked[0]}')} of {MOST_QUERIES}")


def engine_times(asked: list[str]) -> list[float]:
    """What the same questions cost the engine alone, in milliseconds."""
    from django.http import QueryDict
    from django.utils import timezone

    from catalogue.access import ANONYMOUS
    from catalogue.neutral_access import neutral_filter
    from search.engines import engine
    from search.question.plan import PAGE_FACETS, plan
    from search.question.query_reading import parse_query

    index = engine().live()
    access = neutral_filter(ANONYMOUS, now=timezone.now())
    requests = [
        plan(parse_query(QueryDict(query), ANONYMOUS).query, access, facets=PAGE_FACETS).request for query in asked
    ]
    for request in requests[:20]:
        index.search(request)
    busy = time.process_time()
    times = [timed(lambda request=request: index.search(request)) for request in requests]
    show("engine, processor time of the asking process", f"{(time.process_time() - busy) * 1000 / len(times):.1f} ms")
    return times


def timed(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1000


@contextmanager
def gunicorn() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    server = subprocess.Popen([*command, "--worker-class", "gthread", "--workers", str(WORKERS), "--threads", "8"])
    SITES[port] = server.pid
    try:
        wait_until(lambda: answers(port), server, "gunicorn")
        yield port
    finally:
        server.terminate()
        server.wait()


SITES: dict[int, int] = {}


@contextmanager
def visitors(port: int) -> Iterator[Callable[[str], httpx.Response]]:
    """Ask for a path, as one visitor after another over kept connections."""
    with ExitStack() as stack:
        # The site closes what was idle for longer.
        limits = httpx.Limits(keepalive_expiry=1)
        hosts = [f"127.0.0.{number + 2}" for number in range(VISITORS)]
        transports = [httpx.HTTPTransport(local_address=host, limits=limits) for host in hosts]
        clients = [
            stack.enter_context(httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=60))
            for transport in transports
        ]
        turns = itertools.cycle(clients)
        yield lambda path: next(turns).get(path).raise_for_status()


def milliseconds(response: httpx.Response) -> float:
    return response.elapsed.total_seconds() * 1000


def workers(port: int) -> list[int]:
    children = Path(f"/proc/{SITES[port]}/task/{SITES[port]}/children").read_text().split()
    return [int(child) for child in children]


def processor_seconds(port: int) -> float:
    ticks = 0
    for worker in workers(port):
        fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(port: int) -> int:
    """Bytes that the processes of the site have for themselves."""
    lines = [line for worker in workers(port) for line in Path(f"/proc/{worker}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def warm_memory(port: int, ask: Callable[[str], object]) -> int:
    """The same, after each process has loaded what it needs."""
    for _ in range(20 * WORKERS):
        ask("/api/v1/search?size=100")
    return memory(port)


def queries(path: str) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200, path
    return len(captured)


@contextmanager
def beside(role: str, *, told: Callable[[str], object] = str, **options: int) -> Iterator[subprocess.Popen]:
    """This module in another process; `told` is given each line that it prints."""
    command = [sys.executable, "-m", "benchmarks.search_site", "--inside", role]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = process.stdout
    assert lines is not None
    reading = threading.Thread(target=lambda: [told(line) for line in lines])
    reading.start()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        reading.join()


def index_for_ever(arguments: argparse.Namespace) -> None:
    """The indexer, as its task runs it."""
    from search.engines import engine
    from search.indexing.sync import LINGERS, index_pending

    while True:
        index_pending(engine(), lingers=LINGERS)


def edit(arguments: argparse.Namespace) -> None:
    """Change titles at an even rate; tells of each the word that finds it and the moment of its commit."""
    from catalogue.access import principal_of
    from catalogue.models import Dataset, User
    from catalogue.services.dataset_changes import update_dataset

    curator, _ = User.objects.get_or_create(username="editor", defaults={"is_curator": True})
    actor = principal_of(curator)
    uids = list(Dataset.objects.order_by("-id").values_list("uid", flat=True)[:20_000])
    chance, begun = random.Random(8), time.monotonic()
    for number in range(arguments.seconds * EDITS_PER_SECOND):
        time.sleep(max(0.0, begun + number / EDITS_PER_SECOND - time.monotonic()))
        word = f"edited{number}x{os.getpid()}"
        update_dataset(actor=actor, uid=chance.choice(uids), changes={"title": f"Scan {word}"}, expected_version=None)
        print(word, time.monotonic(), flush=True)


def walk(arguments: argparse.Namespace) -> None:
    """All datasets by the API, page after page by the cursor: what the first and the last pages cost, and that none is missed."""
    times: list[float] = []
    seen: set[str] = set()
    many, cursor = 0, ""
    with gunicorn() as port, visitors(port) as ask:
        before = warm_memory(port, ask)
        while cursor is not None:
            response = ask(f"/api/v1/search?{urlencode({'sort': 'newest', 'size': LARGEST_PAGE, 'cursor': cursor})}")
            answer = response.json()
            times.append(milliseconds(response))
            seen.update(hit["uid"] for hit in answer["hits"])
            many, cursor = many + len(answer["hits"]), answer["cursor"]
        after = memory(port)
    tenth = max(1, len(times) // 10)
    show("walk over all, pages, datasets, distinct ones", f"{len(times)}, {many}, {len(seen)} of {arguments.datasets}")
    # The first page of all counts facets.
    for name, part in (("first", times[1 : tenth + 1]), ("last", times[-tenth:])):
        show(f"the {name} tenth of the pages, p50 and p95", "{:.1f} and {:.1f} ms".format(*percentiles(part)))
    show("memory of the site before and after the walk", f"{before / 1e6:.0f}, {after / 1e6:.0f} MB")


def edits(arguments: argparse.Namespace) -> None:
    """How long after its commit an edit is found; an edit that a later one of the same dataset replaced is left out."""
    from search.backends.base import Request
    from search.clauses import Everything, Term
    from search.engines import engine

    index = engine().live()
    committed: dict[str, float] = {}
    found: list[float] = []

    def note(line: str) -> None:
        word, moment = line.split()
        if int(word.partition("x")[0].removeprefix("edited")) % 10 == 0:
            committed[word] = float(moment)

    with beside("index"), beside("edit", told=note, seconds=arguments.seconds) as editing:
        while editing.poll() is None or (committed and time.monotonic() < max(committed.values()) + 10):
            for word in list(committed):
                if index.search(Request(Everything(), Term("title", word), limit=0)).total:
                    found.append(time.monotonic() - committed.pop(word))
            time.sleep(0.05)
    median, late = percentiles(found)
    show(
        f"edits at up to {EDITS_PER_SECOND}/s, findable after, p50 and p95",
        f"{median:.2f} and {late:.2f} s of {FINDABLE_SECONDS} s",
    )
    show("edits looked for, not found in 10 s", f"{len(found)}, {len(committed)}")


def rebuild(arguments: argparse.Namespace) -> None:
    """A rebuild beside the live index while one visitor searches without pause."""
    times, totals, failures = [], Counter[int](), Counter[str]()
    with gunicorn() as port, visitors(port) as ask:
        before, started = warm_memory(port, ask), time.perf_counter()
        building = subprocess.Popen([sys.executable, "manage.py", "search_rebuild", "--verbosity", "0"])
        while building.poll() is None:
            try:
                response = ask("/api/v1/search?q=load")
            except httpx.HTTPError as error:
                failures[f"{type(error).__name__}: {error}".splitlines()[0]] += 1
                continue
            times.append(milliseconds(response))
            totals[response.json()["total"]] += 1
        seconds, after = time.perf_counter() - started, memory(port)
    show("rebuild with searches going on", f"{seconds:.0f} s, {arguments.datasets / seconds:.0f} datasets/s")
    show("it ended with status, searches meanwhile, failed", f"{building.returncode}, {len(times)}, {failures.total()}")
    show("searches meanwhile, p50 and p95", "{:.1f} and {:.1f} ms".format(*percentiles(times)))
    show("what they found, and how often", ", ".join(f"{total}: {many}" for total, many in totals.items()))
    show("memory of the site before and after", f"{before / 1e6:.0f}, {after / 1e6:.0f} MB")
    for failure, many in failures.items():
        show(failure, f"{many} times")


def kills(arguments: argparse.Namespace) -> None:
    from search.engines import engine
    from search.indexing.check import check_index
    from search.indexing.sync import index_pending

    with (
        beside("edit", seconds=arguments.kills),
        beside("kill", told=lambda line: show("indexers killed", line.strip()), kills=arguments.kills) as killing,
    ):
        killing.wait()
    started = time.perf_counter()
    written = index_pending(engine(), lasts=600)
    show("datasets left to write, and seconds", f"{written}, {time.perf_counter() - started:.1f} s")
    show("drift", str(check_index(engine())))


def kill(arguments: argparse.Namespace) -> None:
    """Fork indexers and kill them at random moments. This process itself opens neither index nor database."""
    chance, ended = random.Random(3), []
    for _ in range(arguments.kills):
        child = os.fork()
        if not child:
            index_for_ever(arguments)
        time.sleep(chance.uniform(0.05, 1.0))
        os.kill(child, signal.SIGKILL)
        ended.append(os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL)
    print(f"{sum(ended)} of {len(ended)}")


if __name__ == "__main__":
    sys.exit(main())
