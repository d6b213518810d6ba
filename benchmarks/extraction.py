"""How long reading a file takes: a SEM TIFF of 1024x768 with its vendor tag and thumbnail, and 20 GB sparse HDF5.

    python -m benchmarks.extraction [--rounds 200]

Every HDF5 layout is read in a process of its own, since the peak of memory belongs to a process. The files are made in
a temporary folder and take a few MB of disk.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tifffile

from catalogue.extraction import LocalFile, extract
from catalogue.extraction.sandbox import close, extract_in_sandbox

SEM_MILLISECONDS = 30.0
HDF5_SECONDS = 1.0
HDF5_MEGABYTES = 200.0
LAYOUTS = {
    "stack in chunks": {"shape": (1900, 2160, 2560), "chunks": (1, 2160, 2560)},
    "stack, contiguous": {"shape": (1900, 2160, 2560), "chunks": None},
    "one picture": {"shape": (100_000, 100_000), "chunks": None},
    "one line": {"shape": (10_000_000_000,), "chunks": (1_000_000,)},
}
READ_ONE = """
import resource, sys, time
from catalogue.extraction import LocalFile, extract
started = time.perf_counter()
found = extract(LocalFile(sys.argv[1]))
seconds = time.perf_counter() - started
assert found.dimensions, found.notes
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often the TIFF is read (default 200)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        rows = [*sem_rows(Path(folder), rounds), *hdf5_rows(Path(folder))]
    print(f"{'what':44}{'measured':>10}{'target':>10}{'ratio':>8}")
    for what, measured, target in rows:
        print(f"{what:44}{measured:10.2f}{target:10.2f}{measured / target:8.2f}")
    return 0 if all(measured <= target for _, measured, target in rows) else 1


def sem_rows(folder: Path, rounds: int) -> list[tuple[str, float, float]]:
    path = folder / "sem.tif"
    write_sem_tiff(path)
    assert extract(LocalFile(path)).thumbnail is not None
    in_process = median_milliseconds(lambda: extract(LocalFile(path)), rounds)
    extract_in_sandbox(path)
    in_sandbox = median_milliseconds(lambda: extract_in_sandbox(path), rounds)
    close()
    return [
        ("SEM TIFF 1024x768, ms (median)", in_process, SEM_MILLISECONDS),
        ("the same in the sandbox, ms (median)", in_sandbox, SEM_MILLISECONDS),
    ]


def write_sem_tiff(path: Path) -> None:
    """A Zeiss layout with 700 entries and a picture of noise, which costs more to compress than a real one."""
    noise = np.random.default_rng(1).normal(128, 20, (768, 1024)).clip(0, 255).astype(np.uint8)
    entries = [f"AP_TEST_{n}\r\nTest value {n} = {n / 7:.3f} mm" for n in range(700)]
    entries += ["AP_ACTUALKV\r\nEHT = 15.00 kV", "AP_MAG\r\nMag = 50.00 K X", "AP_WD\r\nWD = 5.1 mm"]
    content = "\r\n".join(["0"] * 3 + ["1.0e-9"] + ["0"] * 10 + entries).encode("cp1252")
    tag = (34118, "s", len(content), content, True)
    ramp = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    tifffile.imwrite(path, noise, photometric="palette", colormap=ramp, extratags=[tag])


def hdf5_rows(folder: Path) -> list[tuple[str, float, float]]:
    rows = []
    for name, layout in LAYOUTS.items():
        path = folder / "sparse.nxs"
        write_sparse_hdf5(path, **layout)
        answer = subprocess.run([sys.executable, "-c", READ_ONE, str(path)], capture_output=True, text=True, check=True)
        seconds, megabytes = map(float, answer.stdout.split())
        rows.append((f"20 GB sparse HDF5, {name}, s", seconds, HDF5_SECONDS))
        rows.append((f"20 GB sparse HDF5, {name}, MB", megabytes, HDF5_MEGABYTES))
        path.unlink()
    return rows


def write_sparse_hdf5(path: Path, shape: tuple[int, ...], chunks: tuple[int, ...] | None) -> None:
    """Space for all data is given out (as holes of the file), so that reading really reads; of chunks a few exist."""
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        if chunks:
            data = entry.create_dataset("data", shape, "uint16", chunks=chunks)
            data[len(data) // 2] = 7
            return
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        h5py.h5d.create(entry.id, b"data", h5py.h5t.STD_U16LE, h5py.h5s.create_simple(shape), plan)
    assert path.stat().st_size > 19e9


def median_milliseconds(function: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    sys.exit(main())
