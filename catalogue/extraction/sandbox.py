"""Reading a file in a child process with hard limits: what the application calls.

A child is started once and reads many files, so that the cost per file stays low. It gets a path (or, for remote
storages, asks for byte ranges over its pipe) and answers in JSON. A child that dies, hangs or answers nonsense is
replaced; the caller gets an Extraction with a note in every case. The child's side is sandbox_child.py.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from catalogue.extraction import wire
from catalogue.extraction.model import Extraction, Limits, Note
from catalogue.extraction.registry import READERS
from catalogue.extraction.sniffing import HEAD_BYTES, sniff
from catalogue.extraction.source import LocalFile, SourceFile

_PROJECT = Path(__file__).resolve().parents[2]
_LONGEST_LINE = 16_000_000
_START_SECONDS = 60.0
_FILES_PER_CHILD = 500
_LARGEST_READ = 4_000_000

_MESSAGES = {
    "extraction-timeout": "Reading this file took too long and was stopped. The file is registered without metadata.",
    "extraction-memory": "Reading this file needed more memory than a file may use. It is registered without metadata.",
    "extraction-crashed": "The reader of this format failed on this file. The file is registered without metadata.",
}


class _ChildFailed(Exception):  # carries the code of a note
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def extract_in_sandbox(source: SourceFile | str | os.PathLike[str], limits: Limits | None = None) -> Extraction:
    """Like registry.extract, but nothing that a file does can harm this process. Never raises for the file's sake.

    A path means a local file. Calls from several threads take turns.
    """
    limits = limits or Limits()
    file: SourceFile = LocalFile(source) if isinstance(source, str | os.PathLike) else source
    with _lock:
        try:
            return _current_child().extract(file, limits)
        except _ChildFailed as failure:
            close()
            return _fallback(file, failure.code)
        except BaseException:
            close()  # interrupted in mid-conversation: its answer must not be taken for that of the next file
            raise


def close() -> None:
    """End the child of this process, if there is one. The next call starts another."""
    global _child
    child, _child = _child, None
    if child is not None:
        child.stop()


class _Child:
    """One child process and its pipe."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.files_read = 0
        self.process = subprocess.Popen(  # our own interpreter and module
            [sys.executable, "-s", "-m", "catalogue.extraction.sandbox_child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=_environment(),
            close_fds=True,
        )  # fmt: skip
        self.buffer = bytearray()
        self._receive(time.monotonic() + _START_SECONDS)

    def extract(self, file: SourceFile, limits: Limits) -> Extraction:
        request: dict[str, Any] = {"limits": dataclasses.asdict(limits)}
        if isinstance(file, LocalFile):
            request["path"] = str(file.path.absolute())
        else:
            request["remote"] = [file.name, _size(file)]
        self.files_read += 1
        self._send(json.dumps(request).encode() + b"\n")
        with contextlib.ExitStack() as opened:
            answer = self._converse([file], opened, time.monotonic() + limits.wall_seconds)
        try:
            extraction = wire.from_json(answer["extraction"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise _ChildFailed("extraction-crashed") from error
        if any(note.code == "extraction-memory" for note in extraction.notes):
            close()
        return extraction

    def stop(self) -> None:
        """Kill the child; a copy inherited by a fork only lets go of the pipe."""
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
        else:
            self.process.returncode = 0  # not ours to wait for
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _converse(self, files: list[SourceFile], opened: contextlib.ExitStack, stops_at: float) -> dict[str, Any]:
        """Answer the child's questions about a remote file until it sends its result."""
        streams: dict[int, BinaryIO] = {}
        while True:
            message = self._receive(stops_at)
            question = message.get("ask")
            if question is None:
                return message
            try:
                if question == "sibling":
                    self._send(_answer_sibling(files, message))
                else:
                    self._send(_answer_read(files, streams, opened, message))
            except _ChildFailed:
                raise
            except Exception:
                self._send(b'{"error": true}\n')

    def _send(self, data: bytes) -> None:
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError as error:
            raise _ChildFailed(self._cause_of_death()) from error

    def _receive(self, stops_at: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self.buffer:
            seconds = stops_at - time.monotonic()
            if seconds <= 0 or not select.select([descriptor], [], [], seconds)[0]:
                raise _ChildFailed("extraction-timeout")
            data = os.read(descriptor, 1 << 20)
            if not data or len(self.buffer) > _LONGEST_LINE:
                raise _ChildFailed(self._cause_of_death())
            self.buffer += data
        line, _, rest = self.buffer.partition(b"\n")
        self.buffer = bytearray(rest)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _ChildFailed("extraction-crashed") from error
        if not isinstance(message, dict):
            raise _ChildFailed("extraction-crashed")
        return message

    def _cause_of_death(self) -> str:
        try:
            status = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return "extraction-crashed"
        causes = {-signal.SIGXCPU: "extraction-timeout", -signal.SIGKILL: "extraction-memory"}
        return causes.get(status, "extraction-crashed")


_child: _Child | None = None
_lock = threading.Lock()
atexit.register(close)
os.register_at_fork(after_in_child=lambda: _forget_after_fork())


def _current_child() -> _Child:
    global _child
    if _child is not None and (_child.files_read >= _FILES_PER_CHILD or _child.process.poll() is not None):
        close()
    if _child is None:
        _child = _Child()
    return _child


def _forget_after_fork() -> None:
    """A forked worker (Celery) must not share the pipe or the lock of its parent."""
    global _lock
    _lock = threading.Lock()
    close()


def _environment() -> dict[str, str]:
    """Nothing of this process's settings: the child has no use for secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "HDF5_PLUGIN_PATH") if name in os.environ}
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**kept, **threads, "PYTHONPATH": str(_PROJECT), "HDF5_USE_FILE_LOCKING": "FALSE"}


def _size(file: SourceFile) -> int:
    try:
        return file.size
    except OSError:
        return 0


def _answer_sibling(files: list[SourceFile], message: dict[str, Any]) -> bytes:
    sibling = files[int(message["file"])].sibling(str(message["name"]))
    if sibling is None or len(files) > 32:
        return b'{"file": null}\n'
    files.append(sibling)
    return json.dumps({"file": len(files) - 1, "size": _size(sibling)}).encode() + b"\n"


def _answer_read(
    files: list[SourceFile], streams: dict[int, BinaryIO], opened: contextlib.ExitStack, message: dict[str, Any]
) -> bytes:
    """A header line with the number of bytes, then the bytes."""
    index = int(message["file"])
    if index not in streams:
        streams[index] = opened.enter_context(files[index].open())
    streams[index].seek(max(0, int(message["offset"])))
    data = streams[index].read(min(max(0, int(message["count"])), _LARGEST_READ))
    return json.dumps({"bytes": len(data)}).encode() + b"\n" + data


def _fallback(file: SourceFile, code: str) -> Extraction:
    """What can be said of a file whose reading failed: its format, and the reason."""
    family = None
    with contextlib.suppress(OSError), file.open() as stream:
        family = sniff(stream.read(HEAD_BYTES), file.name)
    note = (Note(code, _MESSAGES[code]),)
    if family is None:
        return Extraction("unknown", "Unrecognised file", "application/octet-stream", notes=note)
    return Extraction(family, READERS[family].format_label, READERS[family].media_type, notes=note)
