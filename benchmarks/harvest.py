"""What a full harvest by OAI-PMH costs one worker process, what it brings while records are edited, and whether it is valid.

    python -m benchmarks.harvest [--database sqlite|postgresql] [--datasets 100000] [--formats oai_dc oai_datacite]

The archive is that of benchmarks.archive, the answers come from gunicorn with one process over HTTP, uncompressed. Then the same
while another process edits one record of a hundred in every second: what was there at the beginning must all be met, and with the
next harvest, from the response date of the first answer, must be as the archive has it. Rates, of edits too, are by the processor
time of the worker (the machine may do other things), and by the clock. Everything is made for the run and thrown away.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx

from benchmarks.search_site import SITES, memory, processor_seconds
from tests.services import answers, free_port, postgres_server, wait_until

PROMISED = {"oai_dc": 8_000, "oai_datacite": 4_000}
EDITED_A_SECOND = 0.01
PORTION = 100
SAMPLE_EVERY = 25
TOKEN = re.compile(rb"<resumptionToken[^>]*>([^<]+)<")
HEADER = re.compile(rb"<identifier>(oai:[^<]+)</identifier><datestamp>([^<]+)</datestamp>")
RESPONSE_DATE = re.compile(rb"<responseDate>([^<]+)<")


@dataclass
class Harvest:
    """What came of one harvest: the newest datestamp of each identifier, and what each page cost the site in seconds."""

    records: dict[bytes, bytes] = field(default_factory=dict)
    received: int = 0
    began: str = ""
    pages: list[float] = field(default_factory=list)
    sample: list[bytes] = field(default_factory=list)
    elapsed: float = 0.0

    def part(self, share: slice) -> float:
        """Milliseconds of processor time a page, over some of the pages."""
        costs = self.pages[share]
        return 1000 * sum(costs) / max(1, len(costs))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--formats", nargs="+", default=list(PROMISED))
    parser.add_argument("--inside", choices=["measure", "edit"], help=argparse.SUPPRESS)
    parser.add_argument("--site", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return inside(arguments)
    with ExitStack() as stack:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-harvest-")),
            "FAIRCAT_RATE_OAI": "1000000/m",
            "LOG_LEVEL": "CRITICAL",
        }
        os.environ.pop("DATABASE_URL", None)
        if arguments.database == "postgresql":
            os.environ["DATABASE_URL"] = stack.enter_context(postgres_server())
        command = [sys.executable, "-m", "benchmarks.harvest", *sys.argv[1:], "--inside", "measure"]
        return subprocess.run(command, check=False).returncode


def inside(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    if arguments.inside == "edit":
        edit_for_ever(arguments.datasets, arguments.site)
    return measure(arguments)


def measure(arguments: argparse.Namespace) -> int:
    from django.core.management import call_command

    from benchmarks.archive import Shape, make_archive

    call_command("migrate", verbosity=0)
    make_archive(Shape(arguments.datasets, max(100, arguments.datasets // 100)))
    show("datasets, database, cores, load", f"{arguments.datasets}, {arguments.database}, {os.cpu_count()}, {load()}")
    is_good = True
    with site() as port:
        harvest(port, "oai_dc", most=20)
        before = memory(port)
        for prefix in arguments.formats:
            is_good &= told(prefix, harvest(port, prefix))
        show("memory of the site, then after these harvests", f"{before / 1e6:.0f}, {memory(port) / 1e6:.0f} MB")
        is_good &= under_edits(port, arguments)
    return 0 if is_good else 1


def show(what: str, figure: str) -> None:
    print(f"{what:52} {figure}", flush=True)


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


@contextmanager
def site() -> Iterator[int]:
    """One process with one thread."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    server = subprocess.Popen([*command, "--workers", "1"])
    SITES[port] = server.pid
    try:
        wait_until(lambda: answers(port), server, "gunicorn")
        yield port
    finally:
        server.terminate()
        server.wait()


def harvest(port: int, prefix: str, *, since: str = "", most: int | None = None, verb: str = "ListRecords") -> Harvest:
    """All of it, or the first `most` pages. Pages are timed in groups of ten, as finely as the system counts."""
    asked = {"verb": verb, "metadataPrefix": prefix} | ({"from": since} if since else {})
    found, started, used = Harvest(), time.perf_counter(), processor_seconds(port)
    group = 0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, headers={"Accept-Encoding": "identity"}) as site:
        while most is None or most > 0:
            body = site.get("/oai", params=asked).raise_for_status().content
            group += 1
            keep(found, body)
            token = TOKEN.search(body)
            if group == 10 or not token:
                now = processor_seconds(port)
                found.pages += [(now - used) / group] * group
                used, group = now, 0
            if not token:
                break
            asked = {"verb": verb, "resumptionToken": token[1].decode()}
            most = most and most - 1
    found.elapsed = time.perf_counter() - started
    return found


def keep(found: Harvest, body: bytes) -> None:
    headers = HEADER.findall(body)
    found.received += len(headers)
    found.records.update(headers)
    found.began = found.began or RESPONSE_DATE.search(body)[1].decode()
    if len(found.sample) * SAMPLE_EVERY <= len(found.pages):
        found.sample.append(body)


def told(prefix: str, found: Harvest) -> bool:
    rate = found.received / sum(found.pages)
    show(f"{prefix}: records a second of processor time", f"{rate:.0f}; promised {ratio(rate, prefix)}")
    show(f"{prefix}: records a second by the clock", f"{found.received / found.elapsed:.0f}; load {load()}")
    tenth = max(1, len(found.pages) // 10)
    first, last = found.part(slice(tenth)), found.part(slice(-tenth, None))
    show(f"{prefix}: a page of the first tenth, of the last", f"{first:.1f}, {last:.1f} ms of processor time")
    return is_valid(prefix, found) and rate >= PROMISED.get(prefix, 0)


def ratio(rate: float, prefix: str) -> str:
    return f"{PROMISED[prefix]}, ratio {rate / PROMISED[prefix]:.2f}" if prefix in PROMISED else "nothing"


def is_valid(prefix: str, found: Harvest) -> bool:
    """By the official schemas, where they are at hand."""
    from lxml import etree

    from tests.catalogue.oaipmh.harvesting import FOLDER, protocol

    if not FOLDER.is_dir():
        show(f"{prefix}: valid", "not checked, the schemas are not on this machine")
        return True
    wrong = [body for body in found.sample if not protocol().validate(etree.fromstring(body))]
    show(f"{prefix}: pages that were checked, invalid ones", f"{len(found.sample)}, {len(wrong)}")
    return not wrong


def under_edits(port: int, arguments: argparse.Namespace) -> bool:
    prefix = arguments.formats[-1]
    there = set(harvest(port, prefix, verb="ListIdentifiers").records)
    command = [sys.executable, "-m", "benchmarks.harvest", "--datasets", str(arguments.datasets), "--inside", "edit"]
    command += ["--site", str(SITES[port])]
    editing = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert editing.stdout is not None
    editing.stdout.readline()
    found = harvest(port, prefix)
    editing.terminate()
    edits = sum(int(line) for line in editing.stdout)
    editing.wait()
    show("under edits: edits, a second of processor time", f"{edits}, {edits / sum(found.pages):.0f}")
    is_good = told(f"{prefix} under edits", found)
    rate = found.received / sum(found.pages)
    show("under edits: of what is promised", ratio(rate, prefix))
    missing = there - set(found.records)
    show("under edits: records that were there, missed", f"{len(there)}, {len(missing)}")
    kept = found.records | harvest(port, prefix, since=found.began).records
    now = harvest(port, prefix, verb="ListIdentifiers").records
    stale = sum(kept.get(name) != stamp for name, stamp in now.items())
    show("after the next harvest: records, stale ones", f"{len(now)}, {stale}")
    return is_good and not missing and not stale and rate >= PROMISED.get(prefix, 0)


def edit_for_ever(datasets: int, server: int) -> None:
    """One dataset of a hundred in every second that the site's worker works, in transactions; says how many after each."""
    from django.db import transaction

    from catalogue.changes import raise_revisions
    from catalogue.models import Dataset

    SITES[0] = server
    chance, started, done = random.Random(5), processor_seconds(0), 0
    first = Dataset.objects.order_by("pk").values_list("pk", flat=True)[0]
    print(0, flush=True)
    while True:
        due = int((processor_seconds(0) - started) * datasets * EDITED_A_SECOND) - done
        keys = [first + chance.randrange(datasets) for _ in range(min(due, PORTION))]
        if keys:
            with transaction.atomic():
                raise_revisions(Dataset.objects.filter(pk__in=keys))
            print(len(keys), flush=True)
        done += len(keys)
        time.sleep(0 if due > PORTION else 0.02)


if __name__ == "__main__":
    sys.exit(main())
