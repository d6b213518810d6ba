"""The connections of the S3 client: only to the declared endpoint, only to checked addresses, each pinned to the
address that was checked. botocore asks `before-send` handlers for an answer before it opens a connection itself, so
this session answers every request in its place. No proxy from the environment is used."""

import socket
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool, AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from catalogue.storages.addresses import Lookup, resolve_host
from catalogue.storages.errors import StorageAddressRefused, StorageError
from catalogue.storages.http import trusted_authorities
from catalogue.storages.protocol import StorageConfig


class PinnedSession(URLLib3Session):
    def __init__(self, config: StorageConfig, endpoint: str, lookup: Lookup) -> None:
        super().__init__(verify=trusted_authorities(), timeout=(config.connect_timeout, config.read_timeout))
        self._endpoint = urlsplit(endpoint).netloc
        self._is_private_network_allowed = config.is_private_network_allowed
        self._lookup = lookup
        self._manager.pool_classes_by_scheme = {
            "http": self._pinned(AWSHTTPConnectionPool),
            "https": self._pinned(AWSHTTPSConnectionPool),
        }

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Handler of botocore's `before-send` event. botocore would follow some redirects by asking further."""
        if urlsplit(request.url).netloc != self._endpoint:
            raise _redirect_refusal()
        try:
            answer = self.send(request)
        except HTTPClientError as error:
            cause = error.kwargs.get("error")
            if isinstance(cause, StorageError):
                raise cause from None
            raise
        if 301 <= answer.status_code <= 308 and answer.status_code != 304:
            raise _redirect_refusal()
        return answer

    def _pinned(self, pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        def open_socket(connection: HTTPConnection) -> socket.socket:
            return self._open_socket(connection)

        connection = type("PinnedConnection", (pool.ConnectionCls,), {"_new_conn": open_socket})
        return type("PinnedPool", (pool,), {"ConnectionCls": connection})

    def _open_socket(self, connection: HTTPConnection) -> socket.socket:
        host, port = connection.host.strip("[]"), connection.port
        addresses = resolve_host(
            host, port, is_private_network_allowed=self._is_private_network_allowed, lookup=self._lookup
        )
        failure: OSError | None = None
        for address in addresses:
            try:
                return socket.create_connection((address, port), connection.timeout)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(connection, "connecting took too long")
        raise NewConnectionError(connection, "no address of the endpoint could be connected to")


def _redirect_refusal() -> StorageAddressRefused:
    return StorageAddressRefused(
        "The storage redirects to another address, which is not followed; check its endpoint and region."
    )
