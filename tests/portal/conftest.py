"""Fixtures for the tests of the portal: brokers that do not answer."""

from collections.abc import Iterator

import kombu.pools
import pytest

from portal.celery import app
from tests.services import free_port

OPTIONS = {
    "socket_connect_timeout": 1,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}


@pytest.fixture
def unreachable_broker() -> Iterator[None]:
    """Celery sends to a port where nobody listens."""
    before = {name: app.conf[name] for name in ("broker_url", "broker_transport_options")}
    _use(broker_url=f"redis://127.0.0.1:{free_port()}/0", broker_transport_options=OPTIONS)
    yield
    _use(**before)


def _use(**settings: object) -> None:
    app.conf.update(**settings)
    app.conf.broker_read_url = app.conf.broker_write_url = app.conf.broker_url
    kombu.pools.reset()
    app._after_fork()
