"""Real servers on loopback for tests: WebDAV, S3, and one that sends whatever bytes a test gives it."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

USERNAME = "instrument"
PASSWORD = "correct horse: battery?"
BUCKET = "faircat-test"


@contextmanager
def webdav_server(folder: Path) -> Iterator[str]:
    """A WebDAV server for a folder, with basic authentication; gives the URL of its root."""
    from cheroot import wsgi
    from wsgidav.fs_dav_provider import FilesystemProvider
    from wsgidav.wsgidav_app import WsgiDAVApp

    app = WsgiDAVApp(
        {
            "provider_mapping": {"/my dav": FilesystemProvider(str(folder))},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "simple_dc": {"user_mapping": {"*": {USERNAME: {"password": PASSWORD}}}},
            "hotfixes": {"re_encode_path_info": True},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    logging.getLogger("wsgidav").setLevel(logging.CRITICAL)
    server = wsgi.Server(("127.0.0.1", 0), app, numthreads=4)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}/my%20dav/"
    finally:
        server.stop()
        thread.join(10)


@contextmanager
def s3_server() -> Iterator[str]:
    """An S3 server in memory with an empty bucket; gives its endpoint."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    try:
        s3_backend().create_bucket(BUCKET, "us-east-1")
        yield f"http://127.0.0.1:{port}"
    finally:
        s3_backend().reset()
        server.stop()
        server._server.server_close()


def s3_backend():
    """What the S3 server holds, for tests that put many objects into it."""
    from moto.backends import get_backend

    return get_backend("s3")["123456789012"]["aws"]


@dataclass
class ScriptedServer:
    """Sends one raw answer per connection, in order and the last one for ever; None never answers."""

    answers: list[bytes | None]
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["ScriptedServer"]:
        self._held: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join(10)
                for connection in self._held:
                    connection.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.requests.append(_request_bytes(connection))
            answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
            if answer is None:
                self._held.append(connection)
                continue
            with connection:
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)


def http_answer(status: str, body: bytes = b"", *, announced: int | None = None, **headers: str) -> bytes:
    """A raw HTTP answer; `announced` lies about the length of the body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if announced is None else announced}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def _request_bytes(connection: socket.socket) -> bytes:
    """Head and body of a request."""
    connection.settimeout(10)
    received = b""
    while b"\r\n\r\n" not in received and (data := connection.recv(65536)):
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]) and (data := connection.recv(65536)):
                body += data
    return head + b"\r\n\r\n" + body


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback at which nothing listens: bound, but never accepting."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
