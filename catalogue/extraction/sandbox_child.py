"""The child's side of the sandbox: reads files one after the other under rlimits, answers in JSON lines.

Started by sandbox.py as `python -m catalogue.extraction.sandbox_child`; ends when its input ends.
"""

from __future__ import annotations

import io
import json
import os
import resource
from typing import Any, BinaryIO

from catalogue.extraction import wire
from catalogue.extraction.model import Limits
from catalogue.extraction.registry import extract
from catalogue.extraction.source import LocalFile, SourceFile

_READ_AHEAD = 256 * 1024


class _Channel:
    """The pipe to the parent: one JSON object a line, each way."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self.requests = requests
        self.answers = answers

    def send(self, message: dict[str, Any]) -> None:
        self.answers.write(json.dumps(message).encode() + b"\n")
        self.answers.flush()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self.send(question)
        answer = json.loads(self.requests.readline())
        if "error" in answer:
            raise OSError("the storage did not answer")
        return dict(answer)


class _RemoteReader(io.RawIOBase):
    """A seekable reader of a file that only the parent can reach."""

    def __init__(self, channel: _Channel, index: int, size: int) -> None:
        self.channel, self.index, self.size, self.position = channel, index, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        self.position = max(0, base + offset)
        return self.position

    def readinto(self, target: Any) -> int:
        count = min(len(target), max(0, self.size - self.position))
        if count == 0:
            return 0
        answer = self.channel.ask({"ask": "read", "file": self.index, "offset": self.position, "count": count})
        data = self.channel.requests.read(answer["bytes"])
        target[: len(data)] = data
        self.position += len(data)
        return len(data)


class _RemoteFile:
    """A SourceFile whose bytes come through the parent."""

    def __init__(self, channel: _Channel, index: int, name: str, size: int) -> None:
        self.channel, self.index, self.name, self.size = channel, index, name, size

    def open(self) -> BinaryIO:
        return io.BufferedReader(_RemoteReader(self.channel, self.index, self.size), _READ_AHEAD)

    def sibling(self, name: str) -> _RemoteFile | None:
        answer = self.channel.ask({"ask": "sibling", "file": self.index, "name": name})
        return None if answer["file"] is None else _RemoteFile(self.channel, answer["file"], name, answer["size"])


def main() -> None:
    """Serve requests until the parent closes the pipe. What libraries print goes nowhere."""
    channel = _Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    channel.send({"ready": True})
    for line in iter(channel.requests.readline, b""):
        request = json.loads(line)
        limits = Limits(**request["limits"])
        _limit(limits)
        extraction = extract(_source(channel, request), limits)
        channel.send({"extraction": wire.to_json(extraction)})


def _source(channel: _Channel, request: dict[str, Any]) -> SourceFile:
    if "path" in request:
        return LocalFile(request["path"])
    name, size = request["remote"]
    return _RemoteFile(channel, 0, name, size)


def _limit(limits: Limits) -> None:
    """Grant this file its memory on top of what the process holds, and its CPU seconds on top of those used."""
    with open("/proc/self/statm", "rb") as statm:
        in_use = int(statm.read().split()[0]) * resource.getpagesize()
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds
    _set_soft(resource.RLIMIT_AS, in_use + limits.memory_bytes)
    _set_soft(resource.RLIMIT_CPU, seconds)
    _set_soft(resource.RLIMIT_FSIZE, limits.copied_bytes)


def _set_soft(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    main()
