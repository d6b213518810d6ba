"""What only an index on local disk promises: other processes, killed writers, broken files, flat memory, exact edges."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import tantivy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.backends.base import Document, EngineUnavailable, Index, Request, Values
from search.backends.embedded import EmbeddedEngine
from search.backends.embedded.exclusion import unmet
from search.backends.embedded.searching import BLOCK
from search.clauses import All, AnyOf, Between, Clause, Either, Everything, Not, ParameterBetween, Term
from tests.search.reference import Reference

ROOT = Path(__file__).parents[2]
ALL = Term("document", "full")
OTHER = """
from pathlib import Path
from search.backends.base import Request, Values
from search.backends.embedded import EmbeddedEngine
from search.clauses import Term
def titled(word, *, dataset=1, version=1, **values):
    return {"key": str(dataset), "dataset": dataset, "version": version, "document": ["full"], "opens_at": 0,
            "title": word, "by_registered": dataset, **values}
def found(index, word):
    return sorted(hit.dataset for hit in index.search(Request(Term("document", "full"), Term("title", word))).hits)
"""


def titled(word: str, *, dataset: int = 1, version: int = 1, **values: object) -> Document:
    return {
        "key": str(dataset),
        "dataset": dataset,
        "version": version,
        "document": ["full"],
        "opens_at": 0,
        "title": word,
        "by_registered": dataset,
        **values,
    }


def found(index: Index, word: str) -> list[int]:
    return sorted(hit.dataset for hit in index.search(Request(ALL, Term("title", word), limit=1_000)).hits)


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tmp_path)


@pytest.fixture
def live(engine: EmbeddedEngine) -> Index:
    engine.create("one").write([titled("old")])
    engine.promote("one")
    return engine.live()


def process(folder: Path, code: str) -> subprocess.Popen[str]:
    """Another process with `index`, the live index of `folder`."""
    start = f"engine = EmbeddedEngine(Path({str(folder)!r}))\nindex = engine.live()\n"
    command = [sys.executable, "-c", OTHER + start + code]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_commit_of_another_process_is_seen_by_the_next_search(live: Index, tmp_path: Path):
    assert found(live, "new") == []
    with process(tmp_path, "index.write([titled('new', dataset=2)])") as writer:
        writer.communicate()
    assert writer.returncode == 0
    assert found(live, "new") == [2]


def test_another_process_sees_commits_and_swaps_while_it_runs(engine: EmbeddedEngine, live: Index, tmp_path: Path):
    code = "while input():\n    print(engine.live().name, found(engine.live(), 'new'), flush=True)"
    with process(tmp_path, code) as reader:
        assert reader.stdin and reader.stdout

        def asked() -> str:
            print("ask", file=reader.stdin, flush=True)
            return reader.stdout.readline().strip()

        assert asked() == "one []"
        live.write([titled("new", dataset=7)])
        assert asked() == "one [7]"
        engine.create("two").write([titled("new", dataset=8)])
        assert asked() == "one [7]"
        engine.promote("two")
        assert asked() == "two [8]"
        print(file=reader.stdin, flush=True)


def test_a_second_writer_is_turned_away_with_words(live: Index, tmp_path: Path):
    writer = tantivy.Index.open(str(tmp_path / "one")).writer()
    with pytest.raises(EngineUnavailable, match="Another process is writing"):
        live.write([titled("new", dataset=2)])
    assert found(live, "old") == [1], "searches do not wait for writers"
    writer.wait_merging_threads()
    live.write([titled("new", dataset=2)])
    assert found(live, "new") == [2]


def test_a_failed_write_leaves_nothing_behind_and_no_lock(live: Index):
    for bad in ({"opens_at": "never"}, {"document": ["other"]}, {"size": "no number"}):
        with pytest.raises(ValueError):
            live.write([titled("new", dataset=2), titled("new", dataset=3) | bad])
    assert found(live, "new") == []
    live.write([titled("new", dataset=4)])
    assert found(live, "new") == [4]


def test_a_writer_killed_at_any_moment_leaves_whole_batches_and_no_lock(live: Index, tmp_path: Path):
    """It writes twenty datasets under the next version again and again, and says so after each batch."""
    code = """
version = index.versions()[-1][1]
while True:
    version += 1
    index.write([titled(f'v{version}', dataset=number, version=version) for number in range(100, 120)])
    print(version, flush=True)
"""
    live.write([titled("v1", dataset=number) for number in range(100, 120)])
    chance = random.Random(4)
    for _ in range(6):
        with process(tmp_path, code) as writer:
            assert writer.stdout
            said = int(writer.stdout.readline())
            time.sleep(chance.random() * 0.3)
            writer.send_signal(signal.SIGKILL)
            said = int((writer.stdout.read().split() or [said])[-1])
        again = EmbeddedEngine(tmp_path).live()
        versions = {version for dataset, version in again.versions() if dataset >= 100}
        assert versions in ({said}, {said + 1}), "what was said to be written is there, and a batch is whole"
        assert len(found(again, f"v{versions.pop()}")) == 20
        again.write([titled("after", dataset=1, version=said)])
        assert found(live, "after") == [1]


def test_indexes_are_swapped_under_searches(engine: EmbeddedEngine, live: Index):
    engine.create("two").write([titled("old", dataset=number) for number in range(1, 4)])
    totals: set[int] = set()
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            totals.add(len(found(engine.live(), "old")))

    asking = threading.Thread(target=ask)
    asking.start()
    for name in ("two", "one") * 20:
        engine.promote(name)
    is_over.set()
    asking.join()
    assert totals <= {1, 3}


def test_an_index_can_be_dropped_while_it_is_searched(engine: EmbeddedEngine, live: Index):
    searcher, _ = live._view()
    engine.create("two")
    engine.promote("two")
    engine.drop("one")
    assert searcher.search(tantivy.Query.all_query()).count == 1
    with pytest.raises(EngineUnavailable):
        live.search(Request(ALL))


def test_the_live_index_is_not_dropped(engine: EmbeddedEngine, live: Index):
    with pytest.raises(ValueError):
        engine.drop("one")
    assert found(engine.live(), "old") == [1]


def test_a_pointer_to_nothing_says_so(engine: EmbeddedEngine, live: Index, tmp_path: Path):
    shutil.rmtree(tmp_path / "one")
    with pytest.raises(EngineUnavailable, match="no search index"):
        engine.live()
    with pytest.raises(EngineUnavailable, match="no such"):
        engine.promote("two")


@pytest.mark.parametrize("pointer", ["", "../elsewhere", ".", "a/b", "\0"])
def test_a_pointer_that_makes_no_sense_says_so(pointer: str, engine: EmbeddedEngine, live: Index, tmp_path: Path):
    (tmp_path / "live").write_text(pointer)
    with pytest.raises(EngineUnavailable):
        engine.live()


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/b", ".hidden", "live"])
def test_names_stay_inside_the_folder(name: str, engine: EmbeddedEngine):
    with pytest.raises(ValueError):
        engine.create(name)


def test_a_making_cut_short_is_no_index_and_can_be_repeated(engine: EmbeddedEngine, tmp_path: Path):
    (tmp_path / "one").mkdir()
    assert engine.names() == []
    engine.create("one").write([titled("new")])
    assert engine.names() == ["one"]


def test_an_index_of_other_fields_is_to_be_built_anew(engine: EmbeddedEngine, tmp_path: Path):
    (tmp_path / "old").mkdir()
    tantivy.Index(tantivy.SchemaBuilder().add_text_field("title").build(), str(tmp_path / "old"))
    engine.promote("old")
    for ask in (lambda: engine.live().search(Request(ALL)), lambda: engine.live().write([titled("x")])):
        with pytest.raises(EngineUnavailable, match="built anew"):
            ask()


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "noise"])
def test_a_damaged_index_is_to_be_built_anew(damage: str, engine: EmbeddedEngine, live: Index, tmp_path: Path):
    """Each file in turn: searches answer or say why not, in a process that opens it afterwards, and never crash."""
    live.write(titled(f"word{number}", dataset=number) for number in range(2, 200))
    files = [path for path in (tmp_path / "one").iterdir() if path.stat().st_size]
    told = 0
    for path in files:
        kept = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            broken = {"cut": kept[: len(kept) // 2], "empty": b"", "noise": os.urandom(len(kept))}[damage]
            path.write_bytes(broken)
        try:
            EmbeddedEngine(tmp_path).live().search(Request(ALL, Term("title", "word7"), facets=(("x", Values("key")),)))
        except EngineUnavailable as error:
            told += 1
            assert str(tmp_path) not in str(error)
        path.write_bytes(kept)
    assert told
    assert found(EmbeddedEngine(tmp_path).live(), "word7") == [7]


SEARCHES = """
facets = (("samples", Values("sample")), ("years", Values("year")))
while input():
    for number in range(100):
        engine.live().search(Request(Term("document", "full"), Term("title", f"word{number}"), facets=facets))
    print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096, flush=True)
"""


def test_memory_of_a_reader_stays_flat_over_thousands_of_searches_and_many_reloads(live: Index, tmp_path: Path):
    live.write(titled(f"word{number % 100}", dataset=number, year=2000 + number % 9) for number in range(1, 2_000))
    with process(tmp_path, SEARCHES) as reader:
        assert reader.stdin and reader.stdout
        resident: list[int] = []
        for version in range(2, 27):
            live.write([titled("word7", dataset=7, version=version, sample=[f"s{version}"])])
            print("go on", file=reader.stdin, flush=True)
            resident.append(int(reader.stdout.readline()))
        print(file=reader.stdin, flush=True)
    assert max(resident[5:]) - resident[4] < 8_000_000


def test_ties_beyond_one_block_are_each_on_one_page(live: Index):
    many = BLOCK * 2 + 345
    live.write(titled("same", dataset=number) for number in range(1, many + 1))
    request = Request(ALL, Term("title", "same"), limit=400)
    seen: list[int] = []
    while hits := live.search(Request(ALL, request.scored, limit=400, after=len(seen))).hits:
        seen += [hit.dataset for hit in hits]
    assert sorted(seen) == list(range(1, many + 1))


def test_of_a_thousand_values_of_one_count_the_first_by_value_come(live: Index):
    live.write(titled("x", dataset=number, sample=[f"s{number:04}"]) for number in range(2, 1_002))
    counts = live.search(Request(ALL, facets=(("sample", Values("sample", limit=3)),))).values["sample"]
    assert counts == (("s0002", 1), ("s0003", 1), ("s0004", 1))


@pytest.mark.parametrize("skew", [0.2, 1.2], ids=["hardly any skew", "a few frequent ones"])
def test_counts_are_exact_where_segments_hold_thousands_of_values(skew: float, live: Index):
    """Each segment has more values than it gives at first, and its own favourites."""
    chance, counts = random.Random(7), Counter[str]()
    weights = [1 / place**skew for place in range(1, 4_001)]
    for start in (10, 4_010, 8_010):
        names = [
            f"p{chance.randrange(50) if chance.random() < 0.1 else (start + place) % 4_000}" for place in range(4_000)
        ]
        chosen = chance.choices(names, weights, k=12_000)
        people = [sorted(set(chosen[place::3_000])) for place in range(3_000)]
        counts.update(name for some in people for name in some)
        live.write(titled("x", dataset=start + place, person=some) for place, some in enumerate(people))
    for limit in (1, 30, 200):
        expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
        found = live.search(Request(ALL, facets=(("person", Values("person", limit=limit)),)))
        assert found.values["person"] == tuple(expected)


NUMBERS = (-1e300, -(2.0**63), -1e18, -1.0, -0.5, -1e-300, -0.0, 0.0, 5e-324, 1.0, 2.5, 1e15, 2.0**53, 2.0**64, 1e300)


def test_parameters_are_compared_exactly_whatever_the_bounds(live: Index):
    """Whole and broken numbers, signs, and magnitudes that Tantivy's syntax reads as different types."""
    live.write(titled("x", dataset=10 + place, parameters={"k|V": value}) for place, value in enumerate(NUMBERS))
    for low, high in product((None, *NUMBERS, 7.5, 1e17, float("inf"), float("-inf")), repeat=2):
        expected = sum((low is None or value >= low) and (high is None or value <= high) for value in NUMBERS)
        assert live.totals([Request(ALL, ParameterBetween("k|V", low, high))]) == [expected], (low, high)


LEAVES = st.sampled_from(
    [
        Term("document", "full"),
        Term("document", "summary"),
        Between("opens_at", high=5),
        Between("opens_at", low=6),
        Between("opens_at", low=3, high=7),
        AnyOf("investigation", (1, 2)),
        AnyOf("investigation", ()),
        AnyOf("instrument_key", (1,)),
        Everything(),
    ]
)
RULES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        parts.map(Not),
        st.lists(parts, max_size=3).map(lambda some: All(tuple(some))),
        st.lists(parts, max_size=3).map(lambda some: Either(tuple(some))),
    ),
    max_leaves=8,
)
WORLD = [
    titled("x", dataset=number, document=[document], opens_at=opens_at, investigation=team, instrument_key=team % 2)
    for number, (document, opens_at, team) in enumerate(product(("full", "summary"), (4, 5, 6), (1, 2, 3)), 1)
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, Reference]:
    reference, index = Reference(), EmbeddedEngine(tmp_path_factory.mktemp("world")).create("one")
    for each in (reference, index):
        each.write(WORLD)
    return index, reference


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES)
def test_what_is_excluded_is_what_does_not_meet_the_rule(rule: Clause, world: tuple[Index, Reference]):
    index, reference = world
    request = Request(rule, order="by_registered", limit=100)
    assert index.search(request).hits == reference.search(request).hits
    excluded = unmet(rule)
    if excluded is not None:
        hidden = reference.meeting(Either(tuple(excluded)))
        assert hidden == reference.everything - reference.meeting(rule)


def test_the_visibility_rule_is_applied_by_exclusion():
    full, summary, is_open = Term("document", "full"), Term("document", "summary"), Between("opens_at", high=5)
    closed = All((summary, Between("opens_at", low=6), Not(AnyOf("investigation", ()))))
    excluded = unmet(Either((All((full, is_open)), closed)))
    assert excluded is not None and len(excluded) == 2
