"""Signposting: typed links in the header of a landing page, by which machines find their way without reading it.

Source: FAIR Signposting Profile, level 1, https://signposting.org/FAIR/; the syntax is RFC 8288. Pure.
"""

from urllib.parse import quote

from catalogue.publication import Publication

MOST_AUTHORS = 20
ABOUT_PAGE = "https://schema.org/AboutPage"
_TYPES = {"Dataset": "https://schema.org/Dataset", "Collection": "https://schema.org/Collection"}


def link_header(publication: Publication, *, descriptions: dict[str, str], download_url: str = "") -> str:
    """The value of `Link` for a public DOI. `descriptions` maps addresses of metadata to their media types."""
    kind = _TYPES.get(publication.resource_type_general)
    orcids = [creator.orcid for creator in publication.text.creators if creator.orcid]
    links = [
        (publication.doi_url, "cite-as", ""),
        (ABOUT_PAGE, "type", ""),
        (kind or _TYPES["Dataset"], "type", ""),
        *((f"https://orcid.org/{orcid}", "author", "") for orcid in orcids[:MOST_AUTHORS]),
        (publication.licence.url, "license", ""),
        *((address, "describedby", media_type) for address, media_type in descriptions.items()),
        (download_url, "item", "application/zip"),
    ]
    return ", ".join(_link(*link) for link in links if link[0])


def _link(address: str, relation: str, media_type: str) -> str:
    # Nothing in an address may end the link or the header.
    target = quote(address, safe=":/?#[]@!$&'()*+,;=%~")
    return f'<{target}>; rel="{relation}"' + (f'; type="{media_type}"' if media_type else "")
