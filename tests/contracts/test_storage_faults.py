"""Storages that are slow, dead, lying or in a forbidden place: short, clear errors and never a leaked credential."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalogue.circuit import Circuit
from catalogue.storages import Storage, StorageConfig, circuit_for, connect
from catalogue.storages.addresses import is_address_allowed, resolve_host
from catalogue.storages.circuit import Calls
from catalogue.storages.errors import (
    StorageAddressRefused,
    StorageDenied,
    StorageError,
    StorageFileChanged,
    StorageFileMissing,
    StorageShortRead,
    StorageUnavailable,
)
from catalogue.storages.protocol import Entry
from catalogue.storages.s3 import S3Storage
from catalogue.storages.webdav import WebdavStorage
from tests.servers import ScriptedServer, certificate_for, closed_port, http_answer

PASSWORD = "s3cr3t-p4ssw0rd"

MULTISTATUS = b"""<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
<d:response><d:href>/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>%b</d:multistatus>"""

FILE = b"""<d:response><d:href>/image.tif</d:href><d:propstat><d:prop><d:resourcetype/>
<d:getcontentlength>10</d:getcontentlength><d:getlastmodified>Tue, 03 Mar 2026 10:00:00 GMT</d:getlastmodified>
<d:getetag>"abc"</d:getetag><oc:fileid>4711</oc:fileid>
<oc:checksums><oc:checksum>SHA1:0a MD5:0b</oc:checksum></oc:checksums></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat>
<d:propstat><d:prop><oc:size/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>"""

S3_LISTING = b"""<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount>
<IsTruncated>false</IsTruncated></ListBucketResult>"""

FOLDER_ANSWERS = {
    "webdav": http_answer("207 Multi-Status", MULTISTATUS % b"", Content_Type="application/xml"),
    "s3": http_answer("200 OK", S3_LISTING, Content_Type="application/xml"),
}
IMAGE = Entry("image.tif", False, 10, None, etag="abc")


def remote(kind: str, url: str, *, is_private: bool = True, lookup: Callable | None = None) -> Storage:
    """A storage with short time-outs, quick retries and a circuit of its own."""
    config = StorageConfig(
        kind,
        url if kind == "webdav" else "s3://bucket/data",
        endpoint=None if kind == "webdav" else url.rstrip("/"),
        username="instrument",
        secret=PASSWORD,
        is_private_network_allowed=is_private,
        connect_timeout=0.5,
        read_timeout=0.5,
    )
    options = {} if lookup is None else {"lookup": lookup}
    calls = Calls(Circuit(), sleep=lambda seconds: None)
    return WebdavStorage(config, calls, **options) if kind == "webdav" else S3Storage(config, calls, **options)


@pytest.fixture(params=["webdav", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@contextlib.contextmanager
def scripted(kind: str, *answers: bytes | None) -> Iterator[tuple[Storage, ScriptedServer]]:
    with ScriptedServer(list(answers)).running() as server, contextlib.closing(remote(kind, server.url)) as storage:
        yield storage, server


def read(storage: Storage, *span: int, entry: Entry = IMAGE) -> bytes:
    with storage.open_range(entry.path, *span, entry=entry) as chunks:
        return b"".join(chunks)


def test_a_dead_server_is_reported_at_once(kind: str) -> None:
    with closed_port() as port, contextlib.closing(remote(kind, f"http://127.0.0.1:{port}/")) as storage:
        with pytest.raises(StorageUnavailable) as failure:
            storage.check()

    assert PASSWORD not in str(failure.value)
    assert "instrument" not in str(failure.value)


def test_a_server_that_never_answers_is_given_up_within_its_time(kind: str) -> None:
    with scripted(kind, None) as (storage, _):
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            storage.check()

    assert time.monotonic() - started < 5


def test_after_three_failures_calls_fail_at_once_without_a_request(kind: str) -> None:
    with scripted(kind, http_answer("503 Busy")) as (storage, server):
        with pytest.raises(StorageUnavailable, match="503"):
            storage.check()
        asked = len(server.requests)

        with pytest.raises(StorageUnavailable, match="tried again in") as failure:
            storage.check()

    assert asked == len(server.requests) == 3
    assert failure.value.retry_after is not None and 0 < failure.value.retry_after <= 30


def test_a_read_is_repeated_after_a_passing_failure(kind: str) -> None:
    with scripted(kind, http_answer("503 Busy"), http_answer("500 Oops"), FOLDER_ANSWERS[kind]) as (storage, server):
        storage.check()

    assert len(server.requests) == 3


def test_a_server_that_asks_for_a_long_pause_is_not_pressed(kind: str) -> None:
    with scripted(kind, http_answer("503 Busy", Retry_After="120"), FOLDER_ANSWERS[kind]) as (storage, server):
        with pytest.raises(StorageUnavailable) as failure:
            storage.check()

    assert failure.value.retry_after == 120
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_refused_credentials_are_not_tried_again(kind: str, status: str) -> None:
    with scripted(kind, http_answer(status)) as (storage, server):
        with pytest.raises(StorageDenied) as failure:
            storage.check()

    assert len(server.requests) == 1
    assert PASSWORD not in str(failure.value)


def test_an_answer_that_is_not_of_the_protocol_is_an_error(kind: str) -> None:
    with scripted(kind, http_answer("200 OK", b"<html>Please log in", Content_Type="text/html")) as (storage, _):
        with pytest.raises(StorageError):
            storage.check()


@pytest.mark.parametrize("announced", [10, 4])
def test_a_body_that_ends_early_never_passes_as_the_file(kind: str, announced: int) -> None:
    answer = http_answer("200 OK", b"0123", announced=announced, ETag='"abc"')
    with scripted(kind, answer) as (storage, _), pytest.raises((StorageShortRead, StorageFileChanged)):
        read(storage)


def test_a_part_that_ends_early_never_passes_as_the_part(kind: str) -> None:
    answer = http_answer("206 Partial", b"34", announced=5, ETag='"abc"', Content_Range="bytes 3-7/10")
    with scripted(kind, answer) as (storage, _), pytest.raises(StorageShortRead):
        read(storage, 3, 5)


@pytest.mark.parametrize(("body", "is_long_enough"), [(b"34567", True), (b"34", False), (b"3456789", False)])
def test_a_part_of_unannounced_length_is_counted(kind: str, body: bytes, is_long_enough: bool) -> None:
    head = b'HTTP/1.1 206 Partial\r\nContent-Range: bytes 3-7/10\r\nETag: "abc"\r\nConnection: close\r\n\r\n'
    with scripted(kind, head + body) as (storage, _):
        if is_long_enough:
            assert read(storage, 3, 5) == body
        else:
            with pytest.raises(StorageShortRead):
                read(storage, 3, 5)


def test_a_server_that_ignores_ranges_is_noticed(kind: str) -> None:
    with scripted(kind, http_answer("200 OK", b"0123456789", ETag='"abc"')) as (storage, _):
        with pytest.raises(StorageError):
            read(storage, 3, 5)


def test_another_etag_means_another_file() -> None:
    with scripted("webdav", http_answer("200 OK", b"0123456789", ETag='"other"')) as (storage, _):
        with pytest.raises(StorageFileChanged):
            read(storage)


def test_a_body_that_stops_coming_is_given_up_within_its_time(kind: str) -> None:
    with scripted(kind, None) as (storage, _):
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            read(storage)

    assert time.monotonic() - started < 5


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_to_another_host_is_refused_and_gets_no_password(kind: str, status: str) -> None:
    with ScriptedServer([FOLDER_ANSWERS[kind]]).running() as other:
        redirect = http_answer(status, Location=other.url)
        with scripted(kind, redirect) as (storage, _), pytest.raises(StorageAddressRefused):
            storage.check()

    assert other.requests == []


def test_a_redirect_within_the_storage_is_followed_but_not_in_circles() -> None:
    with scripted("webdav", http_answer("301 Moved", Location="/folder/"), FOLDER_ANSWERS["webdav"]) as (
        storage,
        server,
    ):
        storage.list_page("folder")
    assert server.requests[1].startswith(b"PROPFIND /folder/ ")

    with scripted("webdav", http_answer("301 Moved", Location="/folder/")) as (storage, _):
        with pytest.raises(StorageUnavailable, match="circle"):
            storage.check()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0",
        "255.255.255.255", "224.0.0.1", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "2001:db8::1",
        "::127.0.0.1",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused_unless_declared(address: str) -> None:
    assert not is_address_allowed(address, is_private_network_allowed=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_address_allowed(address, is_private_network_allowed=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd12::1"])
def test_a_declared_storage_may_be_inside(address: str) -> None:
    assert is_address_allowed(address, is_private_network_allowed=True)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "ff02::1"]
)
def test_metadata_services_are_never_a_storage(address: str) -> None:
    assert not is_address_allowed(address, is_private_network_allowed=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_every_spelling_of_loopback_is_refused_without_a_connection(kind: str, host: str) -> None:
    with ScriptedServer([FOLDER_ANSWERS[kind]]).running() as server:
        url = server.url.replace("127.0.0.1", host)
        with pytest.raises((StorageAddressRefused, StorageUnavailable)):
            with contextlib.closing(remote(kind, url, is_private=False)) as storage:
                storage.check()

    assert server.requests == []


def test_one_forbidden_address_among_several_refuses_the_name() -> None:
    with pytest.raises(StorageAddressRefused):
        resolve_host(
            "mixed.example", 443, is_private_network_allowed=False, lookup=lambda host, port: ["93.184.216.34", "::1"]
        )


def test_the_connection_goes_to_the_address_that_was_checked_and_keeps_the_name(kind: str) -> None:
    asked = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with ScriptedServer([FOLDER_ANSWERS[kind]]).running() as server:
        url = server.url.replace("127.0.0.1", "storage.example")
        with contextlib.closing(remote(kind, url, lookup=lookup)) as storage:
            storage.check()

    assert asked == ["storage.example"]
    assert b"host: storage.example:" in server.requests[0].lower()


@pytest.mark.parametrize(("certified", "is_accepted"), [("storage.example", True), ("other.example", False)])
def test_a_certificate_must_be_for_the_name_although_the_address_is_pinned(
    kind: str, certified: str, is_accepted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certificate_for(certified, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with ScriptedServer([FOLDER_ANSWERS[kind]], tls=context).running() as server:
        url = server.url.replace("127.0.0.1", "storage.example")
        expected = contextlib.nullcontext() if is_accepted else pytest.raises(StorageUnavailable)
        with contextlib.closing(remote(kind, url, lookup=lambda host, port: ["127.0.0.1"])) as storage, expected:
            storage.check()

    assert (len(server.requests) > 0) == is_accepted


def test_a_name_that_means_loopback_the_second_time_is_refused_then(kind: str) -> None:
    answers = iter([["192.0.0.192"], ["127.0.0.1"]])
    with ScriptedServer([FOLDER_ANSWERS[kind]]).running() as server:
        url = server.url.replace("127.0.0.1", "rebinding.example")
        storage = remote(kind, url, is_private=False, lookup=lambda host, port: next(answers))
        with contextlib.closing(storage):
            for _ in range(2):
                with pytest.raises(StorageAddressRefused):
                    storage.check()

    assert server.requests == []


def test_the_next_address_is_tried_when_the_first_is_dead(kind: str) -> None:
    with ScriptedServer([FOLDER_ANSWERS[kind]]).running() as server:
        url = server.url.replace("127.0.0.1", "storage.example")
        lookup = lambda host, port: ["::1", "127.0.0.2", "127.0.0.1"]  # noqa: E731
        with contextlib.closing(remote(kind, url, lookup=lookup)) as storage:
            storage.check()

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "location", ["https://me:pw@cloud.example/dav", "ftp://cloud.example", "https:///dav", "file:///etc"]
)
def test_addresses_with_a_password_or_of_another_scheme_are_refused(location: str) -> None:
    with pytest.raises(StorageAddressRefused) as refused:
        connect(StorageConfig("webdav", location))

    assert "pw" not in str(refused.value)


def test_an_answer_with_entities_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + MULTISTATUS.partition(b"?>")[2] % b"&a;"
    with scripted("webdav", http_answer("207 Multi-Status", bomb)) as (storage, _):
        with pytest.raises(StorageError, match="not WebDAV"):
            storage.check()


def test_a_hostile_server_cannot_name_files_outside_of_the_folder() -> None:
    names = [b"..", b"%2e%2e", b"a%2fb", b"a%5cb", b"x/y/z", b"//other.example/x", b"a%00", b"%0a", b"%e2%80%ae"]
    hostile = b"".join(FILE.replace(b"/image.tif", b"/" + name) for name in names)
    with scripted("webdav", http_answer("207 Multi-Status", MULTISTATUS % (FILE + hostile))) as (storage, _):
        page = storage.list_page("")

    assert [entry.path for entry in page.entries] == ["image.tif"]
    assert page.skipped_count == 9


def test_a_folder_that_may_not_be_read_does_not_hide_the_others_and_is_reported_at_the_end() -> None:
    folder = FILE.replace(b"<d:resourcetype/>", b"<d:resourcetype><d:collection/></d:resourcetype>")
    root = MULTISTATUS % (FILE + folder.replace(b"/image.tif", b"/closed/") + folder.replace(b"/image.tif", b"/gone/"))
    answers = [http_answer("207 Multi-Status", root), http_answer("404 Not Found"), http_answer("403 Forbidden")]
    with scripted("webdav", *answers) as (storage, _):
        found = storage.walk()
        assert next(found).path == "image.tif"
        with pytest.raises(StorageDenied, match="closed"):
            next(found)


def test_properties_of_nextcloud_are_read_where_they_are() -> None:
    with scripted("webdav", http_answer("207 Multi-Status", MULTISTATUS % FILE)) as (storage, _):
        [entry] = storage.list_page("").entries

    assert (entry.size, entry.etag, entry.checksum, entry.file_id) == (10, "abc", "SHA1:0a", "4711")
    assert entry.modified_at is not None and entry.modified_at.isoformat() == "2026-03-03T10:00:00+00:00"


def nextcloud(*answers: bytes) -> ScriptedServer:
    single = MULTISTATUS.replace(b"%b", b"").partition(b"<d:response>")[0] + FILE + b"</d:multistatus>"
    single = single.replace(b"/image.tif", b"/cloud/remote.php/dav/files/me/lab/image.tif")
    return ScriptedServer([http_answer("207 Multi-Status", single), *answers])


def share_link(server: ScriptedServer) -> str | None:
    with contextlib.closing(remote("webdav", f"{server.url}cloud/remote.php/dav/files/me/lab")) as storage:
        return storage.share_link("image.tif")


def ocs(data: object) -> bytes:
    return http_answer("200 OK", json.dumps({"ocs": {"meta": {"status": "ok"}, "data": data}}).encode())


def test_nextcloud_gives_a_read_only_link_made_once() -> None:
    with nextcloud(ocs([]), ocs({"share_type": 3, "url": "https://cloud.example/s/abc"})).running() as server:
        assert share_link(server) == "https://cloud.example/s/abc"

    _, ask, make = (request.partition(b"\r\n")[0] for request in server.requests)
    assert ask.startswith(b"GET /cloud/ocs/v2.php/apps/files_sharing/api/v1/shares?path=%2Flab%2Fimage.tif&")
    assert make.startswith(b"POST /cloud/ocs/v2.php/apps/files_sharing/api/v1/shares?")
    assert b"permissions=1&" in make and b"shareType=3&" in make


EDITABLE = {"share_type": 3, "permissions": 15, "url": "https://cloud.example/s/editable"}


def test_a_read_only_link_that_exists_already_is_given_again() -> None:
    with nextcloud(
        ocs([EDITABLE, {"share_type": 3, "permissions": 17, "url": "https://cloud.example/s/old"}])
    ).running() as server:
        assert share_link(server) == "https://cloud.example/s/old"

    assert len(server.requests) == 2


def test_a_nextcloud_that_forbids_links_gives_none() -> None:
    with nextcloud(ocs([]), http_answer("403 Forbidden")).running() as server:
        assert share_link(server) is None


def test_a_circuit_lets_one_call_through_after_its_pause() -> None:
    now = [0.0]
    circuit = Circuit(limit=2, pause=30, clock=lambda: now[0])
    calls = Calls(circuit)

    def fail() -> None:
        raise StorageUnavailable("no answer")

    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="^no answer"):
            calls.write(fail)
    assert circuit.is_open
    now[0] = 29.9
    with pytest.raises(StorageUnavailable, match="tried again in 0 s. Last: no answer"):
        calls.write(fail)
    now[0] = 30.1
    assert circuit.enter() == 0
    assert circuit.enter() > 0, "the others wait for the one that went to see"
    circuit.record_success()
    assert circuit.enter() == 0
    assert not circuit.is_open


def test_a_missing_file_does_not_count_as_a_failure_of_the_storage() -> None:
    circuit = Circuit(limit=1)

    def ask() -> None:
        raise StorageFileMissing("not there")

    for _ in range(3):
        with pytest.raises(StorageFileMissing):
            Calls(circuit).read(ask)
    assert not circuit.is_open


def test_pauses_between_attempts_grow_and_vary() -> None:
    pauses: list[float] = []

    def ask() -> None:
        raise StorageUnavailable("busy")

    with pytest.raises(StorageUnavailable):
        Calls(Circuit(limit=100), attempts=6, first_pause=0.2, longest_pause=1.0, sleep=pauses.append).read(ask)

    assert len(pauses) == 5
    for pause, longest in zip(pauses, [0.2, 0.4, 0.8, 1.0, 1.0], strict=True):
        assert longest / 2 <= pause <= longest


def test_a_storage_has_one_circuit_however_often_it_is_connected() -> None:
    first = StorageConfig("webdav", "https://cloud.example/a", username="me", secret="old")
    again = StorageConfig("webdav", "https://cloud.example/a", username="me", secret="new")
    other = StorageConfig("webdav", "https://cloud.example/b", username="me", secret="old")

    assert circuit_for(first) is circuit_for(again)
    assert circuit_for(first) is not circuit_for(other)


def test_a_configuration_never_prints_its_secret() -> None:
    config = StorageConfig("webdav", "https://cloud.example/a", username="me", secret=PASSWORD)

    assert PASSWORD not in f"{config!r} {config} {config.secret} {config.secret!r} {[config.secret]}"
    assert config.reveal_secret() == PASSWORD
