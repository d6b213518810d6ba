"""A whole site on one machine: where its data lie, which processes it consists of, and what its user is told."""

import hashlib
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.utils.text import slugify

from catalogue.access import SYSTEM
from portal.accounts.demo_accounts import demo_users
from portal.accounts.login_links import login_link
from portal.supervisor import Program

HOST = "127.0.0.1"
IS_PREPARED = "FAIRCAT_QUICKSTART"
STANDIN_PORT = "FAIRCAT_QUICKSTART_DATACITE_PORT"
WORKERS = 2
THREADS = 8


def site_environment(folder: Path | None, port: int) -> dict[str, str]:
    """The environment of a site that shows `folder`, or the demonstration's own data: each has a data folder of its own."""
    data_dir = os.environ.get("FAIRCAT_DATA_DIR") or str(settings.BASE_DIR / "var" / _data_name(folder))
    ours = {
        IS_PREPARED: "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": data_dir,
        "FAIRCAT_IS_DEMO": "1",
        "FAIRCAT_SITE_URL": f"http://{HOST}:{port}",
        "PROMETHEUS_MULTIPROC_DIR": str(Path(data_dir) / "metrics"),
    }
    return os.environ | ours | _standin_environment(port)


def _standin_environment(port: int) -> dict[str, str]:
    """Where the site's stand-in for DataCite listens; nothing when the environment names a service already."""
    if "DATACITE_URL" in os.environ:
        return {}
    first = port + 90 if port < 65_000 else port - 190
    standin_port = next(free for free in range(first, first + 100) if is_port_free(free))
    return {STANDIN_PORT: str(standin_port), "DATACITE_URL": f"http://{HOST}:{standin_port}"}


def _data_name(folder: Path | None) -> str:
    if folder is None:
        return "demo"
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return f"data-{slugify(folder.name)[:40] or 'folder'}-{digest}"


def empty_folders(data_dir: Path) -> None:
    """Make what the processes need, and forget the counts of those that ran before."""
    shutil.rmtree(data_dir / "metrics", ignore_errors=True)
    for name in ("metrics", "logs", "derived", "broker/messages", "broker/control"):
        (data_dir / name).mkdir(parents=True, exist_ok=True)


def prepare_classifier() -> None:
    """Have the demonstration's model classify images until there is another."""
    if apps.is_installed("classifier"):
        from classifier.services.releases import ensure_demonstration

        ensure_demonstration(actor=SYSTEM)


def services(data_dir: Path, port: int) -> list[Program]:
    """The site, its worker, which keeps the time for periodic jobs too, one for heaps of images, and a stand-in for DataCite."""
    python = [sys.executable, "-m"]
    site = ["gunicorn", "portal.wsgi", "--bind", f"{HOST}:{port}", "--worker-class", "gthread"]
    site += ["--workers", "1", "--threads", str(THREADS), "--no-control-socket"]
    worker = ["celery", "--app", "portal", "worker", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    first = [*worker, "--beat", "--concurrency", str(WORKERS), "--queues", "default,index,cpu"]
    programs = [
        Program("site", [*python, *site], log=data_dir / "logs" / "site.log"),
        Program("worker", [*python, *first], log=data_dir / "logs" / "worker.log"),
    ]
    if apps.is_installed("classifier"):
        # Apart, so that nobody's single upload waits for an archive.
        second = [*worker, "--concurrency", "1", "--queues", "gpu,ocr", "--hostname", "images@%h"]
        log = data_dir / "logs" / "images.log"
        programs.append(Program("worker for images", [*python, *second], log=log, is_optional=True))
    if standin_port := os.environ.get(STANDIN_PORT):
        standin = [sys.executable, "manage.py", "datacite_standin", "--port", standin_port]
        log = data_dir / "logs" / "datacite.log"
        programs.append(Program("stand-in for DataCite", standin, log=log, is_optional=True))
    return programs


def registration_job(folder: Path | None) -> Program:
    command = ["register_folder", str(folder)] if folder else ["make_demo"]
    return Program("registration", [sys.executable, "manage.py", *command], is_job=True)


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def welcome(folder: Path | None, data_dir: Path) -> str:
    """What is printed once the site answers."""
    links = "\n".join(f"    {role:<24}{login_link(user)}" for role, user in demo_users())
    shown = f"the files of {folder}" if folder else "demonstration data, all of them synthetic"
    return f"""
  Faircat runs at {settings.SITE_URL} with {shown}.

  Log in, each link once:
{links}

  Data and logs:  {data_dir}
  DOIs:           {_dois()}
  More links:     FAIRCAT_IS_DEMO=1 FAIRCAT_SITE_URL={settings.SITE_URL} FAIRCAT_DATA_DIR={data_dir} \\
                    {sys.executable} manage.py login_link pi
  Stop:           Ctrl-C
"""


def _dois() -> str:
    """Which service names come from, and how a stand-in that was stopped is started again."""
    standin_port = os.environ.get(STANDIN_PORT)
    if not standin_port:
        return settings.DATACITE_URL or "none, DATACITE_URL is empty"
    again = f"FAIRCAT_DATA_DIR={settings.DATA_DIR} {sys.executable} manage.py datacite_standin --port {standin_port}"
    return f"{settings.DATACITE_URL}, a stand-in for DataCite; if it is stopped, start it again with\n{' ' * 20}{again}"
