"""One suite for every kind of storage: whatever the kind, the same answers and the same errors."""

import contextlib
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import pytest

from catalogue.storages import Storage, StorageConfig, connect
from catalogue.storages.base import RangeReader
from catalogue.storages.errors import (
    StorageDenied,
    StorageFileChanged,
    StorageFileExists,
    StorageFileMissing,
    StoragePathRefused,
    StorageRangeInvalid,
    StorageUploadIncomplete,
)
from tests import servers

STRANGE_NAMES = [
    "a name with spaces.tif",
    "100% sure? #1 & more+more=less.tif",
    "%2e%2e is literal.txt",
    "half%2fslash.txt",
    "Übermäßig.dm3",
    "Ubermaßig-decomposed-u\u0308.dm3",
    "試料 電子顕微鏡.h5",
    "semi;colon,comma'quote\"double.txt",
    "~tilde[brackets]{braces}.txt",
    "½ μm — Ångström.txt",
    ".hidden",
    "😀.png",
]


@dataclass
class Place:
    """A connected storage and a way to write into it behind its back."""

    kind: str
    storage: Storage
    write: Callable[[str, bytes], None]
    root: Path | None


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    pytest.importorskip("moto", reason="moto is not installed: no S3 server")
    with servers.s3_server() as endpoint:
        yield endpoint


@pytest.fixture(params=["posix", "webdav", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    root = tmp_path / "root"
    root.mkdir()
    with contextlib.ExitStack() as stack:
        if request.param == "posix":
            config = StorageConfig("posix", str(root))
        elif request.param == "webdav":
            pytest.importorskip("wsgidav", reason="wsgidav is not installed: no WebDAV server")
            url = stack.enter_context(servers.webdav_server(root))
            config = StorageConfig(
                "webdav", url, username=servers.USERNAME, secret=servers.PASSWORD, is_private_network_allowed=True
            )
        else:
            config = s3_config(request.getfixturevalue("s3_endpoint"), tmp_path.name)
            root = None
        storage = connect(config)
        stack.callback(storage.close)
        yield Place(request.param, storage, writer(config, root), root)


def s3_config(endpoint: str, prefix: str) -> StorageConfig:
    return StorageConfig(
        "s3",
        f"s3://{servers.BUCKET}/{prefix}",
        endpoint=endpoint,
        username="testing",
        secret="testing",
        is_private_network_allowed=True,
    )


def writer(config: StorageConfig, root: Path | None) -> Callable[[str, bytes], None]:
    def write_file(path: str, content: bytes) -> None:
        assert root is not None
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)

    def write_object(path: str, content: bytes) -> None:
        prefix = config.location.removeprefix(f"s3://{servers.BUCKET}/")
        servers.s3_backend().put_object(servers.BUCKET, f"{prefix}/{path}", content)

    return write_object if root is None else write_file


def read(storage: Storage, path: str, *span: int, **options: object) -> bytes:
    with storage.open_range(path, *span, **options) as chunks:
        return b"".join(chunks)


def all_pages(storage: Storage, prefix: str, limit: int) -> list[str]:
    names: list[str] = []
    cursor = None
    while True:
        page = storage.list_page(prefix, cursor, limit)
        assert len(page.entries) <= limit
        names += [entry.name for entry in page.entries]
        cursor = page.next_cursor
        if cursor is None:
            return names


def test_a_reachable_storage_passes_its_check(place: Place) -> None:
    place.write("a.txt", b"a")

    place.storage.check()


def test_a_file_is_described_with_size_time_and_etag(place: Place) -> None:
    place.write("run/image.tif", b"12345")

    entry = place.storage.stat("run/image.tif")

    assert (entry.path, entry.name, entry.is_folder, entry.size) == ("run/image.tif", "image.tif", False, 5)
    assert entry.modified_at is not None and entry.modified_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - entry.modified_at) < timedelta(minutes=2)
    assert entry.etag and '"' not in entry.etag


def test_listing_and_stat_describe_a_file_alike(place: Place) -> None:
    place.write("run/image.tif", b"12345")

    listed = place.storage.list_page("run").entries

    assert listed == [place.storage.stat("run/image.tif")]
    assert listed == list(place.storage.walk("run"))


def test_one_level_is_listed_with_folders_and_files_in_the_same_order_everywhere(place: Place) -> None:
    for path in ["b.txt", "a/inside.txt", "a.txt", "a-/x.txt", "Z.txt", "c/deep/deeper.txt", "é.txt"]:
        place.write(path, b"x")

    page = place.storage.list_page("")

    assert [(entry.name, entry.is_folder) for entry in page.entries] == [
        ("Z.txt", False),
        ("a-", True),
        ("a.txt", False),
        ("a", True),
        ("b.txt", False),
        ("c", True),
        ("é.txt", False),
    ]
    assert page.next_cursor is None
    assert [entry.path for entry in place.storage.list_page("c").entries] == ["c/deep"]


def test_a_folder_is_described_as_one(place: Place) -> None:
    place.write("run/image.tif", b"x")

    folder = place.storage.stat("run")

    assert (folder.path, folder.is_folder, folder.size, folder.etag) == ("run", True, None, None)


def test_walking_finds_every_file_below_a_folder_and_nothing_beside_it(place: Place) -> None:
    for path in ["run/1/a.txt", "run/1/2/b.txt", "run/c.txt", "runner/d.txt", "e.txt"]:
        place.write(path, b"x")

    assert sorted(entry.path for entry in place.storage.walk("run")) == ["run/1/2/b.txt", "run/1/a.txt", "run/c.txt"]
    assert len(list(place.storage.walk())) == 5


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_are_listed_described_read_and_stored_as_they_are(place: Place, name: str) -> None:
    place.write(f"dir {name}/{name}", name.encode())

    assert [entry.name for entry in place.storage.list_page(f"dir {name}").entries] == [name]
    assert [entry.path for entry in place.storage.walk()] == [f"dir {name}/{name}"]
    assert place.storage.stat(f"dir {name}/{name}").size == len(name.encode())
    assert read(place.storage, f"dir {name}/{name}") == name.encode()
    if place.kind == "webdav" and set("?;") & set(name):
        return  # wsgidav decodes the Destination of a MOVE before it splits it at these characters
    place.storage.put(f"new {name}/{name}", io.BytesIO(b"new"), 3)
    assert read(place.storage, f"new {name}/{name}") == b"new"


def test_five_thousand_files_come_in_pages_each_name_once_and_sorted(place: Place) -> None:
    names = [f"image_{number:05}.tif" for number in range(5000)]
    for name in names:
        place.write(f"series/{name}", b"x")

    assert all_pages(place.storage, "series", 2500 if place.kind == "webdav" else 999) == names


def test_many_files_of_a_folder_are_described_together_as_one_by_one(place: Place) -> None:
    names = [f"image_{number}.tif" for number in range(60)]
    for name in names:
        place.write(f"series/{name}", name.encode())
        place.write(f"series/other_{name}", b"x")

    found = place.storage.stat_many("series", [*names, "absent.tif", "../root.tif"])

    assert sorted(found) == sorted(f"series/{name}" for name in names)
    assert found["series/image_7.tif"] == place.storage.stat("series/image_7.tif")


def test_folders_and_files_are_paged_together(place: Place) -> None:
    for number in range(5):
        place.write(f"f{number}.txt", b"x")
        place.write(f"f{number}/x.txt", b"x")

    names = all_pages(place.storage, "", 3)

    assert names == [name for number in range(5) for name in (f"f{number}.txt", f"f{number}")]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((), b"0123456789"),
        ((3,), b"3456789"),
        ((0, 4), b"0123"),
        ((9, 1), b"9"),
        ((4, 0), b""),
        ((10,), b""),
        ((10, 0), b""),
    ],
)
def test_any_range_of_a_file_is_read_exactly(place: Place, span: tuple[int, ...], expected: bytes) -> None:
    place.write("digits", b"0123456789")

    assert read(place.storage, "digits", *span) == expected


@pytest.mark.parametrize("span", [(11,), (0, 11), (-1,), (5, 6), (2, -1)])
def test_a_range_outside_of_the_file_is_refused(place: Place, span: tuple[int, ...]) -> None:
    place.write("digits", b"0123456789")

    with pytest.raises(StorageRangeInvalid):
        read(place.storage, "digits", *span)


def test_an_empty_file_is_read_as_nothing(place: Place) -> None:
    place.write("empty", b"")

    assert read(place.storage, "empty") == b""
    assert place.storage.checksum("empty") == {"size": 0, "sha256": hashlib.sha256().hexdigest(), "crc32": 0}


def test_a_file_is_read_in_chunks_of_the_size_asked_for(place: Place) -> None:
    place.write("big", bytes(range(256)) * 1000)

    with place.storage.open_range("big", 100, 200_000, chunk=4096) as chunks:
        sizes = [len(chunk) for chunk in chunks]

    assert max(sizes) <= 4096 and sum(sizes) == 200_000


def test_leaving_a_range_early_leaves_the_storage_usable(place: Place) -> None:
    place.write("big", bytes(3_000_000))

    for _ in range(12):
        with place.storage.open_range("big", chunk=1000) as chunks:
            next(chunks)

    assert len(read(place.storage, "big")) == 3_000_000


def test_both_checksums_come_from_one_pass(place: Place) -> None:
    content = bytes(range(256)) * 10_000
    place.write("big", content)

    assert place.storage.checksum("big") == {
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "crc32": zlib.crc32(content),
    }
    assert place.storage.checksum("big", ("sha256",)) == {
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_a_file_that_changed_since_it_was_described_is_not_read(place: Place) -> None:
    place.write("image", b"first content")
    entry = place.storage.stat("image")
    place.write("image", b"second, longer content")

    with pytest.raises(StorageFileChanged):
        read(place.storage, "image", entry=entry)


def test_a_seekable_file_reads_wherever_it_is_told(place: Place) -> None:
    content = bytes(range(256)) * 12_000
    place.write("big", content)

    with place.storage.open_seekable("big") as file:
        assert file.read(4) == content[:4]
        file.seek(-10, io.SEEK_END)
        assert file.read() == content[-10:]
        file.seek(RangeReader.BLOCK_BYTES - 5)
        assert file.read(10) == content[RangeReader.BLOCK_BYTES - 5 : RangeReader.BLOCK_BYTES + 5]
        file.seek(0)
        assert file.read() == content


def test_an_hdf5_file_is_opened_where_it_lies(place: Place) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["entry/data"] = list(range(100))
    place.write("scan.nxs", buffer.getvalue())

    with place.storage.open_seekable("scan.nxs") as source, h5py.File(source, "r") as file:
        assert file["entry/data"][42] == 42


def test_an_upload_is_stored_whole_and_described(place: Place) -> None:
    entry = place.storage.put("new/folder/report.pdf", io.BytesIO(b"content"), 7)

    assert (entry.path, entry.size) == ("new/folder/report.pdf", 7)
    assert read(place.storage, "new/folder/report.pdf") == b"content"
    assert [found.path for found in place.storage.walk()] == ["new/folder/report.pdf"]


def test_an_upload_of_nothing_makes_an_empty_file(place: Place) -> None:
    assert place.storage.put("empty", io.BytesIO(), 0).size == 0


def test_an_upload_larger_than_one_part_arrives_unaltered(place: Place) -> None:
    content = bytes(range(251)) * 80_000
    place.write("other", b"x")

    place.storage.put("large.bin", io.BytesIO(content), len(content))

    assert place.storage.checksum("large.bin")["sha256"] == hashlib.sha256(content).hexdigest()


def test_an_upload_never_overwrites_unless_told(place: Place) -> None:
    place.write("report.pdf", b"old")

    with pytest.raises(StorageFileExists, match="report.pdf"):
        place.storage.put("report.pdf", io.BytesIO(b"new"), 3)
    assert read(place.storage, "report.pdf") == b"old"
    place.storage.put("report.pdf", io.BytesIO(b"newer"), 5, overwrite=True)
    assert read(place.storage, "report.pdf") == b"newer"


def test_a_file_that_appears_during_an_upload_is_not_overwritten(place: Place) -> None:
    class Slow(io.BytesIO):
        def read(self, *size: int | None) -> bytes:
            place.write("report.pdf", b"somebody else's")
            return super().read(*size)

    with pytest.raises(StorageFileExists):
        place.storage.put("report.pdf", Slow(b"ours"), 4)

    assert read(place.storage, "report.pdf") == b"somebody else's"
    assert [entry.name for entry in place.storage.walk()] == ["report.pdf"]


def test_an_upload_never_replaces_a_folder(place: Place) -> None:
    place.write("run/image.tif", b"precious")

    for overwrite in (False, True):
        with pytest.raises(StorageFileExists):
            place.storage.put("run", io.BytesIO(b"new"), 3, overwrite=overwrite)

    assert read(place.storage, "run/image.tif") == b"precious"


@pytest.mark.parametrize("announced", [2, 4, 40_000_000])
def test_an_upload_of_another_length_than_announced_leaves_nothing_behind(place: Place, announced: int) -> None:
    place.write("other", b"x")

    with pytest.raises(StorageUploadIncomplete):
        place.storage.put("report.pdf", io.BytesIO(b"new"), announced)

    assert [entry.path for entry in place.storage.walk()] == ["other"]


@pytest.mark.parametrize("path", ["missing", "missing/too", "file/below a file"])
def test_what_is_not_there_is_reported_as_missing(place: Place, path: str) -> None:
    place.write("file", b"x")

    for ask in (
        lambda: place.storage.stat(path),
        lambda: read(place.storage, path),
        lambda: place.storage.checksum(path),
        lambda: place.storage.open_seekable(path),
        lambda: place.storage.list_page(path),
        lambda: place.storage.share_link(path),
    ):
        with pytest.raises(StorageFileMissing, match="is not"):
            ask()


def test_a_folder_is_not_read_and_a_file_is_not_listed(place: Place) -> None:
    place.write("run/image.tif", b"x")

    with pytest.raises(StorageFileMissing):
        read(place.storage, "run")
    with pytest.raises(StorageFileMissing):
        place.storage.list_page("run/image.tif")


@pytest.mark.parametrize(
    "path",
    ["../secret", "/etc/passwd", "a/../../secret", "a//b", "a/", "./a", "a\\b", "a\0b", "%2e%2e/secret", "．．/secret"],
)
def test_no_method_takes_a_path_that_leads_out(place: Place, path: str) -> None:
    for ask in (
        lambda: place.storage.stat(path),
        lambda: read(place.storage, path),
        lambda: place.storage.checksum(path),
        lambda: place.storage.open_seekable(path),
        lambda: place.storage.list_page(path),
        lambda: list(place.storage.walk(path)),
        lambda: place.storage.share_link(path),
        lambda: place.storage.put(path, io.BytesIO(b"x"), 1),
        lambda: place.storage.put(path, io.BytesIO(b"x"), 1, overwrite=True),
    ):
        with pytest.raises(StoragePathRefused):
            ask()


def test_an_empty_folder_is_listed_as_empty(place: Place) -> None:
    if place.root is None:
        place.write("empty/", b"")
    else:
        (place.root / "empty").mkdir()

    assert place.storage.list_page("empty").entries == []
    assert list(place.storage.walk()) == []
    assert [(entry.path, entry.is_folder) for entry in place.storage.list_page("").entries] == [("empty", True)]
    assert place.storage.stat("empty").is_folder


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_keys_that_are_no_paths_are_passed_over(place: Place) -> None:
    for key in ["a//b", "../up", "./here", "good.txt", "c/..", "line\nbreak"]:
        place.write(key, b"x")

    assert [entry.path for entry in place.storage.walk()] == ["good.txt"]
    page = place.storage.list_page("")
    assert [entry.path for entry in page.entries] == ["a", "c", "good.txt"]
    assert page.skipped_count == 3


@pytest.mark.parametrize("place", ["webdav"], indirect=True)
def test_a_wrong_password_is_told_apart_from_a_dead_storage(place: Place) -> None:
    with contextlib.closing(connect(replace(place.storage.config, secret="wrong"))) as storage:
        with pytest.raises(StorageDenied, match="password") as refused:
            storage.check()
    assert "wrong" not in str(refused.value)


def test_only_an_object_store_signs_a_link(place: Place) -> None:
    place.write("open data.tif", b"x")

    link = place.storage.share_link("open data.tif")

    assert (link is not None and "X-Amz-Signature=" in link) == (place.kind == "s3")


def test_only_a_folder_of_this_machine_has_a_local_path(place: Place) -> None:
    place.write("a b.tif", b"x")

    path = place.storage.local_path("a b.tif")

    assert path == (place.root / "a b.tif" if place.kind == "posix" else None)
