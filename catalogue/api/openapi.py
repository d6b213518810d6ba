"""How the operations of the API describe themselves in OpenAPI: bodies by their shapes, answers by their dataclasses."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from catalogue.api import bodies
from catalogue.api.documents import schema_of
from catalogue.api.filters import Filter
from catalogue.api.pages import DEFAULT_LIMIT, HIGHEST_LIMIT
from catalogue.api.parsing import Shape

PROBLEM = "Problem"
_components: dict[str, Any] = {
    PROBLEM: {
        "type": "object",
        "description": "RFC 9457 problem details. `code` is stable, see /api/errors; `fields` says where and why.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "fields": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        },
        "required": ["type", "title", "status", "code", "detail", "request_id"],
    }
}

LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT, "default": DEFAULT_LIMIT}, description="Rows"
)
CURSOR = OpenApiParameter("cursor", str, description="Where the page begins; taken from the link `next`")
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="ETag that you have: answers 304 when it still holds"
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="ETag of the record that you change"
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Your own name of this request, such as a UUID: sent again with the same body it gets the same answer, and"
    " nothing is done twice. Kept for at least 24 hours. A refused request leaves its key free.",
)

Decorator = Callable[[Callable], Callable]


def _refusals(*statuses: int) -> dict[Any, Any]:
    problem = {"$ref": f"#/components/schemas/{PROBLEM}"}
    return {(status, "application/problem+json"): problem for status in statuses}


def _answer(kind: Any) -> dict[str, Any]:
    return schema_of(kind, _components)


def _body(shape: Shape) -> dict[str, Any]:
    return {"request": {"application/json": shape.kind.schema}, "examples": [_example(shape)]}


def _operation_id(summary: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", summary.lower()).strip("_")


def _example(shape: Shape) -> OpenApiExample:
    return OpenApiExample(shape.name, value=shape.example, request_only=True)


def listing(kind: Any, summary: str, *, filters: Mapping[str, Filter] | None = None) -> Decorator:
    """A cursor page of `kind`, with `filters` beside the paging parameters."""
    schema = {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": _answer(kind)},
            "next": {"type": "string", "format": "uri", "nullable": True},
        },
        "required": ["results", "next"],
    }
    own = [
        OpenApiParameter(name, dict(one.schema), description=one.description) for name, one in (filters or {}).items()
    ]
    return extend_schema(
        summary=summary,
        operation_id=_operation_id(summary),
        parameters=[*own, LIMIT, CURSOR, IF_NONE_MATCH],
        responses={(200, "application/json"): schema, 304: None} | _refusals(404, 422, 429),
    )


def answers_of(kind: Any, *statuses: int) -> dict[Any, Any]:
    """A `kind`, and the refusals that there may be instead."""
    return {(200, "application/json"): _answer(kind)} | _refusals(*statuses)


def reading(kind: Any, summary: str) -> Decorator:
    responses = {(200, "application/json"): _answer(kind), 304: None}
    return extend_schema(
        summary=summary,
        operation_id=_operation_id(summary),
        parameters=[IF_NONE_MATCH],
        responses=responses | _refusals(404, 429),
    )


def writing(shape: Shape, kind: Any, summary: str, *, is_once: bool = False) -> Decorator:
    return extend_schema(
        summary=summary,
        operation_id=_operation_id(summary),
        parameters=[IDEMPOTENCY_KEY] if is_once else [],
        responses={(200, "application/json"): _answer(kind)} | _refusals(401, 403, 409, 413, 422, 429),
        **_body(shape),
    )


def creation(shape: Shape, kind: Any, summary: str) -> Decorator:
    answer = _answer(kind)
    return extend_schema(
        summary=summary,
        operation_id=_operation_id(summary),
        parameters=[IDEMPOTENCY_KEY],
        responses={(201, "application/json"): answer, (200, "application/json"): answer}
        | _refusals(401, 403, 404, 409, 413, 422, 429),
        **_body(shape),
    )


def changing(shape: Shape, kind: Any, summary: str) -> Decorator:
    return extend_schema(
        summary=summary,
        operation_id=_operation_id(summary),
        parameters=[IF_MATCH],
        responses={(200, "application/json"): _answer(kind)} | _refusals(401, 403, 404, 409, 412, 413, 422, 428, 429),
        **_body(shape),
    )


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Put the shapes of bodies and the schemas of answers into the document (a hook of drf-spectacular)."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({shape.name: shape.schema for shape in bodies.SHAPES} | _components)
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


class TokenScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular of our bearer tokens."""

    target_class = "catalogue.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Make a token on your tokens page, /me/tokens."}
