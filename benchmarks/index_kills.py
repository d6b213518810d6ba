"""Whether the search index drifts when its indexer is killed again and again while the archive changes at random.

    python -m benchmarks.index_kills [--rounds 100] [--datasets 300] [--database sqlite|postgresql]

Every indexer dies by SIGKILL within its first 0.6 seconds. Drift is counted by (dataset, version).
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.services import Missing, postgres_server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--datasets", type=int, default=300)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    return _inside(arguments) if arguments.inside else _start(arguments)


def _start(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings.dev", "FAIRCAT_DATA_DIR": folder}
        environment |= {"LOG_LEVEL": "ERROR", "CELERY_BROKER_URL": "memory://"}
        if arguments.database == "postgresql":
            try:
                environment["DATABASE_URL"] = stack.enter_context(postgres_server())
            except Missing as missing:
                print(missing)
                return 1
        options = ["--rounds", str(arguments.rounds), "--datasets", str(arguments.datasets), "--inside", folder]
        return subprocess.run(
            [sys.executable, "-m", "benchmarks.index_kills", *options], env=environment, check=False
        ).returncode


def _inside(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from catalogue.models import DatasetRevision
    from search.backends.embedded import EmbeddedEngine
    from search.indexing import sync
    from tests.search.archive import built, drift, make_datasets
    from tests.search.kills import Archive, kill_indexers

    folder = Path(arguments.inside) / "index"
    engine = built(EmbeddedEngine(folder))
    archive = Archive(random.Random(), make_datasets(arguments.datasets))
    began = time.monotonic()
    kill_indexers(folder, archive, rounds=arguments.rounds)
    left = DatasetRevision.objects.filter(is_pending=True).count()
    sync.index_pending(engine, lasts=600.0)
    found = len(drift(engine.live()))
    print(f"{arguments.rounds} indexers killed in {time.monotonic() - began:.0f} s, {len(archive.datasets):,} datasets")
    print(f"pending after the last kill: {left:,}; drift after the next indexer: {found}")
    return 1 if found or sync.is_behind() else 0


if __name__ == "__main__":
    sys.exit(main())
