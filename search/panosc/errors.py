"""Refusals of the PaNOSC search API in the shape of LoopBack: `{"error": {"statusCode", "name", "message", "code"}}`.

The statuses are those of its specification (section 1.4); what the site refuses elsewhere keeps its status of the portal.
"""

from http import HTTPStatus
from typing import Any

from rest_framework import exceptions

from catalogue import errors
from search.backends.base import EngineUnavailable

Refusal = tuple[HTTPStatus, str, str]
_NAMES = {HTTPStatus.BAD_REQUEST: "BadRequestError", HTTPStatus.NOT_FOUND: "NotFoundError"}


class ModelNotFound(errors.NotFound):
    code = "MODEL_NOT_FOUND"

    def __init__(self, model: str, pid: str) -> None:
        super().__init__(f'Unknown "{model}" id "{pid[:200]}".')


def refusal_of(error: Exception) -> Refusal | None:
    """Status, code and message; None for what is a mistake of ours."""
    if isinstance(error, errors.InvalidInput):
        return HTTPStatus.BAD_REQUEST, "INVALID_FILTER", error.message
    if isinstance(error, errors.NotFound):
        return HTTPStatus.NOT_FOUND, error.code, error.message
    if isinstance(error, EngineUnavailable):
        return (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "SEARCH_UNAVAILABLE",
            "Search does not answer: try again, or without `query`.",
        )
    if isinstance(error, exceptions.APIException):
        return HTTPStatus(error.status_code), str(error.default_code).upper(), str(error.detail)
    return None


def document_of(refusal: Refusal) -> dict[str, Any]:
    status, code, message = refusal
    return {
        "error": {"statusCode": status.value, "name": _NAMES.get(status, "Error"), "message": message, "code": code}
    }
