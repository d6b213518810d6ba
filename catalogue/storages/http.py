"""HTTP to one storage server: connects only to checked addresses, follows no redirect out of the storage, and turns
every failure into a storage error. What the answers mean is the business of `webdav`."""

import functools
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import certifi
import httpx

from catalogue.storages.addresses import Lookup, lookup_host, resolve_host
from catalogue.storages.errors import (
    StorageAddressRefused,
    StorageDenied,
    StorageError,
    StorageFileExists,
    StorageFileMissing,
    StorageShortRead,
    StorageUnavailable,
)
from catalogue.storages.protocol import StorageConfig

MAX_REDIRECTS = 3

Headers = dict[str, str] | None
Content = bytes | Iterator[bytes] | None


class PinnedTransport(httpx.BaseTransport):
    """Resolves and checks the host of each request and connects to that address; the name stays for Host and TLS."""

    def __init__(self, *, is_private_network_allowed: bool, lookup: Lookup = lookup_host) -> None:
        self._inner = httpx.HTTPTransport(verify=_tls_context(trusted_authorities()), trust_env=False)
        self._is_private_network_allowed = is_private_network_allowed
        self._lookup = lookup

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        *others, last = resolve_host(
            url.host, port, is_private_network_allowed=self._is_private_network_allowed, lookup=self._lookup
        )
        for address in others:
            try:
                return self._send(request, url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return self._send(request, url, last)

    def close(self) -> None:
        self._inner.close()

    def _send(self, request: httpx.Request, url: httpx.URL, address: str) -> httpx.Response:
        request.url = url.copy_with(host=address)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        try:
            return self._inner.handle_request(request)
        finally:
            request.url = url


class HttpServer:
    """Requests below one base URL, which ends in a slash."""

    def __init__(self, config: StorageConfig, *, lookup: Lookup = lookup_host) -> None:
        self.base = _checked_base(config.location)
        auth = httpx.BasicAuth(config.username, config.reveal_secret()) if config.username else None
        self._client = httpx.Client(
            transport=PinnedTransport(is_private_network_allowed=config.is_private_network_allowed, lookup=lookup),
            auth=auth,
            headers={"Accept-Encoding": "identity", "User-Agent": "faircat"},
            timeout=httpx.Timeout(config.read_timeout, connect=config.connect_timeout),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def send(
        self, method: str, path: str, url: httpx.URL, *, headers: Headers = None, content: Content = None
    ) -> Iterator[httpx.Response]:
        """A successful answer, its body not yet read. `path` is what error messages call it."""
        response = self.open(method, path, url, headers=headers, content=content)
        try:
            with translated(path):
                yield response
        finally:
            response.close()

    def open(
        self, method: str, path: str, url: httpx.URL, *, headers: Headers = None, content: Content = None
    ) -> httpx.Response:
        """As `send`, for a body that is read later; the caller closes it."""
        with translated(path):
            response = self._follow(method, path, url, headers, content)
        if not response.is_success:
            response.close()
            raise_for_answer(response, path)
        return response

    def _follow(self, method: str, path: str, url: httpx.URL, headers: Headers, content: Content) -> httpx.Response:
        for _ in range(MAX_REDIRECTS):
            request = self._client.build_request(method, url, headers=headers, content=content)
            response = self._client.send(request, stream=True)
            if not response.has_redirect_location:
                return response
            response.close()
            url = url.join(response.headers["Location"])
            self._check_redirect(url, path, is_repeatable=content is None or isinstance(content, bytes))
        raise StorageUnavailable(f"The storage redirects {path} in a circle.", path=path)

    def _check_redirect(self, url: httpx.URL, path: str, *, is_repeatable: bool) -> None:
        has_same_origin = (url.scheme, url.host, url.port) == (self.base.scheme, self.base.host, self.base.port)
        if not has_same_origin or not url.path.startswith(self.base.path) or not is_repeatable:
            raise StorageAddressRefused(
                f"The storage redirects {path or 'its root'} to another place ({url.host}), which is not followed. "
                "If that is its true address, declare the storage with it.",
                path=path,
            )


def raise_for_answer(response: httpx.Response, path: str) -> NoReturn:
    """The storage error for a refusing or failing answer."""
    status = response.status_code
    what = path or "the root of the storage"
    if status in {401, 403}:
        raise StorageDenied(f"The storage refuses access to {what}; check its user name and password.", path=path)
    if status in {404, 409, 410}:
        raise StorageFileMissing(f"{what} is not there.", path=path)
    if status in {405, 412} and response.request.method in {"MKCOL", "MOVE"}:
        raise StorageFileExists(f"{what} is already there.", path=path)
    if status in {423, 429} or status >= 500:
        raise StorageUnavailable(
            f"The storage answers {status} for {what}; try again later.", path=path, retry_after=_retry_after(response)
        )
    raise StorageError(f"The storage answers {status} for {what}; this is unexpected.", path=path)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turns failures of the connection into storage errors, without the address or credentials in the message."""
    try:
        yield
    except httpx.TimeoutException:
        raise StorageUnavailable(f"The storage did not answer in time ({path or 'root'}).", path=path) from None
    except httpx.RemoteProtocolError:
        raise StorageShortRead(f"The storage ended its answer for {path or 'its root'} too early.", path=path) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        reason = type(error).__name__
        raise StorageUnavailable(f"The storage cannot be reached ({reason}, {path or 'root'}).", path=path) from None


def _checked_base(location: str) -> httpx.URL:
    try:
        url = httpx.URL(location if location.endswith("/") else location + "/")
    except httpx.InvalidURL:
        raise StorageAddressRefused("The address of this storage is not a valid URL.") from None
    if url.scheme not in {"http", "https"} or not url.host or url.query or url.fragment:
        raise StorageAddressRefused("A WebDAV storage has an http(s) address without query or fragment.")
    if url.userinfo:
        raise StorageAddressRefused("Put user name and password in their own fields, not in the address.")
    return url


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds; the form with a date (RFC 9110, 10.2.3) is rare and left out."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None


def trusted_authorities() -> str:
    """The file of certificate authorities; an institute with its own names it in SSL_CERT_FILE."""
    return os.environ.get("SSL_CERT_FILE") or certifi.where()


@functools.cache
def _tls_context(authorities: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities)
