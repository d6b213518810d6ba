"""Decodes many images ahead of the model: batches of prepared pictures from files here or on a storage.

Decoding happens in the child processes of `loading_pool.py`, under limits of memory and time; nothing is pickled. A file that
kills or hangs its process costs only itself. Workers of Celery may use this, since they may start programs.
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from classifier.pipeline.errors import PipelineError
from classifier.pipeline.loading_pool import ChildPool, Job
from classifier.pipeline.reading import Picture, ReadLimits
from classifier.pipeline.results import Grey

Opener = Callable[[], BinaryIO]
_BATCHES_AHEAD = 2
_COPIED_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file to be decoded: a path, or a function that opens it elsewhere, for example on a storage. `name` is for messages."""

    key: Hashable
    file: Path | Opener
    name: str = ""


@dataclass(frozen=True)
class Decoded:
    """What is known of a decoded file: the size of its whole picture in pixels, and what reading it said."""

    key: Hashable
    width: int
    height: int
    media_type: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """`pictures` (N, side, side) of the N `decoded` files in the same order, and what is wrong with others, by their keys:
    `UnreadableImage`, or `FileUnreachable` where a repetition may help."""

    pictures: Grey
    decoded: tuple[Decoded, ...]
    failures: tuple[tuple[Hashable, PipelineError], ...]


class Decoder:
    """Keeps `processes` children (by default one for each processor) until it is closed; use it in a `with` statement.

    `seconds`: how long one file may take. Not to be used by two threads at once.
    """

    def __init__(
        self, side: int, processes: int = 0, *, limits: ReadLimits | None = None, seconds: float = 30.0
    ) -> None:
        self._side, self._limits, self._seconds = side, limits or ReadLimits(), seconds
        self._processes = processes or len(os.sched_getaffinity(0))
        self._pool: ChildPool | None = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children. The next use starts others."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def decode(self, sources: Iterable[Source], batch: int) -> Iterator[Batch]:
        """Batches of up to `batch` files, decoded while the caller works on the last one; their order is that in which they
        became ready. Every source comes back once, decoded or as a failure. An empty batch never comes."""
        batches: queue.Queue[Batch | BaseException | None] = queue.Queue(_BATCHES_AHEAD)
        stop = threading.Event()
        worker = threading.Thread(target=self._fill, args=(sources, batch, batches, stop), daemon=True)
        worker.start()
        try:
            while (item := batches.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            while worker.is_alive():  # it may wait for a place in the queue
                with batches.mutex:
                    batches.queue.clear()
                    batches.not_full.notify_all()
                worker.join(0.05)

    def _fill(
        self,
        sources: Iterable[Source],
        size: int,
        batches: queue.Queue[Batch | BaseException | None],
        stop: threading.Event,
    ) -> None:
        try:
            for made in self._batches(sources, size, stop):
                batches.put(made)
            batches.put(None)
        except BaseException as error:
            self.close()  # its children still work on what nobody waits for
            batches.put(error)

    def _batches(self, sources: Iterable[Source], size: int, stop: threading.Event) -> Iterator[Batch]:
        if self._pool is None:
            self._pool = ChildPool(self._side, self._processes, self._limits, self._seconds)
        with _Files(sources, self._processes, self._limits) as files:
            made = _BatchInMaking(size, self._side)
            for job, found, picture in self._pool.decode(files.jobs()):
                if stop.is_set():
                    self.close()
                    return
                source, error = files.done(job)
                made.add(source.key, error or found, picture)
                if made.is_full:
                    yield made.finish()
            if not made.is_empty:
                yield made.finish()


class PictureReader:
    """Whole pictures, one after the other, read in a child that is kept until this is closed. For one thread at a time.

    `seconds`: how long one file may take.
    """

    def __init__(self, *, limits: ReadLimits | None = None, seconds: float = 30.0) -> None:
        self._limits, self._seconds = limits or ReadLimits(), seconds
        self._pool: ChildPool | None = None

    def close(self) -> None:
        """End the child. The next use starts another."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def read(self, file: Path | Opener, name: str = "") -> Picture:
        """Like `read_picture`, but nothing that the file does can harm this process. Raises UnreadableImage, FileUnreachable,
        or what the function that opens the file raises of `PipelineError`."""
        if self._pool is None:
            self._pool = ChildPool(0, 1, self._limits, self._seconds)
        try:
            with _Files([Source(0, file, name)], 1, self._limits) as files:
                ((job, found, pixels),) = self._pool.decode(files.jobs())
                error = files.done(job)[1]
        except BaseException:
            self.close()  # its answer must not be taken for that of the next file
            raise
        if error or isinstance(found, PipelineError):
            raise error or found
        shape = (int(found["height"]), int(found["width"]))
        return Picture(pixels[: shape[0] * shape[1]].reshape(shape).copy(), found["media_type"], tuple(found["notes"]))


def decode_ahead(sources: Iterable[Source], side: int, processes: int = 0, batch: int = 64) -> Iterator[Batch]:
    """`Decoder.decode` with children that end with it."""
    with Decoder(side, processes) as decoder:
        yield from decoder.decode(sources, batch)


class _BatchInMaking:
    """Copies pictures out of the shared memory until there are enough."""

    def __init__(self, size: int, side: int) -> None:
        self._shape = (size, side, side)
        self._begin()

    def _begin(self) -> None:
        self._pictures: Grey = np.empty(self._shape, np.uint8)
        self._decoded: list[Decoded] = []
        self._failures: list[tuple[Hashable, PipelineError]] = []

    @property
    def is_full(self) -> bool:
        return len(self._decoded) + len(self._failures) == self._shape[0]

    @property
    def is_empty(self) -> bool:
        return not (self._decoded or self._failures)

    def add(self, key: Hashable, found: dict[str, Any] | PipelineError, picture: Grey) -> None:
        if isinstance(found, PipelineError):
            self._failures.append((key, found))
            return
        self._pictures[len(self._decoded)] = picture.reshape(self._shape[1:])
        self._decoded.append(Decoded(**{**found, "key": key, "notes": tuple(found["notes"])}))

    def finish(self) -> Batch:
        batch = Batch(self._pictures[: len(self._decoded)], tuple(self._decoded), tuple(self._failures))
        self._begin()
        return batch


class _Files:
    """Sources as files on this machine: those that must be opened elsewhere are copied into a temporary folder, some at a
    time. What cannot be had becomes a path where nothing is, which the child then reports."""

    def __init__(self, sources: Iterable[Source], width: int, limits: ReadLimits) -> None:
        self._sources, self._width, self._limits = sources, width, limits
        self._given: dict[int, Source] = {}
        self._errors: dict[int, PipelineError] = {}

    def __enter__(self) -> _Files:
        self._folder = Path(tempfile.mkdtemp(prefix="pictures-"))
        self._executor = ThreadPoolExecutor(self._width)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def jobs(self) -> Iterator[Job | None]:
        copies: deque[tuple[Job, Future[None]]] = deque()
        for number, source in enumerate(self._sources):
            self._given[number] = source
            if isinstance(source.file, Path):
                yield Job(number, source.file, source.name or source.file.name)
                continue
            job = Job(number, self._folder / str(number), source.name)
            copies.append((job, self._executor.submit(self._copy, source.file, job)))
            while len(copies) > self._width:
                yield self._copied(copies)
        while copies:
            yield self._copied(copies)

    def done(self, job: Job) -> tuple[Source, PipelineError | None]:
        """The source of a job, and what was wrong with opening it elsewhere."""
        source = self._given.pop(job.number)
        if not isinstance(source.file, Path):
            job.path.unlink(missing_ok=True)
        return source, self._errors.pop(job.number, None)

    def _copied(self, copies: deque[tuple[Job, Future[None]]]) -> Job | None:
        return copies.popleft()[0] if copies[0][1].done() else None

    def _copy(self, opener: Opener, job: Job) -> None:
        """At most one byte more than may be read, so that the child says that it is too much."""
        left = self._limits.bytes + 1
        try:
            with opener() as stream, job.path.open("wb") as target:
                while left > 0 and (data := stream.read(min(left, _COPIED_AT_ONCE))):
                    left -= target.write(data)
        except PipelineError as error:
            self._errors[job.number] = error
        except Exception:
            job.path.unlink(missing_ok=True)
