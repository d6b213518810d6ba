"""Being a good host to machines: who names itself a robot or a tool, and how much of each is answered in a minute.

They are recognised by the agent that they name, as the counting of downloads does it. Whoever names a browser is a person
here and is never told to wait by this file, and neither is anybody who is signed in. Nothing here asks the database.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import get_usage

from catalogue.downloads.usage import is_machine, is_robot
from catalogue.visitors import address_of
from portal.errors import too_many_requests

# What is made for machines and has limits of its own, or none.
_OWN_LIMITS = ("/api/", "/oai", "/panosc/", "/healthz", "/readyz", "/metrics", "/robots.txt", "/.well-known/")
# Routes that read much of the archive for one answer, or send much of it.
HEAVY = {
    "search", "search-csv", "search-jsonl", "search-atom",
    "dataset-zip", "investigation-zip", "collection-zip", "selection-zip",
    "catalog-ttl", "catalog-jsonld",
}  # fmt: skip
_ROBOT_NAME = re.compile(r"[\w.-]*(?:bot|crawler|spider)\b", re.IGNORECASE)
_LONGEST_AGENT = 500


class Visitor(StrEnum):
    PERSON = "person"
    ROBOT = "robot"
    MACHINE = "machine"


class CrawlerMiddleware:
    """Tells robots that come too fast, and anonymous tools that ask for too much, after how many seconds to come back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        seconds = seconds_to_wait(request)
        return too_many_requests(request, seconds=seconds) if seconds else None


def visitor_of(request: HttpRequest) -> Visitor:
    return _visitor_by(request.headers.get("User-Agent", "")[:_LONGEST_AGENT])


@lru_cache(maxsize=1000)
def _visitor_by(agent: str) -> Visitor:
    if is_robot(agent):
        return Visitor.ROBOT
    return Visitor.MACHINE if is_machine(agent) else Visitor.PERSON


def crawler_name(agent: str) -> str:
    """What a robot calls itself, in lower case: "googlebot" of "Mozilla/5.0 (compatible; Googlebot/2.1; ...)"."""
    found = _ROBOT_NAME.search(agent)
    return (found.group() if found else agent.partition("/")[0])[:50].lower()


def seconds_to_wait(request: HttpRequest) -> int:
    """How long whoever asks should wait; 0 where there is no reason to."""
    visitor = visitor_of(request)
    if visitor == Visitor.PERSON or request.path.startswith(_OWN_LIMITS) or _shows_an_account(request, visitor):
        return 0
    limits = [("crawlers", settings.RATE_CRAWLER)] if visitor == Visitor.ROBOT else []
    if request.resolver_match and request.resolver_match.view_name in HEAVY:
        limits.append(("heavy", settings.RATE_HEAVY))
    return max((_wait(request, group, rate) for group, rate in limits if rate), default=0)


def _wait(request: HttpRequest, group: str, rate: str) -> int:
    """Counts the request. A cache that does not answer refuses nobody."""
    usage = get_usage(request, group=group, key=_name_and_address, rate=rate, increment=True)
    return max(1, usage["time_left"]) if usage and usage["should_limit"] and usage["time_left"] >= 0 else 0


def _name_and_address(_group: str, request: HttpRequest) -> str:
    return f"{crawler_name(request.headers.get('User-Agent', ''))} {address_of(request)}"


def _shows_an_account(request: HttpRequest, visitor: Visitor) -> bool:
    """A session that is signed in, or the token of somebody's tool; whoever shows neither costs no query."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
        return True
    return visitor == Visitor.MACHINE and request.headers.get("Authorization", "").lower().startswith("bearer ")
