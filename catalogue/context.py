"""The id of the request or task at work, for logs and the audit log. Imports nothing, so that logging can start first."""

from contextvars import ContextVar

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
