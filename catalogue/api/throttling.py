"""Rate limits of the API: generous for accounts, so that bulk work is possible, smaller for visitors.

Requests are counted per minute in the cache, one number for each account or address: a limit of thousands costs no more than
one of ten. (The list of times that Django REST framework keeps would grow with the limit.)
"""

import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _WindowThrottle(BaseThrottle):
    counts_reads: bool
    scope: str

    def allow_request(self, request: HttpRequest, view: "APIView") -> bool:
        if not self.counts(request):
            return True
        most, _, period = self.rate_of(request).partition("/")
        self.seconds = SECONDS[period[0]]
        key = f"throttle-{self.scope}-{self._who(request)}-{int(time.time() // self.seconds)}"
        return _count(key, self.seconds) <= int(most)

    def counts(self, request: HttpRequest) -> bool:
        return (request.method in SAFE_METHODS) == self.counts_reads

    def rate_of(self, request: HttpRequest) -> str:
        return api_settings.DEFAULT_THROTTLE_RATES[self.scope]

    def wait(self) -> float:
        return self.seconds - time.time() % self.seconds

    def _who(self, request: HttpRequest) -> str:
        user = request.user
        return f"user-{user.pk}" if user and user.is_authenticated else self.get_ident(request)


def _count(key: str, seconds: int) -> int:
    """One more request under `key`, which is forgotten when its time is over."""
    cache.add(key, 0, timeout=seconds + 1)
    try:
        return cache.incr(key)
    except ValueError:
        return 1


class ReadThrottle(_WindowThrottle):
    scope = "read"
    counts_reads = True

    def rate_of(self, request: HttpRequest) -> str:
        name = "read" if request.user.is_authenticated else "anonymous-read"
        return api_settings.DEFAULT_THROTTLE_RATES[name]


class WriteThrottle(_WindowThrottle):
    scope = "write"
    counts_reads = False
