"""Signposting: typed links by which machines find their way without reading a page. Pure.

Level 1 puts the links of a page into its header (RFC 8288), as many as fit; level 2 gives all of them as a document of its
own, a linkset in JSON or in text (RFC 9264). Source: FAIR Signposting Profile, https://signposting.org/FAIR/.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from catalogue.downloads.headers import safe_media_type
from catalogue.downloads.lists import file_url
from catalogue.interop.description import Description
from catalogue.interop.schema_org import ZIP, archive_url
from catalogue.publication import Creator
from catalogue.record import DatasetRecord

# With the other headers of a page this stays below the 8 KiB that proxies and clients take at least.
MOST_HEADER_BYTES = 4000
MOST_AUTHORS = 1000
ABOUT_PAGE = "https://schema.org/AboutPage"
HTML = "text/html"
# From what a page leads to, back to the page.
_WAYS_BACK = {"describedby": "describes", "item": "collection"}
_SAFE = ":/?#[]@!$&'()*+,;=%~"
_PLAIN = re.compile(rf"[\w.{re.escape(_SAFE)}-]*", re.ASCII)
_TYPES = {"Dataset": "https://schema.org/Dataset", "Collection": "https://schema.org/Collection"}


class Link(NamedTuple):
    """`target` by `relation` from the page; `media_type` and `profile` are of the target."""

    target: str
    relation: str
    media_type: str = ""
    profile: str = ""


def links_of_page(description: Description, *, page: str, forms: Sequence[Link]) -> list[Link]:
    """The links of a page at `page`, the most needed first. `forms` lead to its metadata and its linksets."""
    publication = description.publication
    kind = _TYPES.get(publication.resource_type_general, _TYPES["Dataset"])
    links = [
        Link(publication.doi_url or page, "cite-as"),
        Link(ABOUT_PAGE, "type"),
        Link(kind, "type"),
        Link(publication.licence.url, "license"),
        *forms,
        *_collections(description),
        *(Link(_address(creator), "author") for creator in publication.text.creators[:MOST_AUTHORS]),
        *_items(description),
    ]
    return [link for link in links if link.target]


def link_header(links: Iterable[Link]) -> str:
    """The value of `Link`: as many of the links as fit, from the first; the linkset has them all."""
    written, size = [], 0
    for link in links:
        text = _in_header(link)
        size += len(text) + 2
        if size > MOST_HEADER_BYTES:
            break
        written.append(text)
    return ", ".join(written)


def linkset_json(links: Sequence[Link], *, page: str) -> dict[str, Any]:
    """RFC 9264 section 4.2: the links by what they start from, and there by their relation."""
    by_anchor: dict[str, dict[str, Any]] = {page: {"anchor": page}}
    back = {"href": _quoted(page), "type": HTML}
    for link in links:
        target = _quoted(link.target)
        by_anchor[page].setdefault(link.relation, []).append(_described(target, link))
        if link.relation in _WAYS_BACK:
            context = by_anchor.setdefault(target, {"anchor": target})
            context.setdefault(_WAYS_BACK[link.relation], []).append(back)
    return {"linkset": list(by_anchor.values())}


def linkset_text(links: Sequence[Link], *, page: str) -> str:
    """RFC 9264 section 4.1: the same as the value of a header, each link with its anchor."""
    anchor = f'; anchor="{_quoted(page)}"'
    lines = [_in_header(link) + anchor for link in links]
    lines += [
        f'<{_quoted(page)}>; rel="{_WAYS_BACK[link.relation]}"; type="{HTML}"; anchor="{_quoted(link.target)}"'
        for link in links
        if link.relation in _WAYS_BACK
    ]
    return ",\n".join(lines) + "\n"


def _described(target: str, link: Link) -> dict[str, str]:
    found = {"href": target}
    if link.media_type:
        found["type"] = link.media_type
    if link.profile:
        found["profile"] = link.profile
    return found


def _collections(description: Description) -> list[Link]:
    record = description.record
    if not isinstance(record, DatasetRecord):
        return []
    return [Link(f"{description.site.url}/investigations/{record.investigation.uid}", "collection", HTML)]


def _items(description: Description) -> list[Link]:
    """The files of a dataset, or the pages of what a collection holds, and the archive of everything."""
    archive = archive_url(description)
    items = [Link(archive, "item", ZIP)] if archive else []
    if description.publication.access_rights == "open":
        url = description.url
        items += [
            Link(file_url(url, file.name), "item", safe_media_type(file.media_type)) for file in description.files
        ]
    items += [Link(description.site.url + member.path, "item", HTML) for member in description.members]
    return items


def _address(creator: Creator) -> str:
    return f"https://orcid.org/{creator.orcid}" if creator.orcid else creator.ror


def _in_header(link: Link) -> str:
    kind = f'; type="{link.media_type}"' if link.media_type else ""
    profile = f'; profile="{link.profile}"' if link.profile else ""
    return f'<{_quoted(link.target)}>; rel="{link.relation}"{kind}{profile}'


def _quoted(address: str) -> str:
    """Nothing in an address may end the link or the header."""
    return address if _PLAIN.fullmatch(address) else quote(address, safe=_SAFE, errors="replace")
