"""Answers that were counted already, kept while nothing can change them.

They are exact, not some seconds old: one is given again only while the index holds what it held, to the same question under
the same visibility rule, which is asked of the database each time, and until the next dataset opens by the clock. Hits are
keys; their records are read and masked anew.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from catalogue.neutral_access import NeutralFilter
from search.backends.base import Extent, Found, Index, Request
from search.clauses import Between, Everything
from search.question.dates import microseconds

MOST_KEPT = 128
NEVER = 2**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Period:
    """While the index is of one `generation` and nothing opens: `since` <= moment < `until`, in microseconds since 1970.

    `until` is asked of the index when an answer is to be given again, not before. `found` are answers by their timeless
    requests, the one that was asked for last at the end.
    """

    generation: object
    since: int
    until: int = 0
    found: OrderedDict[Request, Found] = field(default_factory=OrderedDict)

    def kept(self, timeless: Request) -> Found | None:
        with _lock:
            if found := self.found.get(timeless):
                self.found.move_to_end(timeless)
            return found

    def keep(self, timeless: Request, found: Found) -> Found:
        with _lock:
            self.found[timeless] = found
            if len(self.found) > MOST_KEPT:
                self.found.popitem(last=False)
        return found

    def holds(self, index: Index, moment: int) -> bool:
        self.until = self.until or _next_opening(index, self.since)
        return moment < self.until


_lock = threading.Lock()
_period = _Period(generation=None, since=0)


def timeless(access: NeutralFilter) -> NeutralFilter:
    """The filter as it would be in 1970: questions of different moments then differ in nothing but the moment."""
    return replace(access, now=EPOCH)


def kept_search(index: Index, request: Request, *, timeless: Request, now: datetime) -> Found:
    """What `index` finds. `timeless` is the request made with the `timeless` filter. Raises EngineUnavailable."""
    generation = index.generation()
    if generation is None:
        return index.search(request)
    moment = microseconds(now)
    period = _period_of(generation, moment)
    kept = period.kept(timeless)
    if kept and period.holds(index, moment):
        return kept
    if kept:
        period = _begin(generation, moment)
    return period.keep(timeless, index.search(request))


def forget() -> None:
    """Count everything anew."""
    _begin(None, 0)


def _period_of(generation: object, moment: int) -> _Period:
    """The present one, or a new one: what was kept in the last is then forgotten."""
    period = _period
    is_same = period.generation == generation and period.since <= moment
    return period if is_same else _begin(generation, moment)


def _begin(generation: object, moment: int) -> _Period:
    global _period
    _period = period = _Period(generation, moment)
    return period


def _next_opening(index: Index, moment: int) -> int:
    """The moment at which the first of what is closed opens."""
    later = (("later", Between("opens_at", low=moment + 1)),)
    request = Request(Everything(), filters=later, facets=(("next", Extent("opens_at")),), limit=0)
    opening = index.search(request).ranges["next"].low
    return NEVER if opening is None else int(opening)
