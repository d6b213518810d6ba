"""How long a scan of 100,000 unchanged files takes (every file's size and time looked at), and its memory.

    python -m benchmarks.watch_walk [folder]

Without a folder one is made, with 1,000 folders of 100 files, and removed again.
"""

import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from catalogue.storages import Storage, StorageConfig, connect

FOLDER_COUNT = 1000
FILES_PER_FOLDER = 100
WALK_SECONDS = 20.0


def main() -> int:
    if len(sys.argv) > 1:
        return report(connect(StorageConfig("posix", str(Path(sys.argv[1]).resolve()))))
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        return report(connect(StorageConfig("posix", folder)))


def make_files(root: Path) -> None:
    for folder_number in range(FOLDER_COUNT):
        folder = root / f"visit-{folder_number // 10:03}" / f"scan-{folder_number:04}"
        folder.mkdir(parents=True)
        for number in range(FILES_PER_FOLDER):
            os.close(os.open(folder / f"image_{number:05}.tif", os.O_CREAT | os.O_WRONLY))


def report(storage: Storage) -> int:
    file_count, seconds = timed(lambda: sum(1 for _ in storage.walk()))
    peak = peak_of(lambda: sum(1 for _ in storage.walk()))
    rows = [
        (f"walk of {file_count:,} files, s", seconds, WALK_SECONDS * file_count / 100_000),
        ("memory while walking, MB", peak / 1e6, 64.0),
    ]
    print(f"{'what':36}{'measured':>10}{'target':>10}{'ratio':>8}")
    for what, measured, target in rows:
        print(f"{what:36}{measured:10.2f}{target:10.2f}{measured / target:8.2f}")
    return 0 if all(measured <= target for _, measured, target in rows) else 1


def timed(function: Callable[[], int]) -> tuple[int, float]:
    started = time.perf_counter()
    result = function()
    return result, time.perf_counter() - started


def peak_of(function: Callable[[], int]) -> int:
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    sys.exit(main())
