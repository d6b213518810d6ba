"""The pictures of a training set, prepared once and kept on disk, so that no more than a batch of them is in memory."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from classifier.pipeline.preparing import prepare
from classifier.pipeline.results import Grey

Say = Callable[[str], None]
Read = Callable[[], Grey]
_TELLS_EVERY = 1000
_AHEAD = 16  # pictures at a time for each process


def cached_pictures(
    path: Path, reads: list[Read], side: int, say: Say, *, keeps_banner: bool = False, processes: int = 0
) -> Grey:
    """Pictures uint8 (N, side, side) at `path`, mapped from disk; made there unless they are. `reads` are picklable, each
    gives one picture (H, W); whatever they raise ends it. The file's name must tell data and side apart."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"new-{path.name}")
        pictures = open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=(len(reads), side, side))
        jobs = ((read, side, keeps_banner) for read in reads)
        for row, picture in enumerate(_prepared(jobs, processes or _processes(len(reads)))):
            pictures[row] = picture
            if (row + 1) % _TELLS_EVERY == 0:
                say(f"{row + 1} of {len(reads)} pictures prepared")
        pictures.flush()
        os.replace(unfinished, path)
    mapped: Grey = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def _processes(count: int) -> int:
    """Few pictures are prepared sooner than processes are started."""
    return min(len(os.sched_getaffinity(0)), 1 + count // 200)


def _prepared(jobs: Iterable[tuple[Read, int, bool]], processes: int) -> Iterable[Grey]:
    if processes == 1:
        yield from map(_prepare, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = []
        for job in jobs:
            waiting.append(pool.submit(_prepare, job))
            if len(waiting) >= processes * _AHEAD:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def _prepare(job: tuple[Read, int, bool]) -> Grey:
    read, side, keeps_banner = job
    return prepare(read(), side, keeps_banner=keeps_banner)
