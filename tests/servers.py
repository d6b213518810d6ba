"""Real servers on loopback for tests: WebDAV, S3, the stand-in for DataCite, and one that sends whatever bytes a test gives it."""

import contextlib
import logging
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from doi.standin.faults import Fault, Plan
from doi.standin.rules import Repository
from doi.standin.server import StandIn

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
    server.expiration_interval = 0.02  # how long it waits before it looks whether it was stopped
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
class DataCiteServer:
    """The stand-in for DataCite in a thread. It can be stopped and started again at the same address with its data."""

    data: Path
    user: str = "TEST.FAIRCAT"
    password: str = "quite: a secret?"
    prefix: str = "10.5072"
    domains: tuple[str, ...] = ()
    reads_until_registered: int = 1
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stranger(self) -> Repository:
        """Another account, with a prefix of its own."""
        return Repository("OTHER.PLACE", "also secret", ("10.5555",))

    def start(self) -> None:
        account = Repository(self.user, self.password, (self.prefix,), self.domains)
        self._server = StandIn(
            ("127.0.0.1", self.port),
            self.data,
            (account, self.stranger),
            reads_until_registered=self.reads_until_registered,
        )
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.close()
            self._thread.join(10)

    def fail(self, *faults: Fault, seed: int = 1) -> None:
        """From now on these faults, in place of any before; none heals."""
        self._server.plan = Plan(list(faults), seed)

    def log(self) -> dict[str, Any]:
        """`dois`: accepted writes, creations and mints of each name; `requests`: by method."""
        return {"dois": self._server.store.counts(), "requests": dict(self._server.requests)}


@contextmanager
def datacite_server(data: Path, **options: Any) -> Iterator[DataCiteServer]:
    """A running stand-in whose names are kept in the file `data`."""
    server = DataCiteServer(data, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class ScriptedServer:
    """Sends one raw answer per connection, in order and the last one for ever; None never answers."""

    answers: list[bytes | None]
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["ScriptedServer"]:
        self._held: list[socket.socket] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
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
            if self.tls:
                try:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                except OSError:  # the client did not like the certificate
                    connection.close()
                    continue
            request = _request_bytes(connection)
            if not request.strip():
                connection.close()
                continue
            self.requests.append(request)
            answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
            if answer is None:
                self._held.append(connection)
                continue
            with connection, contextlib.suppress(OSError):  # the client may leave early
                connection.sendall(answer)
                if not self.tls:
                    connection.shutdown(socket.SHUT_WR)


@dataclass
class MailServer:
    """An SMTP server that keeps what it is sent, but refuses recipients and texts as `refusals` says ("RCPT": "550 no")."""

    refusals: dict[str, str] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def running(self) -> Iterator["MailServer"]:
        mail_server = self

        class Session(socketserver.StreamRequestHandler):
            timeout = 10

            def handle(self) -> None:
                self.say("220 ready")
                while line := self.rfile.readline().decode().strip():
                    verb = line[:4].upper()
                    if verb == "QUIT":
                        return self.say("221 bye")
                    if refusal := mail_server.refusals.get(verb):
                        self.say(refusal)
                    elif verb == "DATA":
                        self.say("354 go on")
                        self.take()
                    else:
                        self.say("250 fine")

            def take(self) -> None:
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                mail_server.mails.append(b"".join(lines))
                self.say("250 taken")

            def say(self, line: str) -> None:
                self.wfile.write(line.encode() + b"\r\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True

        with Server(("127.0.0.1", self.port), Session) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join(10)


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


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a new certificate for a host name, and the file that makes clients trust it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback at which nothing listens: bound, but never accepting."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
