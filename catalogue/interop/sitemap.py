"""Sitemaps by the protocol of sitemaps.org (version 0.9): lists of addresses, and the index of such lists, as they are streamed.

Which addresses there are is asked elsewhere. A list holds at most MOST addresses and 50 MB; each has at most 2,048 characters.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from xml.sax.saxutils import escape

MOST = 50_000
CONTENT_TYPE = "application/xml; charset=utf-8"
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_CHUNK = 1000


def url_list(addresses: Iterable[tuple[str, datetime]]) -> Iterator[bytes]:
    """A sitemap of whole addresses of pages, each with the moment of its last change. The schema wants one address at least."""
    return _document("urlset", "url", addresses)


def sitemap_index(addresses: Iterable[tuple[str, datetime]]) -> Iterator[bytes]:
    """The index of whole addresses of sitemaps, each with the moment of the last change in it."""
    return _document("sitemapindex", "sitemap", addresses)


def _document(root: str, item: str, addresses: Iterable[tuple[str, datetime]]) -> Iterator[bytes]:
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">\n'.encode()
    waiting = iter(addresses)
    while some := list(islice(waiting, _CHUNK)):
        yield "".join(
            f"<{item}><loc>{escape(address)}</loc><lastmod>{at.isoformat(timespec='seconds')}</lastmod></{item}>\n"
            for address, at in some
        ).encode()
    yield f"</{root}>\n".encode()
