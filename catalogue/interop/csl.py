"""CSL-JSON of a publication, for reference managers and for our own citations (https://citeproc-js.readthedocs.io, csl-data)."""

from typing import Any

from catalogue.interop.schema_org_publication import without_empty
from catalogue.publication import Creator, Publication


def csl_item(publication: Publication) -> dict[str, Any]:
    """One item of CSL-JSON. Without a DOI its id and link are those of the landing page."""
    kind = publication.resource_type_general
    return without_empty(
        {
            "id": publication.doi_url or publication.url,
            "type": "software" if kind == "Software" else "dataset",
            "genre": "" if kind in ("Dataset", "Software") else kind,
            "title": publication.text.title,
            "author": [_name(creator) for creator in publication.text.creators],
            "issued": {"date-parts": [[publication.publication_year]]},
            "publisher": publication.publisher_name,
            "version": publication.version,
            "abstract": publication.text.abstract,
            "keyword": ", ".join(subject.term for subject in publication.text.subjects),
            "language": publication.text.language,
            "license": publication.licence.url,
            "DOI": publication.doi,
            "URL": publication.doi_url or publication.url,
        }
    )


def _name(creator: Creator) -> dict[str, str]:
    if creator.is_organisation:
        return {"literal": creator.name}
    return without_empty({"family": creator.family_name, "given": creator.given_name})
