"""A stand-in for DataCite on this machine, until it is stopped."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from doi.standin.rules import Repository
from doi.standin.server import StandIn


class Command(BaseCommand):
    help = "Answers as DataCite's REST API does, for the account and the prefix of the settings. Nothing leaves."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8090)
        parser.add_argument("--data", type=Path, metavar="FILE", help="where names are kept (in the data folder)")

    def handle(self, *args: Any, **options: Any) -> None:
        account = Repository(settings.DATACITE_USER, settings.DATACITE_PASSWORD, (settings.DATACITE_PREFIX,))
        data = options["data"] or settings.DATA_DIR / "datacite-standin.sqlite3"
        try:
            server = StandIn((options["host"], options["port"]), data, (account,))
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error.strerror}.") from None
        self.stdout.write(f"The stand-in for DataCite answers at http://{options['host']}:{server.server_port}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
