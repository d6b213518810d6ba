"""What a ZIP download costs: time to the first byte, throughput and memory. `python -m benchmarks.zip_download`.

Makes a site of its own in a temporary folder: a dataset of 10,000 small files, an investigation of 200 datasets with as many
files together, and a dataset of 2 GiB, all open. The first byte and the memory are measured inside this process, the throughput
also over a connection to gunicorn. Every archive is a crate, with a line for each file.
"""

import hashlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

MIB = 1 << 20
SMALL_FILES, SMALL_SIZE = 10_000, 2_000
DATASETS, VALUES = 200, 20
FIRST_BYTE_MILLISECONDS = 300
BIG_FILES, BIG_SIZE = 4, 512 * MIB


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="faircat-zip-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
            "FAIRCAT_DATA_DIR": folder,
            "LOG_LEVEL": "ERROR",
        }
        os.environ["ALLOWED_HOSTS"] = "127.0.0.1,testserver"
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/faircat.sqlite3"
        import django
        from django.core.management import call_command

        django.setup()
        import portal.wsgi  # noqa: F401 - what it tunes is part of what is measured

        call_command("migrate", verbosity=0)
        many, big = make_datasets(Path(folder))
        measure_throughput(big, f"{BIG_FILES} files")
        measure_throughput(many, f"{SMALL_FILES:,} files")
        investigation = make_investigation(Path(folder))
        for form in ("zip", "bagit"):
            measure_first_byte(f"{many}?form={form}", f"{SMALL_FILES:,} files, {form}")
            measure_first_byte(f"{investigation}?form={form}", f"{DATASETS} datasets, {SMALL_FILES:,} files, {form}")
        measure_throughput(investigation, f"{DATASETS} datasets")
        measure_gunicorn(big)


def make_datasets(folder: Path) -> tuple[str, str]:
    """The paths of the archives of many small files and of few big ones."""
    from tests import factories

    storage = factories.make_storage(folder / "files")
    investigation = factories.make_investigation(is_open=True)
    paths = []
    for count, size in ((SMALL_FILES, SMALL_SIZE), (BIG_FILES, BIG_SIZE)):
        dataset = factories.make_dataset(investigation)
        write_files(dataset, storage, count, size)
        paths.append(f"/datasets/{dataset.uid}/download.zip")
    return paths[0], paths[1]


def make_investigation(folder: Path) -> str:
    """The path of the archive of many datasets, with values as instruments give them."""
    from catalogue.models import Parameter
    from tests import factories

    storage = factories.make_storage(folder / "session")
    investigation = factories.make_investigation(is_open=True)
    for _ in range(DATASETS):
        dataset = factories.make_dataset(investigation)
        write_files(dataset, storage, SMALL_FILES // DATASETS, SMALL_SIZE)
        Parameter.objects.bulk_create(
            Parameter(
                dataset=dataset, name=f"value_{n}", source="instrument", kind="number", value=n, text=str(n), unit="nm"
            )
            for n in range(VALUES)
        )
    return f"/investigations/{investigation.uid}/download.zip"


def write_files(dataset, storage, count: int, size: int) -> None:
    from catalogue.models import Datafile

    content = os.urandom(min(size, 8 * MIB)) * max(size // (8 * MIB), 1)
    sha256, crc32 = hashlib.sha256(content).hexdigest(), zlib.crc32(content)
    place = Path(storage.location) / str(dataset.uid)
    place.mkdir(parents=True)
    rows = []
    for number in range(count):
        name = f"scan_{number:05}_of_a_sample.tif"
        (place / name).write_bytes(content)
        rows.append(
            Datafile(
                dataset=dataset,
                storage=storage,
                path=f"{dataset.uid}/{name}",
                name=name,
                size=len(content),
                modified_at=datetime.fromtimestamp((place / name).stat().st_mtime, UTC),
                sha256=sha256,
                crc32=crc32,
            )
        )
    Datafile.objects.bulk_create(rows)


def measure_first_byte(path: str, what: str) -> None:
    from django.core.cache import cache
    from django.test import Client

    times, processor_times = [], []
    for _ in range(7):
        cache.clear()
        started, processor_started = time.perf_counter(), time.process_time()
        response = Client().get(path)
        chunks = iter(response.streaming_content)
        next(chunks)
        times.append(time.perf_counter() - started)
        processor_times.append(time.process_time() - processor_started)
        response.close()
    spent = sorted(processor_times)[3] * 1000
    show(f"first byte of {what}, median of 7", f"{sorted(times)[3] * 1000:.0f} ms")
    target = FIRST_BYTE_MILLISECONDS
    show(f"the same in processor time (target {target} ms, ratio {spent / target:.2f})", f"{spent:.0f} ms")


def measure_throughput(path: str, what: str) -> None:
    from django.test import Client

    before = highest = resident()
    started = time.perf_counter()
    length = 0
    for chunk in Client().get(path).streaming_content:
        length += len(chunk)
        highest = max(highest, resident())
    spent = time.perf_counter() - started
    show(f"{what}, {length / MIB:.0f} MiB inside one process", f"{length / 1e6 / spent:.0f} MB/s")
    show("growth of memory meanwhile", f"{(highest - before) / MIB:.1f} MiB")


def measure_gunicorn(path: str) -> None:
    with gunicorn() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        buffer = bytearray(MIB)
        for name in ("over a connection to gunicorn", "the same, again"):
            started = time.perf_counter()
            connection.request("GET", path)
            response = connection.getresponse()
            length = 0
            while count := response.readinto(buffer):
                length += count
            spent = time.perf_counter() - started
            show(f"{length / MIB:.0f} MiB {name}", f"{length / 1e6 / spent:.0f} MB/s")


@contextmanager
def gunicorn() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def show(what: str, figure: str) -> None:
    print(f"{what:<60}{figure:>12}")


if __name__ == "__main__":
    main()
