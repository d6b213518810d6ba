"""Indexes beside one another: made, made live in one step, and dropped, on both engines alike."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.backends.base import Engine, EngineUnavailable, Index, Request
from search.backends.elasticsearch import ElasticsearchEngine
from search.backends.embedded import EmbeddedEngine
from search.clauses import Everything, Term
from tests.contracts.search.test_writing import finds, titled
from tests.search.askers import CURATOR


@pytest.fixture(params=["embedded", "elasticsearch"])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Connects anew to an engine without a live index, as another process would."""
    if request.param == "embedded":
        yield lambda: EmbeddedEngine(tmp_path)
        return
    url = request.getfixturevalue("search_url")
    yield lambda: ElasticsearchEngine(url)


@pytest.fixture
def engine(connect: Callable[[], Engine]) -> Engine:
    return connect()


def test_an_engine_answers(engine: Engine):
    assert engine.is_answering()


def test_before_the_first_index_there_is_none_to_search(engine: Engine):
    with pytest.raises(EngineUnavailable):
        engine.live()
    assert engine.names() == []


def test_an_index_in_the_making_is_not_live(engine: Engine):
    engine.create("one")
    assert engine.names() == ["one"]
    with pytest.raises(EngineUnavailable):
        engine.live()


def test_to_create_what_exists_gives_it_with_what_it_holds(connect: Callable[[], Engine]):
    connect().create("one").write([titled("kept")])
    again = connect().create("one")
    assert again.name == "one" and finds(again, "kept") == [1]


def test_a_promoted_index_is_live_for_everyone(connect: Callable[[], Engine]):
    engine, other = connect(), connect()
    engine.create("one").write([titled("first")])
    engine.promote("one")
    for each in (engine, other, connect()):
        assert each.live().name == "one" and finds(each.live(), "first") == [1]


def test_what_is_written_to_the_live_index_is_found_by_others(connect: Callable[[], Engine]):
    engine = connect()
    engine.create("one")
    engine.promote("one")
    reader = connect()
    assert finds(reader.live(), "new") == []
    engine.live().write([titled("new")])
    assert finds(reader.live(), "new") == [1]


def test_two_indexes_do_not_mix(engine: Engine):
    one, two = engine.create("one"), engine.create("two")
    one.write([titled("first")])
    two.write([titled("second", version=3)])
    assert finds(one, "first") == [1] and finds(one, "second") == []
    assert finds(two, "second") == [1] and one.versions() == [(1, 1)]
    assert sorted(engine.names()) == ["one", "two"]


def test_promoting_another_changes_what_all_search(connect: Callable[[], Engine]):
    engine, reader = connect(), connect()
    engine.create("one").write([titled("first")])
    engine.promote("one")
    held = reader.live()
    assert finds(held, "first") == [1]
    engine.create("two").write([titled("second")])
    engine.promote("two")
    assert reader.live().name == "two" and finds(reader.live(), "second") == [1]
    assert held.search(Request(CURATOR.access)).total == 1, "a search under way ends on what it began with"


def test_promoting_is_safe_to_repeat(engine: Engine):
    engine.create("one")
    engine.promote("one")
    engine.promote("one")
    assert engine.live().name == "one" and engine.names() == ["one"]


def test_a_dropped_index_is_gone(engine: Engine):
    for name in ("one", "two"):
        engine.create(name).write([titled("x")])
    engine.promote("two")
    engine.drop("one")
    assert engine.names() == ["two"] and finds(engine.live(), "x") == [1]
    assert engine.create("one").count() == 0


def test_dropping_is_safe_to_repeat(engine: Engine):
    engine.create("one")
    engine.drop("one")
    engine.drop("one")
    assert engine.names() == []


def test_the_way_back_to_the_index_before_is_open(engine: Engine):
    for name in ("one", "two"):
        engine.create(name).write([titled(name)])
        engine.promote(name)
    engine.promote("one")
    assert finds(engine.live(), "one") == [1]


def test_no_search_fails_or_sees_half_while_indexes_are_swapped(connect: Callable[[], Engine]):
    """The old index has 20 datasets and the new one 30: each answer is one of these."""
    engine = connect()
    for name, many in (("old", 20), ("new", 30)):
        engine.create(name).write(titled("x", dataset=number) for number in range(1, many + 1))
    engine.promote("old")
    totals: list[int] = []
    failures: list[Exception] = []
    is_over = threading.Event()

    def keep_asking() -> None:
        reader = connect()
        while not is_over.is_set():
            try:
                totals.append(reader.live().search(Request(CURATOR.access, Term("title", "x"))).total)
            except Exception as failure:
                failures.append(failure)
                return

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        for _ in range(10):
            for name in ("new", "old"):
                engine.promote(name)
    finally:
        is_over.set()
        asking.join()
    assert not failures
    assert totals and set(totals) <= {20, 30}


def test_a_reader_sees_each_write_whole(connect: Callable[[], Engine]):
    """Ten datasets change their word in one call: a search beside it finds all ten under one of the two."""
    engine = connect()
    index: Index = engine.create("one")
    index.write(titled("a", dataset=number) for number in range(1, 11))
    engine.promote("one")
    seen: list[int] = []
    is_over = threading.Event()

    def keep_counting() -> None:
        reader = connect()
        while not is_over.is_set():
            seen.append(reader.live().search(Request(CURATOR.access, Everything())).total)

    counting = threading.Thread(target=keep_counting)
    counting.start()
    try:
        for version in range(2, 8):
            engine.live().write(titled("ab"[version % 2], dataset=number, version=version) for number in range(1, 11))
    finally:
        is_over.set()
        counting.join()
    assert seen and set(seen) == {10}
