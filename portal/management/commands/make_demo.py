"""Makes and registers the demonstration's data, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalogue import tasks
from catalogue.access import SYSTEM
from catalogue.errors import DomainError
from catalogue.services.statistics import measure_statistics
from portal.accounts.demo_accounts import ensure_demo_accounts
from portal.demo import make_demo

# After that time the worker has made the first pictures, which count too.
PICTURES_MADE_SECONDS = 60


class Command(BaseCommand):
    help = "Makes the synthetic data of the demonstration and registers them as instruments do."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError("This is no demonstration site (FAIRCAT_IS_DEMO is off).")
        actor = ensure_demo_accounts()
        folder = settings.DATA_DIR / "files"
        try:
            count = make_demo(actor=actor, folder=folder, today=timezone.localdate(), say=self.stdout.write)
        except DomainError as error:
            raise CommandError(error.message) from error
        measure_statistics(actor=SYSTEM)
        tasks.measure_statistics.apply_async(countdown=PICTURES_MADE_SECONDS)
        if count:
            self.stdout.write(f"{count} datasets were registered; the worker reads their metadata now.")
