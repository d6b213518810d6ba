"""The answer to the question that everybody begins with, all datasets as visitors see them, kept while nothing can change it.

It is exact, not some seconds old: it is given again only while the index holds what it held, while the visibility rule keeps
back the same, which is asked of the database each time, and until the next dataset opens by the clock. Hits are keys; their
records are read and masked anew. Questions with conditions are too many to be kept.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from catalogue.neutral_access import NeutralFilter
from search.backends.base import Extent, Found, Index, Request
from search.clauses import Between, Everything
from search.question.dates import microseconds
from search.question.query import Query, conditions

MOST_KEPT = 16
NEVER = 2**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Kept:
    """What was found at `since` in an index of this generation, which holds before `until` (microseconds since 1970)."""

    generation: object
    since: int
    until: float
    found: Found


# By the request as it would be in 1970: requests of different moments differ in nothing but the moment.
_kept: dict[Request, _Kept] = {}


def is_kept(query: Query) -> bool:
    """Whether the answer to `query` is the same for all visitors, and one of few."""
    is_bare = not query.histograms and next(conditions(query), None) is None
    return query.principal.is_public and is_bare and not query.cursor


def timeless(access: NeutralFilter) -> NeutralFilter:
    return replace(access, now=EPOCH)


def kept_search(index: Index, request: Request, *, timeless: Request, now: datetime) -> Found:
    """What `index` finds. `timeless` is the request made with the `timeless` filter. Raises EngineUnavailable."""
    generation, moment = index.generation(), microseconds(now)
    kept = _kept.get(timeless)
    if kept and kept.generation == generation and kept.since <= moment < kept.until:
        return kept.found
    found = index.search(request)
    if generation is not None:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[timeless] = _Kept(generation, moment, _next_opening(index, moment), found)
    return found


def _next_opening(index: Index, moment: int) -> float:
    later = (("later", Between("opens_at", low=moment + 1)),)
    request = Request(Everything(), filters=later, facets=(("next", Extent("opens_at")),), limit=0)
    opening = index.search(request).ranges["next"].low
    return NEVER if opening is None else opening
