"""Runs the processes of a site on one machine: starts them, passes on signals, and leaves none behind. Knows no Django."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
LAST_LINES = 15


@dataclass(frozen=True)
class Program:
    """One child process. With `log` its output goes to that file, else to the terminal.

    A site needs its services for as long as it runs, except those that `is_optional`: it goes on without them. A job
    (`is_job`) is expected to end by itself with status 0.
    """

    name: str
    command: Sequence[str]
    log: Path | None = None
    is_job: bool = False
    is_optional: bool = False


class Supervisor:
    """Each child leads a process group of its own, so that Ctrl-C reaches this process alone and its children in order."""

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], object]) -> None:
        self._environment = dict(environment)
        self._say = say
        self._running: dict[subprocess.Popen, Program] = {}
        self.is_stopping = False

    def start(self, program: Program) -> None:
        if self.is_stopping:
            return
        output = program.log.open("ab") if program.log else None
        try:
            child = subprocess.Popen(
                program.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                preexec_fn=_end_with_supervisor,
            )
        finally:
            if output:
                output.close()
        self._running[child] = program

    def handle_signals(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP end `wait`, and the caller stops the children."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def wait(self, until: Callable[[], bool] = lambda: False, pause: float = 0.2) -> bool:
        """True when `until` is, False when a signal asked to stop or a child died; that is said with its last lines."""
        while not self.is_stopping:
            if self._has_failure():
                return False
            if until():
                return True
            time.sleep(pause)
        return False

    def has_jobs(self) -> bool:
        return any(program.is_job for program in self._running.values())

    def _has_failure(self) -> bool:
        for child, program in list(self._running.items()):
            status = child.poll()
            if status is None:
                continue
            del self._running[child]
            _kill_group(child)
            if program.is_job and status == 0:
                continue
            goes_on = " The site goes on without it." if program.is_optional else ""
            self._say(f"The {program.name} ended with status {status}.{goes_on}{_last_lines(program.log)}")
            if not program.is_optional:
                return True
        return False

    def stop(self) -> None:
        """Ask every child to end (its own children are its business), and kill what is left of their groups in the end."""
        for child in self._running:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._running:
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
        for child in self._running:
            _kill_group(child)
            child.wait()
        self._running.clear()


def _end_with_supervisor() -> None:
    """In the child: have Linux ask it to end should the supervisor be killed, when nobody else could."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_group(child: subprocess.Popen) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _last_lines(log: Path | None) -> str:
    if log is None:
        return ""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return f" The end of {log}:\n" + "\n".join(f"  {line}" for line in lines)
