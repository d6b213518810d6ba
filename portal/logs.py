"""Structured logs: one JSON object a line, with the request's id. Secrets and closed metadata never go into a message."""

import json
import logging
from datetime import UTC, datetime

from django.http import HttpRequest

from catalogue.context import current_request_id


class RequestIdFilter(logging.Filter):
    """Adds the request's id, and the route in place of the path: addresses hold the names of files and samples."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
            route = request.resolver_match.route if request.resolver_match else "no route"
            record.args = tuple(f"/{route}" if value == request.path else value for value in record.args)
        return True


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", ""),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
