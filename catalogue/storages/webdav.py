"""WebDAV (RFC 4918) with the properties of NextCloud and ownCloud (`oc:`) where a server has them."""

import heapq
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import attrgetter
from typing import IO, BinaryIO
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from catalogue.storages.addresses import Lookup, lookup_host
from catalogue.storages.base import FolderStorage, file_changed, file_exists, upload_incomplete
from catalogue.storages.circuit import Calls
from catalogue.storages.errors import (
    StorageDenied,
    StorageError,
    StorageFileExists,
    StorageFileMissing,
)
from catalogue.storages.http import HttpServer, translated
from catalogue.storages.paths import UPLOAD_PREFIX, clean_path, is_clean_name, join_path
from catalogue.storages.protocol import CHUNK_BYTES, Entry, Page, StorageConfig

MAX_LISTING_BYTES = 512 << 20
MAX_LISTING_SECONDS = 120
_LISTING_BYTES_IN_MEMORY = 4 << 20
_DAV = "{DAV:}"
_OC = "{http://owncloud.org/ns}"
_PROPFIND_BODY = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>'
    b"<d:resourcetype/><d:getcontentlength/><d:getlastmodified/><d:getetag/>"
    b"<oc:size/><oc:checksums/><oc:fileid/></d:prop></d:propfind>"
)
# NextCloud's file tree lies at one of these below the address of the site; the share API lies beside it.
_NEXTCLOUD_ROOTS = ("/remote.php/dav/files/", "/remote.php/webdav/")
# Permission bits of a share: to read (1), and to share further (16).
_READ_ONLY = {1, 17}
_SHARES_API = "/ocs/v2.php/apps/files_sharing/api/v1/shares"


class WebdavStorage(FolderStorage):
    def __init__(self, config: StorageConfig, calls: Calls, *, lookup: Lookup = lookup_host) -> None:
        self.config = config
        self._calls = calls
        self._server = HttpServer(config, lookup=lookup)

    def check(self) -> None:
        self._calls.read(lambda: list(self._propfind("", depth=0)))

    def list_page(self, prefix: str, cursor: str | None = None, limit: int = 1000) -> Page:
        """WebDAV has no paging: the whole answer is read for each page, and one page of it is held."""
        skipped: list[str] = []

        def read() -> list[Entry]:
            skipped.clear()
            entries = self._ask_members(prefix, skipped)
            rest = (entry for entry in entries if cursor is None or entry.sort_name > cursor)
            return heapq.nsmallest(limit + 1, rest, key=attrgetter("sort_name"))

        smallest = self._calls.read(read)
        page = smallest[:limit]
        return Page(page, page[-1].sort_name if len(smallest) > limit else None, len(skipped))

    def stat(self, path: str) -> Entry:
        clean_path(path)
        entries = self._calls.read(lambda: list(self._propfind(path, depth=0)))
        if len(entries) != 1:
            raise StorageFileMissing(f"{path} is not there.", path=path)
        return entries[0]

    def put(self, path: str, stream: BinaryIO, size: int, *, overwrite: bool = False) -> Entry:
        self._check_free(path, overwrite=overwrite)
        folder = path.rpartition("/")[0]
        self._make_folders(folder)
        temporary = join_path(folder, UPLOAD_PREFIX + secrets.token_hex(8))
        try:
            self._upload(temporary, path, stream, size)
            self._move(temporary, path, overwrite=overwrite)
        except Exception:
            with suppress(StorageError):
                self._request("DELETE", temporary)
            raise
        return self.stat(path)

    def share_link(self, path: str) -> str | None:
        """A public read-only link of NextCloud: the one that the file has already, or a new one. None elsewhere."""
        self._file_entry(path)
        shares = self._shares_api(path)
        if shares is None:
            return None
        api, shared_path = shares
        existing = self._ask_shares("GET", api.copy_merge_params({"path": shared_path, "format": "json"}), path)
        links = [share for share in existing if share.get("share_type") == 3 and share.get("permissions") in _READ_ONLY]
        if not links:
            new = {"path": shared_path, "shareType": "3", "permissions": "1", "format": "json"}
            links = self._ask_shares("POST", api.copy_merge_params(new), path)
        url = links[0].get("url") if links else None
        return None if url is None else str(url)

    def close(self) -> None:
        self._server.close()

    @contextmanager
    def _open_span(self, entry: Entry, start: int, length: int, chunk: int) -> Iterator[Iterator[bytes]]:
        is_whole = start == 0 and length == entry.size
        headers = {} if is_whole else {"Range": f"bytes={start}-{start + length - 1}"}
        url = self._url(entry.path)
        response = self._calls.read(lambda: self._server.open("GET", entry.path, url, headers=headers))
        try:
            _check_answer(response, entry, start, is_whole=is_whole)
            yield _raw_chunks(response, entry.path, chunk)
        finally:
            response.close()

    def _members(self, folder: str) -> Iterator[Entry]:
        yield from self._calls.read(lambda: list(self._ask_members(folder, [])))

    def _ask_members(self, folder: str, skipped: list[str]) -> Iterator[Entry]:
        clean_path(folder, is_root_allowed=True)
        for entry in self._propfind(folder, depth=1, skipped=skipped):
            if entry.path == folder:
                if not entry.is_folder:
                    raise StorageFileMissing(f"{folder} is a file, not a folder.", path=folder)
            elif not entry.name.startswith(UPLOAD_PREFIX):
                yield entry

    def _propfind(self, path: str, *, depth: int, skipped: list[str] | None = None) -> Iterator[Entry]:
        headers = {"Depth": str(depth), "Content-Type": "application/xml; charset=utf-8"}
        url = self._url(path)
        with tempfile.SpooledTemporaryFile(max_size=_LISTING_BYTES_IN_MEMORY) as body:
            with self._server.send("PROPFIND", path, url, headers=headers, content=_PROPFIND_BODY) as response:
                _spool(response, body, path)
            body.seek(0)
            for element in _responses(body, path):
                name = _name_below(element, self._server.base.path, path)
                if name is None or (name and not is_clean_name(name)):
                    (skipped if skipped is not None else []).append(name or "")
                else:
                    yield _entry(join_path(path, name) if name else path, element)

    def _make_folders(self, path: str) -> None:
        if path == "":
            return
        with suppress(StorageFileMissing):
            self.stat(path)
            return
        self._make_folders(path.rpartition("/")[0])
        with suppress(StorageFileExists):
            self._request("MKCOL", path)

    def _upload(self, temporary: str, path: str, stream: BinaryIO, size: int) -> None:
        content = _exactly(stream, size, path)
        self._request("PUT", temporary, headers={"Content-Length": str(size)}, content=content)

    def _move(self, temporary: str, path: str, *, overwrite: bool) -> None:
        headers = {"Destination": str(self._url(path)), "Overwrite": "T" if overwrite else "F"}
        try:
            self._request("MOVE", temporary, headers=headers)
        except StorageFileExists:
            raise file_exists(path) from None

    def _request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, content: Iterator[bytes] | None = None
    ) -> None:
        def send() -> None:
            with self._server.send(method, path, self._url(path), headers=headers, content=content) as response:
                response.read()

        self._calls.write(send)

    def _url(self, path: str) -> httpx.URL:
        return self._server.base.copy_with(raw_path=self._server.base.raw_path + quote(path, safe="/").encode())

    def _shares_api(self, path: str) -> tuple[httpx.URL, str] | None:
        """The address of the share API and the path of a file as NextCloud knows it."""
        base = self._server.base.path
        for root in _NEXTCLOUD_ROOTS:
            site, found, folder = base.partition(root)
            if found:
                if root.endswith("/files/"):
                    folder = folder.partition("/")[2]
                url = self._server.base.copy_with(path=site + _SHARES_API)
                return url, f"/{folder}{path}"
        return None

    def _ask_shares(self, method: str, url: httpx.URL, path: str) -> list[dict[str, object]]:
        """OCS answers {"ocs": {"data": ...}}; a site that forbids link shares answers 403 or 404."""

        def ask() -> list[dict[str, object]]:
            headers = {"OCS-APIRequest": "true", "Accept": "application/json"}
            with self._server.send(method, path, url, headers=headers) as response:
                data = json.loads(response.read())["ocs"]["data"]
            return [share for share in (data if isinstance(data, list) else [data]) if isinstance(share, dict)]

        try:
            return self._calls.read(ask) if method == "GET" else self._calls.write(ask)
        except (StorageDenied, StorageFileMissing, ValueError, KeyError, TypeError):
            return []


def _spool(response: httpx.Response, body: IO[bytes], path: str) -> None:
    arrived = 0
    give_up_at = time.monotonic() + MAX_LISTING_SECONDS
    for chunk in response.iter_bytes():
        arrived += len(chunk)
        if arrived > MAX_LISTING_BYTES or time.monotonic() > give_up_at:
            raise StorageError(f"The storage's list of {path or 'its root'} takes too long to be read.", path=path)
        body.write(chunk)


def _responses(body: IO[bytes], path: str) -> Iterator[Element]:
    """The d:response elements of a multistatus, one held at a time; entities and DTDs are refused."""
    try:
        events = iterparse(body, events=("start", "end"), forbid_dtd=True)
        _, root = next(events)
        for event, element in events:
            if event == "end" and element.tag == f"{_DAV}response":
                yield element
                root.clear()
    except (ParseError, DefusedXmlException, StopIteration):
        raise StorageError(f"The storage's answer for {path or 'its root'} is not WebDAV.", path=path) from None


def _name_below(element: Element, base: str, folder: str) -> str | None:
    """The name of a response below the folder asked for, "" for the folder itself, None for anything else."""
    path = unquote(urlsplit(element.findtext(f"{_DAV}href", "").strip()).path)
    own = (base + folder).rstrip("/")
    if path.rstrip("/") == own:
        return ""
    if not path.startswith(own + "/"):
        return None
    name = path[len(own) + 1 :]
    name = name[:-1] if name.endswith("/") else name
    return None if "/" in name or not name else name


def _entry(path: str, element: Element) -> Entry:
    found = _properties(element)
    kind = found.get(f"{_DAV}resourcetype")
    is_folder = kind is not None and kind.find(f"{_DAV}collection") is not None
    texts = {tag: (value.text or "").strip() for tag, value in found.items()}
    checksums = found.get(f"{_OC}checksums")
    claimed = "".join(checksums.itertext()).split() if checksums is not None else []
    size = texts.get(f"{_DAV}getcontentlength") or texts.get(f"{_OC}size") or "0"
    return Entry(
        path=path,
        is_folder=is_folder,
        size=None if is_folder else int(size) if size.isdecimal() else 0,
        modified_at=_http_date(texts.get(f"{_DAV}getlastmodified", "")),
        etag=None if is_folder else _plain_etag(texts.get(f"{_DAV}getetag", "")),
        checksum=claimed[0] if claimed else None,
        file_id=texts.get(f"{_OC}fileid") or None,
    )


def _properties(element: Element) -> dict[str, Element]:
    """Those that the server has (status 200); it lists the others too, empty, with 404."""
    return {
        value.tag: value
        for group in element.findall(f"{_DAV}propstat")
        if " 200" in group.findtext(f"{_DAV}status", " 200")
        for properties in group.findall(f"{_DAV}prop")
        for value in properties
    }


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _plain_etag(text: str) -> str | None:
    """Without quotes and the marks that servers add on the way (weak, compressed): only the content's mark is left."""
    return text.removeprefix("W/").strip('"').removesuffix("-gzip") or None


def _check_answer(response: httpx.Response, entry: Entry, start: int, *, is_whole: bool) -> None:
    path = entry.path
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise StorageError(f"The storage sends {path} compressed, which was not asked for.", path=path)
    etag = _plain_etag(response.headers.get("ETag", ""))
    total = response.headers.get("Content-Length") if is_whole else None
    if response.status_code == 206:
        given, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        if given.partition("-")[0] != str(start):
            raise StorageError(f"The storage sends another part of {path} than was asked for.", path=path)
    elif not is_whole:
        raise StorageError(f"The storage cannot send parts of {path}; it has to be downloaded whole.", path=path)
    is_other_size = total is not None and total.isdecimal() and int(total) != entry.size
    if is_other_size or (etag and entry.etag and etag != entry.etag):
        raise file_changed(path)


def _raw_chunks(response: httpx.Response, path: str, chunk: int) -> Iterator[bytes]:
    with translated(path):
        yield from response.iter_raw(chunk)


def _exactly(stream: BinaryIO, size: int, path: str) -> Iterator[bytes]:
    remaining = size
    while remaining > 0 and (data := stream.read(min(CHUNK_BYTES, remaining))):
        remaining -= len(data)
        yield data
    if remaining or stream.read(1):
        raise upload_incomplete(path, size)
