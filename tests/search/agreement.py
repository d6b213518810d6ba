"""Whether an engine answers as the reference does. Only scores may differ, and with them the order of hits by score."""

from collections.abc import Iterator
from dataclasses import replace

from search.backends.base import Found, Hit, Index, Request
from tests.search.reference import Reference

ALL_OF_THEM = 2_000


def assert_agrees(index: Index, reference: Reference, request: Request) -> Found:
    """Ask both; where the limit cuts hits by score, those that came must at least be right."""
    expected, found = reference.search(request), index.search(request)
    assert found.total == expected.total, request
    assert found.values == expected.values, request
    assert found.bins == expected.bins, request
    assert found.ranges == expected.ranges, request
    if request.order:
        assert in_order(found) == in_order(expected), request
    else:
        assert len(found.hits) == len(expected.hits), request
        assert [hit.position for hit in found.hits] == [hit.position for hit in expected.hits], request
        everything = reference.search(replace(request, after=None, limit=ALL_OF_THEM))
        assert datasets(found) <= datasets(everything), request
        assert len(datasets(found)) == len(found.hits), request
    return found


def in_order(found: Found) -> list[tuple[int, int]]:
    return [(hit.dataset, hit.position) for hit in found.hits]


def datasets(found: Found) -> set[int]:
    return {hit.dataset for hit in found.hits}


def walk(index: Index, request: Request) -> Iterator[Hit]:
    """All hits of `request`, page after page."""
    while hits := index.search(request).hits:
        yield from hits
        request = replace(request, after=hits[-1].position)
