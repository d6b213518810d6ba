"""How long the watcher takes for 100,000 files of one folder tree: first seen, registered, and scanned again unchanged.

    python -m benchmarks.watch [--files 100000]

Uses a SQLite database in a temporary folder, 1,000 folders of 100 files, ten files to a dataset.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FILES_PER_FOLDER = 100
RESCAN_SECONDS = 20.0
REGISTER_SECONDS = 100.0
GROWTH_MEGABYTES = 64.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    count = parser.parse_args().files
    with tempfile.TemporaryDirectory() as folder:
        rule = prepare(Path(folder), count)
        return report(rule, count)


def prepare(folder: Path, count: int):
    """A site of its own in `folder` with `count` files that were written a week ago, and the rule for them."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()
    from django.core.management import call_command

    from catalogue.models import WatchRule
    from tests import factories

    call_command("migrate", verbosity=0)
    make_files(folder / "storage", count)
    instrument = factories.make_instrument()
    factories.make_investigation(instrument=instrument, visit_id="visit-a")
    return WatchRule.objects.create(
        name="all",
        storage=factories.make_storage(folder / "storage", instrument=instrument),
        instrument=instrument,
        acts_as=factories.make_instrument_account(instrument),
        pattern=r"(?P<visit>visit-[a-z]+)/(?P<scan>scan-\d+)/(?P<group>\d+)\d\.tif",
        visit_template="{visit}",
        group_template="{scan}/{group}",
    )


def make_files(root: Path, count: int) -> None:
    week_ago = time.time() - 7 * 86400
    for number in range(count):
        folder = root / "visit-a" / f"scan-{number // FILES_PER_FOLDER:04}"
        if number % FILES_PER_FOLDER == 0:
            folder.mkdir(parents=True)
        path = folder / f"{number % FILES_PER_FOLDER:03}.tif"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.utime(path, (week_ago, week_ago))


def report(rule, count: int) -> int:
    from catalogue.access import SYSTEM
    from catalogue.services.watching import scan_rule

    first, first_seconds = timed(lambda: scan_rule(actor=SYSTEM, rule=rule))
    assert (first.registered, first.error) == (count, ""), first.error
    before = peak_megabytes()
    again, again_seconds = timed(lambda: scan_rule(actor=SYSTEM, rule=rule))
    assert (again.seen, again.registered, again.changed, again.missing) == (count, 0, 0, 0)
    scale = count / 100_000
    rows = [
        (f"{count:,} new files registered, s", first_seconds, REGISTER_SECONDS * scale),
        (f"{count:,} unchanged files scanned again, s", again_seconds, RESCAN_SECONDS * scale),
        ("growth of memory by the second scan, MB", peak_megabytes() - before, GROWTH_MEGABYTES),
    ]
    print(f"{'what':44}{'measured':>10}{'target':>10}{'ratio':>8}")
    for what, measured, target in rows:
        print(f"{what:44}{measured:10.2f}{target:10.2f}{measured / target:8.2f}")
    return 0 if all(measured <= target for _, measured, target in rows) else 1


def timed(work: Callable):
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
