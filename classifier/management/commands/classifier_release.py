"""Installs model releases, says which one is used, and goes back to the one before."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from classifier.models import ModelRelease
from classifier.services.releases import activate_release, install_release, release_named, rollback


class Command(BaseCommand):
    help = "Model releases of the classifier: list, install FOLDER, activate LABEL, rollback."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="all releases, the newest first")
        actions.add_parser("install", help="verify and keep a release").add_argument("folder", type=Path)
        actions.add_parser("activate", help="use a release from now on").add_argument("label", help='such as "sem 2"')
        actions.add_parser("rollback", help="use the release that was used before")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except DomainError as error:
            raise CommandError(error.message) from None

    def _list(self, options: dict[str, Any]) -> None:
        for release in ModelRelease.objects.all():
            demonstration = ", a demonstration trained on synthetic images" if release.is_demonstration else ""
            self.stdout.write(f"{release.label}: {release.get_state_display()}{demonstration}")

    def _install(self, options: dict[str, Any]) -> None:
        release = install_release(actor=SYSTEM, folder=options["folder"].expanduser().resolve())
        self.stdout.write(f'{release.label} is installed. To use it: classifier_release activate "{release.label}"')

    def _activate(self, options: dict[str, Any]) -> None:
        release = release_named(options["label"])
        activate_release(actor=SYSTEM, release=release)
        self.stdout.write(
            f"{release.label} is used from now on. What others annotated stays; to have it annotate the archive too:"
            f' classify_backlog --release "{release.label}"'
        )

    def _rollback(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{rollback(actor=SYSTEM).label} is used again.")
