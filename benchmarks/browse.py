"""What pages of results cost who browses: without a question, with one choice, in other orders; visitors and who is logged in.

    python -m benchmarks.browse [--database postgresql|sqlite] [--datasets 1000000] [--rounds 30] [--archive FOLDER]

Each page is asked for "anew", as after an edit that has just been indexed, so that no answer is kept, and "again" for the third
time, with nothing edited since. Elapsed time inside the process, through the whole middleware. The archive is that of
benchmarks.search_site, which also measures questions with words; `--archive` keeps it, or uses the one that is there. The
embedded engine answers.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pages import CURATOR, MEMBER, VISITOR, account
from benchmarks.search_site import build, kept_folders, percentiles, provide_archive
from tests.services import postgres_server

if TYPE_CHECKING:
    from django.test import Client

TARGET_MILLISECONDS, MOST_QUERIES = 50.0, 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--datasets", type=int, default=1_000_000)
    parser.add_argument("--rich-every", type=int, default=20, help="one of so many has 10 files and 20 parameters")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--archive", type=Path, metavar="FOLDER", help="where archive and index are kept between runs")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return measure(arguments)
    with ExitStack() as stack:
        data_folder, database_folder = kept_folders(arguments.archive)
        data_folder = data_folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-browse-")))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": str(data_folder),
            "FAIRCAT_RATE_CRAWLER": "",
            "LOG_LEVEL": "CRITICAL",
        }
        os.environ.pop("DATABASE_URL", None)
        if arguments.database == "postgresql":
            os.environ["DATABASE_URL"] = stack.enter_context(postgres_server(database_folder))
        return subprocess.run([sys.executable, "-m", "benchmarks.browse", *sys.argv[1:], "--inside"]).returncode


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.conf import settings

    from search.engines import engine

    settings.RATELIMIT_ENABLE = False
    provide_archive(arguments)
    if not engine().names():
        build(arguments)
    load = os.getloadavg()[0]
    print(f"{arguments.datasets} datasets, {arguments.database}, {os.cpu_count()} cores, load {load:.1f}")
    print(f"{'page':44} {'anew: p50':>10} {'p95':>7} {'again: p50':>11} {'p95':>7} {'ratio':>6} {'queries':>8}")
    has_missed = False
    for name, who, path in questions():
        has_missed |= shown(name, client_of(who), path, arguments.rounds) > 1
    return int(has_missed)


def questions() -> list[tuple[str, str, str]]:
    """What the page is called, who asks, and its address."""
    from urllib.parse import quote

    from benchmarks.archive import OWN_TERMS, TECHNIQUES

    pages = [
        ("everything", "/search"),
        ("everything, as a grid", "/search?view=grid"),
        ("by title", "/search?sort=title"),
        ("oldest first", "/search?sort=oldest"),
        ("one instrument", "/search?instrument=scope-1"),
        ("one technique", f"/search?technique={quote(OWN_TERMS + TECHNIQUES[0])}"),
        ("open", "/search?access=open"),
        ("under embargo", "/search?access=closed"),
        ("processed", "/search?kind=processed"),
        ("one format", "/search?format=TIFF"),
        ("one instrument, open", "/search?instrument=scope-1&access=open"),
    ]
    own = [*pages[:1], *pages[4:8], ("mine and shared with me", "/search?access=mine")]
    return [
        *((name, VISITOR, path) for name, path in pages),
        *((f"{name}, {who}", who, path) for who in (MEMBER, CURATOR) for name, path in own),
    ]


def client_of(who: str) -> "Client":
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    if who != VISITOR:
        client.force_login(account(who), backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(name: str, client: "Client", path: str, rounds: int) -> float:
    """Print a line of the table; the share of the target that the median takes anew."""
    anew, again = [], []
    for _ in range(rounds):
        seem_edited()
        anew.append(milliseconds(client, path))
        milliseconds(client, path)
        again.append(milliseconds(client, path))
    median, late = percentiles(anew)
    ratio = median / TARGET_MILLISECONDS
    figures = f"{median:7.1f} ms {late:7.1f} {percentiles(again)[0]:8.1f} ms {percentiles(again)[1]:7.1f} {ratio:6.2f}"
    print(f"{name:44} {figures} {queries(client, path):4} / {MOST_QUERIES}", flush=True)
    return ratio


def seem_edited() -> None:
    """The index looks as if something had just been written into it."""
    from search.backends.embedded.index import META
    from search.engines import engine

    os.utime(engine().live()._folder / META)


def milliseconds(client: "Client", path: str) -> float:
    started = time.perf_counter()
    status = client.get(path).status_code
    assert status == 200, (path, status)
    return (time.perf_counter() - started) * 1000


def queries(client: "Client", path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)


if __name__ == "__main__":
    sys.exit(main())
