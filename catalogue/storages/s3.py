"""Object stores that speak S3, at any endpoint, addressed by path. Folders are the common prefixes of keys.

Only declared credentials are used: without them requests are anonymous, and the environment is never asked.
"""

import contextlib
import functools
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from operator import attrgetter
from typing import Any, BinaryIO, NoReturn, TypeVar

import boto3
from botocore import UNSIGNED
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from catalogue.storages.addresses import Lookup, lookup_host
from catalogue.storages.base import BaseStorage, file_changed, file_exists, upload_incomplete
from catalogue.storages.circuit import Calls
from catalogue.storages.errors import (
    StorageAddressRefused,
    StorageDenied,
    StorageError,
    StorageFileMissing,
    StorageShortRead,
    StorageUnavailable,
)
from catalogue.storages.paths import clean_path, is_clean_name
from catalogue.storages.protocol import CHUNK_BYTES, Entry, Page, StorageConfig
from catalogue.storages.s3_connections import PinnedSession

PART_BYTES = 16 << 20
MAX_PARTS = 10_000
MAX_PAGE = 1000
SHARE_SECONDS = 3600

Result = TypeVar("Result")
_session_lock = threading.Lock()


class S3Storage(BaseStorage):
    def __init__(self, config: StorageConfig, calls: Calls, *, lookup: Lookup = lookup_host) -> None:
        self.config = config
        self._calls = calls
        self._bucket, self._prefix = _bucket_and_prefix(config.location)
        self._client = _new_client(config)
        self._connections = PinnedSession(config, self._client.meta.endpoint_url, lookup)
        self._client.meta.events.register("before-send.s3", self._connections.answer)

    def check(self) -> None:
        self._read("", lambda: self._list("", MaxKeys=1))

    def list_page(self, prefix: str, cursor: str | None = None, limit: int = MAX_PAGE) -> Page:
        """At most 1,000 entries, as the service gives no more at once."""
        clean_path(prefix, is_root_allowed=True)
        options: dict[str, Any] = {"Delimiter": "/", "MaxKeys": min(limit, MAX_PAGE)}
        if cursor is not None:
            options["ContinuationToken"] = cursor
        answer = self._read(prefix, lambda: self._list(prefix, **options))
        folders = [Entry(self._path(item["Prefix"]), True, None, None) for item in answer.get("CommonPrefixes", [])]
        files = [self._entry(item) for item in answer.get("Contents", [])]
        found = [entry for entry in folders + files if entry.path != prefix]
        if prefix and cursor is None and not (folders or files):
            raise StorageFileMissing(f"{prefix} is not a folder that is there.", path=prefix)
        usable = [entry for entry in found if is_clean_name(entry.name)]
        return Page(
            sorted(usable, key=attrgetter("sort_name")), answer.get("NextContinuationToken"), len(found) - len(usable)
        )

    def walk(self, prefix: str = "") -> Iterator[Entry]:
        """Asks for all keys below, a thousand at a time, rather than folder by folder."""
        clean_path(prefix, is_root_allowed=True)
        options: dict[str, Any] = {}
        while True:
            answer = self._read(prefix, lambda: self._list(prefix, **options))  # noqa: B023 - called at once
            for item in answer.get("Contents", []):
                # A key that ends in a slash only marks a folder.
                if all(is_clean_name(name) for name in item["Key"][len(self._prefix) :].split("/")):
                    yield self._entry(item)
            if "NextContinuationToken" not in answer:
                return
            options = {"ContinuationToken": answer["NextContinuationToken"]}

    def stat(self, path: str) -> Entry:
        key = self._key(path)
        try:
            head = self._read(path, lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        except StorageFileMissing:
            answer = self._read(path, lambda: self._list(path, MaxKeys=1))
            if not answer.get("KeyCount"):
                raise
            return Entry(path, True, None, None)
        return self._entry({**head, "Key": key, "Size": head["ContentLength"]})

    def put(self, path: str, stream: BinaryIO, size: int, *, overwrite: bool = False) -> Entry:
        """Small files in one request, larger ones in parts; both become visible only when complete."""
        key = self._key(path)
        self._check_free(path, overwrite=overwrite)
        condition = {} if overwrite else {"IfNoneMatch": "*"}
        target = {"Bucket": self._bucket, "Key": key}
        parts = _exact_parts(stream, size, path)
        if size <= PART_BYTES:
            body = next(parts)
            self._write(path, lambda: self._client.put_object(**target, Body=body, **condition))
        else:
            self._put_in_parts(path, target, parts, condition)
        return self.stat(path)

    def share_link(self, path: str) -> str | None:
        """A link that works for an hour; None without credentials to sign it."""
        self._file_entry(path)
        if not self.config.username:
            return None
        target = {"Bucket": self._bucket, "Key": self._key(path)}
        return str(self._client.generate_presigned_url("get_object", Params=target, ExpiresIn=SHARE_SECONDS))

    def close(self) -> None:
        self._client.close()
        self._connections.close()

    @contextmanager
    def _open_span(self, entry: Entry, start: int, length: int, chunk: int) -> Iterator[Iterator[bytes]]:
        request: dict[str, Any] = {"Bucket": self._bucket, "Key": self._key(entry.path)}
        if length != entry.size:
            request["Range"] = f"bytes={start}-{start + length - 1}"
        if entry.etag:
            request["IfMatch"] = f'"{entry.etag}"'
        answer = self._read(entry.path, lambda: self._client.get_object(**request))
        with contextlib.closing(answer["Body"]) as body:
            if answer.get("ContentLength", length) != length:
                raise file_changed(entry.path)
            yield _body_chunks(body, entry.path, chunk)

    def _put_in_parts(
        self, path: str, target: dict[str, str], parts: Iterator[bytes], condition: dict[str, str]
    ) -> None:
        upload = self._write(path, lambda: self._client.create_multipart_upload(**target))
        target_upload = {**target, "UploadId": upload["UploadId"]}
        try:
            done = []
            for number, body in enumerate(parts, start=1):
                request = {**target_upload, "PartNumber": number, "Body": body}
                answer = self._write(path, functools.partial(self._client.upload_part, **request))
                done.append({"PartNumber": number, "ETag": answer["ETag"]})
            whole = {**target_upload, "MultipartUpload": {"Parts": done}, **condition}
            self._write(path, lambda: self._client.complete_multipart_upload(**whole))
        except Exception:
            with contextlib.suppress(StorageError):
                self._write(path, lambda: self._client.abort_multipart_upload(**target_upload))
            raise

    def _list(self, folder: str, **options: Any) -> dict[str, Any]:
        prefix = self._prefix + folder + "/" if folder else self._prefix
        return dict(self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **options))

    def _read(self, path: str, function: Callable[[], Result]) -> Result:
        return self._calls.read(lambda: _translated(path, function))

    def _write(self, path: str, function: Callable[[], Result]) -> Result:
        return self._calls.write(lambda: _translated(path, function))

    def _key(self, path: str) -> str:
        return self._prefix + clean_path(path)

    def _path(self, key: str) -> str:
        return key[len(self._prefix) :].removesuffix("/")

    def _entry(self, item: dict[str, Any]) -> Entry:
        return Entry(
            path=self._path(item["Key"]),
            is_folder=False,
            size=item["Size"],
            modified_at=item["LastModified"].astimezone(UTC),
            etag=item["ETag"].strip('"'),
        )


def _bucket_and_prefix(location: str) -> tuple[str, str]:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not bucket:
        raise StorageAddressRefused("An S3 storage is declared as s3://bucket or s3://bucket/prefix.")
    prefix = clean_path(prefix.strip("/"), is_root_allowed=True)
    return bucket, prefix + "/" if prefix else ""


def _new_client(config: StorageConfig) -> Any:
    options = Config(
        signature_version="s3v4" if config.username else UNSIGNED,
        s3={"addressing_style": "path"},
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        # Retries are ours (circuit.Calls), the same for every kind of storage.
        retries={"total_max_attempts": 1, "mode": "standard"},
        # Stores other than Amazon's often do not know the newer checksum headers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _session_lock:
        return _session().client(
            "s3",
            endpoint_url=config.endpoint,
            region_name=config.region or "us-east-1",
            aws_access_key_id=config.username or "anonymous",
            aws_secret_access_key=config.reveal_secret() or "anonymous",
            config=options,
        )


@functools.cache
def _session() -> boto3.Session:
    """One for the process, as loading the service description takes long; making clients from it needs the lock."""
    return boto3.Session()


def _exact_parts(stream: BinaryIO, size: int, path: str) -> Iterator[bytes]:
    """At least one part; StorageUploadIncomplete before the last one if the bytes are not as many as announced."""
    part_bytes = max(PART_BYTES, math.ceil(size / MAX_PARTS))
    remaining = size
    while True:
        wanted = min(part_bytes, remaining)
        part = _read_fully(stream, wanted)
        remaining -= len(part)
        if len(part) < wanted or (remaining == 0 and stream.read(1)):
            raise upload_incomplete(path, size)
        yield part
        if remaining == 0:
            return


def _read_fully(stream: BinaryIO, wanted: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < wanted and (data := stream.read(min(CHUNK_BYTES, wanted - len(pieces)))):
        pieces += data
    return bytes(pieces)


def _body_chunks(body: Any, path: str, chunk: int) -> Iterator[bytes]:
    try:
        yield from body.iter_chunks(chunk)
    except (BotoCoreError, OSError):
        raise StorageShortRead(f"The storage ended its answer for {path} too early; try again.", path=path) from None


def _translated(path: str, function: Callable[[], Result]) -> Result:
    try:
        return function()
    except ClientError as error:
        _raise_as_ours(error, path)
    except (HTTPClientError, ConnectionError) as error:
        raise StorageUnavailable(f"The storage cannot be reached ({type(error).__name__}).", path=path) from None
    except BotoCoreError as error:
        raise StorageError(f"The storage cannot be used ({type(error).__name__}).", path=path) from None


def _raise_as_ours(error: ClientError, path: str) -> NoReturn:
    code = error.response.get("Error", {}).get("Code", "")
    answer = error.response.get("ResponseMetadata", {})
    status = answer.get("HTTPStatusCode", 0)
    what = path or "the root of the storage"
    if code == "NoSuchBucket":
        raise StorageUnavailable("The bucket of this storage is not there; check its name.", path=path) from None
    if status in {401, 403}:
        raise StorageDenied(f"The storage refuses access to {what}; check its keys.", path=path) from None
    if status == 404:
        raise StorageFileMissing(f"{what} is not there.", path=path) from None
    if status in {409, 412}:
        _raise_for_condition(error.operation_name, path)
    if status == 429 or status >= 500:
        wait = answer.get("HTTPHeaders", {}).get("retry-after", "")
        raise StorageUnavailable(
            f"The storage answers {status} for {what}; try again later.",
            path=path,
            retry_after=float(wait) if wait.isdecimal() else None,
        ) from None
    raise StorageError(f"The storage answers {code or status} for {what}; this is unexpected.", path=path) from None


def _raise_for_condition(operation: str, path: str) -> NoReturn:
    if operation == "GetObject":
        raise file_changed(path) from None
    raise file_exists(path) from None
