"""How bytes leave by HTTP (RFC 9110): conditions, one range, HEAD, headers that keep browsers safe, and the usage log.

Who may have the bytes was decided before. The lengths, tags and digests come from the services.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date

from catalogue.downloads.body import Body
from catalogue.downloads.headers import NOTHING_RUNS, content_disposition
from catalogue.downloads.ranges import ByteRange, RangeNotSatisfiable, is_range_valid, parse_range
from catalogue.services.usage import Visit, log_downloads
from catalogue.visitors import address_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is to be sent: `open(start, length)` gives its bytes. `etag` is empty where the bytes are not known beforehand,
    and then it is sent from its first byte only. `last_modified` is in whole seconds since 1970."""

    name: str
    media_type: str
    size: int
    is_open: bool
    etag: str
    open: Callable[[int, int], AbstractContextManager[Iterator[bytes]]]
    last_modified: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def send_content(request: HttpRequest, content: Content, on_sent: Callable[[], None]) -> HttpResponseBase:
    """The answer to GET or HEAD. `on_sent` is called once for a request that was served from the first byte."""
    conditional = get_conditional_response(request, etag=content.etag or None, last_modified=content.last_modified)
    if conditional is not None:
        return _described(conditional, content)
    try:
        byte_range = _wanted_range(request, content)
    except RangeNotSatisfiable:
        refusal = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, content_type="text/plain")
        refusal["Content-Range"] = f"bytes */{content.size}"
        return _described(refusal, content)
    whole = byte_range is None
    start, length = (0, content.size) if whole else (byte_range.start, byte_range.length)
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(content_type=content.media_type)
    else:
        resources = ExitStack()
        chunks = resources.enter_context(content.open(start, length))
        body = Body(chunks, resources, on_sent if start == 0 else lambda: None)
        response = StreamingHttpResponse(body, content_type=content.media_type)
    response["Content-Length"] = length
    if not whole:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = byte_range.content_range
    return _described(response, content)


def hand_over(request: HttpRequest, content: Content, location: str, on_sent: Callable[[], None]) -> HttpResponseBase:
    """Leave the sending to nginx (X-Accel-Redirect), which also judges conditions and ranges, by tags of its own."""
    byte_range = _wanted_range_or_none(request, content)
    is_start = request.method == "GET" and (byte_range is None or byte_range.start == 0)
    body = Body((), ExitStack(), on_sent if is_start else lambda: None)
    response = _described(StreamingHttpResponse(body, content_type=content.media_type), content)
    for name in ("ETag", "Last-Modified", "Accept-Ranges"):
        response.headers.pop(name, None)
    response["X-Accel-Redirect"] = location
    return response


def _wanted_range(request: HttpRequest, content: Content) -> ByteRange | None:
    header = request.headers.get("Range", "")
    if not header or not content.etag or request.method != "GET":
        return None
    if_range = request.headers.get("If-Range", "")
    if if_range and not is_range_valid(if_range, etag=content.etag, last_modified=content.last_modified):
        return None
    return parse_range(header, content.size)


def _wanted_range_or_none(request: HttpRequest, content: Content) -> ByteRange | None:
    try:
        return parse_range(request.headers.get("Range", ""), content.size)
    except RangeNotSatisfiable:
        return None


def _described(response: HttpResponseBase, content: Content) -> HttpResponseBase:
    """`response` with the headers that every answer about `content` carries."""
    response["Accept-Ranges"] = "bytes" if content.etag else "none"
    response["Content-Disposition"] = content_disposition(content.name)
    if content.etag:
        response["ETag"] = content.etag
    if content.last_modified is not None:
        response["Last-Modified"] = http_date(content.last_modified)
    for name, value in content.headers.items():
        response[name] = value
    return protect(response, is_open=content.is_open)


def protect(response: HttpResponseBase, *, is_open: bool) -> HttpResponseBase:
    """Nothing in the answer runs in a browser, and no shared cache keeps what is closed."""
    response["Content-Security-Policy"] = NOTHING_RUNS
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, no-cache" if is_open else "private, no-cache"
    patch_vary_headers(response, ("Cookie", "Authorization"))
    return response


def usage_logger(request: HttpRequest, sizes: Mapping[int, int], file_name: str = "") -> Callable[[], None]:
    """What logs the download that `request` is about to get, when called. Its failure is logged and spoils no download."""
    visit = Visit(at=timezone.now(), address=address_of(request), agent=request.headers.get("User-Agent", ""))

    def log() -> None:
        try:
            log_downloads(visit=visit, sizes=sizes, file_name=file_name)
        except Exception:
            logger.exception("a download could not be logged")

    return log
