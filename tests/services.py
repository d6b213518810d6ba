"""Real servers for the tests, started in folders of their own and stopped again. No test and no fake belongs here."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx

SHARED = Path(__file__).resolve().parents[2] / "shared"
ELASTICSEARCH = Path(__file__).resolve().parents[1] / "scripts" / "elasticsearch"
START_SECONDS = 30
ELASTICSEARCH_START_SECONDS = 180


class Missing(Exception):
    """The program is not on this machine; the text says which, and serves as the reason of a skip."""


def free_port() -> int:
    """A port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(
    is_ready: Callable[[], bool], process: subprocess.Popen | None, what: str, seconds: float = START_SECONDS
) -> None:
    """Return when `is_ready` does; raise when the process ended or did not get ready in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what} ended with status {process.returncode}")
        if is_ready():
            return
        time.sleep(0.05)
    raise RuntimeError(f"{what} was not ready after {seconds} s")


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _postgres_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    raise Missing("PostgreSQL is not installed (apt-get install postgresql)")


def _unprivileged() -> dict[str, int]:
    """PostgreSQL refuses to run as root: arguments for `subprocess` that make it run as the user postgres or nobody."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid}
    raise Missing("PostgreSQL does not run as root and there is no other user")


@contextmanager
def postgres_server(kept_in: Path | None = None) -> Iterator[str]:
    """A PostgreSQL server of its own without durability; yields the URL of its database.

    It is empty, or what an earlier one left in the folder `kept_in`, which stays.
    """
    programs, account, port = _postgres_programs(), _unprivileged(), free_port()
    thrown_away = tempfile.TemporaryDirectory(prefix="faircat-pg-", ignore_cleanup_errors=True)
    with nullcontext(str(kept_in)) if kept_in else thrown_away as folder:
        if account:
            os.chown(folder, account["user"], account["group"])
        data = Path(folder) / "data"
        initialise = [programs / "initdb", "-D", data, "-U", "faircat", "-A", "trust", "-E", "UTF8", "--no-sync"]
        if not (data / "PG_VERSION").exists():
            subprocess.run([*initialise, "--locale=C"], check=True, capture_output=True, cwd=folder, **account)
        settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=127.0.0.1"]
        settings.append(f"port={port}")
        command = [programs / "postgres", "-D", data, "-k", folder, *(part for one in settings for part in ("-c", one))]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account)
        try:
            is_ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
            wait_until(lambda: subprocess.run(is_ready, check=False).returncode == 0, server, "PostgreSQL")
            yield f"postgres://faircat@127.0.0.1:{port}/postgres"
        finally:
            stop(server)


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis server without persistence; yields its URL, without a database number."""
    program = shutil.which("redis-server")
    if program is None:
        raise Missing("Redis is not installed (apt-get install redis-server)")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="faircat-redis-") as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: answers(port), server, "Redis")
            yield f"redis://127.0.0.1:{port}"
        finally:
            stop(server)


@contextmanager
def elasticsearch_server() -> Iterator[str]:
    """The Elasticsearch of TEST_SEARCH_URL, which `scripts/elasticsearch with` sets, or one of its own; yields its URL."""
    if url := os.environ.get("TEST_SEARCH_URL"):
        wait_until(lambda: _is_elasticsearch(url), None, "Elasticsearch", ELASTICSEARCH_START_SECONDS)
        yield url
        return
    for what in ("java", "fetch"):
        checked = subprocess.run([ELASTICSEARCH, what], check=False, capture_output=True, text=True)
        if checked.returncode != 0:
            raise Missing(checked.stderr.strip().splitlines()[-1])
    url = f"http://127.0.0.1:{(port := free_port())}"
    server = subprocess.Popen([ELASTICSEARCH, "serve", str(port)], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: _is_elasticsearch(url), server, "Elasticsearch", ELASTICSEARCH_START_SECONDS)
        yield url
    finally:
        stop(server)
        subprocess.run([ELASTICSEARCH, "stop", str(port)], check=True)


def _is_elasticsearch(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_cluster/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def chromium_program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise Missing("Chromium is not installed (apt-get install chromium)")
