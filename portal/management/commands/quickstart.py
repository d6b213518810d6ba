"""Starts a whole site on this machine, with demonstration data or the files of a folder, until Ctrl-C."""

import fcntl
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import quickstart
from portal.accounts.demo_accounts import ensure_demo_accounts
from portal.supervisor import Supervisor


class Command(BaseCommand):
    help = "Starts site and worker on embedded parts (SQLite, local folders), and stops both on Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="register the files of this folder")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        folder, port = options["data"], options["port"]
        if folder is not None:
            folder = folder.expanduser().resolve()
            if not folder.is_dir():
                raise CommandError(f"There is no folder {folder}. Give the path of one: make run DATA=/some/folder")
        if not quickstart.is_port_free(port):
            raise CommandError(f"Port {port} is taken, perhaps by a Faircat that runs already. Use another: PORT=8001")
        environment = quickstart.site_environment(folder, port)
        if quickstart.IS_PREPARED not in os.environ:
            # Settings were read before the folder was known: begin again with the environment that belongs to it.
            os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606
        with ExitStack() as stack:
            self._lock(stack, settings.DATA_DIR)
            self._run(folder, port, environment)

    def _lock(self, stack: ExitStack, data_dir: Path) -> None:
        lock = stack.enter_context((data_dir / "quickstart.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"Another Faircat works with {data_dir}. Stop it first.") from None

    def _run(self, folder: Path | None, port: int, environment: dict[str, str]) -> None:
        os.chdir(settings.BASE_DIR)
        supervisor = Supervisor(environment, self._tell)
        supervisor.handle_signals()
        self._prepare()
        try:
            is_well = self._serve(supervisor, folder, port)
        finally:
            supervisor.stop()
        self._tell("Stopped." if is_well else "Stopped, because a part of the site failed.")
        if not is_well:
            sys.exit(1)

    def _tell(self, text: str) -> None:
        """At once, into a file or a pipe too: the links that it holds are needed while the site runs."""
        self.stdout.write(text)
        self.stdout.flush()

    def _prepare(self) -> None:
        quickstart.empty_folders(settings.DATA_DIR)
        call_command("migrate", verbosity=0, skip_checks=True)
        call_command("load_vocabulary", stdout=open(os.devnull, "w"))
        ensure_demo_accounts()
        quickstart.prepare_classifier()

    def _serve(self, supervisor: Supervisor, folder: Path | None, port: int) -> bool:
        """Whether the site ran until somebody asked it to stop."""
        for program in quickstart.services(settings.DATA_DIR, port):
            supervisor.start(program)
        if supervisor.wait(until=lambda: quickstart.answers(port)):
            self._tell(quickstart.welcome(folder, settings.DATA_DIR))
            supervisor.start(quickstart.registration_job(folder))
            supervisor.wait()
        return supervisor.is_stopping
