"""The child's side of `loading.py`: decodes one picture after the other under rlimits, into memory shared with the parent.

Started as `python -m classifier.pipeline.loading_child FD SIDE SLOTS LIMITS`, a side of 0 meaning whole pictures; ends when its
input ends. Requests and answers are JSON lines.
"""

import json
import mmap
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from classifier.pipeline.errors import UnreadableImage
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import ReadLimits, read_picture
from classifier.pipeline.results import Grey

UNREACHABLE = "file-unreachable"
_SECONDS_OF_CPU = 60
_MEMORY_BESIDE_PIXELS = 512 * 1024 * 1024
_BYTES_A_PIXEL = 14  # colours of 16 bit, their floats, and the grey values


def main() -> None:
    """Serve requests until the parent closes the pipe. What libraries print goes nowhere."""
    descriptor, side, slots = (int(argument) for argument in sys.argv[1:4])
    limits = ReadLimits(**json.loads(sys.argv[4]))
    pixels = side * side or limits.pixels
    shared = mmap.mmap(descriptor, slots * pixels)
    pictures = np.frombuffer(shared, np.uint8).reshape(slots, pixels)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _limit_memory(limits)
    _send(answers, {"ready": True})
    for line in iter(requests.readline, b""):
        _limit_seconds()
        _send(answers, _decode(json.loads(line), pictures, side, limits))


def _send(answers: BinaryIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
    answers.flush()


def _decode(request: dict[str, Any], pictures: Grey, side: int, limits: ReadLimits) -> dict[str, Any]:
    try:
        picture = read_picture(Path(request["path"]), request["name"], limits=limits)
        pixels = prepare(picture.pixels, side) if side else picture.pixels
        pictures[request["slot"], : pixels.size] = pixels.ravel()
    except UnreadableImage as error:
        return {"code": error.code, "message": error.message}
    except MemoryError:
        return {"code": "reading-memory", "message": "Reading the picture needs more memory than one may use."}
    except OSError:
        return {"code": UNREACHABLE, "message": "The file cannot be opened. Is it still there?"}
    return {
        "width": picture.width,
        "height": picture.height,
        "media_type": picture.media_type,
        "notes": list(picture.notes),
    }


def _limit_memory(limits: ReadLimits) -> None:
    """Address space: what is in use now, and what the largest permitted picture needs."""
    with open("/proc/self/statm", "rb") as statm:
        in_use = int(statm.read().split()[0]) * resource.getpagesize()
    most = in_use + limits.bytes + limits.pixels * _BYTES_A_PIXEL + _MEMORY_BESIDE_PIXELS
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_seconds() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + _SECONDS_OF_CPU, hard))


if __name__ == "__main__":
    main()
