"""Feeds of datasets by RFC 4287 (Atom), with the links of RFC 5005 where a feed has several pages.

Which datasets, in which order and for whose eyes, is asked elsewhere.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from django.utils.feedgenerator import Atom1Feed

from catalogue.interop.description import Site
from catalogue.record import DatasetRecord

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class _PagedFeed(Atom1Feed):
    """`links` are the addresses of other pages by their relation, such as "next"."""

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        for relation, address in self.feed["links"].items():
            handler.addQuickElement("link", "", {"rel": relation, "href": address})


def atom_feed(
    records: Iterable[DatasetRecord],
    site: Site,
    *,
    title: str,
    page_url: str,
    feed_url: str,
    links: Mapping[str, str] | None = None,
    changed_at: Mapping[UUID, datetime] | None = None,
) -> str:
    """An entry keeps its id, the dataset's uid, whatever changes. `page_url` is the feed as people read it, and its id.

    `changed_at` tells when what everybody sees of a dataset changed, where that is not when its row did.
    """
    feed = _PagedFeed(
        title=_plain(title), link=page_url, description="", feed_url=feed_url, language="en", links=links or {}
    )
    for record in records:
        people = ", ".join(person.name for person in record.people)
        feed.add_item(
            title=_plain(record.title),
            link=f"{site.url}{record.path}",
            # Django writes summaries as HTML.
            description=escape(_plain(record.description or f"{record.instrument.name}. {record.access.text}.")),
            author_name=_plain(people) or site.name,
            unique_id=record.uid.urn,
            pubdate=record.registered_at,
            updateddate=(changed_at or {}).get(record.uid, record.updated_at),
            categories=[_plain(technique.label) for technique in record.techniques],
        )
    return feed.writeString("utf-8")


def _plain(text: str) -> str:
    return _CONTROL.sub(" ", text)
