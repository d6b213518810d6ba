"""A stand-in for DataCite for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalogue.circuit import circuit_of
from tests.servers import DataCiteServer, datacite_server


@pytest.fixture
def datacite(tmp_path: Path, settings) -> Iterator[DataCiteServer]:
    """A running stand-in, empty, which the settings of the site point to."""
    with datacite_server(tmp_path / "datacite.sqlite3") as server:
        # The port may be one of an earlier test that ended with failures.
        circuit_of("datacite", server.url, server.user).record_success()
        settings.DATACITE_URL = server.url
        settings.DATACITE_USER = server.user
        settings.DATACITE_PASSWORD = server.password
        settings.DATACITE_PREFIX = server.prefix
        settings.DATACITE_TIMEOUT = 5.0
        yield server
