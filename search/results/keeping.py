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


@dataclass(frozen=True)
class _Period:
    """While the index is of one `generation` and nothing opens: `since` <= moment < `until`, in microseconds since 1970.

    `found` are answers by their timeless requests, the one that was asked for last at the end.
    """

    generation: object
    since: int
    until: int
    found: OrderedDict[Request, Found] = field(default_factory=OrderedDict)

    def holds(self, generation: object, moment: int) -> bool:
        return self.generation == generation and self.since <= moment < self.until


_lock = threading.Lock()
_period = _Period(None, 0, 0)


def timeless(access: NeutralFilter) -> NeutralFilter:
    """The filter as it would be in 1970: questions of different moments then differ in nothing but the moment."""
    return replace(access, now=EPOCH)


def kept_search(index: Index, request: Request, *, timeless: Request, now: datetime) -> Found:
    """What `index` finds. `timeless` is the request made with the `timeless` filter. Raises EngineUnavailable."""
    generation = index.generation()
    if generation is None:
        return index.search(request)
    period = _period_at(index, generation, microseconds(now))
    with _lock:
        if found := period.found.get(timeless):
            period.found.move_to_end(timeless)
            return found
    found = index.search(request)
    with _lock:
        period.found[timeless] = found
        if len(period.found) > MOST_KEPT:
            period.found.popitem(last=False)
    return found


def forget() -> None:
    """Count everything anew."""
    global _period
    _period = _Period(None, 0, 0)


def _period_at(index: Index, generation: object, moment: int) -> _Period:
    """The present one, or a new one: what was kept in the last is then forgotten."""
    global _period
    period = _period
    if not period.holds(generation, moment):
        _period = period = _Period(generation, moment, _next_opening(index, moment))
    return period


def _next_opening(index: Index, moment: int) -> int:
    """The moment at which the first of what is closed opens."""
    later = (("later", Between("opens_at", low=moment + 1)),)
    request = Request(Everything(), filters=later, facets=(("next", Extent("opens_at")),), limit=0)
    opening = index.search(request).ranges["next"].low
    return NEVER if opening is None else int(opening)
