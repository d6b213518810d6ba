"""The stand-in on a socket: reads requests, injects faults, sends answers, and has the controls for tests.

Controls, answered on loopback only: GET, PUT and DELETE /faults (a plan, see `faults`), GET /log (what was done to each
name, and which requests came).
"""

import ipaddress
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from doi.standin.faults import BadPlan, Draw, Plan, read_plan
from doi.standin.routes import Answer, Request, answer, json_answer
from doi.standin.rules import Repository
from doi.standin.service import Service
from doi.standin.store import Store

LARGEST_BODY = 32 << 20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class StandIn(ThreadingHTTPServer):
    """Listens from the moment it is made; port 0 takes a free one. `serve_forever` and `close` are the rest."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        address: tuple[str, int],
        data: Path,
        repositories: tuple[Repository, ...],
        *,
        reads_until_registered: int = 1,
    ) -> None:
        super().__init__(address, _Handler)
        self.store = Store(data)
        self.service = Service(self.store, repositories, reads_until_registered=reads_until_registered)
        self.plan = Plan()
        self.requests: Counter[str] = Counter()
        self._count_lock = threading.Lock()

    def count(self, request: Request) -> None:
        with self._count_lock:
            self.requests[request.method] += 1

    def close(self) -> None:
        """Ends `serve_forever` of another thread and lets the file go."""
        self.shutdown()
        self.server_close()
        self.store.close()

    def shutdown_request(self, request: Any) -> None:
        """Without the polite end first, which would turn a reset into an ordinary one."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up are part of the play; anything else is a mistake of ours and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "DataCite-stand-in"
    sys_version = ""
    timeout = 60
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: StandIn

    def handle_any(self) -> None:
        request = self._request()
        if request is None:
            return
        if request.path in ("/faults", "/log") and _is_loopback(self.client_address[0]):
            self._send(_control(self.server, request))
            return
        self.server.count(request)
        draw = self.server.plan.draw(request.method, request.path)
        time.sleep(draw.seconds_before)
        if draw.kind == "reset":
            self._reset()
        elif draw.kind in ("429", "500", "503"):
            self._send(_failure(draw))
        else:
            self._answer(answer(self.server.service, request), draw)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def _request(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(json_answer(413, {"errors": [{"status": "413", "title": "The payload is too large."}]}))
            return None
        return Request(
            self.command,
            self.path,
            self.rfile.read(int(length)),
            self.headers.get("Authorization", ""),
            self.headers.get("Accept", ""),
            self.headers.get("Host", ""),
        )

    def _answer(self, done: Answer, draw: Draw) -> None:
        time.sleep(draw.seconds_after)
        if draw.kind == "lost_acknowledgement":
            self.close_connection = True
        elif draw.kind == "malformed_json":
            self._send(Answer(done.code, done.body[: len(done.body) // 2], done.content_type, done.headers))
        else:
            self._send(done)

    def _send(self, done: Answer) -> None:
        self.send_response(done.code)
        for name, value in done.headers.items():
            self.send_header(name, value)
        if done.code != 204:
            self.send_header("Content-Type", done.content_type)
            self.send_header("Content-Length", str(len(done.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(done.body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def log_message(self, format: str, *args: Any) -> None:
        """No log: names and metadata of closed records pass here, and /log counts."""


def _failure(draw: Draw) -> Answer:
    if draw.kind == "429":
        headers = {} if draw.retry_after is None else {"Retry-After": str(draw.retry_after)}
        return json_answer(429, {"errors": [{"status": "429", "title": "Too many requests."}]}, headers)
    if draw.kind == "500":
        return json_answer(500, {"errors": [{"status": "500", "title": "Something went wrong."}]})
    return Answer(503, b"<html><body>Service Unavailable</body></html>", "text/html")


def _control(server: StandIn, request: Request) -> Answer:
    if request.path == "/log":
        return json_answer(200, {"dois": server.store.counts(), "requests": dict(server.requests)})
    if request.method == "PUT":
        try:
            server.plan = read_plan(json.loads(request.body))
        except (BadPlan, ValueError) as error:
            return json_answer(422, {"errors": [{"status": "422", "title": str(error)}]})
    elif request.method == "DELETE":
        server.plan = Plan()
    return json_answer(200, server.plan.document())


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
