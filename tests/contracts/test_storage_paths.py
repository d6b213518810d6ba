"""No path leaves the root of a storage: not by dots, encodings, look-alikes, links, or links swapped in meanwhile."""

import contextlib
import io
import os
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.storages import Storage, StorageConfig, connect
from catalogue.storages.errors import StorageError, StorageFileMissing, StoragePathRefused, StorageUnavailable
from catalogue.storages.paths import clean_path
from tests import servers

SECRET = b"the secret outside"

BUILDING_BLOCKS = [
    "..", ".", "/", "//", "\\", "%2e", "%2E", "%2f", "%5c", "%252e", "%252f", "%25252e", "%c0%ae", "%00", "\0",
    "\uff0e", "\uff0f", "\u2024", "\u2025", "\u2215", "\u2044", "\uff3c", "\u202e", "\u200b", "\ufeff", "\ud800",
    "\n", " ", "~", "a", "folder", "secret.txt", "root", "inside.txt", "link", ";", "?", "#", ":", "C:",
]  # fmt: skip

hostile_paths = st.lists(st.sampled_from(BUILDING_BLOCKS), min_size=1, max_size=8).map("".join)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a secret beside it, and links to the secret inside of it."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_bytes(SECRET)
    root = outside / "root"
    (root / "folder").mkdir(parents=True)
    (root / "inside.txt").write_bytes(b"inside")
    (root / "link").symlink_to(outside / "secret.txt")
    (root / "linked folder").symlink_to(outside)
    (root / "folder" / "up").symlink_to("../..")
    (root / "absolute").symlink_to("/")
    return root


@pytest.fixture(scope="module")
def posix(root: Path) -> Storage:
    return connect(StorageConfig("posix", str(root)))


@pytest.fixture(scope="module")
def webdav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    pytest.importorskip("wsgidav", reason="wsgidav is not installed: no WebDAV server")
    outside = tmp_path_factory.mktemp("outside dav")
    (outside / "root" / "folder").mkdir(parents=True)
    (outside / "secret.txt").write_bytes(SECRET)
    (outside / "root" / "secret.txt").write_bytes(SECRET)
    with servers.webdav_server(outside) as url:
        config = StorageConfig(
            "webdav", f"{url}root/folder", username=servers.USERNAME, secret=servers.PASSWORD,
            is_private_network_allowed=True,
        )  # fmt: skip
        with contextlib.closing(connect(config)) as storage:
            yield storage


def read(storage: Storage, path: str) -> bytes:
    with storage.open_range(path) as chunks:
        return b"".join(chunks)


@given(path=hostile_paths)
def test_no_hostile_path_reads_what_is_outside_of_a_folder(posix: Storage, path: str) -> None:
    try:
        content = read(posix, path)
    except StorageError:
        return
    assert content == b"inside"


@given(path=hostile_paths)
def test_no_hostile_path_reads_what_is_outside_of_a_webdav_folder(webdav: Storage, path: str) -> None:
    with pytest.raises(StorageError):
        read(webdav, path)


@given(path=hostile_paths)
def test_an_accepted_path_stays_below_its_root_however_it_is_decoded(path: str) -> None:
    try:
        accepted = clean_path(path)
    except StoragePathRefused:
        return
    assert accepted == path
    form = path
    for _ in range(6):
        form = unicodedata.normalize("NFKC", unquote(form)).replace("\\", "/")
        assert ".." not in form.split("/")
        assert "\0" not in form


@given(name=st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=40))
def test_names_of_letters_and_digits_of_any_script_are_accepted(name: str) -> None:
    if unicodedata.normalize("NFKC", name).isascii() or "/" not in unicodedata.normalize("NFKC", name):
        assert clean_path(f"folder/{name}") == f"folder/{name}"


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/etc/passwd", "..", "../secret.txt", "folder/../../secret.txt", "folder/..", ".", "./inside.txt",
        "folder//x", "folder/", "a\0b", "a\nb", "a\x7fb", "..\\secret.txt", "folder\\x", "%2e%2e", "%2e%2e/secret.txt",
        "..%2fsecret.txt", "%252e%252e%252fsecret.txt", "%2e%2e%5csecret.txt", "\uff0e\uff0e/secret.txt",
        "\u2025/secret.txt", "\u2024\u2024/secret.txt", "..\u2215secret.txt", "folder\u2044x", "a\uff0fb", "a\uff3cb",
        "a\u202etxt.exe", "\ufeffinside.txt", "in\u200bside.txt", "\udcff.txt", "a" * 256, "a/" * 2100 + "a", "℀",
    ],
)  # fmt: skip
def test_paths_that_are_or_could_become_a_way_out_are_refused(path: str) -> None:
    with pytest.raises(StoragePathRefused):
        clean_path(path)


@pytest.mark.parametrize(
    "path", ["...", "..a", "a..", "100%", "50%2fhalf", "%41", "a b", "~root", "C:", "-rf", "नमस्\u200dते"]
)
def test_odd_but_harmless_names_are_accepted(path: str) -> None:
    assert clean_path(path) == path


def test_a_refusal_does_not_repeat_hostile_characters() -> None:
    with pytest.raises(StoragePathRefused) as refused:
        clean_path("x\n\x1b[31m")

    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "path",
    ["link", "linked folder/secret.txt", "folder/up/secret.txt", "linked folder", "absolute/etc/passwd", "absolute"],
)
def test_links_are_neither_read_nor_described_nor_written_through(posix: Storage, root: Path, path: str) -> None:
    for ask in (
        lambda: posix.stat(path),
        lambda: read(posix, path),
        lambda: posix.open_seekable(path),
        lambda: posix.checksum(path),
        lambda: posix.local_path(path),
        lambda: posix.put(f"{path}/new.txt", io.BytesIO(b"x"), 1),
        lambda: posix.list_page(path),
    ):
        with pytest.raises((StoragePathRefused, StorageFileMissing)):
            ask()
    with pytest.raises(StoragePathRefused, match="symbolic link"):
        posix.stat(path)
    assert not (root.parent / "new.txt").exists()


def test_links_are_not_listed_but_counted(posix: Storage) -> None:
    page = posix.list_page("")

    assert [entry.name for entry in page.entries] == ["folder", "inside.txt"]
    assert page.skipped_count == 3
    assert [entry.path for entry in posix.walk()] == ["inside.txt"]


def test_an_upload_never_goes_through_a_link_that_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "secret.txt")
    (root / "dangling").symlink_to(tmp_path / "new.txt")
    storage = connect(StorageConfig("posix", str(root)))

    for name in ("link", "dangling"):
        with pytest.raises(StoragePathRefused):
            storage.put(name, io.BytesIO(b"new"), 3, overwrite=True)

    assert (tmp_path / "secret.txt").read_bytes() == SECRET
    assert not (tmp_path / "new.txt").exists()


def test_a_folder_swapped_for_a_link_while_files_are_opened_never_leads_out(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "image.tif").write_bytes(SECRET)
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "image.tif").write_bytes(b"inside")
    (root / "trap").symlink_to(tmp_path / "outside")
    os.rename(root / "real", root / "run")
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            os.rename(root / "run", root / "aside")
            os.rename(root / "trap", root / "run")
            os.rename(root / "run", root / "trap")
            os.rename(root / "aside", root / "run")

    swapper = threading.Thread(target=swap)
    swapper.start()
    storage = connect(StorageConfig("posix", str(root)))
    contents = set()
    try:
        for _ in range(1500):
            with contextlib.suppress(StorageError):
                contents.add(read(storage, "run/image.tif"))
    finally:
        is_over.set()
        swapper.join()
    assert contents <= {b"inside"}


def test_pipes_and_sockets_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    storage = connect(StorageConfig("posix", str(tmp_path)))

    with pytest.raises(StoragePathRefused):
        read(storage, "pipe")
    with pytest.raises(StorageFileMissing):
        storage.open_seekable("pipe")
    assert storage.list_page("").entries == []


def test_names_that_cannot_be_stored_elsewhere_are_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "good.tif").touch()
    (tmp_path / "new\nline.tif").touch()
    (tmp_path / os.fsdecode(b"latin-\xfc.tif")).touch()

    page = connect(StorageConfig("posix", str(tmp_path))).list_page("")

    assert ([entry.name for entry in page.entries], page.skipped_count) == (["good.tif"], 2)


def test_a_root_that_is_not_mounted_is_unavailable_rather_than_empty(tmp_path: Path) -> None:
    storage = connect(StorageConfig("posix", str(tmp_path / "gone")))

    for ask in (storage.check, lambda: storage.stat("a"), lambda: list(storage.walk()), lambda: storage.list_page("")):
        with pytest.raises(StorageUnavailable, match="mounted"):
            ask()


def test_a_relative_root_is_refused() -> None:
    with pytest.raises(StoragePathRefused):
        connect(StorageConfig("posix", "data"))


def test_a_file_that_grows_while_it_is_read_whole_is_noticed(tmp_path: Path) -> None:
    from catalogue.storages.errors import StorageFileChanged

    (tmp_path / "growing").write_bytes(bytes(10_000))
    storage = connect(StorageConfig("posix", str(tmp_path)))

    with pytest.raises(StorageFileChanged), storage.open_range("growing", chunk=1000) as chunks:
        for number, _ in enumerate(chunks):
            if number == 3:
                with open(tmp_path / "growing", "ab") as file:
                    file.write(b"more")
