"""Decoding in child processes: every file comes back once, and a harmful one costs only itself."""

import contextlib
import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from classifier.pipeline.errors import FileUnreachable, UnreadableImage
from classifier.pipeline.loading import Batch, Decoder, PictureReader, Source, decode_ahead
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import ReadLimits

SIDE = 48


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (96, 128), dtype=np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"{number}.tif" for number in range(40)]
    for number, path in enumerate(paths):
        tifffile.imwrite(path, picture(number))
    return paths


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder(SIDE, 2, seconds=20) as made:
        yield made


def keys(batches: list[Batch]) -> list[object]:
    found = [decoded.key for batch in batches for decoded in batch.decoded]
    return sorted(
        found + [key for batch in batches for key, _ in batch.failures], key=lambda key: (isinstance(key, str), key)
    )


def errors(batches: list[Batch]) -> dict[object, str]:
    return {key: error.code for batch in batches for key, error in batch.failures}


def test_every_file_comes_back_once_with_its_own_picture(decoder: Decoder, files: list[Path]) -> None:
    batches = list(decoder.decode((Source(number, path) for number, path in enumerate(files)), 16))
    assert [len(batch.pictures) for batch in batches] == [16, 16, 8]
    assert keys(batches) == list(range(40))
    for batch in batches:
        for decoded, prepared in zip(batch.decoded, batch.pictures, strict=True):
            assert np.array_equal(prepared, prepare(picture(decoded.key), SIDE))
            assert (decoded.width, decoded.height, decoded.media_type) == (128, 96, "image/tiff")


def test_a_bad_file_among_good_ones_is_told_by_its_key(decoder: Decoder, files: list[Path], tmp_path: Path) -> None:
    bad = {"text": b"no image", "cut": files[0].read_bytes()[:3000], "empty": b""}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    sources = [Source(name, tmp_path / name) for name in bad] + [Source(str(path), path) for path in files[:5]]
    batches = list(decoder.decode([*sources, Source("gone", tmp_path / "gone")], 4))
    assert errors(batches) == {
        "text": "not-an-image", "cut": "damaged-image", "empty": "empty-file", "gone": "file-unreachable",
    }  # fmt: skip
    assert sum(len(batch.decoded) for batch in batches) == 5


def test_a_file_elsewhere_is_opened_and_one_that_cannot_be_opened_may_be_tried_again(
    decoder: Decoder, files: list[Path]
) -> None:
    def broken() -> io.BytesIO:
        raise ConnectionError("the storage is down")

    sources = [Source(number, lambda number=number: files[number].open("rb"), "far.tif") for number in range(6)]
    batches = list(decoder.decode([*sources, Source(6, broken)], 3))
    assert keys(batches) == list(range(7))
    ((key, error),) = [failure for batch in batches for failure in batch.failures]
    assert key == 6
    assert isinstance(error, FileUnreachable)
    assert not isinstance(error, UnreadableImage)


def test_what_a_storage_says_is_wrong_with_a_file_is_handed_on(decoder: Decoder) -> None:
    def gone() -> io.BytesIO:
        raise UnreadableImage("file-missing", "The file is not in its storage any more.")

    assert errors(list(decoder.decode([Source("gone", gone)], 1))) == {"gone": "file-missing"}


def test_a_whole_picture_is_read_in_a_child(files: list[Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.tif")
    with contextlib.closing(PictureReader(seconds=1)) as reader:
        found = reader.read(files[3])
        assert np.array_equal(found.pixels, picture(3))
        assert found.media_type == "image/tiff"
        with pytest.raises(UnreadableImage) as hung:
            reader.read(tmp_path / "endless.tif")
        assert hung.value.code == "reading-timeout"
        with pytest.raises(FileUnreachable):
            reader.read(tmp_path / "gone.tif")
        assert np.array_equal(reader.read(lambda: files[4].open("rb"), "far.tif").pixels, picture(4))
    assert np.array_equal(found.pixels, picture(3)), "it is a copy"


def test_files_elsewhere_are_copied_no_further_than_may_be_read() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, count: int = -1) -> bytes:
            return b"II*\0" * (count // 4 + 1)

    with Decoder(SIDE, 1, limits=ReadLimits(bytes=1_000_000)) as decoder:
        assert errors(list(decoder.decode([Source("endless", Endless)], 1))) == {"endless": "file-too-large"}


def test_a_child_that_is_killed_costs_only_its_own_picture(files: list[Path], tmp_path: Path) -> None:
    """A pipe that nobody writes to keeps a child in its file until it is killed, as if by the kernel for its memory."""
    os.mkfifo(tmp_path / "endless.tif")
    sources = [Source("endless", tmp_path / "endless.tif")] + [
        Source(number, path) for number, path in enumerate(files)
    ]
    others = children()
    with Decoder(SIDE, 2, seconds=60) as decoder:
        assert not errors(list(decoder.decode(sources[1:], 8))), "the children run"
        victims = children() - others
        killer = threading.Thread(target=lambda: (time.sleep(0.5), [os.kill(pid, signal.SIGKILL) for pid in victims]))
        killer.start()
        batches = list(decoder.decode(sources, 8))
        killer.join()
        assert errors(batches) == {"endless": "reading-memory"}
        assert len(keys(batches)) == 41
        assert not errors(list(decoder.decode(sources[1:], 8))), "others took their places"


def test_children_that_died_while_idle_cost_nothing(files: list[Path]) -> None:
    others = children()
    with Decoder(SIDE, 2) as decoder:
        list(decoder.decode([Source(0, files[0])], 8))
        for pid in children() - others:
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        batches = list(decoder.decode([Source(number, path) for number, path in enumerate(files)], 8))
    assert not errors(batches)
    assert len(keys(batches)) == 40


def test_a_file_that_hangs_its_child_is_given_up_in_time(files: list[Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.tif")
    sources = [Source("endless", tmp_path / "endless.tif")] + [
        Source(number, path) for number, path in enumerate(files)
    ]
    with Decoder(SIDE, 1, seconds=0.5) as decoder:
        started = time.monotonic()
        batches = list(decoder.decode(sources, 8))
        assert time.monotonic() - started < 20
    assert errors(batches) == {"endless": "reading-timeout"}
    assert len(keys(batches)) == 41


def test_decoding_goes_on_while_the_caller_works(decoder: Decoder, files: list[Path]) -> None:
    asked = []

    def sources() -> Iterator[Source]:
        for number, path in enumerate(files):
            asked.append(number)
            yield Source(number, path)

    batches = decoder.decode(sources(), 4)
    next(batches)
    deadline = time.monotonic() + 20
    while len(asked) < 12 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert 12 <= len(asked) < 32, "ahead, but not without bound"
    assert sum(len(batch.decoded) for batch in batches) == 36


def test_a_caller_who_goes_away_leaves_nothing_behind_and_may_come_again(decoder: Decoder, files: list[Path]) -> None:
    sources = [Source(number, path) for number, path in enumerate(files)]
    for _ in decoder.decode(sources, 4):
        break
    assert keys(list(decoder.decode(sources, 4))) == list(range(40))


def test_children_end_with_their_decoder(files: list[Path]) -> None:
    before = children()
    assert keys(list(decode_ahead([Source(0, files[0])], SIDE, processes=2))) == [0]
    assert children() <= before


def test_an_error_of_the_sources_reaches_the_caller(decoder: Decoder, files: list[Path]) -> None:
    def sources() -> Iterator[Source]:
        yield Source(0, files[0])
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="database"):
        list(decoder.decode(sources(), 4))
    assert keys(list(decoder.decode([Source(1, files[1])], 4))) == [1]


def test_no_sources_give_no_batches(decoder: Decoder) -> None:
    assert list(decoder.decode([], 8)) == []


def children() -> set[int]:
    """The decoding processes of this process."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, parent = int(entry.parent.name), int(entry.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"loading_child" in (entry.parent / "cmdline").read_bytes():
                found.add(pid)
        except OSError:
            continue
    return found
