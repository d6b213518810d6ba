"""How the API answers: JSON with ETag and cache headers, conditional requests, and answers that are given once for a key.

An ETag is `"<version>.<digest of the body>"`: the version is what If-Match compares, the digest makes If-None-Match true to
what this reader would get, also when the clock has opened a record or its investigation was changed.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from rest_framework import status
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.views import APIView

from catalogue.access import Principal
from catalogue.api.documents import to_json
from catalogue.errors import InvalidInput, PreconditionMissing, StaleVersion
from catalogue.services.idempotency import Answer, answer_once

JSON = "application/json"
ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')
VERSION = re.compile(r"(\d{1,18})(?:\.[0-9a-f]+)?")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class ApiView(APIView):
    """Views of the API: `principal` is who asks, `body` the bytes that were sent."""

    @property
    def principal(self) -> Principal:
        return self.request._request.principal

    @property
    def body(self) -> bytes:
        if self.request.content_type.partition(";")[0].strip() != JSON:
            raise UnsupportedMediaType(self.request.content_type, "Send JSON with Content-Type: application/json.")
        return self.request._request.body

    def finalize_response(self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any) -> HttpResponse:
        """No cache keeps an answer without asking again, and none gives one reader's answer to another."""
        response = super().finalize_response(request, response, *args, **kwargs)
        is_public = request.method in ("GET", "HEAD") and self.principal.is_public
        response.headers.setdefault("Cache-Control", "public, no-cache" if is_public else "private, no-cache")
        response.headers["Vary"] = "Authorization, Cookie"
        return response


def entity_tag(content: str, version: int | None) -> str:
    digest = hashlib.sha256(content.encode()).hexdigest()[:20]
    return f'"{digest}"' if version is None else f'"{version}.{digest}"'


def read_answer(
    request: Request, document: Any, *, version: int | None = None, status_code: int = status.HTTP_200_OK
) -> HttpResponse:
    """The document, or 304 when the reader has it already. A withdrawn record's tombstone comes with 410."""
    content = to_json(document)
    tag = entity_tag(content, version)
    given = request.headers.get("If-None-Match", "")
    if given.strip() == "*" or tag.strip('"') in ENTITY_TAG.findall(given):
        return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
    return HttpResponse(content, status=status_code, content_type=JSON, headers={"ETag": tag})


def written(
    document: Any, *, version: int | None = None, location: str = "", status: int = status.HTTP_200_OK
) -> Answer:
    """What a write answers; the ETag serves the next If-Match."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return Answer(status, to_json(document), headers | ({"Location": location} if location else {}))


def created(document: Any, *, version: int, location: str) -> Answer:
    return written(document, version=version, location=location, status=status.HTTP_201_CREATED)


def send(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.content, status=answer.status, content_type=JSON, headers=answer.headers)


def send_once(view: ApiView, work: Callable[[], Answer]) -> HttpResponse:
    """Do the work of a POST, or give the answer that the same Idempotency-Key got before."""
    key = view.request.headers.get("Idempotency-Key")
    if key is None:
        return send(work())
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidInput(
            "An Idempotency-Key has 1 to 200 visible ASCII characters; a UUID does well.",
            fields={"Idempotency-Key": ["1 to 200 visible ASCII characters."]},
        )
    request = view.request
    parts = (request.method or "").encode(), request.get_full_path().encode(), view.body
    fingerprint = hashlib.sha256(b"\n".join(parts)).hexdigest()
    return send(answer_once(actor=view.principal, key=key, fingerprint=fingerprint, work=work))


def expected_version(headers: Mapping[str, str]) -> int:
    """The version in If-Match: a change must say which version it was made from."""
    given = headers.get("If-Match")
    if given is None:
        raise PreconditionMissing(
            "Send the header If-Match with the ETag that you got when you read this record, so that nobody's change is lost."
        )
    versions = {found[1] for tag in ENTITY_TAG.findall(given) if (found := VERSION.fullmatch(tag))}
    if len(versions) != 1:
        raise StaleVersion("If-Match names no version of this record. Read it again and send the ETag that you get.")
    return int(versions.pop())
