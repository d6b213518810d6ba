"""Fixtures for all tests: real services where a machine has them, otherwise a skip with the reason."""

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache

from tests import services

hypothesis.settings.register_profile("faircat", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("faircat")
# Until the tests begin, modules are all that is made, and they stay: to look through them takes a second, each time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits of one test must not refuse the requests of the next."""
    yield
    cache.clear()


def _provided(server: AbstractContextManager[str]) -> Iterator[str]:
    try:
        url = server.__enter__()
    except services.Missing as missing:
        pytest.skip(str(missing))
    try:
        yield url
    finally:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL database that is empty at first and shared by the tests of one process."""
    yield from _provided(services.postgres_server())


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    yield from _provided(services.redis_server())


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """The URL of an Elasticsearch that other tests use too: each puts a path of its own behind it, see `search_url`."""
    yield from _provided(services.elasticsearch_server())


@pytest.fixture
def search_url(elasticsearch_url: str) -> str:
    """A URL of Elasticsearch for this test alone, under which there is no index yet."""
    return f"{elasticsearch_url}/{uuid4().hex}"


@pytest.fixture(scope="session")
def shared_samples() -> Path:
    """The folder of real instrument files, which are not part of this project."""
    folder = services.SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("the folder of sample files is not on this machine")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium by playwright. Its event loop lives in the test's thread, which Django would refuse to work beside."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    try:
        program = services.chromium_program()
    except services.Missing as missing:
        pytest.skip(str(missing))
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
