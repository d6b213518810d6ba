"""Lists what should hold and does not."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from catalogue.invariants import all_checks, find_violations


class Command(BaseCommand):
    help = "Checks what no constraint of the database can hold. Ends with status 1 when something is found."

    def handle(self, *args: Any, **options: Any) -> None:
        found = find_violations()
        for violation in found:
            self.stdout.write(str(violation))
        if found:
            sys.exit(1)
        self.stdout.write(f"{len(all_checks())} invariants hold.")
