"""What questions cost the engines themselves, and what they find in 10,000, 100,000 and 1,000,000 invented datasets.

    python -m benchmarks.search [--documents 10000 100000 1000000] [--engines embedded elasticsearch] [--rounds 100]

Indexes are made for the run and thrown away, Elasticsearch is started for it. Questions are asked by a process of its own, one at
a time, each time with other words and choices. Ratios are to the figures that are promised at a million documents. Not in it: the
database, pages, the indexer (see benchmarks.search_site).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import httpx

from search.analysis import highlight
from search.backends.base import Bins, Engine, Index, Request, Values
from search.clauses import All, AnyOf, Best, Clause, ParameterBetween, Prefix, Term, Weighted
from tests.search.askers import VISITOR, Asker
from tests.search.corpus import COMMON_WORD, LICENCES, MATERIALS, PARAMETER_KEYS, Archive

ENGINES = ("embedded", "elasticsearch")
BATCH = 5_000
TEAMS = 50
WEIGHTS = (("identifiers", 8.0), ("title", 5.0), ("abstract", 2.0), ("rest", 1.0))
EIGHT = ("technique", "instrument", "facility", "type", "sample", "element", "person", "format")
YEARS = Bins("year", tuple(float(year) for year in range(2014, 2028)))
# What is promised at a million documents, in milliseconds: the median and the 95th percentile.
PROMISED = {
    "FULL": (45.0, 61.0),
    "word of half the corpus, eight facets": (65.0, 88.0),
    "numeric range": (7.0, 9.0),
    "prefix": (0.1, 2.0),
    "open": (15.0, 15.0),
}
PROMISED_RATE = 5_200

Answers = dict[str, Any]


class Questions:
    """The questions that are timed, each time with other words. `ask` gives what a question costs, in milliseconds."""

    def __init__(self, index: Index, documents: int) -> None:
        self.index, self.random = index, Random(17)
        self.archive = Archive(documents)
        self.asker = Asker(investigations=tuple(self.random.sample(range(1, documents // 12 + 2), TEAMS)))
        self.texts = [row["abstract"] for number in range(1, 21) for row in self.archive.documents(number)[:1]]
        self.walks = self._starts() if documents > 25_000 else {}

    def named(self) -> dict[str, Callable[[], object]]:
        steps: dict[str, Callable[[], object]] = {
            "FULL": self.full,
            "FULL without facets": lambda: self.index.search(replace(self.full_request(), facets=())),
            "word of half the corpus, eight facets": self.half,
            "numeric range": self.numbers,
            "numeric range and its histogram": self.histogram,
            "prefix": self.prefix,
            "part of an id": self.part_of_id,
            "whole id": self.whole_id,
            "everything, newest first": lambda: self.index.search(self._newest()),
            "suggestions for a beginning": self.suggest,
            "words like a mistyped one": self.correct,
        }
        walks = {
            name: lambda at=at: self.index.search(replace(self._newest(), after=at)) for name, at in self.walks.items()
        }
        return steps | walks

    def word(self, ranks: tuple[int, int]) -> str:
        return self.archive.vocabulary[self.random.randrange(*ranks)]

    def full_request(self) -> Request:
        """Two words anywhere, two choices of several values, access, total, 20 hits, eight facets, a histogram of years."""
        words = (self.random.choice(MATERIALS), self.word((0, 200)))
        instruments = tuple(f"scope-{number}" for number in self.random.sample(range(1, 21), 8))
        filters = (
            ("instrument", AnyOf("instrument", instruments)),
            ("licence", AnyOf("licence", tuple(self.random.sample(LICENCES, 2)))),
        )
        facets = (*((name, Values(name)) for name in EIGHT), ("year", YEARS))
        scored = All(tuple(anywhere(word) for word in words))
        return Request(self.asker.access, scored, filters=filters, facets=facets, open_at=self.asker.now)

    def full(self) -> object:
        request = self.full_request()
        found = self.index.search(request)
        words = [part.clauses[0].clause.value for part in request.scored.clauses]
        return found, [highlight(text, words) for text in self.texts]

    def half(self) -> object:
        facets = tuple((name, Values(name)) for name in EIGHT)
        return self.index.search(Request(self.asker.access, anywhere(COMMON_WORD), facets=facets))

    def numbers(self) -> object:
        low = self.random.uniform(1_000, 25_000)
        return self.index.search(
            Request(self.asker.access, filters=(("x", ParameterBetween("accelerating_voltage|V", low, low + 3_000)),))
        )

    def histogram(self) -> object:
        key = self.random.choice(PARAMETER_KEYS[3:8])
        edges = tuple(-1.0 + step * 20 for step in range(31))
        clause: Clause = ParameterBetween(key, 0.0, self.random.uniform(1, 300))
        facets = (("x", Bins(key, edges, is_parameter=True)),)
        return self.index.search(Request(self.asker.access, filters=(("x", clause),), facets=facets))

    def prefix(self) -> object:
        return self.index.search(Request(self.asker.access, Prefix("title", self.word((0, 3_000))[:5])))

    def part_of_id(self) -> object:
        visit = self.archive.documents(self.random.randrange(1, self.archive.many))[0]["identifiers"]
        return self.index.search(Request(self.asker.access, Prefix("identifiers", visit[:7])))

    def whole_id(self) -> object:
        name = f"scan-{self.random.randrange(1, self.archive.many):06}-tif"
        return self.index.search(Request(self.asker.access, Term("identifiers", name)))

    def suggest(self) -> object:
        field = self.random.choice(("title", "person", "sample", "parameter"))
        prefix = self.word((0, 3_000))[:2] if field == "title" else self.random.choice("ABCTsp")
        return self.index.words_with_prefix(prefix, field, self.asker.access)

    def correct(self) -> object:
        word = self.random.choice(MATERIALS)
        place = self.random.randrange(len(word))
        fields = tuple(name for name, _ in WEIGHTS)
        return self.index.words_like(word[:place] + word[place + 1 :], fields, self.asker.access)

    def _newest(self) -> Request:
        return Request(self.asker.access, order="by_registered")

    def _starts(self) -> dict[str, int]:
        """Where page 1,000 and the last page of all datasets begin."""
        deep = replace(self._newest(), limit=10_000)
        middle = self.index.search(deep).hits[-1].position
        middle = self.index.search(replace(deep, after=middle)).hits[-1].position
        ends = self.index.search(replace(self._newest(), is_descending=False, limit=21)).hits
        return {"walk, page 1,000": middle, "walk, last page": ends[-1].position}


def anywhere(word: str) -> Clause:
    return Best(tuple(Weighted(Term(field, word), weight) for field, weight in WEIGHTS))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--searches", type=int, default=5_000, help="after which memory is compared")
    parser.add_argument("--ask", nargs=3, metavar=("ENGINE", "PLACE", "DOCUMENTS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ask:
        engine, place, documents = arguments.ask
        json.dump(ask(engine, place, int(documents), arguments.rounds, arguments.searches), sys.stdout)
        return 0
    for documents in arguments.documents:
        found = {name: measure(name, documents, arguments) for name in arguments.engines}
        print_table(documents, found)
    return 0


@contextmanager
def provided(engine: str) -> Iterator[str]:
    """Where an engine without indexes is: a folder or a URL."""
    if engine == "embedded":
        with tempfile.TemporaryDirectory(prefix="faircat-index-") as folder:
            yield folder
        return
    from tests.services import elasticsearch_server

    os.environ["ES_JAVA_OPTS"] = ""
    os.environ.setdefault("ELASTICSEARCH_HEAP", "2g")
    with elasticsearch_server() as url:
        yield url


def connected(engine: str, place: str) -> Engine:
    if engine == "embedded":
        from search.backends.embedded import EmbeddedEngine

        return EmbeddedEngine(Path(place))
    from search.backends.elasticsearch import ElasticsearchEngine

    return ElasticsearchEngine(place)


def measure(engine: str, documents: int, arguments: argparse.Namespace) -> Answers:
    with provided(engine) as place:
        answers = fill(connected(engine, place), documents)
        answers["size"] = bytes_of_index(engine, place)
        command = [sys.executable, "-m", "benchmarks.search", "--ask", engine, place, str(documents)]
        command += ["--rounds", str(arguments.rounds), "--searches", str(arguments.searches)]
        asked = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        return answers | json.loads(asked.stdout)


def fill(engine: Engine, documents: int) -> Answers:
    """Write as the indexer does while it builds: in batches, with all documents of a dataset together."""
    index, seconds, many = engine.create("measured"), 0.0, 0
    datasets = Archive(documents).datasets()
    while batch := [row for rows in islice(datasets, BATCH) for row in rows]:
        started = time.perf_counter()
        index.write(batch)
        seconds += time.perf_counter() - started
        many += len(batch)
    engine.promote("measured")
    return {"documents": many, "rate": many / seconds, "load": os.getloadavg()[0]}


def bytes_of_index(engine: str, place: str) -> int:
    if engine == "embedded":
        return sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
    httpx.post(f"{place}/_flush", timeout=60)
    return httpx.get(f"{place}/_stats/store", timeout=60).json()["_all"]["total"]["store"]["size_in_bytes"]


def ask(engine: str, place: str, documents: int, rounds: int, searches: int) -> Answers:
    """The times of all questions in milliseconds, and the memory of this process before and after many searches."""
    connected(engine, place)  # Loads modules, opens nothing.
    started = time.perf_counter()
    index = connected(engine, place).live()
    index.search(Request(VISITOR.access, Term("title", MATERIALS[0])))
    times = {"open": [(time.perf_counter() - started) * 1_000]}
    used = {}
    questions = Questions(index, documents)
    steps = questions.named()
    for name, step in steps.items():
        for _ in range(5):
            step()
        busy = processor_seconds(engine, place)
        times[name] = [timed(step) for _ in range(rounds)]
        used[name] = (processor_seconds(engine, place) - busy) * 1_000 / rounds
    mixed = list(steps.values())
    for number in range(searches // 10):
        mixed[number % len(mixed)]()
    before = memory()
    for number in range(searches):
        mixed[number % len(mixed)]()
    return {"times": times, "used": used, "memory": [before, memory()]}


def processor_seconds(engine: str, place: str) -> float:
    """Of this process and of Elasticsearch's: what a question costs whatever else the machine does."""
    if engine == "embedded":
        return time.process_time()
    nodes = httpx.get(f"{place}/_nodes/process", timeout=60).json()["nodes"]
    ticks = 0
    for node in nodes.values():
        fields = Path(f"/proc/{node['process']['id']}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def timed(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1_000


def memory() -> int:
    """Bytes that this process has for itself; pages of the index's files are the system's, and are not counted."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def print_table(documents: int, found: dict[str, Answers]) -> None:
    print(f"\n{documents} datasets, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for engine, answers in found.items():
        before, after = answers["memory"]
        print(
            f"{engine}: {answers['rate']:.0f} documents/s ({answers['rate'] / PROMISED_RATE:.2f} of {PROMISED_RATE}), "
            f"{answers['size'] / 1e6:.0f} MB ({answers['size'] / answers['documents']:.0f} bytes a document), "
            f"memory of the asking process {before / 1e6:.0f}, then {after / 1e6:.0f} MB"
        )
    print(f"{'question':40}" + "".join(f"{name + ' p50':>20}{'p95':>8}{'ratio':>7}{'processor':>11}" for name in found))
    for name in next(iter(found.values()))["times"]:
        print(f"{name:40}" + "".join(figures(name, answers) for answers in found.values()))


def figures(name: str, answers: Answers) -> str:
    """Milliseconds; the ratio is the worse of both percentiles to what is promised, below 1 is good."""
    ordered = sorted(answers["times"][name])
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    ratio = ""
    if name in PROMISED:
        ratio = f"{max(middle / PROMISED[name][0], late / PROMISED[name][1]):.2f}"
    used = f"{answers['used'][name]:.1f}" if name in answers["used"] else ""
    return f"{middle:20.1f}{late:8.1f}{ratio:>7}{used:>11}"


if __name__ == "__main__":
    sys.exit(main())
