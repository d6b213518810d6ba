"""`ro-crate-preview.html`: the first page of an unpacked archive, for people. Pure, without script or anything from elsewhere.

Source: RO-Crate 1.2, "RO-Crate Website". Everything that people wrote is escaped.
"""

from html import escape

from catalogue.interop.ro_crate_archive import ArchiveDescription
from catalogue.interop.ro_crate_graph import METADATA_NAME, path_iri
from catalogue.publication import Publication

PREVIEW_NAME = "ro-crate-preview.html"
MOST_DATASETS = 200
MOST_CREATORS = 50
STYLE = (
    "body{font-family:sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;line-height:1.5}dt{font-weight:bold}"
)


def preview(archive: ArchiveDescription) -> bytes:
    """A page of HTML5 that names the archive, its licence, its datasets, and the file that machines read."""
    publication, site = archive.publication, archive.site
    title = publication.text.title if publication else f"Selection of datasets from {site.name}"
    abstract = f"<p>{escape(publication.text.abstract)}</p>\n" if publication and publication.text.abstract else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body><h1><bdi>{escape(title)}</bdi></h1>\n{abstract}"
        f"{_facts(publication) if publication else ''}{_datasets(archive)}"
        f'<p>For machines: <a href="{METADATA_NAME}">{METADATA_NAME}</a>.'
        f' From <a href="{escape(site.url)}">{escape(site.name)}</a>.</p></body></html>\n'
    ).encode()


def _facts(publication: Publication) -> str:
    creators = publication.text.creators
    names = "; ".join(escape(creator.display_name) for creator in creators[:MOST_CREATORS])
    more = f" and {len(creators) - MOST_CREATORS:,} more" if len(creators) > MOST_CREATORS else ""
    address = escape(publication.doi_url or publication.url)
    licence = escape(publication.licence.name)
    if publication.licence.url:
        licence = f'<a href="{escape(publication.licence.url)}">{licence}</a>'
    return (
        f"<dl><dt>By</dt><dd>{names}{more}</dd><dt>Licence</dt><dd>{licence}</dd>"
        f'<dt>Address</dt><dd><a href="{address}">{address}</a></dd></dl>\n'
    )


def _datasets(archive: ArchiveDescription) -> str:
    items = [
        f'<li><a href="{escape(path_iri(one.folder))}/"><bdi>{escape(one.record.title)}</bdi></a></li>'
        for one in archive.datasets[:MOST_DATASETS]
    ]
    if len(archive.datasets) > MOST_DATASETS:
        items.append(f"<li>and {len(archive.datasets) - MOST_DATASETS:,} more</li>")
    return f"<h2>Data</h2>\n<ul>{''.join(items)}</ul>\n"
