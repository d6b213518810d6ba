"""The child process that reads files: same answers, hard limits, nothing lost when it dies."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np
import pytest

from catalogue.extraction import Extraction, Limits, LocalFile, Note, RawParameter, extract, sandbox, wire
from catalogue.extraction.sandbox import extract_in_sandbox
from tests.catalogue.extraction import making
from tests.catalogue.extraction.making import codes


@pytest.fixture(autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    sandbox.close()


class RemoteFile:
    """A file as a remote storage gives it: readable ranges, no path."""

    def __init__(self, path: Path) -> None:
        self.local = LocalFile(path)
        self.opened = 0

    @property
    def name(self) -> str:
        return self.local.name

    @property
    def size(self) -> int:
        return self.local.size

    def open(self) -> BinaryIO:
        self.opened += 1
        return self.local.open()

    def sibling(self, name: str) -> "RemoteFile | None":
        other = self.local.sibling(name)
        return RemoteFile(other.path) if other else None


def child_id() -> int:
    assert sandbox._child is not None
    return sandbox._child.process.pid


def test_the_sandbox_finds_what_reading_here_finds(tmp_path: Path) -> None:
    for path in (making.write_zeiss(tmp_path / "a.tif"), making.write_fei(tmp_path / "b.tif")):
        assert extract_in_sandbox(path) == extract(LocalFile(path))


def test_a_remote_file_is_read_in_ranges_with_its_side_car(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(making.JEOL_TEXT)
    making.write_picture(tmp_path / "a.bmp", 800, 640)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("stack", (3000, 2048, 2560), "uint16", chunks=(1, 2048, 2560))[1500] = 9
    for name in ("a.bmp", "b.h5"):
        assert extract_in_sandbox(RemoteFile(tmp_path / name)) == extract(LocalFile(tmp_path / name))


def test_one_child_reads_many_files(tmp_path: Path) -> None:
    path = making.write_tescan(tmp_path / "a.tif")
    extract_in_sandbox(path)
    first = child_id()
    extract_in_sandbox(path)
    assert child_id() == first


def test_a_child_that_was_killed_is_replaced(tmp_path: Path) -> None:
    path = making.write_tescan(tmp_path / "a.tif")
    extract_in_sandbox(path)
    os.kill(child_id(), signal.SIGKILL)
    time.sleep(0.1)
    assert extract_in_sandbox(path).family == "tescan"


class StuckFile(RemoteFile):
    """A file during whose reading something happens to the child."""

    def __init__(self, path: Path, happens: int) -> None:
        super().__init__(path)
        self.happens = happens

    def sibling(self, name: str) -> None:
        os.kill(child_id(), self.happens)
        return None


def test_a_child_that_dies_in_the_middle_leaves_a_note_and_the_format(tmp_path: Path) -> None:
    path = making.write_picture(tmp_path / "a.bmp", 100, 100)
    found = extract_in_sandbox(StuckFile(path, signal.SIGSEGV))
    assert (found.family, codes(found)) == ("picture", {"extraction-crashed"})
    assert extract_in_sandbox(path).thumbnail is not None


def test_a_child_that_hangs_is_stopped_after_the_wall_time(tmp_path: Path) -> None:
    path = making.write_picture(tmp_path / "a.bmp", 100, 100)
    extract_in_sandbox(path)
    started = time.monotonic()
    found = extract_in_sandbox(StuckFile(path, signal.SIGSTOP), Limits(wall_seconds=0.5))
    assert time.monotonic() - started < 5
    assert (found.family, codes(found)) == ("picture", {"extraction-timeout"})


def test_a_child_that_burns_its_cpu_seconds_is_stopped_by_the_kernel(tmp_path: Path) -> None:
    path = making.write_picture(tmp_path / "a.bmp", 100, 100)
    assert codes(extract_in_sandbox(StuckFile(path, signal.SIGXCPU))) == {"extraction-timeout"}


def test_a_file_that_needs_too_much_memory_leaves_a_note(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("bomb", data=np.zeros(50_000_000, "uint8"), chunks=(50_000_000,), compression="gzip")
    limits = Limits(memory_bytes=40_000_000, preview_bytes=400_000_000)
    found = extract_in_sandbox(tmp_path / "a.h5", limits)
    assert codes(found) & {"extraction-memory", "extraction-crashed", "preview-unreadable"}
    assert extract_in_sandbox(making.write_tescan(tmp_path / "b.tif")).family == "tescan"


class InterruptedFile(RemoteFile):
    """A file during whose reading this process is interrupted, as by a task's time limit."""

    def sibling(self, name: str) -> None:
        raise KeyboardInterrupt


class FailingFile(RemoteFile):
    """A file of a storage that fails with an error of its own."""

    def open(self) -> BinaryIO:
        if self.opened:
            raise LookupError("the storage went away")
        return super().open()


def test_after_an_interruption_the_next_file_gets_its_own_answer(tmp_path: Path) -> None:
    picture = making.write_picture(tmp_path / "a.bmp", 100, 100)
    with pytest.raises(KeyboardInterrupt):
        extract_in_sandbox(InterruptedFile(picture))
    assert extract_in_sandbox(making.write_tescan(tmp_path / "b.tif")).family == "tescan"


def test_a_storage_that_fails_leaves_a_note(tmp_path: Path) -> None:
    file = FailingFile(making.write_tescan(tmp_path / "a.tif"))
    file.opened = 1
    assert codes(extract_in_sandbox(file)) == {"file-unreadable"}


def test_a_missing_file_is_reported_like_any_other(tmp_path: Path) -> None:
    assert codes(extract_in_sandbox(tmp_path / "missing.tif")) == {"file-unreadable"}


def test_the_child_gets_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    extract_in_sandbox(making.write_tescan(tmp_path / "a.tif"))
    assert b"do not tell" not in Path(f"/proc/{child_id()}/environ").read_bytes()


def test_a_forked_process_starts_a_child_of_its_own(tmp_path: Path) -> None:
    path = making.write_tescan(tmp_path / "a.tif")
    extract_in_sandbox(path)
    first = child_id()
    reader, writer = os.pipe()
    forked = os.fork()
    if forked == 0:
        found = extract_in_sandbox(path)
        os.write(writer, f"{found.family} {child_id()}".encode())
        sandbox.close()
        os._exit(0)
    os.waitpid(forked, 0)
    family, other = os.read(reader, 100).decode().split()
    os.close(reader)
    os.close(writer)
    assert family == "tescan" and int(other) != first
    assert extract_in_sandbox(path).family == "tescan" and child_id() == first


def test_threads_take_turns(tmp_path: Path) -> None:
    paths = [making.write_tescan(tmp_path / f"{n}.tif") for n in range(6)]
    found: list[Extraction] = []
    threads = [threading.Thread(target=lambda p=path: found.append(extract_in_sandbox(p))) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.family for one in found] == ["tescan"] * 6


def test_an_extraction_survives_the_way_over_the_wire() -> None:
    parameters = (
        RawParameter("date_time", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        RawParameter("start_time", datetime(2020, 1, 2, 3, 4, 5)),
        RawParameter("day", date(2020, 1, 2), None, "maker"),
        RawParameter("range", (1, 2.5, "x"), "mm", "maker", True),
        RawParameter("on", True, None, "maker"),
    )
    whole = Extraction(
        "zeiss", "label", "image/tiff", ("SEM",), "model", "maker", datetime(2020, 1, 2), "title", None, (3, 4),
        parameters, b"RIFF0000WEBP", (4, 3), (Note("a", "b"),), ("x",),
    )  # fmt: skip
    assert wire.from_json(wire.to_json(whole)) == whole


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thumbnail", "PHNjcmlwdD4="), ("techniques", ["made up"]), ("family", 7), ("notes", [["x"]]),
        ("parameters", [["no such standard name", 1, None, "", False]]), ("parameters", [["x", None, None, "g", False]]),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_extraction_is_refused(key: str, value: object) -> None:
    answer = {**wire.to_json(Extraction("a", "b", "c")), key: value}
    with pytest.raises((ValueError, TypeError, KeyError)):
        wire.from_json(answer)
