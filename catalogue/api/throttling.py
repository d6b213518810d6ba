"""Rate limits of the API: generous for accounts, so that bulk work is possible, smaller for visitors."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import SimpleRateThrottle
if TYPE_CHECKING:
    from rest_framework.views import APIView


class _Throttle(SimpleRateThrottle):
    def get_cache_key(self, request: HttpRequest, view: "APIView") -> str | None:
        is_read = request.method in SAFE_METHODS
        if is_read != self.counts_reads:
            return None
        user = request.user
        ident = f"user-{user.pk}" if user and user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}


class ReadThrottle(_Throttle):
    scope = "read"
    counts_reads = True

    def allow_request(self, request: HttpRequest, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            self.rate = self.THROTTLE_RATES["anonymous-read"]
            self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)


class WriteThrottle(_Throttle):
    scope = "write"
    counts_reads = False
