"""From a request to an answer: addresses, accounts, content types and error documents. No sockets, no faults."""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from catalogue.interop.datacite_xml import xml_of_attributes
from doi.standin.documents import document
from doi.standin.rules import Record, Repository
from doi.standin.service import NOT_FOUND, Refusal, Service, refusal

JSON = "application/json; charset=utf-8"
DATACITE_JSON = "application/vnd.datacite.datacite+json"
DATACITE_XML = "application/vnd.datacite.datacite+xml"
_JSON_TYPES = {"", "*/*", "application/*", "application/json", "application/vnd.api+json"}
_MEDIA_TYPE_IN_PATH = re.compile(r"^((?:application|text)/[^/]+)/(10\..+)$")
_PAYLOAD = "You need to provide a payload following the JSONAPI spec"
_LONGEST_LIST = 10_000


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    body: bytes = b""
    authorization: str = ""
    accept: str = ""
    host: str = ""

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path).rstrip("/") or "/"

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Answer:
    code: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(code: int, content: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(code, json.dumps(content).encode(), JSON, headers or {})


def answer(service: Service, request: Request) -> Answer:
    """Never raises for what a client sent."""
    try:
        return _handler(request)(service, request)
    except Refusal as refused:
        return json_answer(refused.code, {"errors": refused.errors}, refused.headers)


def _handler(request: Request) -> Callable[[Service, Request], Answer]:
    method, path = "GET" if request.method == "HEAD" else request.method, request.path
    fixed = {
        ("GET", "/heartbeat"): _heartbeat,
        ("GET", "/dois"): _list,
        ("POST", "/dois"): _create,
        ("POST", "/dois/validate"): _validate,
        ("GET", "/dois/random"): _random,
        ("POST", "/dois/undo"): _not_implemented,
        ("GET", "/dois/status"): _not_implemented,
    }
    if handler := fixed.get((method, path)):
        return handler
    if not path.startswith("/dois/"):
        raise refusal(404, NOT_FOUND)
    if method == "GET" and path.endswith("/get-url"):
        return _get_url
    of_a_name = {"GET": _read, "PUT": _change, "PATCH": _change, "DELETE": _delete}
    if method not in of_a_name:
        raise refusal(405, "Method not allowed", {"Allow": "HEAD, GET, PATCH, PUT, DELETE, OPTIONS"})
    return of_a_name[method]


def _heartbeat(service: Service, request: Request) -> Answer:
    return Answer(200, b"OK", "text/plain; charset=utf-8")


def _not_implemented(service: Service, request: Request) -> Answer:
    return json_answer(501, {"message": "Not Implemented."})


def _create(service: Service, request: Request) -> Answer:
    record = service.create(_attributes(request), _account(service, request))
    return _written(request, record, 201, {"Location": f"{_base(request)}/dois/{record.doi}"})


def _change(service: Service, request: Request) -> Answer:
    repository = _account(service, request)
    record, is_new = service.change(_name(request), _attributes(request), repository)
    return _written(request, record, 201 if is_new else 200)


def _delete(service: Service, request: Request) -> Answer:
    service.delete(_name(request), _account(service, request))
    return Answer(204)


def _validate(service: Service, request: Request) -> Answer:
    record, errors = service.validate(_attributes(request), _account(service, request))
    return json_answer(200, {"errors": errors}) if errors else _written(request, record, 200)


def _read(service: Service, request: Request) -> Answer:
    in_path = _MEDIA_TYPE_IN_PATH.match(request.path.removeprefix("/dois/"))
    wanted = [in_path.group(1)] if in_path else [part.split(";")[0].strip() for part in request.accept.split(",")]
    name = in_path.group(2) if in_path else _name(request)
    known = [media_type for media_type in wanted if media_type in {*_JSON_TYPES, DATACITE_JSON, DATACITE_XML}]
    if not known:
        raise refusal(406, "The content type is not recognized.")
    record = service.read(name, _known_account(service, request))
    if known[0] in _JSON_TYPES:
        return _written(request, record, 200)
    attributes = document(record, has_objects=frozenset({"affiliation", "publisher"}))["attributes"]
    content = xml_of_attributes(attributes) if known[0] == DATACITE_XML else json.dumps(attributes).encode()
    return Answer(200, content, known[0])


def _get_url(service: Service, request: Request) -> Answer:
    name = _name(request).removesuffix("/get-url")
    try:
        url = service.read(name, _known_account(service, request)).metadata.get("url")
    except Refusal:
        url = None
    return (
        json_answer(200, {"url": url}) if url else json_answer(404, {"errors": [{"status": 404, "title": "Not found"}]})
    )


def _random(service: Service, request: Request) -> Answer:
    if not (prefix := request.query.get("prefix")):
        raise refusal(422, "Parameter prefix is required")
    return json_answer(200, {"dois": service.random_names(prefix, _number(request.query.get("number"), 1, 1, 1000))})


def _list(service: Service, request: Request) -> Answer:
    """Pages by number (of the first 10,000) or by cursor, which is the last name of the page before."""
    query = request.query
    account = _known_account(service, request)
    owner = account.user if account else None
    filters = {name: query[name] for name in ("state", "prefix", "client-id", "query") if query.get(name)}
    size = _number(query.get("page[size]"), 25, 0, 1000)
    number = _number(query.get("page[number]"), 1, 1, max(1, _LONGEST_LIST // max(size, 1)))
    cursor = query.get("page[cursor]")
    after = "" if cursor in (None, "1") else str(cursor)
    offset = 0 if cursor else (number - 1) * size
    records = service.store.find(owner=owner, filters=filters, after=after, limit=size, offset=offset)
    total = service.store.count(owner=owner, filters=filters)
    links = {"self": f"{_base(request)}{request.target}"}
    if records and (cursor or offset + len(records) < total) and len(records) == size:
        following = {"page[cursor]": records[-1].doi} if cursor else {"page[number]": str(number + 1)}
        links["next"] = f"{_base(request)}/dois?{urlencode(query | following)}"
    meta = {"total": total, "totalPages": -(-total // size) if size else 0, "page": number}
    data = [document(record, has_objects=_objects(request)) for record in records]
    return json_answer(200, {"data": data, "meta": meta, "links": links})


def _written(request: Request, record: Record, code: int, headers: dict[str, str] | None = None) -> Answer:
    return json_answer(code, {"data": document(record, has_objects=_objects(request))}, headers)


def _objects(request: Request) -> frozenset[str]:
    return frozenset(name for name in ("affiliation", "publisher") if request.query.get(name) == "true")


def _attributes(request: Request) -> dict[str, Any]:
    try:
        data = json.loads(request.body)["data"]
        attributes = data.get("attributes") or {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise refusal(400, _PAYLOAD) from None
    if not data or not isinstance(attributes, dict):
        raise refusal(400, _PAYLOAD)
    return attributes


def _name(request: Request) -> str:
    return request.path.removeprefix("/dois/")


def _account(service: Service, request: Request) -> Repository:
    if repository := _known_account(service, request):
        return repository
    raise refusal(401, "Bad credentials.")


def _known_account(service: Service, request: Request) -> Repository | None:
    scheme, _, token = request.authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    repository = service.repositories.get(user.upper())
    is_right = repository and hmac.compare_digest(repository.password.encode(), password.encode())
    return repository if is_right else None


def _base(request: Request) -> str:
    return f"http://{request.host}"


def _number(text: str | None, default: int, least: int, most: int) -> int:
    return min(max(int(text), least), most) if text and text.isdecimal() else default
