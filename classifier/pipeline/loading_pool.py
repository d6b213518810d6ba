"""Child processes that decode, and the conversation with them: who has which file, who is late, who died.

Used by `loading.py`, which makes batches of it. The child's side is `loading_child.py`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifier.pipeline.errors import FileUnreachable, PipelineError, UnreadableImage
from classifier.pipeline.loading_child import UNREACHABLE
from classifier.pipeline.reading import ReadLimits
from classifier.pipeline.results import Grey

_PROJECT = Path(__file__).resolve().parents[2]
_AT_A_TIME = 2  # files that a child has: one in work, the next at hand
_START_SECONDS = 60.0
_LONGEST_ANSWER = 100_000
_DEATHS = {
    "reading-timeout": "Reading the picture took too long and was stopped.",
    "reading-memory": "Reading the picture needed more memory than one may use.",
    "reading-crashed": "The program that reads pictures failed on this one.",
}


@dataclass(frozen=True)
class Job:
    """`number` comes back with the outcome; `name` is for messages."""

    number: int
    path: Path
    name: str


# What the child found out, or what is wrong; and the pixels in a row, good until the next outcome.
Outcome = tuple[Job, dict[str, Any] | PipelineError, Grey]


class ChildPool:
    """`processes` children that share one block of memory with this process: for each picture of `side`, or, with a side of 0,
    whole ones of as many pixels as the limits permit. Not to be used by two threads at once."""

    def __init__(self, side: int, processes: int, limits: ReadLimits, seconds: float) -> None:
        self.seconds = seconds
        self._slots = processes * _AT_A_TIME
        pixels = side * side or limits.pixels
        self._memory = os.memfd_create("pictures")
        os.ftruncate(self._memory, self._slots * pixels)
        shared = mmap.mmap(self._memory, self._slots * pixels)
        self._pictures = np.frombuffer(shared, np.uint8).reshape(self._slots, pixels)
        self._arguments = [str(self._memory), str(side), str(self._slots), json.dumps(dataclasses.asdict(limits))]
        self._children = [self._start(range(n * _AT_A_TIME, (n + 1) * _AT_A_TIME)) for n in range(processes)]

    def decode(self, jobs: Iterator[Job | None]) -> Iterator[Outcome]:
        """The outcome of each job, in no order. None instead of a job means that the next one is not yet at hand."""
        self._replace_the_dead()
        again: deque[Job] = deque()
        is_more = True
        while True:
            is_more = self._hand_out(again, jobs) if is_more or again else False
            if not (is_more or again or any(child.pending for child in self._children)):
                return
            for child in self._with_news():
                yield from self._outcomes(child, again)

    def close(self) -> None:
        for child in self._children:
            child.kill()
        self._children = []
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    def _hand_out(self, again: deque[Job], jobs: Iterator[Job | None]) -> bool:
        """Give every child its fill, each one file before any has two; False when there are no more jobs."""
        for fill in range(1, _AT_A_TIME + 1):
            for child in self._children:
                if len(child.pending) >= fill:
                    continue
                job = again.popleft() if again else next(jobs, _END)
                if job is _END:
                    return False
                if job is None:
                    return True
                assert isinstance(job, Job)
                child.send(job)
        return True

    def _with_news(self) -> list[_Child]:
        """The children that answered, died or are late, after waiting a little for the first."""
        is_busy = any(child.pending for child in self._children)
        with selectors.DefaultSelector() as selector:
            for child in self._children:
                selector.register(child.answers, selectors.EVENT_READ, child)
            ready = [key.data for key, _ in selector.select(0.05 if is_busy else 0.005)]
        return ready + [child for child in self._children if child not in ready and child.is_late]

    def _outcomes(self, child: _Child, again: deque[Job]) -> Iterator[Outcome]:
        try:
            answers = child.receive()
        except _ChildFailed as failure:
            yield from self._bury(child, failure.code, again)
            return
        for answer in answers:
            job, slot = child.finish()
            yield job, _error_in(answer) or answer, self._pictures[slot]

    def _bury(self, child: _Child, code: str, again: deque[Job]) -> Iterator[Outcome]:
        """Only the file in work is lost; what the child had at hand goes to another."""
        child.kill()
        if not child.is_ready:
            raise PipelineError("decoder-unavailable", "The processes that decode pictures cannot be started.")
        jobs = [job for job, _ in child.pending]
        again.extend(jobs[1:])
        self._children[self._children.index(child)] = self._start(child.slots)
        if jobs:
            yield jobs[0], UnreadableImage(code, _DEATHS[code]), self._pictures[0]

    def _replace_the_dead(self) -> None:
        """A child that died while it had nothing to do must not cost the next file."""
        for index, child in enumerate(self._children):
            if child.process.poll() is not None:
                child.kill()
                self._children[index] = self._start(child.slots)

    def _start(self, slots: range) -> _Child:
        process = subprocess.Popen(  # our own interpreter and module
            [sys.executable, "-s", "-m", "classifier.pipeline.loading_child", *self._arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=_environment(),
            pass_fds=[self._memory],
        )  # fmt: skip
        return _Child(process, slots, self.seconds)


_END = object()


class _ChildFailed(Exception):  # carries the code of an UnreadableImage
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Child:
    """One child process, and the files that it has, in their order."""

    def __init__(self, process: subprocess.Popen[bytes], slots: range, seconds: float) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.process, self.slots, self.seconds = process, slots, seconds
        self.requests, self.answers = process.stdin, process.stdout
        self.pending: deque[tuple[Job, int]] = deque()
        self.late_at = time.monotonic() + _START_SECONDS
        self.is_ready = False
        self._buffer = b""

    @property
    def is_late(self) -> bool:
        return bool(self.pending) and self.late_at < time.monotonic()

    def send(self, job: Job) -> None:
        slot = next(slot for slot in self.slots if slot not in {taken for _, taken in self.pending})
        if not self.pending and self.is_ready:
            self.late_at = time.monotonic() + self.seconds
        self.pending.append((job, slot))
        request = {"path": str(job.path.absolute()), "name": job.name, "slot": slot}
        with contextlib.suppress(OSError):  # a dead child is noticed by its answers
            self.requests.write(json.dumps(request).encode() + b"\n")
            self.requests.flush()

    def receive(self) -> list[dict[str, Any]]:
        """The answers that are there. Raises _ChildFailed when there is none, of a child that died or is late."""
        if not _is_readable(self.answers.fileno()):
            raise _ChildFailed("reading-timeout")
        data = os.read(self.answers.fileno(), 1 << 16)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if not data or len(self._buffer) > _LONGEST_ANSWER:
            raise _ChildFailed(self._cause_of_death())
        answers = [json.loads(line) for line in lines]
        if not self.is_ready and answers:
            self.is_ready = True
            answers = answers[1:]
            self.late_at = time.monotonic() + self.seconds
        return answers

    def finish(self) -> tuple[Job, int]:
        self.late_at = time.monotonic() + self.seconds
        return self.pending.popleft()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.requests, self.answers):
            with contextlib.suppress(OSError):
                stream.close()

    def _cause_of_death(self) -> str:
        try:
            status = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "reading-crashed"
        causes = {-signal.SIGXCPU: "reading-timeout", -signal.SIGKILL: "reading-memory"}
        return causes.get(status, "reading-crashed")


def _is_readable(descriptor: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))


def _error_in(answer: dict[str, Any]) -> PipelineError | None:
    if "code" not in answer:
        return None
    kind = FileUnreachable if answer["code"] == UNREACHABLE else UnreadableImage
    return kind(str(answer["code"]), str(answer["message"]))


def _environment() -> dict[str, str]:
    """Nothing of this process's settings: the child has no use for secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(_PROJECT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
