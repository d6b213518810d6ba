"""Both engines, empty and filled with the invented archive, and the reference that knows the right answers."""

import itertools
from collections.abc import Iterator
from uuid import uuid4

import pytest

from search.backends.base import Engine, EngineUnavailable, Index
from search.backends.elasticsearch import ElasticsearchEngine
from search.backends.embedded import EmbeddedEngine
from tests.search.corpus import Archive
from tests.search.reference import Reference
from tests.search.strange import strange_documents

MANY = 720
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def archive() -> Archive:
    return Archive(MANY)


@pytest.fixture(scope="session")
def reference(archive: Archive) -> Reference:
    filled = Reference()
    filled.write(document for documents in [*archive.datasets(), *strange_documents()] for document in documents)
    return filled


@pytest.fixture(scope="session", params=["embedded", "elasticsearch"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine without any index, for tests that leave what others made alone."""
    if request.param == "embedded":
        return EmbeddedEngine(tmp_path_factory.mktemp("indexes"))
    return ElasticsearchEngine(f"{request.getfixturevalue('elasticsearch_url')}/{uuid4().hex}")


@pytest.fixture(scope="session")
def filled(engine: Engine, archive: Archive) -> Index:
    """The archive, written in several calls as the indexer does. To be read only."""
    index = engine.create("filled")
    datasets = [*archive.datasets(), *strange_documents()]
    for start in range(0, len(datasets), 200):
        index.write(document for documents in datasets[start : start + 200] for document in documents)
    return index


@pytest.fixture
def empty(engine: Engine) -> Iterator[Index]:
    """An index of its own, which the test may fill."""
    name = f"empty-{next(NUMBERS)}"
    yield engine.create(name)
    if name in engine.names() and not _is_live(engine, name):
        engine.drop(name)


def _is_live(engine: Engine, name: str) -> bool:
    try:
        return engine.live().name == name
    except EngineUnavailable:
        return False
