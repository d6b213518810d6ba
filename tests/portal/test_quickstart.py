"""`make run` as its user sees it: a real site in processes of its own, stopped without a trace, started again with its data."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from portal import quickstart
from tests.services import free_port

LONGEST = 120
OLD = 1_400_000_000


class Site:
    """A running `manage.py quickstart`, with what it has printed so far."""

    def __init__(self, *options: str, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir.with_suffix(".log")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRCAT_", "DJANGO_"))}
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "quickstart", *options],
                env=kept | {"FAIRCAT_DATA_DIR": str(data_dir)},
                cwd=settings.BASE_DIR,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        self.wait_until(lambda: text in self.printed)

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST
        while not is_reached():
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.2)

    def children(self) -> set[int]:
        """Every process with this site's environment but the first: whatever it started, however far down."""
        return processes_with(f"FAIRCAT_DATA_DIR={self.data_dir}") - {self.process.pid, os.getpid()}

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=LONGEST)


def processes_with(variable: str) -> set[int]:
    """The processes in whose environment `variable` stands: NAME=value."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{variable}\0".encode() in (folder / "environ").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


@contextmanager
def running(*options: str, data_dir: Path) -> Iterator[Site]:
    site = Site(*options, data_dir=data_dir)
    try:
        yield site
    finally:
        if site.process.poll() is None:
            site.stop(signal.SIGTERM)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my files"
    (folder / "session").mkdir(parents=True)
    add_old_picture(folder / "session" / "first.png")
    return folder


def add_old_picture(path: Path) -> None:
    """Old enough to be open: titles of closed data do not show the names of files."""
    Image.new("L", (64, 48), 128).save(path)
    os.utime(path, (OLD, OLD))


def command_line(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def test_a_site_starts_registers_a_folder_stops_and_starts_again_with_its_data(tmp_path: Path, folder: Path):
    port = free_port()
    options = ("--data", str(folder), "--port", str(port))
    address = f"http://127.0.0.1:{port}"
    with running(*options, data_dir=tmp_path / "site") as site:
        site.wait_for("1 new datasets")
        assert site.printed.count(f"{address}/demo/login/") == 3
        assert str(tmp_path / "site") in site.printed
        assert len(site.children()) >= 3
        link = re.search(rf"administrator +({address}/demo/login/\S+)", site.printed)
        assert link
        site.wait_until(lambda: "first.png" in get(f"{address}/search"))
        site.wait_until(lambda: '"ready"' in get(f"{address}/readyz") and "0 deliveries" in get(f"{address}/readyz"))
        children = site.children()
        assert site.stop() == 0
        assert "Stopped." in site.printed
        assert not children & site.children() and not site.children()
    add_old_picture(folder / "session" / "second.png")
    with running(*options, data_dir=tmp_path / "site") as site:
        site.wait_for("1 new datasets")
        site.wait_until(lambda: "second.png" in get(f"{address}/search"))
        assert "first.png" in get(f"{address}/search")
        stop_the_stand_in_for_datacite(site)
        assert "first.png" in get(f"{address}/search")
        assert sorted(os.listdir(folder / "session")) == ["first.png", "second.png"], "the folder is only read"
        for child in site.children():
            if b"gunicorn" in command_line(child):
                os.kill(child, signal.SIGKILL)
        assert site.process.wait(timeout=LONGEST) == 1, "a site that lost a part says so and ends"
        assert "The site ended with status" in site.printed
        assert not site.children()


def test_a_site_with_an_account_at_datacite_starts_no_stand_in(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("DATACITE_URL", raising=False)
    assert names_of_services(tmp_path) == ["site", "worker", "worker for images", "stand-in for DataCite"]
    monkeypatch.setenv("DATACITE_URL", "https://api.test.datacite.org")
    assert names_of_services(tmp_path) == ["site", "worker", "worker for images"]


def names_of_services(data_dir: Path) -> list[str]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in quickstart.site_environment(None, free_port()).items():
            environment.setenv(name, value)
        return [program.name for program in quickstart.services(data_dir, 8000)]


def stop_the_stand_in_for_datacite(site: Site) -> None:
    datacite = re.search(r"DOIs: +(http://127\.0\.0\.1:(\d+)), a stand-in", site.printed)
    assert datacite and get(f"{datacite[1]}/heartbeat") == "OK"
    again = re.search(r"^ +FAIRCAT_DATA_DIR=(\S+) \S+ manage.py datacite_standin --port (\d+)$", site.printed, re.M)
    assert again and again.groups() == (str(site.data_dir), datacite[2])
    (child,) = [child for child in site.children() if b"datacite_standin" in command_line(child)]
    os.kill(child, signal.SIGTERM)
    site.wait_for("The stand-in for DataCite ended with status -15. The site goes on without it.")


def test_a_taken_port_is_said_with_what_to_do(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = Site("--port", str(port), data_dir=tmp_path / "site")
        assert site.process.wait(timeout=LONGEST) == 1
    assert f"Port {port} is taken" in site.printed
    assert "PORT=" in site.printed


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path):
    site = Site("--data", str(tmp_path / "nowhere"), data_dir=tmp_path / "site")
    assert site.process.wait(timeout=LONGEST) == 1
    assert "There is no folder" in site.printed


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path):
    child_of = "from portal.supervisor import Program, Supervisor; import os; " + (
        "s = Supervisor(os.environ, print); s.start(Program('sleeper', ['sleep', '300'])); s.wait()"
    )
    mark = f"FAIRCAT_TEST_MARK={tmp_path}"
    environment = os.environ | dict([mark.split("=", 1)])
    supervisor = subprocess.Popen([sys.executable, "-c", child_of], env=environment, cwd=settings.BASE_DIR)
    wait_until(lambda: len(processes_with(mark)) == 2)
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not processes_with(mark))


def wait_until(is_reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not is_reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)
